// Modules, functions, launches, occupancy.
#include <algorithm>
#include <fstream>
#include <iterator>

#include "../runtime/device.h"

using namespace cuda_emulator;

namespace {

enum FunctionAttribute { MostThreads = 0, SharedBytes = 1, Registers = 4, PtxVersion = 5, BinaryVersion = 6, MostDynamicSharedBytes = 8 };

int attribute_of(const Function& function, int attribute) {
    switch (attribute) {
        case MostThreads:
            return MaxThreads;
        case Registers:
            return 32;
        case PtxVersion:
        case BinaryVersion:
            return 86;
        case MostDynamicSharedBytes:
            return static_cast<int>(function.most_shared_bytes);
        default:
            return 0;
    }
}

int blocks_per_multiprocessor(int threads, size_t shared_bytes) {
    constexpr int MostThreadsHere = 1536, MostBlocksHere = 16;
    constexpr size_t ReservedPerBlock = 1024;
    if (threads <= 0 || threads > MaxThreads) return 0;
    int by_threads = MostThreadsHere / ((threads + WarpSize - 1) / WarpSize * WarpSize);
    int by_shared = static_cast<int>(SharedBytesPerMultiprocessor / (shared_bytes + ReservedPerBlock));
    return std::min({by_threads, by_shared, MostBlocksHere});
}

}  // namespace

CUDA_API cuModuleLoadData(void** module, const void* image) {
    return enter([&](Device& d) {
        LoadedModule* loaded = nullptr;
        int result = d.load(image, loaded);
        *module = loaded;
        return result;
    });
}

CUDA_API cuModuleLoadDataEx(void** module, const void* image, unsigned, int*, void**) { return cuModuleLoadData(module, image); }

CUDA_API cuModuleLoadFatBinary(void** module, const void* image) { return cuModuleLoadData(module, image); }

CUDA_API cuModuleLoad(void** module, const char* path) {
    std::ifstream file(path, std::ios::binary);
    std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    if (bytes.size() < 64) return enter([&](Device& d) { return d.refuse(FileNotFound, std::string("no image in ") + path); });
    return cuModuleLoadData(module, bytes.data());
}

CUDA_API cuModuleUnload(void* handle) {
    return enter([&](Device& d) -> int {
        auto* module = static_cast<LoadedModule*>(handle);
        if (d.modules.erase(module) == 0) return d.refuse(InvalidHandle, "there is no such module, or it has been unloaded");
        d.timeline.synchronise_all();
        delete module;
        return Success;
    });
}

CUDA_API cuModuleGetFunction(void** function, void* handle, const char* name) {
    return enter([&](Device& d) -> int {
        auto* module = static_cast<LoadedModule*>(handle);
        if (d.modules.count(module) == 0) return d.refuse(InvalidHandle, "there is no such module, or it has been unloaded");
        const auto* kernel = module->image->find(name);
        if (kernel == nullptr) return d.refuse(NotFound, std::string("the module has no kernel ") + name);
        *function = &module->functions.try_emplace(name, Function{module->image.get(), kernel}).first->second;
        return Success;
    });
}

CUDA_API cuModuleGetFunctionCount(unsigned* count, void* handle) {
    return enter([&](Device&) {
        *count = static_cast<unsigned>(static_cast<LoadedModule*>(handle)->image->module().kernel_count);
        return Success;
    });
}

CUDA_API cuModuleEnumerateFunctions(void** functions, unsigned count, void* handle) {
    const auto& module = static_cast<LoadedModule*>(handle)->image->module();
    for (unsigned i = 0; i < count && i < static_cast<unsigned>(module.kernel_count); i++) {
        int result = cuModuleGetFunction(&functions[i], handle, module.kernels[i].name);
        if (result != Success) return result;
    }
    return Success;
}

CUDA_API cuModuleGetLoadingMode(int* mode) {
    *mode = 1;  // eager
    return Success;
}

CUDA_API cuFuncGetName(const char** name, void* function) {
    *name = static_cast<Function*>(function)->kernel->name;
    return Success;
}

CUDA_API cuFuncGetAttribute(int* value, int attribute, void* function) {
    *value = attribute_of(*static_cast<Function*>(function), attribute);
    return Success;
}

CUDA_API cuFuncSetAttribute(void* function, int attribute, int value) {
    return enter([&](Device& d) -> int {
        if (attribute != MostDynamicSharedBytes) return Success;
        if (value < 0 || static_cast<unsigned>(value) > SharedBytesOptIn)
            return d.refuse(
                InvalidValue, "a block has at most " + std::to_string(SharedBytesOptIn) + " bytes of shared memory, asked for " + std::to_string(value));
        static_cast<Function*>(function)->most_shared_bytes = static_cast<unsigned>(value);
        return Success;
    });
}

CUDA_API cuFuncSetCacheConfig(void*, int) { return Success; }

CUDA_API cuFuncSetSharedMemConfig(void*, int) { return Success; }

CUDA_API cuFuncGetParamInfo(void* function, size_t index, size_t* offset, size_t* bytes) {
    const auto& kernel = *static_cast<Function*>(function)->kernel;
    if (index >= static_cast<size_t>(kernel.parameter_count)) return InvalidValue;
    size_t all;
    auto offsets = parameter_offsets(kernel, all);
    *offset = offsets[index];
    if (bytes != nullptr) *bytes = kernel.parameters[index].size;
    return Success;
}

CUDA_API cuLaunchKernel(
    void* function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x, unsigned block_y, unsigned block_z, unsigned shared_bytes,
    void* stream, void** parameters, void** extra) {
    return enter_stream(stream, [&](Device& d, Stream& s) {
        if (function == nullptr) return d.refuse(InvalidHandle, "a launch of no function");
        return d.launch(s, *static_cast<Function*>(function), {grid_x, grid_y, grid_z}, {block_x, block_y, block_z}, shared_bytes, parameters, extra);
    });
}

CUDA_API cuOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, void*, int threads, size_t shared_bytes) {
    *blocks = blocks_per_multiprocessor(threads, shared_bytes);
    return Success;
}

CUDA_API cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int* blocks, void* function, int threads, size_t shared_bytes, unsigned) {
    return cuOccupancyMaxActiveBlocksPerMultiprocessor(blocks, function, threads, shared_bytes);
}

CUDA_API cuOccupancyMaxPotentialBlockSize(int* grid, int* block, void*, size_t (*)(int), size_t shared_bytes, int most_threads) {
    constexpr int Usual = 256;
    *block = most_threads > 0 ? std::min(most_threads, Usual) : Usual;
    *grid = blocks_per_multiprocessor(*block, shared_bytes);
    return Success;
}
