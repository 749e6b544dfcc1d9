// cp.async: what each thread of the running block has begun to copy and not yet waited for.
#pragma once
#include <vector>

#include "block_scheduler.h"

namespace cuda_emulator {

class AsyncCopies {
  public:
    struct Copy {
        char* to;
        unsigned bytes;
        int group;
        char content[16];
    };

    void begin_block(int thread_count);
    void add(int thread, void* to, const void* from, unsigned bytes, unsigned source_bytes);
    void commit(int thread) { threads_[thread].groups++; }

    /// Hands out the copies that are due when all but the latest `groups_left` groups are waited for; -1 for all there are.
    template <typename Land>
    void wait(int thread, int groups_left, Land land) {
        auto& t = threads_[thread];
        size_t due = 0;
        while (due < t.pending.size() && (groups_left < 0 || t.pending[due].group < t.groups - groups_left)) land(t.pending[due++]);
        t.pending.erase(t.pending.begin(), t.pending.begin() + static_cast<long>(due));
    }

  private:
    struct Thread {
        int groups = 0;
        std::vector<Copy> pending;
    };
    Thread threads_[MaxThreads];
};

}  // namespace cuda_emulator
