#include "fiber.h"

#include <stdint.h>
#include <sys/mman.h>

#include <new>

// The callee-saved registers go onto the stack that is left; the stack pointer is all that has to be remembered. About 2 ns, where ucontext
// makes two system calls for the signal mask.
#if defined(__x86_64__)
asm(R"(
.text
.p2align 4
.globl cuda_emulator_switch
.hidden cuda_emulator_switch
.type cuda_emulator_switch, @function
cuda_emulator_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
.size cuda_emulator_switch, . - cuda_emulator_switch
)");
#elif defined(__aarch64__)
asm(R"(
.text
.p2align 4
.globl cuda_emulator_switch
.hidden cuda_emulator_switch
.type cuda_emulator_switch, %function
cuda_emulator_switch:
    sub sp, sp, #160
    stp x19, x20, [sp, #0]
    stp x21, x22, [sp, #16]
    stp x23, x24, [sp, #32]
    stp x25, x26, [sp, #48]
    stp x27, x28, [sp, #64]
    stp x29, x30, [sp, #80]
    stp d8, d9, [sp, #96]
    stp d10, d11, [sp, #112]
    stp d12, d13, [sp, #128]
    stp d14, d15, [sp, #144]
    mov x2, sp
    str x2, [x0]
    mov sp, x1
    ldp x19, x20, [sp, #0]
    ldp x21, x22, [sp, #16]
    ldp x23, x24, [sp, #32]
    ldp x25, x26, [sp, #48]
    ldp x27, x28, [sp, #64]
    ldp x29, x30, [sp, #80]
    ldp d8, d9, [sp, #96]
    ldp d10, d11, [sp, #112]
    ldp d12, d13, [sp, #128]
    ldp d14, d15, [sp, #144]
    add sp, sp, #160
    ret
.size cuda_emulator_switch, . - cuda_emulator_switch
)");
#else
#error "The emulator switches stacks by hand and knows x86-64 and aarch64 only: write cuda_emulator_switch for this processor."
#endif

namespace cuda_emulator {

Stacks::Stacks(int count) : count_(count), free_(new int[count]) {
    void* mapping = mmap(nullptr, bytes(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapping == MAP_FAILED) throw std::bad_alloc();
    base_ = static_cast<char*>(mapping);
    for (int i = 0; i < count; i++) mprotect(top(i) - StackBytes - GuardBytes, GuardBytes, PROT_NONE);
    give_all();
}

void Stacks::give_all() {
    free_count_ = 0;
    for (int i = count_ - 1; i > 0; i--) give(i);
}

void* Stacks::begin(int stack, void (*entry)()) {
    auto* p = reinterpret_cast<void**>(top(stack) - 64);
#if defined(__x86_64__)
    *--p = nullptr;  // a return address for the debugger to stop at; it also leaves the stack as a call would
    *--p = reinterpret_cast<void*>(entry);
    for (int i = 0; i < 6; i++) *--p = nullptr;
#else
    p -= 20;
    for (int i = 0; i < 20; i++) p[i] = nullptr;
    p[11] = reinterpret_cast<void*>(entry);  // x30
#endif
    return p;
}

}  // namespace cuda_emulator
