// Memory: allocation, pools, copies, fills. A _v2 is the name under which the driver exports what cuda.h calls without it.
#include <string.h>

#include "../runtime/device.h"

using namespace cuda_emulator;

namespace {

/// The one pool: stream-ordered allocations come straight from the device's memory.
struct Pool {
    uint64_t release_threshold = 0;
} default_pool;

enum PoolAttribute { ReleaseThreshold = 4, ReservedCurrent = 5, ReservedHigh = 6, UsedCurrent = 7, UsedHigh = 8 };

/// What the driver calls unsafe while a stream is being captured.
template <typename Body>
int enter_unless_capturing(const char* name, Body body) {
    return enter([&](Device& d) -> int {
        int refused = d.timeline.refuse_while_capturing();
        if (refused != Success) return d.refuse(refused, std::string(name) + " while a stream is being captured");
        return body(d);
    });
}

/// Synchronous calls use the legacy stream.
template <typename Body>
int enter_synchronous(const char* name, Body body) {
    return enter_unless_capturing(name, [&](Device& d) { return body(d, d.timeline.legacy()); });
}

int free_now(Device& d, uint64_t address, bool host, const char* name) {
    if (address == 0) return Success;
    auto* allocation = d.memory.at(address);
    if (allocation == nullptr || allocation->host != host)
        return d.refuse(InvalidValue, std::string(name) + " of what is not the beginning of a living allocation");
    d.timeline.synchronise_all();
    d.memory.free(*allocation, name);
    return Success;
}

}  // namespace

CUDA_API cuMemGetInfo_v2(size_t* free, size_t* total) {
    return enter([&](Device& d) {
        *total = d.memory.total();
        *free = d.memory.total() - d.memory.used();
        return Success;
    });
}

CUDA_API cuMemAlloc_v2(uint64_t* address, size_t bytes) {
    return enter_unless_capturing("cuMemAlloc", [&](Device& d) { return d.allocate(*address, bytes, false); });
}

CUDA_API cuMemFree_v2(uint64_t address) {
    return enter_unless_capturing("cuMemFree", [&](Device& d) { return free_now(d, address, false, "cuMemFree"); });
}

/// The host writes it where nobody watches, so all of it counts as written.
CUDA_API cuMemAllocManaged(uint64_t* address, size_t bytes, unsigned) {
    return enter_unless_capturing("cuMemAllocManaged", [&](Device& d) {
        int result = d.allocate(*address, bytes, false);
        if (result != Success) return result;
        auto& allocation = *d.memory.at(*address);
        allocation.managed = true;
        Shadow::mark_initialised(allocation.cells, bytes, Shadow::BeforeAll);
        return result;
    });
}

CUDA_API cuMemHostAlloc(void** pointer, size_t bytes, unsigned) {
    return enter_unless_capturing("cuMemHostAlloc", [&](Device& d) {
        uint64_t address = 0;
        int result = d.allocate(address, bytes, true);
        *pointer = reinterpret_cast<void*>(address);
        return result;
    });
}

CUDA_API cuMemAllocHost_v2(void** pointer, size_t bytes) { return cuMemHostAlloc(pointer, bytes, 0); }

CUDA_API cuMemFreeHost(void* pointer) {
    return enter_unless_capturing("cuMemFreeHost", [&](Device& d) { return free_now(d, reinterpret_cast<uint64_t>(pointer), true, "cuMemFreeHost"); });
}

CUDA_API cuMemHostGetDevicePointer_v2(uint64_t* address, void* pointer, unsigned) {
    *address = reinterpret_cast<uint64_t>(pointer);
    return Success;
}

CUDA_API cuMemGetAddressRange_v2(uint64_t* begin, size_t* bytes, uint64_t address) {
    return enter([&](Device& d) -> int {
        auto* allocation = d.memory.whole(address, 1);
        if (allocation == nullptr) return d.refuse(NotFound, "no allocation holds this address");
        if (begin != nullptr) *begin = allocation->begin;
        if (bytes != nullptr) *bytes = allocation->bytes;
        return Success;
    });
}

CUDA_API cuMemAllocAsync(uint64_t* address, size_t bytes, void* stream) {
    return enter_stream(stream, [&](Device& d, Stream& s) {
        if (s.capture != nullptr) return d.refuse(NotSupported, "the emulated device has no allocations inside graphs");
        return d.allocate(*address, bytes, false);
    });
}

CUDA_API cuMemAllocFromPoolAsync(uint64_t* address, size_t bytes, void*, void* stream) { return cuMemAllocAsync(address, bytes, stream); }

CUDA_API cuMemFreeAsync(uint64_t address, void* stream) {
    return enter_stream(stream, [&](Device& d, Stream& s) {
        if (s.capture != nullptr) return d.refuse(NotSupported, "the emulated device has no allocations inside graphs");
        return d.free_in_order(s, address);
    });
}

CUDA_API cuDeviceGetDefaultMemPool(void** pool, int) {
    *pool = &default_pool;
    return Success;
}

CUDA_API cuDeviceGetMemPool(void** pool, int ordinal) { return cuDeviceGetDefaultMemPool(pool, ordinal); }

CUDA_API cuDeviceSetMemPool(int, void*) { return Success; }

CUDA_API cuMemPoolCreate(void** pool, const void*) { return cuDeviceGetDefaultMemPool(pool, 0); }

CUDA_API cuMemPoolDestroy(void*) { return Success; }

CUDA_API cuMemPoolTrimTo(void*, size_t) { return Success; }

CUDA_API cuMemPoolSetAccess(void*, const void*, size_t) { return Success; }

CUDA_API cuMemPoolSetAttribute(void*, int attribute, void* value) {
    if (attribute == ReleaseThreshold) default_pool.release_threshold = *static_cast<uint64_t*>(value);
    return Success;
}

CUDA_API cuMemPoolGetAttribute(void*, int attribute, void* value) {
    return enter([&](Device& d) -> int {
        if (attribute == ReleaseThreshold)
            *static_cast<uint64_t*>(value) = default_pool.release_threshold;
        else if (attribute >= ReservedCurrent && attribute <= UsedHigh)
            *static_cast<uint64_t*>(value) = d.memory.used();
        else
            *static_cast<int*>(value) = 1;  // the three kinds of reuse
        return Success;
    });
}

CUDA_API cuMemcpyHtoD_v2(uint64_t to, const void* from, size_t bytes) {
    return enter_synchronous("cuMemcpyHtoD", [&](Device& d, Stream& s) { return d.copy_to_device(s, to, from, bytes, true); });
}

CUDA_API cuMemcpyDtoH_v2(void* to, uint64_t from, size_t bytes) {
    return enter_synchronous("cuMemcpyDtoH", [&](Device& d, Stream& s) { return d.copy_to_host(s, to, from, bytes, true); });
}

CUDA_API cuMemcpyDtoD_v2(uint64_t to, uint64_t from, size_t bytes) {
    return enter_synchronous("cuMemcpyDtoD", [&](Device& d, Stream& s) { return d.copy_on_device(s, to, from, bytes, true); });
}

CUDA_API cuMemcpyHtoDAsync_v2(uint64_t to, const void* from, size_t bytes, void* stream) {
    return enter_stream(stream, [&](Device& d, Stream& s) { return d.copy_to_device(s, to, from, bytes, false); });
}

CUDA_API cuMemcpyDtoHAsync_v2(void* to, uint64_t from, size_t bytes, void* stream) {
    return enter_stream(stream, [&](Device& d, Stream& s) { return d.copy_to_host(s, to, from, bytes, false); });
}

CUDA_API cuMemcpyDtoDAsync_v2(uint64_t to, uint64_t from, size_t bytes, void* stream) {
    return enter_stream(stream, [&](Device& d, Stream& s) { return d.copy_on_device(s, to, from, bytes, false); });
}

/// The direction follows from the addresses.
CUDA_API cuMemcpyAsync(uint64_t to, uint64_t from, size_t bytes, void* stream) {
    return enter_stream(stream, [&](Device& d, Stream& s) {
        auto *target = d.memory.holding(to), *source = d.memory.holding(from);
        if (target == nullptr || target->host) return d.copy_to_host(s, reinterpret_cast<void*>(to), from, bytes, false);
        if (source == nullptr || source->host) return d.copy_to_device(s, to, reinterpret_cast<const void*>(from), bytes, false);
        return d.copy_on_device(s, to, from, bytes, false);
    });
}

CUDA_API cuMemcpy(uint64_t to, uint64_t from, size_t bytes) {
    int result = cuMemcpyAsync(to, from, bytes, nullptr);
    if (result != Success) return result;
    return enter([](Device& d) {
        d.timeline.synchronise(d.timeline.legacy().clock);
        return Success;
    });
}

#define FILL(name, type)                                                                                                        \
    CUDA_API name##_v2(uint64_t to, type value, size_t count) {                                                                 \
        return enter_synchronous(#name, [&](Device& d, Stream& s) { return d.fill(s, to, value, sizeof value, count, true); }); \
    }                                                                                                                           \
    CUDA_API name##Async(uint64_t to, type value, size_t count, void* stream) {                                                 \
        return enter_stream(stream, [&](Device& d, Stream& s) { return d.fill(s, to, value, sizeof value, count, false); });    \
    }
FILL(cuMemsetD8, unsigned char)
FILL(cuMemsetD16, unsigned short)
FILL(cuMemsetD32, unsigned)
