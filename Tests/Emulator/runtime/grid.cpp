#include "grid.h"

#include <string.h>
#include <sys/mman.h>

#include <algorithm>
#include <numeric>

#include "faults.h"
#include "result.h"

namespace cuda_emulator {
namespace {

constexpr size_t Page = 4096, DynamicRoom = 128 << 10, DynamicAlignment = 16;
Grid* running_grid;

/// Ends at a guard page, so that what is past the end of a block's dynamic shared memory cannot be touched.
char* map_dynamic() {
    auto* mapping = static_cast<char*>(mmap(nullptr, DynamicRoom + 2 * Page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    mprotect(mapping + Page, DynamicRoom, PROT_READ | PROT_WRITE);
    return mapping + Page + DynamicRoom;
}

}  // namespace

std::vector<size_t> parameter_offsets(const Kernel& kernel, size_t& bytes) {
    std::vector<size_t> offsets;
    bytes = 0;
    for (int i = 0; i < kernel.parameter_count; i++) {
        const auto& parameter = kernel.parameters[i];
        bytes = (bytes + parameter.alignment - 1) / parameter.alignment * parameter.alignment;
        offsets.push_back(bytes);
        bytes += parameter.size;
    }
    return offsets;
}

Grid::Grid(Memory& memory, Shadow& shadow) : memory_(memory), shadow_(shadow), checker_(memory, shadow, scheduler_), dynamic_end_(map_dynamic()) {}

void Grid::prepare(const Launch& launch) {
    const auto& module = launch.image->module();
    checked_ = module.checked;
    shared_ = launch.image->shared();
    dynamic_ = dynamic_end_ - (launch.shared_bytes + DynamicAlignment - 1) / DynamicAlignment * DynamicAlignment;
    *module.grid_size = launch.grid;
    *module.block_size = launch.block;
    *module.runtime = Runtime{on_barrier, on_warp,   on_active_lanes, on_copy_async, on_commit_copies,           on_wait_copies,
                              on_fence,   on_access, on_stop,         dynamic_,      scheduler_.stacks().base(), scheduler_.stacks().bytes()};
    pointers_.clear();
    for (size_t offset : launch.offsets) pointers_.push_back(const_cast<char*>(launch.arguments.data()) + offset);
}

void Grid::order_blocks(uint32_t count, Order order, RandomNumbers& random) {
    blocks_.resize(count);
    std::iota(blocks_.begin(), blocks_.end(), 0u);
    if (order == Order::Reverse) std::reverse(blocks_.begin(), blocks_.end());
    if (order == Order::Random)
        for (uint32_t i = count; i > 1; i--) std::swap(blocks_[i - 1], blocks_[random.below(i)]);
}

Failure Grid::run(const Launch& launch, Order order, RandomNumbers& random) {
    prepare(launch);
    order_blocks(launch.grid.x * launch.grid.y * launch.grid.z, order, random);
    arm_faults(memory_);
    running_grid = this;
    int threads = static_cast<int>(launch.block.x * launch.block.y * launch.block.z);
    if (checked_) checker_.begin_launch(shared_.begin, shared_.bytes, dynamic_, launch.shared_bytes, blocks_, launch.grid);
    scheduler_.begin_launch(*launch.image, *launch.kernel, pointers_.data(), launch.block, order, random, checked_ ? &shadow_ : nullptr);
    for (uint32_t block : blocks_) {
        memset(shared_.begin, 0xff, shared_.bytes);
        memset(dynamic_, 0xff, static_cast<size_t>(dynamic_end_ - dynamic_));
        copies_.begin_block(threads);
        if (checked_) shadow_.begin_block(threads);
        Coordinates index{block % launch.grid.x, block / launch.grid.x % launch.grid.y, block / launch.grid.x / launch.grid.y};
        if (!scheduler_.run_block(index)) return scheduler_.failure();
    }
    return check_slack(launch);
}

/// Past the end of a buffer there may be up to 255 bytes before its guard page. Whoever wrote there is known by the launch only.
Failure Grid::check_slack(const Launch& launch) {
    for (size_t i = 0; i < launch.offsets.size(); i++) {
        if (launch.kernel->parameters[i].kind != Kind::Pointer) continue;
        uintptr_t pointer;
        memcpy(&pointer, launch.arguments.data() + launch.offsets[i], sizeof pointer);
        const auto* allocation = memory_.holding(pointer);
        if (allocation == nullptr || allocation->freed) continue;
        long offset = allocation->written_slack();
        if (offset >= 0)
            return {
                IllegalAddress, "out of bounds: writes " + std::to_string(offset) + " bytes past the end of a buffer of " + std::to_string(allocation->bytes) +
                                    " bytes; kernel " + launch.kernel->name + ", argument " + std::to_string(i) + " (the checked level names thread and line)"};
    }
    return {};
}

int Grid::on_barrier(Vote vote, int predicate, const char* file, int line) { return running_grid->scheduler_.barrier(vote, predicate, file, line); }

void Grid::on_warp(WarpCall* call) { running_grid->scheduler_.warp_call(call); }

unsigned Grid::on_active_lanes() { return running_grid->scheduler_.active_lanes(); }

void Grid::on_copy_async(void* shared, const void* global, unsigned bytes, unsigned source_bytes, const char* file, int line) {
    auto& grid = *running_grid;
    Place place{file, line, nullptr};
    if ((bytes != 4 && bytes != 8 && bytes != 16) || source_bytes > bytes)
        grid.scheduler_.fail(LaunchFailed, "cp.async of " + std::to_string(bytes) + " bytes, " + std::to_string(source_bytes) + " of them from memory", place);
    bool aligned = reinterpret_cast<uintptr_t>(shared) % bytes == 0 && (source_bytes == 0 || reinterpret_cast<uintptr_t>(global) % bytes == 0);
    if (!aligned)
        grid.scheduler_.fail(MisalignedAddress, "misaligned: cp.async of " + std::to_string(bytes) + " bytes at addresses that they do not divide", place);
    expect_fault_at(file, line);
    if (grid.checked_) grid.checker_.begin_copy(shared, global, bytes, source_bytes, place);
    grid.copies_.add(grid.scheduler_.current(), shared, global, bytes, source_bytes);
}

void Grid::on_commit_copies() { running_grid->copies_.commit(running_grid->scheduler_.current()); }

void Grid::on_wait_copies(int groups_left) {
    auto& grid = *running_grid;
    grid.copies_.wait(grid.scheduler_.current(), groups_left, [&](const AsyncCopies::Copy& copy) {
        memcpy(copy.to, copy.content, copy.bytes);
        if (grid.checked_) grid.checker_.land_copy(copy.to, copy.bytes);
    });
}

void Grid::on_fence() {
    if (running_grid->checked_) running_grid->shadow_.fence();
}

void Grid::on_access(const void* address, size_t bytes, Access access, bool aligned, const char* file, int line, const void* return_address) {
    auto& grid = *running_grid;
    if (file != nullptr) expect_fault_at(file, line);
    if (!grid.checked_ || !grid.scheduler_.running()) return;
    grid.checker_.access(address, bytes, access, aligned, {file, line, return_address});
}

void Grid::on_stop(const char* reason, const char* file, int line, const void* return_address) {
    if (running_grid->scheduler_.running()) running_grid->scheduler_.fail(LaunchFailed, reason, {file, line, return_address});
}

}  // namespace cuda_emulator
