// A kernel that touches a guard page, divides by zero or overflows its stack must end as a CUDA error, not end the process: .NET's own signal
// handlers go on serving everything else.
#pragma once
#include "block_scheduler.h"
#include "memory.h"

namespace cuda_emulator {

/// Installs the handlers, once for the process, and gives this operating-system thread a stack for them if it has none.
void arm_faults(Memory& memory);

/// Where a built-in function was called that is about to touch memory on the kernel's behalf: named instead of our own code if it faults.
void expect_fault_at(const char* file, int line);

}  // namespace cuda_emulator
