// Version, device, context, errors, entry points by name.
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "../runtime/device.h"

using namespace cuda_emulator;

namespace {

constexpr int DriverVersion = 12040, Major = 8, Minor = 6, Multiprocessors = 4, ThreadsPerMultiprocessor = 1536, BlocksPerMultiprocessor = 16;
int context_object;  // its address is the primary context's handle
thread_local void* current_context;

int attribute_of_device(int attribute) {
    switch (attribute) {
        case 1:
            return MaxThreads;  // threads per block
        case 2:
        case 3:
            return MaxThreads;  // block x, y
        case 4:
            return 64;  // block z
        case 5:
            return 2147483647;  // grid x
        case 6:
        case 7:
            return 65535;  // grid y, z
        case 8:
            return SharedBytesByDefault;  // shared memory per block
        case 9:
            return 65536;  // constant memory
        case 10:
            return WarpSize;  // warp size
        case 12:
        case 82:
            return 65536;  // registers per block, per multiprocessor
        case 13:
        case 36:
            return 1000000;  // clock and memory clock in kHz
        case 14:
            return 512;  // texture alignment
        case 15:
        case 19:
        case 31:
        case 41:
        case 83:
            return 1;  // copy overlap, host mapping, concurrent kernels, unified addressing, managed memory
        case 16:
            return Multiprocessors;  // multiprocessors
        case 37:
            return 256;  // bus width
        case 38:
            return 4 << 20;  // L2 cache
        case 39:
            return ThreadsPerMultiprocessor;  // threads per multiprocessor
        case 40:
            return 2;  // copy engines
        case 75:
            return Major;
        case 76:
            return Minor;
        case 78:
            return 1;  // stream priorities
        case 81:
            return SharedBytesPerMultiprocessor;
        case 97:
            return SharedBytesOptIn;
        case 106:
            return BlocksPerMultiprocessor;
        case 111:
            return 1024;  // shared memory reserved per block
        case 115:
            return 1;  // memory pools
        default:
            return 0;
    }
}

}  // namespace

CUDA_API cuInit(unsigned flags) {
    if (flags != 0) return InvalidValue;
    auto& d = device();
    std::lock_guard<std::recursive_mutex> guard(d.lock);
    d.initialised = true;
    return Success;
}

CUDA_API cuDriverGetVersion(int* version) {
    if (version == nullptr) return InvalidValue;
    *version = DriverVersion;
    return Success;
}

CUDA_API cuGetErrorName(int result, const char** text) {
    *text = result_name(result);
    return *text != nullptr ? Success : InvalidValue;
}

/// A kernel's failure is told in full, so that a program needs to know nothing of the emulator to show it.
CUDA_API cuGetErrorString(int result, const char** text) {
    static thread_local std::string whole;
    const char* base = result_text(result);
    *text = base;
    if (base == nullptr) return InvalidValue;
    auto& d = device();
    std::lock_guard<std::recursive_mutex> guard(d.lock);
    bool relevant = result != Success && (d.timeline.failure().code == 0 || d.timeline.failure().code == result) && !d.message().empty();
    if (relevant) {
        whole = std::string(base) + ": " + d.message();
        *text = whole.c_str();
    }
    return Success;
}

CUDA_API cuDeviceGetCount(int* count) {
    return enter([&](Device&) {
        *count = 1;
        return Success;
    });
}

CUDA_API cuDeviceGet(int* handle, int ordinal) {
    return enter([&](Device&) {
        *handle = ordinal;
        return ordinal == 0 ? Success : InvalidDevice;
    });
}

CUDA_API cuDeviceGetName(char* name, int bytes, int) {
    snprintf(name, static_cast<size_t>(bytes), "CudaSeq emulated GPU");
    return Success;
}

CUDA_API cuDeviceGetUuid(char* uuid, int) {
    memcpy(uuid, "cudaseq-emulated", 16);
    return Success;
}

CUDA_API cuDeviceGetUuid_v2(char* uuid, int handle) { return cuDeviceGetUuid(uuid, handle); }

CUDA_API cuDeviceTotalMem_v2(size_t* bytes, int) {
    *bytes = device().memory.total();
    return Success;
}

CUDA_API cuDeviceGetAttribute(int* value, int attribute, int) {
    *value = attribute_of_device(attribute);
    return Success;
}

CUDA_API cuDeviceComputeCapability(int* major, int* minor, int) {
    *major = Major;
    *minor = Minor;
    return Success;
}

CUDA_API cuDeviceGetPCIBusId(char* text, int bytes, int) {
    snprintf(text, static_cast<size_t>(bytes), "0000:00:00.0");
    return Success;
}

CUDA_API cuDevicePrimaryCtxRetain(void** context, int ordinal) {
    return enter([&](Device&) {
        *context = &context_object;
        return ordinal == 0 ? Success : InvalidDevice;
    });
}

CUDA_API cuDevicePrimaryCtxRelease_v2(int) { return Success; }

CUDA_API cuDevicePrimaryCtxSetFlags_v2(int, unsigned) { return Success; }

CUDA_API cuDevicePrimaryCtxGetState(int, unsigned* flags, int* active) {
    *flags = 0;
    *active = 1;
    return Success;
}

CUDA_API cuCtxCreate_v2(void** context, unsigned, int ordinal) {
    int result = cuDevicePrimaryCtxRetain(context, ordinal);
    if (result == Success) current_context = *context;
    return result;
}

CUDA_API cuCtxDestroy_v2(void*) { return Success; }

CUDA_API cuCtxSetCurrent(void* context) {
    current_context = context;
    return Success;
}

CUDA_API cuCtxGetCurrent(void** context) {
    *context = current_context;
    return Success;
}

CUDA_API cuCtxPushCurrent_v2(void* context) { return cuCtxSetCurrent(context); }

CUDA_API cuCtxPopCurrent_v2(void** context) {
    if (context != nullptr) *context = current_context;
    current_context = nullptr;
    return Success;
}

CUDA_API cuCtxGetDevice(int* handle) {
    *handle = 0;
    return current_context != nullptr ? Success : InvalidContext;
}

CUDA_API cuCtxGetApiVersion(void*, unsigned* version) {
    *version = DriverVersion;
    return Success;
}

CUDA_API cuCtxGetFlags(unsigned* flags) {
    *flags = 0;
    return Success;
}

CUDA_API cuCtxGetStreamPriorityRange(int* least, int* greatest) {
    *least = 0;
    *greatest = -5;
    return Success;
}

CUDA_API cuCtxGetLimit(size_t* value, int) {
    *value = Stacks::StackBytes;
    return Success;
}

CUDA_API cuCtxSetLimit(int, size_t) { return Success; }

CUDA_API cuCtxSetCacheConfig(int) { return Success; }

CUDA_API cuCtxSynchronize() {
    return enter([](Device& d) {
        int refused = d.timeline.refuse_while_capturing();
        if (refused != Success) return d.refuse(refused, "cuCtxSynchronize while a stream is being captured");
        d.timeline.synchronise_all();
        return static_cast<int>(Success);
    });
}

/// The newest variant of a function under its plain name, as the driver hands it out.
CUDA_API cuGetProcAddress_v2(const char* symbol, void** function, int, uint64_t, int* status) {
    Dl_info info;
    void* self = dladdr(reinterpret_cast<void*>(cuInit), &info) != 0 ? dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD) : nullptr;
    *function = nullptr;
    if (self != nullptr) {
        for (const char* suffix : {"_v2", ""})
            if (*function == nullptr) *function = dlsym(self, (std::string(symbol) + suffix).c_str());
        dlclose(self);
    }
    if (status != nullptr) *status = *function != nullptr ? 0 : 1;
    return *function != nullptr ? Success : NotFound;
}

CUDA_API cuGetProcAddress(const char* symbol, void** function, int version, uint64_t flags) {
    return cuGetProcAddress_v2(symbol, function, version, flags, nullptr);
}
