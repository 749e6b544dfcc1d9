// Atomics: one thread runs at a time, so plain arithmetic is enough; the checked level is told of the access, because two atomics do not race.
#pragma once

namespace cuda_emulator {

template <typename T, typename Change>
EMULATOR_UNCHECKED T atomic(T* address, Change change, const char* file, int line) {
    runtime.access(address, sizeof(T), Access::Atomic, true, file, line, nullptr);
    T old = *address;
    *address = change(old);
    return old;
}

}  // namespace cuda_emulator

#define EMULATOR_ATOMIC(name, type, expression)                                                                    \
    inline type name(type* address, type value, EMULATOR_SITE) {                                                   \
        return cuda_emulator::atomic(                                                                              \
            address, [value](type old) __attribute__((no_sanitize("thread"))) { return expression; }, file, line); \
    }
#define EMULATOR_INTEGER_ATOMICS(type)                                                                                            \
    EMULATOR_ATOMIC(atomicAdd, type, static_cast<type>(old + value))                                                              \
    EMULATOR_ATOMIC(atomicSub, type, static_cast<type>(old - value))                                                              \
    EMULATOR_ATOMIC(atomicExch, type, (static_cast<void>(old), value))                                                            \
    EMULATOR_ATOMIC(atomicMin, type, value < old ? value : old)                                                                   \
    EMULATOR_ATOMIC(atomicMax, type, old < value ? value : old)                                                                   \
    EMULATOR_ATOMIC(atomicAnd, type, static_cast<type>(old & value))                                                              \
    EMULATOR_ATOMIC(atomicOr, type, static_cast<type>(old | value))                                                               \
    EMULATOR_ATOMIC(atomicXor, type, static_cast<type>(old ^ value))                                                              \
    inline type atomicCAS(type* address, type expected, type value, EMULATOR_SITE) {                                              \
        return cuda_emulator::atomic(                                                                                             \
            address, [=](type old) __attribute__((no_sanitize("thread"))) { return old == expected ? value : old; }, file, line); \
    }

EMULATOR_INTEGER_ATOMICS(int)
EMULATOR_INTEGER_ATOMICS(unsigned)
EMULATOR_INTEGER_ATOMICS(unsigned long long)
EMULATOR_ATOMIC(atomicAdd, float, old + value)
EMULATOR_ATOMIC(atomicExch, float, (static_cast<void>(old), value))
EMULATOR_ATOMIC(atomicAdd, double, old + value)
EMULATOR_ATOMIC(atomicInc, unsigned, old >= value ? 0u : old + 1u)
EMULATOR_ATOMIC(atomicDec, unsigned, (old == 0u || old > value) ? value : old - 1u)

#undef EMULATOR_ATOMIC
#undef EMULATOR_INTEGER_ATOMICS

/// Between blocks of one launch: what a block wrote before a fence may be read by a block that then meets it at an atomic.
inline void __threadfence() { cuda_emulator::runtime.fence(); }
inline void __threadfence_system() { cuda_emulator::runtime.fence(); }
inline void __threadfence_block() {}
