// cp.async: nothing lands in shared memory before the wait, so that a kernel that forgets it reads NaN, or is reported by the checked level.
#pragma once

/// cp.async of 4, 8 or 16 bytes to shared memory; bytes past `source_bytes` become zero, as with the instruction's src-size.
inline void emulator_cp_async(void* shared, const void* global, int bytes, int source_bytes, EMULATOR_SITE) {
    cuda_emulator::runtime.copy_async(shared, global, static_cast<unsigned>(bytes), static_cast<unsigned>(source_bytes), file, line);
}
inline void emulator_cp_async(void* shared, const void* global, int bytes, EMULATOR_SITE) {
    cuda_emulator::runtime.copy_async(shared, global, static_cast<unsigned>(bytes), static_cast<unsigned>(bytes), file, line);
}

/// cp.async.commit_group
inline void emulator_cp_async_commit() { cuda_emulator::runtime.commit_copies(); }

/// cp.async.wait_group: at most this many of the latest groups are left pending.
inline void emulator_cp_async_wait(int groups_left) { cuda_emulator::runtime.wait_copies(groups_left); }

/// cp.async.wait_all: also what was never committed.
inline void emulator_cp_async_wait_all() { cuda_emulator::runtime.wait_copies(-1); }
