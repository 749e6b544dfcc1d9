#include "shadow.h"

#include <string.h>
#include <sys/mman.h>

#include <algorithm>

namespace cuda_emulator {

Cell* make_cells(size_t bytes) {
    void* cells = mmap(nullptr, bytes * sizeof(Cell), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return cells == MAP_FAILED ? nullptr : static_cast<Cell*>(cells);
}

void drop_cells(Cell* cells, size_t bytes) {
    if (cells != nullptr) munmap(static_cast<void*>(cells), bytes * sizeof(Cell));
}

void Shadow::begin_operation(const std::string& name, int stream, uint64_t number, const Clock& before) {
    constexpr size_t Longest = 1 << 18;
    if (history_.size() >= Longest) settle();
    first_run_ = next_run_;
    history_.push_back({first_run_, stream, number, name});
    stream_ = stream;
    before_ = before;
    if (latest_.size() <= static_cast<size_t>(stream)) latest_.resize(static_cast<size_t>(stream) + 1);
    all_before_ = true;
    for (size_t s = 0; s < latest_.size(); s++)
        if (static_cast<int>(s) != stream && latest_[s] > before.of(static_cast<int>(s))) all_before_ = false;
    latest_[static_cast<size_t>(stream)] = number;
    fenced_.clear();
}

void Shadow::begin_block(int thread_count) {
    run_ = next_run_++;
    thread_count_ = thread_count;
    acquired_ = false;
    fenced_.push_back(false);
    std::fill_n(time_, thread_count, 1u);
    std::fill_n(barrier_seen_, thread_count, 0u);
    memset(seen_, 0, static_cast<size_t>(thread_count) * sizeof seen_[0]);
}

void Shadow::settle() {
    settled_run_ = next_run_;
    history_.clear();
    std::fill(latest_.begin(), latest_.end(), 0);
}

void Shadow::pass_barrier() {
    for (int t = 0; t < thread_count_; t++) barrier_seen_[t] = time_[t]++;
}

void Shadow::pass_warp(int warp, unsigned lanes) {
    uint32_t together[WarpSize] = {};
    int first = warp * WarpSize;
    for (int lane = 0; lane < WarpSize; lane++) {
        if (!(lanes >> lane & 1)) continue;
        for (int other = 0; other < WarpSize; other++) together[other] = std::max(together[other], seen_[first + lane][other]);
        together[lane] = std::max(together[lane], time_[first + lane]);
    }
    for (int lane = 0; lane < WarpSize; lane++) {
        if (!(lanes >> lane & 1)) continue;
        memcpy(seen_[first + lane], together, sizeof together);
        time_[first + lane]++;
    }
}

/// Whether nothing puts an earlier access of another thread before one of `me` now.
bool Shadow::unordered(uint32_t run, unsigned thread, unsigned time, unsigned me) const {
    if (run == run_) {
        if (thread == me || time <= barrier_seen_[thread]) return false;
        return thread / WarpSize != me / WarpSize || time > seen_[me][thread % WarpSize];
    }
    // Another block of this launch: ordered only if it fenced what it wrote and this block met it at an atomic.
    if (run >= first_run_) return !(acquired_ && fenced_[run - first_run_]);
    if (all_before_ || run < settled_run_) return false;
    const auto* operation = operation_of(run);
    return operation != nullptr && operation->stream != stream_ && operation->number > before_.of(operation->stream);
}

bool Shadow::unordered_read(const ReadStamp& read, unsigned me) const {
    if (unordered(read.run, read.thread, read.time, me)) return true;
    if (read.run < first_run_) return false;
    if (read.several_blocks && !acquired_) return true;
    if (read.run != run_) return false;
    if (read.several_warps && read.time > barrier_seen_[read.thread]) return true;
    return read.several_lanes && read.thread == me && read.time == time_[me];
}

void Shadow::note_read(ReadStamp& read, unsigned me) {
    bool lanes = false, warps = false, blocks = false;
    if (read.run >= first_run_) {
        blocks = read.several_blocks || read.run != run_;
        if (read.run == run_ && read.time > barrier_seen_[read.thread]) {
            warps = read.several_warps || read.thread / WarpSize != me / WarpSize;
            lanes = read.thread == me ? read.several_lanes && read.time == time_[me] : unordered(read.run, read.thread, read.time, me);
        }
    }
    read.run = run_;
    read.thread = me;
    read.time = time_[me];
    read.several_lanes = lanes;
    read.several_warps = warps;
    read.several_blocks = blocks;
}

template <bool Global>
Verdict Shadow::visit(Cell* cells, size_t bytes, Access access, unsigned me) {
    for (size_t i = 0; i < bytes; i++) {
        auto& cell = cells[i];
        auto& write = cell.write;
        bool written = Global ? write.run != 0 : write.run == run_;
        bool was_read = Global ? cell.read.run != 0 : cell.read.run == run_;
        if (!written && access != Access::Write) return {Problem::Uninitialised};
        if (written) {
            if (write.in_flight && write.run == run_) return {Problem::InFlight, write.run, write.thread};
            bool both_atomic = access == Access::Atomic && write.atomic;
            if (both_atomic && write.run != run_ && write.run >= first_run_ && fenced_[write.run - first_run_]) acquired_ = true;
            if (!both_atomic && unordered(write.run, write.thread, write.time, me))
                return {access == Access::Read ? Problem::ReadAfterWrite : Problem::WriteAfterWrite, write.run, write.thread};
        }
        if (access == Access::Read) {
            if (!was_read && !Global) cell.read = ReadStamp{};
            note_read(cell.read, me);
            continue;
        }
        if (was_read && unordered_read(cell.read, me)) return {Problem::WriteAfterRead, cell.read.run, cell.read.thread};
        write.run = run_;
        write.thread = me;
        write.time = time_[me];
        write.atomic = access == Access::Atomic;
        write.in_flight = 0;
    }
    return {};
}

template Verdict Shadow::visit<false>(Cell*, size_t, Access, unsigned);
template Verdict Shadow::visit<true>(Cell*, size_t, Access, unsigned);

Verdict Shadow::visit_variable(Cell* cells, size_t bytes, Access access, unsigned thread) {
    for (size_t i = 0; i < bytes; i++)
        if (cells[i].write.run == 0) cells[i].write.run = BeforeAll;
    return visit<true>(cells, bytes, access, thread);
}

Verdict Shadow::visit_copied(Cell* to, Cell* from, size_t bytes) {
    for (size_t i = 0; i < bytes; i++) {
        bool initialised = true;
        if (from != nullptr) {
            const auto& source = from[i].write;
            initialised = source.run != 0;
            if (initialised && unordered(source.run, source.thread, source.time, 0)) return {Problem::ReadAfterWrite, source.run, source.thread};
            note_read(from[i].read, 0);
        }
        if (to == nullptr) continue;
        auto verdict = visit<true>(to + i, 1, Access::Write, 0);
        if (verdict.problem != Problem::None) return verdict;
        if (!initialised) to[i].write = WriteStamp{};
    }
    return {};
}

void Shadow::mark_in_flight(Cell* cells, size_t bytes, unsigned thread) {
    for (size_t i = 0; i < bytes; i++) {
        cells[i].write.run = run_;
        cells[i].write.thread = thread;
        cells[i].write.time = time_[thread];
        cells[i].write.atomic = 0;
        cells[i].write.in_flight = 1;
    }
}

void Shadow::land_async(Cell* cells, size_t bytes, unsigned thread) {
    mark_in_flight(cells, bytes, thread);
    for (size_t i = 0; i < bytes; i++) cells[i].write.in_flight = 0;
}

void Shadow::mark_initialised(Cell* cells, size_t bytes, uint32_t run) {
    if (cells == nullptr) return;
    for (size_t i = 0; i < bytes; i++) {
        cells[i] = Cell{};
        cells[i].write.run = run;
    }
}

void Shadow::mark_uninitialised(Cell* cells, size_t bytes) {
    if (cells != nullptr) memset(static_cast<void*>(cells), 0, bytes * sizeof(Cell));
}

const Shadow::Operation* Shadow::operation_of(uint32_t run) const {
    auto after = std::upper_bound(history_.begin(), history_.end(), run, [](uint32_t r, const Operation& operation) { return r < operation.first_run; });
    return after == history_.begin() ? nullptr : &*(after - 1);
}

std::string Shadow::name_of(uint32_t run) const {
    const auto* operation = operation_of(run);
    return operation == nullptr ? "an earlier operation" : operation->name;
}

}  // namespace cuda_emulator
