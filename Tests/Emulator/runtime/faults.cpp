#include "faults.h"

#include <signal.h>
#include <stdlib.h>
#include <ucontext.h>

#include <string>
#include <type_traits>

#include "image.h"
#include "result.h"

namespace cuda_emulator {
namespace {

struct Fault {
    int signal, code;
    void *address, *instruction;
};

constexpr int Signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL};
struct sigaction previous[sizeof Signals / sizeof Signals[0]];
Memory* device_memory;
Fault fault;
Place builtin_place;

/// Runs on stack 0, outside the handler: free to allocate and to switch stacks.
[[noreturn]] void after_fault() {
    auto& scheduler = *running_scheduler;
    Place place{nullptr, 0, static_cast<char*>(fault.instruction) + 1};
    std::string line = scheduler.describe(place);
    bool inside_builtin = line.find("Emulator/builtins/") != std::string::npos || !scheduler.image().contains(fault.instruction, 1);
    if (inside_builtin && builtin_place.file != nullptr) place = builtin_place;
    if (fault.signal == SIGFPE) scheduler.fail(LaunchFailed, "integer division by zero", place);
    if (fault.signal == SIGILL) scheduler.fail(LaunchFailed, "reached code that must not be reached", place);
    if (scheduler.stacks().is_guard(fault.address))
        scheduler.fail(LaunchFailed, "needs more than " + std::to_string(Stacks::StackBytes >> 10) + " KiB of local memory", place);
    // The processor names no address where it objects to the alignment of a vector.
    if (fault.code == SI_KERNEL) scheduler.fail(MisalignedAddress, "misaligned: a vector's address that its size does not divide, or a wild pointer", place);
    auto where = device_memory->describe(reinterpret_cast<uintptr_t>(fault.address));
    bool freed = where.find("use after free") != std::string::npos;
    scheduler.fail(IllegalAddress, (freed ? "use after free: touches memory " : "out of bounds: touches memory ") + where, place);
}

bool caught(const siginfo_t& info, ucontext_t& context) {
    if (running_scheduler == nullptr || !running_scheduler->running()) return false;
#if defined(__x86_64__)
    auto& instruction = context.uc_mcontext.gregs[REG_RIP];
    auto& stack = context.uc_mcontext.gregs[REG_RSP];
#else
    auto& instruction = context.uc_mcontext.pc;
    auto& stack = context.uc_mcontext.sp;
#endif
    const auto& stacks = running_scheduler->stacks();
    if (!stacks.contains(reinterpret_cast<void*>(stack))) return false;
    fault = {info.si_signo, info.si_code, info.si_addr, reinterpret_cast<void*>(instruction)};
    // Return from the handler into after_fault, on a stack as a call would leave it.
    auto top = reinterpret_cast<uintptr_t>(stacks.top(0)) - 64;
#if defined(__x86_64__)
    top -= sizeof(void*);
#endif
    stack = static_cast<std::remove_reference_t<decltype(stack)>>(top);
    instruction = static_cast<std::remove_reference_t<decltype(instruction)>>(reinterpret_cast<uintptr_t>(after_fault));
    return true;
}

void handle(int signal, siginfo_t* info, void* context) {
    if (caught(*info, *static_cast<ucontext_t*>(context))) return;
    for (size_t i = 0; i < sizeof Signals / sizeof Signals[0]; i++) {
        if (Signals[i] != signal) continue;
        const auto& before = previous[i];
        if (before.sa_flags & SA_SIGINFO)
            before.sa_sigaction(signal, info, context);
        else if (before.sa_handler == SIG_DFL)
            sigaction(signal, &before, nullptr);  // the instruction runs again and ends the process as it would have
        else if (before.sa_handler != SIG_IGN)
            before.sa_handler(signal);
    }
}

}  // namespace

void arm_faults(Memory& memory) {
    device_memory = &memory;
    builtin_place = {};
    static const bool installed = [] {
        for (size_t i = 0; i < sizeof Signals / sizeof Signals[0]; i++) {
            struct sigaction action {};
            action.sa_sigaction = handle;
            action.sa_flags = SA_SIGINFO | SA_ONSTACK;
            sigemptyset(&action.sa_mask);
            sigaction(Signals[i], &action, &previous[i]);
        }
        return true;
    }();
    static_cast<void>(installed);
    thread_local bool has_stack = false;
    if (has_stack) return;
    has_stack = true;
    stack_t present{};
    if (sigaltstack(nullptr, &present) == 0 && !(present.ss_flags & SS_DISABLE)) return;
    constexpr size_t Bytes = 64 << 10;
    stack_t mine{};
    mine.ss_sp = malloc(Bytes);  // for as long as the thread lives
    mine.ss_size = Bytes;
    sigaltstack(&mine, nullptr);
}

void expect_fault_at(const char* file, int line) { builtin_place = {file, line, nullptr}; }

}  // namespace cuda_emulator
