// cp.async by the names that cuda_pipeline_primitives.h gives it.
#pragma once

inline void __pipeline_memcpy_async(void* shared, const void* global, size_t bytes, size_t zeros = 0, EMULATOR_SITE) {
    emulator_cp_async(shared, global, static_cast<int>(bytes), static_cast<int>(bytes - zeros), file, line);
}
inline void __pipeline_commit() { emulator_cp_async_commit(); }
inline void __pipeline_wait_prior(size_t groups_left) { emulator_cp_async_wait(static_cast<int>(groups_left)); }
