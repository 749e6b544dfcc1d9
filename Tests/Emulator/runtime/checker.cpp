#include "checker.h"

#include <string.h>

#include <algorithm>

#include "image.h"
#include "result.h"

namespace cuda_emulator {
namespace {

std::string verb(Access access) { return access == Access::Read ? "reads " : access == Access::Write ? "writes " : "updates "; }

std::string count(size_t bytes) { return std::to_string(bytes) + (bytes == 1 ? " byte" : " bytes"); }

}  // namespace

void Checker::begin_launch(char* shared, size_t shared_bytes, char* dynamic, size_t dynamic_bytes, const std::vector<uint32_t>& blocks, Coordinates grid) {
    shared_ = reinterpret_cast<uintptr_t>(shared);
    shared_bytes_ = shared_bytes;
    dynamic_ = reinterpret_cast<uintptr_t>(dynamic);
    dynamic_bytes_ = dynamic_bytes;
    if (shared_cells_.size() < shared_bytes) shared_cells_.resize(shared_bytes);
    if (dynamic_cells_.size() < dynamic_bytes) dynamic_cells_.resize(dynamic_bytes);
    blocks_ = &blocks;
    grid_ = grid;
    spin_ = {};
    spin_turns_ = 0;
}

Checker::Region Checker::region_of(const void* address, size_t bytes, Access access, Place place) {
    auto a = reinterpret_cast<uintptr_t>(address);
    if (a - shared_ < shared_bytes_ && bytes <= shared_bytes_ - (a - shared_)) return {"shared memory", shared_cells_.data() + (a - shared_), Region::Shared};
    if (a - dynamic_ < dynamic_bytes_ && bytes <= dynamic_bytes_ - (a - dynamic_))
        return {"shared memory", dynamic_cells_.data() + (a - dynamic_), Region::Shared};
    constexpr size_t Alignment = 16, GuardPage = 4096;
    size_t to_guard = (dynamic_bytes_ + Alignment - 1) / Alignment * Alignment;
    if (a >= dynamic_ && a - dynamic_ < to_guard + GuardPage) {
        size_t end = a + bytes - dynamic_;
        scheduler_.fail(
            IllegalAddress,
            "out of bounds: " + verb(access) + count(bytes) + ", of which the last is " + std::to_string(end - dynamic_bytes_) +
                " past the end of the block's " + count(dynamic_bytes_) + " of dynamic shared memory",
            place);
    }
    if (auto* cells = scheduler_.image().cells_of(address, bytes)) return {"a __device__ variable", cells, Region::Variable};
    // Constants, and a thread's own.
    if (scheduler_.image().contains(address, bytes) || scheduler_.stacks().contains(address)) return {};
    auto* allocation = memory_.holding(a);
    if (allocation != nullptr && !allocation->freed && bytes <= allocation->end() - a)
        return {"global memory", allocation->cells == nullptr ? nullptr : allocation->cells + (a - allocation->begin), Region::Global};
    // What begins inside of a buffer is wrong at its last byte.
    auto where = memory_.describe(allocation != nullptr && !allocation->freed ? a + bytes - 1 : a);
    bool freed = where.find("use after free") != std::string::npos;
    scheduler_.fail(IllegalAddress, (freed ? "use after free: " : "out of bounds: ") + verb(access) + count(bytes) + " of global memory, " + where, place);
}

void Checker::access(const void* address, size_t bytes, Access access, bool aligned, Place place) {
    auto region = region_of(address, bytes, access, place);
    if (region.name == nullptr) return;
    if (access == Access::Write)
        spin_turns_ = 0;
    else
        watch_spin(address, bytes, access, place);
    if (aligned && reinterpret_cast<uintptr_t>(address) % bytes != 0)
        scheduler_.fail(
            MisalignedAddress, "misaligned: " + verb(access) + count(bytes) + " of " + region.name + " at an address that they do not divide", place);
    if (region.cells == nullptr) return;
    auto thread = static_cast<unsigned>(scheduler_.current());
    auto verdict = region.kind == Region::Global     ? shadow_.visit_global(region.cells, bytes, access, thread)
                   : region.kind == Region::Variable ? shadow_.visit_variable(region.cells, bytes, access, thread)
                                                     : shadow_.visit_shared(region.cells, bytes, access, thread);
    if (verdict.problem != Problem::None) report(verdict, region, bytes, access, place);
}

/// A thread that asks for the same bytes again and again, and finds them as they were, waits for another: those of its block get their turn. Blocks run
/// one after another, so what only a later block could write does not come.
void Checker::watch_spin(const void* address, size_t bytes, Access access, Place place) {
    constexpr int Patience = 1 << 12, MostTurns = 1 << 10;
    uint64_t content = 0;
    memcpy(&content, address, std::min(bytes, sizeof content));
    int thread = scheduler_.current();
    bool again = address == spin_.address && place.return_address == spin_.from && content == spin_.content && thread == spin_.thread;
    spin_ = {address, place.return_address, content, thread, again ? spin_.count + 1 : 1};
    if (spin_.count < Patience) return;
    spin_ = {};
    if (spin_turns_++ < MostTurns && scheduler_.yield()) return;
    scheduler_.fail(
        LaunchFailed, "spins: " + verb(access) + count(bytes) + " over and over that no thread of the block changes, and other blocks may run later", place);
}

void Checker::begin_copy(const void* to, const void* from, size_t bytes, size_t source_bytes, Place place) {
    if (source_bytes > 0) access(from, source_bytes, Access::Read, false, place);
    access(to, bytes, Access::Write, true, place);
    auto region = region_of(to, bytes, Access::Write, place);
    if (region.cells != nullptr && region.kind == Region::Shared) shadow_.mark_in_flight(region.cells, bytes, static_cast<unsigned>(scheduler_.current()));
}

void Checker::land_copy(const void* to, size_t bytes) {
    auto region = region_of(to, bytes, Access::Write, {});
    if (region.cells != nullptr && region.kind == Region::Shared) shadow_.land_async(region.cells, bytes, static_cast<unsigned>(scheduler_.current()));
}

std::string Checker::other_party(const Verdict& verdict, bool& same_warp) const {
    same_warp = false;
    if (verdict.run == shadow_.run()) {
        int other = static_cast<int>(verdict.thread);
        if (other == scheduler_.current()) return "another thread of the block";
        same_warp = other / WarpSize == scheduler_.current() / WarpSize;
        return "thread " + scheduler_.describe(other);
    }
    if (verdict.run >= shadow_.first_run()) {
        uint32_t block = (*blocks_)[verdict.run - shadow_.first_run()];
        return "block (" + std::to_string(block % grid_.x) + "," + std::to_string(block / grid_.x % grid_.y) + "," + std::to_string(block / grid_.x / grid_.y) +
               ") of the same launch";
    }
    return shadow_.name_of(verdict.run) + " on another stream";
}

void Checker::report(const Verdict& verdict, const Region& region, size_t bytes, Access access, Place place) {
    std::string what = verb(access) + count(bytes) + " of " + region.name;
    // Who would write it may only not have had its turn yet.
    const char* yet = region.kind == Region::Shared ? ", or not yet: a barrier may be missing" : "";
    if (verdict.problem == Problem::Uninitialised) scheduler_.fail(LaunchFailed, "uninitialised read: " + what + " that nothing has written" + yet, place);
    bool same_warp;
    std::string other = other_party(verdict, same_warp);
    if (verdict.problem == Problem::InFlight)
        scheduler_.fail(LaunchFailed, "missing cp.async wait: " + what + " that cp.async of " + other + " is still filling", place);
    std::string did = verdict.problem == Problem::WriteAfterRead ? " has read" : " has written";
    std::string remedy = verdict.run == shadow_.run()         ? same_warp ? ", with no __syncwarp() between" : ", with no __syncthreads() between"
                         : verdict.run >= shadow_.first_run() ? ", and blocks run in any order"
                                                              : ", with no event between";
    scheduler_.fail(LaunchFailed, "race: " + what + " that " + other + did + remedy, place);
}

}  // namespace cuda_emulator
