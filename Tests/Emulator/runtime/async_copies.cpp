#include "async_copies.h"

#include <string.h>

namespace cuda_emulator {

void AsyncCopies::begin_block(int thread_count) {
    for (int t = 0; t < thread_count; t++) {
        threads_[t].groups = 0;
        threads_[t].pending.clear();
    }
}

void AsyncCopies::add(int thread, void* to, const void* from, unsigned bytes, unsigned source_bytes) {
    Copy copy{static_cast<char*>(to), bytes, threads_[thread].groups, {}};
    memcpy(copy.content, from, source_bytes);
    threads_[thread].pending.push_back(copy);
}

}  // namespace cuda_emulator
