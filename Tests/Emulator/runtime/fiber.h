// Switching between stacks: what a CUDA thread that waits needs to be set aside and taken up again.
#pragma once
#include <stddef.h>

namespace cuda_emulator {

/// Leaves the present stack, whose pointer goes to *save, and goes on where `resume` was left (or begins it, see Stacks::begin).
extern "C" void cuda_emulator_switch(void** save, void* resume);

/// Equal stacks in one mapping, each with a guard page below it. Stack 0 is kept for what has to run after a thread's stack has become unusable.
class Stacks {
  public:
    static constexpr size_t StackBytes = 128 << 10, GuardBytes = 4 << 10;

    explicit Stacks(int count);

    int take() { return free_[--free_count_]; }
    void give(int stack) { free_[free_count_++] = stack; }
    void give_all();

    /// Prepares a stack so that the first switch to the pointer it returns calls `entry`, which must not return.
    void* begin(int stack, void (*entry)());
    char* top(int stack) const { return base_ + (static_cast<size_t>(stack) + 1) * (StackBytes + GuardBytes); }

    const char* base() const { return base_; }
    size_t bytes() const { return static_cast<size_t>(count_) * (StackBytes + GuardBytes); }
    bool contains(const void* address) const { return static_cast<size_t>(static_cast<const char*>(address) - base_) < bytes(); }
    bool is_guard(const void* address) const {
        return contains(address) && static_cast<size_t>(static_cast<const char*>(address) - base_) % (StackBytes + GuardBytes) < GuardBytes;
    }

  private:
    char* base_;
    int count_, free_count_ = 0;
    int* free_;
};

}  // namespace cuda_emulator
