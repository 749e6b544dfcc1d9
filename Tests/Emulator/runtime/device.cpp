#include "device.h"

#include <stdlib.h>
#include <string.h>

namespace cuda_emulator {
namespace {

constexpr size_t DefaultTotal = size_t{8} << 30;

size_t total_memory() {
    const char* mebibytes = getenv("CUDASEQ_EMULATOR_MEMORY");
    return mebibytes != nullptr && atol(mebibytes) > 0 ? static_cast<size_t>(atol(mebibytes)) << 20 : DefaultTotal;
}

/// "random:7" is random with seed 7.
uint64_t seed_of(const char* setting) {
    const char* colon = strchr(setting, ':');
    return colon != nullptr ? strtoull(colon + 1, nullptr, 10) : 1;
}

}  // namespace

Device& device() {
    static Device& only = *new Device;
    return only;
}

Device::Device() : memory(total_memory()), timeline(shadow), grid(memory, shadow) {
    if (const char* setting = getenv("CUDASEQ_EMULATOR_ORDER")) {
        order = strncmp(setting, "reverse", 7) == 0 ? Order::Reverse : strncmp(setting, "random", 6) == 0 ? Order::Random : Order::Forward;
        random.reset(seed_of(setting));
    }
    const char* lazy = getenv("CUDASEQ_EMULATOR_LAZY");
    if (lazy != nullptr && *lazy != 0 && *lazy != '0') timeline.set_lazy(true, strtoull(lazy, nullptr, 10));
}

int Device::refuse(int result, const std::string& why) {
    refusal_ = why;
    return result;
}

void Device::forget_errors() {
    timeline.forget_failure();
    refusal_.clear();
}

void Device::watch() {
    if (watched_) return;
    watched_ = true;
    timeline.synchronise_all();
    memory.watch();
    timeline.set_watched();
}

int Device::load(const void* bytes, LoadedModule*& module) {
    int result;
    std::string reason;
    auto image = Image::load(bytes, result, reason);
    if (image == nullptr) return refuse(result, reason);
    if (image->module().checked) watch();
    module = new LoadedModule{std::move(image), {}};
    modules.insert(module);
    return Success;
}

int Device::submit(Stream& stream, std::string name, std::function<Failure()> work, bool wait) {
    auto operation = std::make_shared<Operation>();
    operation->name = std::move(name);
    operation->work = std::move(work);
    int result = timeline.submit(stream, operation);
    if (result == Success && wait && stream.capture == nullptr) timeline.synchronise(stream.clock);
    return result;
}

int Device::launch(
    Stream& stream, const Function& function, Coordinates grid_size, Coordinates block_size, unsigned shared_bytes, void** parameters, void** extra) {
    const auto& kernel = *function.kernel;
    auto name = std::string("kernel ") + kernel.name;
    constexpr unsigned MostBlocksX = 2147483647, MostBlocks = 65535, MostDepth = 64;
    uint64_t threads = static_cast<uint64_t>(block_size.x) * block_size.y * block_size.z;
    uint64_t blocks = static_cast<uint64_t>(grid_size.x) * grid_size.y * grid_size.z;
    if (threads == 0 || threads > MaxThreads || block_size.x > MaxThreads || block_size.y > MaxThreads || block_size.z > MostDepth)
        return refuse(
            InvalidValue, name + ": a block has 1 to 1024 threads, at most 64 of them deep, got " + std::to_string(block_size.x) + " x " +
                              std::to_string(block_size.y) + " x " + std::to_string(block_size.z));
    if (blocks == 0 || blocks > MostBlocksX || grid_size.x > MostBlocksX || grid_size.y > MostBlocks || grid_size.z > MostBlocks)
        return refuse(
            InvalidValue, name + ": a grid is at least 1 and at most 2147483647 x 65535 x 65535 blocks, got " + std::to_string(grid_size.x) + " x " +
                              std::to_string(grid_size.y) + " x " + std::to_string(grid_size.z));
    if (shared_bytes > function.most_shared_bytes)
        return refuse(
            InvalidValue,
            name + ": asks for " + std::to_string(shared_bytes) + " bytes of dynamic shared memory, allowed are " + std::to_string(function.most_shared_bytes));
    auto launch = std::make_shared<Launch>();
    launch->image = function.image;
    launch->kernel = function.kernel;
    launch->grid = grid_size;
    launch->block = block_size;
    launch->shared_bytes = shared_bytes;
    size_t bytes;
    launch->offsets = parameter_offsets(kernel, bytes);
    launch->arguments.resize(bytes + 16);  // begins where a heap block does, at a multiple of 16
    const char* packed = nullptr;
    size_t packed_bytes = 0;
    constexpr uintptr_t End = 0, Pointer = 1, Size = 2;
    for (void** pair = extra; pair != nullptr && reinterpret_cast<uintptr_t>(*pair) != End; pair += 2) {
        if (reinterpret_cast<uintptr_t>(*pair) == Pointer) packed = static_cast<const char*>(pair[1]);
        if (reinterpret_cast<uintptr_t>(*pair) == Size) packed_bytes = *static_cast<size_t*>(pair[1]);
    }
    if (packed != nullptr && packed_bytes < bytes)
        return refuse(InvalidValue, name + ": its parameters take " + std::to_string(bytes) + " bytes, got " + std::to_string(packed_bytes));
    if (packed == nullptr && parameters == nullptr && kernel.parameter_count > 0) return refuse(InvalidValue, name + ": has parameters, got none");
    for (int i = 0; i < kernel.parameter_count; i++) {
        size_t offset = launch->offsets[static_cast<size_t>(i)];
        memcpy(launch->arguments.data() + offset, packed != nullptr ? packed + offset : parameters[i], kernel.parameters[i].size);
    }
    auto work = [this, launch] {
        counters.launches++;
        counters.launches_of[launch->kernel->name]++;
        return grid.run(*launch, order, random);
    };
    return submit(stream, name, work, false);
}

Failure Device::judge(const std::string& name, const Verdict& verdict, uint64_t address, size_t bytes) const {
    if (verdict.problem == Problem::None) return {};
    if (verdict.problem == Problem::Uninitialised)
        return {LaunchFailed, "uninitialised read: " + name + " reads " + std::to_string(bytes) + " bytes, not all of which have been written"};
    return {
        LaunchFailed, "race: " + name + " of " + std::to_string(bytes) + " bytes at " + std::to_string(address) + " clashes with " +
                          shadow.name_of(verdict.run) + " on another stream, with no event between"};
}

Failure Device::touch(const std::string& name, uint64_t address, size_t bytes, Access access, bool may_be_uninitialised) {
    if (bytes == 0) return {};
    auto* allocation = memory.whole(address, bytes);
    if (allocation == nullptr)
        return {
            IllegalAddress, name + (access == Access::Read ? " reads " : " writes ") + std::to_string(bytes) +
                                " bytes that are not all in one buffer: the first is " + (memory.holding(address) != nullptr ? "in" : "not in") +
                                " one, the last is " + memory.describe(address + bytes - 1)};
    if (!watched_ || allocation->cells == nullptr) return {};
    auto* cells = allocation->cells + (address - allocation->begin);
    shadow.begin_copy();
    Verdict verdict;
    if (access == Access::Read)
        verdict = may_be_uninitialised ? shadow.visit_copied(nullptr, cells, bytes) : shadow.visit_global(cells, bytes, access, 0);
    else
        verdict = shadow.visit_copied(cells, nullptr, bytes);
    return judge(name, verdict, address, bytes);
}

/// Between any two of device memory, pinned and ordinary host memory; the driver's unified addressing makes no difference.
Failure Device::copy(const std::string& name, uint64_t to, uint64_t from, size_t bytes) {
    auto *target = memory.holding(to), *source = memory.holding(from);
    Failure failure;
    if (target != nullptr && source != nullptr && watched_ && target->cells != nullptr && source->cells != nullptr && !target->freed && !source->freed &&
        bytes <= target->end() - to && bytes <= source->end() - from) {
        shadow.begin_copy();
        failure = judge(name, shadow.visit_copied(target->cells + (to - target->begin), source->cells + (from - source->begin), bytes), to, bytes);
    } else {
        if (source != nullptr) failure = touch(name, from, bytes, Access::Read);
        if (failure.code == 0 && target != nullptr) failure = touch(name, to, bytes, Access::Write);
    }
    if (failure.code == 0) memmove(reinterpret_cast<void*>(to), reinterpret_cast<const void*>(from), bytes);
    return failure;
}

int Device::copy_to_device(Stream& stream, uint64_t to, const void* from, size_t bytes, bool wait) {
    if (bytes == 0) return Success;
    if (memory.whole(to, bytes) == nullptr)
        return refuse(
            InvalidValue, "cuMemcpyHtoD of " + std::to_string(bytes) + " bytes: the target is not one buffer; its end is " + memory.describe(to + bytes - 1));
    // What comes from ordinary memory is copied before the call returns; pinned memory is read when the stream gets there.
    auto staged = std::make_shared<std::vector<char>>();
    auto source = reinterpret_cast<uint64_t>(from);
    if (memory.holding(source) == nullptr && stream.capture == nullptr) {
        staged->assign(static_cast<const char*>(from), static_cast<const char*>(from) + bytes);
        source = reinterpret_cast<uint64_t>(staged->data());
    }
    return submit(
        stream, "cuMemcpyHtoD", [this, to, source, bytes, staged] { return copy("cuMemcpyHtoD", to, source, bytes); }, wait);
}

int Device::copy_to_host(Stream& stream, void* to, uint64_t from, size_t bytes, bool wait) {
    if (bytes == 0) return Success;
    if (memory.whole(from, bytes) == nullptr)
        return refuse(
            InvalidValue, "cuMemcpyDtoH of " + std::to_string(bytes) + " bytes: the source is not one buffer; its end is " + memory.describe(from + bytes - 1));
    auto target = reinterpret_cast<uint64_t>(to);
    bool pinned = memory.holding(target) != nullptr;
    auto work = [this, target, from, bytes] {
        counters.host_reads++;
        return copy("cuMemcpyDtoH", target, from, bytes);
    };
    return submit(stream, "cuMemcpyDtoH", work, wait || !pinned);
}

int Device::copy_on_device(Stream& stream, uint64_t to, uint64_t from, size_t bytes, bool wait) {
    if (bytes == 0) return Success;
    if (memory.whole(to, bytes) == nullptr || memory.whole(from, bytes) == nullptr)
        return refuse(InvalidValue, "cuMemcpyDtoD of " + std::to_string(bytes) + " bytes: source and target must each be in one buffer");
    return submit(
        stream, "cuMemcpyDtoD", [this, to, from, bytes] { return copy("cuMemcpyDtoD", to, from, bytes); }, wait);
}

int Device::fill(Stream& stream, uint64_t to, uint32_t value, size_t element_bytes, size_t count, bool wait) {
    size_t bytes = element_bytes * count;
    if (bytes == 0) return Success;
    if (memory.whole(to, bytes) == nullptr || to % element_bytes != 0)
        return refuse(InvalidValue, "cuMemset of " + std::to_string(bytes) + " bytes: the target must be in one buffer and aligned to its elements");
    auto work = [this, to, value, element_bytes, count] {
        auto failure = touch("cuMemset", to, element_bytes * count, Access::Write);
        if (failure.code != 0) return failure;
        for (size_t i = 0; i < count; i++) memcpy(reinterpret_cast<char*>(to) + i * element_bytes, &value, element_bytes);
        return failure;
    };
    return submit(stream, "cuMemset", work, wait);
}

int Device::allocate(uint64_t& address, size_t bytes, bool host) {
    if (bytes == 0) return refuse(InvalidValue, "an allocation of no bytes");
    auto* allocation = memory.allocate(bytes, host);
    if (allocation == nullptr) {
        timeline.synchronise_all();  // what is freed in stream order may not have been freed yet
        allocation = memory.allocate(bytes, host);
    }
    if (allocation == nullptr)
        return refuse(
            OutOfMemory,
            "no room for " + std::to_string(bytes) + " bytes: " + std::to_string(memory.used()) + " of " + std::to_string(memory.total()) + " are in use");
    address = allocation->begin;
    return Success;
}

int Device::free_in_order(Stream& stream, uint64_t address) {
    if (memory.at(address) == nullptr) return refuse(InvalidValue, "cuMemFreeAsync of what is not the beginning of a living allocation");
    auto work = [this, address]() -> Failure {
        auto* allocation = memory.at(address);
        if (allocation == nullptr) return {IllegalAddress, "cuMemFreeAsync of memory that has been freed meanwhile"};
        auto failure = touch("cuMemFreeAsync", address, allocation->bytes, Access::Write);
        if (failure.code == 0) memory.free(*allocation, "cuMemFreeAsync");
        return failure;
    };
    return submit(stream, "cuMemFreeAsync", work, false);
}

}  // namespace cuda_emulator
