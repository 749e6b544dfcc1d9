#include "memory.h"

#include <string.h>
#include <sys/mman.h>

#include <iterator>

#include "shadow.h"

namespace cuda_emulator {
namespace {

constexpr size_t Page = 4096;
constexpr char Slack = static_cast<char>(0xA5);
constexpr size_t MostFreed = 2048, MostFreedBytes = size_t{4} << 30;

size_t round_up(size_t bytes, size_t to) { return (bytes + to - 1) / to * to; }

}  // namespace

size_t Allocation::slack() const { return round_up(bytes, Memory::Alignment) - bytes; }

long Allocation::written_slack() const {
    const char* after = reinterpret_cast<const char*>(end());
    for (size_t i = 0; i < slack(); i++)
        if (after[i] != Slack) return static_cast<long>(i);
    return -1;
}

Allocation* Memory::allocate(size_t bytes, bool host) {
    if (!host && used_ + bytes > total_) return nullptr;
    size_t room = round_up(bytes, Alignment), pages = round_up(room, Page), mapping_bytes = pages + 2 * Page;
    void* mapping = mmap(nullptr, mapping_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapping == MAP_FAILED) return nullptr;
    char* inside = static_cast<char*>(mapping) + Page;
    if (mprotect(inside, pages, PROT_READ | PROT_WRITE) != 0) {
        munmap(mapping, mapping_bytes);
        return nullptr;
    }
    char* begin = inside + pages - room;
    memset(begin, 0xff, bytes);
    memset(begin + bytes, Slack, room - bytes);
    auto allocation = std::make_unique<Allocation>();
    allocation->begin = reinterpret_cast<uintptr_t>(begin);
    allocation->bytes = bytes;
    allocation->mapping = static_cast<char*>(mapping);
    allocation->mapping_bytes = mapping_bytes;
    allocation->host = host;
    if (watched_ && !host) allocation->cells = make_cells(bytes);
    auto* result = allocation.get();
    allocations_[result->begin] = std::move(allocation);
    living_++;
    if (!host) used_ += bytes;
    return result;
}

void Memory::free(Allocation& allocation, const std::string& by) {
    allocation.freed = true;
    allocation.freed_by = by;
    drop_cells(allocation.cells, allocation.bytes);
    allocation.cells = nullptr;
    madvise(allocation.mapping, allocation.mapping_bytes, MADV_DONTNEED);
    mprotect(allocation.mapping, allocation.mapping_bytes, PROT_NONE);
    living_--;
    if (!allocation.host) used_ -= allocation.bytes;
    freed_.push_back(allocation.begin);
    freed_bytes_ += allocation.mapping_bytes;
    while (freed_.size() > MostFreed || freed_bytes_ > MostFreedBytes) forget_oldest();
}

void Memory::forget_oldest() {
    auto found = allocations_.find(freed_.front());
    freed_.pop_front();
    auto& allocation = *found->second;
    freed_bytes_ -= allocation.mapping_bytes;
    munmap(allocation.mapping, allocation.mapping_bytes);
    for (auto*& recent : recent_)
        if (recent == &allocation) recent = nullptr;
    allocations_.erase(found);
}

Allocation* Memory::at(uint64_t begin) {
    auto found = allocations_.find(begin);
    return found == allocations_.end() || found->second->freed ? nullptr : found->second.get();
}

Allocation* Memory::holding(uintptr_t address) {
    for (auto* recent : recent_)
        if (recent != nullptr && address >= recent->begin && address < recent->end()) return recent;
    auto next = allocations_.upper_bound(address);
    if (next == allocations_.begin()) return nullptr;
    auto* candidate = std::prev(next)->second.get();
    if (address >= candidate->end()) return nullptr;
    recent_[turn_++ % RecentCount] = candidate;
    return candidate;
}

Allocation* Memory::whole(uint64_t begin, size_t bytes) {
    auto* allocation = holding(begin);
    if (allocation == nullptr) return nullptr;
    return !allocation->freed && bytes <= allocation->end() - begin ? allocation : nullptr;
}

std::string Memory::describe(uintptr_t address) {
    constexpr uintptr_t Near = 1 << 20, Null = 1 << 16;
    if (address < Null) return "through a null pointer";
    auto of = [](const Allocation& a) { return "a buffer of " + std::to_string(a.bytes) + " bytes"; };
    auto next = allocations_.upper_bound(address);
    uintptr_t past = Near, before = next == allocations_.end() ? Near : next->second->begin - address;
    if (next != allocations_.begin()) {
        const auto& below = *std::prev(next)->second;
        uintptr_t mapping_end = reinterpret_cast<uintptr_t>(below.mapping) + below.mapping_bytes;
        if (below.freed && address < mapping_end) return "in " + of(below) + " that " + below.freed_by + " freed (use after free)";
        if (address >= below.end()) past = address - below.end();
    }
    // A negative index is as likely as one too large: the nearer buffer it is.
    if (past < Near && past <= before) return std::to_string(past) + " bytes past the end of " + of(*std::prev(next)->second);
    if (before < Near) return std::to_string(before) + " bytes before " + of(*next->second);
    return "not near any buffer of the device: a wild pointer, or one to the host's memory";
}

void Memory::watch() {
    if (watched_) return;
    watched_ = true;
    for (auto& [begin, allocation] : allocations_) {
        if (allocation->freed || allocation->host) continue;
        allocation->cells = make_cells(allocation->bytes);
        Shadow::mark_initialised(allocation->cells, allocation->bytes, Shadow::BeforeAll);
    }
}

}  // namespace cuda_emulator
