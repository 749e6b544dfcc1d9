#include "controls.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../runtime/device.h"

using namespace cuda_emulator;

#define CONTROL extern "C" __attribute__((visibility("default")))

namespace {

/// For calls that have to work after an error too.
template <typename Body>
auto locked(Body body) {
    auto& d = device();
    std::lock_guard<std::recursive_mutex> guard(d.lock);
    return body(d);
}

thread_local auto& returned_text = *new std::string;  // never destroyed: a program may ask while it ends
thread_local Failure library_failure;

}  // namespace

CONTROL int cudaseq_emulator_version() { return static_cast<int>(InterfaceVersion); }

CONTROL int cudaseq_emulator_set_order(int order, unsigned seed) {
    if (order < 0 || order > 2) return -1;
    return locked([&](Device& d) {
        d.order = static_cast<Order>(order);
        d.random.reset(seed);
        return 0;
    });
}

CONTROL void cudaseq_emulator_set_lazy(int lazy, unsigned seed) {
    locked([&](Device& d) { d.timeline.set_lazy(lazy != 0, seed); });
}

CONTROL void cudaseq_emulator_set_memory(uint64_t bytes) {
    locked([&](Device& d) { d.memory.set_total(bytes); });
}

CONTROL const char* cudaseq_emulator_last_message() {
    returned_text = locked([](Device& d) { return d.message(); });
    return returned_text.c_str();
}

CONTROL void cudaseq_emulator_reset() {
    locked([](Device& d) { d.forget_errors(); });
}

CONTROL long cudaseq_emulator_launches(const char* kernel) {
    return locked([&](Device& d) {
        if (kernel == nullptr) return d.counters.launches;
        auto found = d.counters.launches_of.find(kernel);
        return found == d.counters.launches_of.end() ? 0L : found->second;
    });
}

CONTROL long cudaseq_emulator_host_reads() {
    return locked([](Device& d) { return d.counters.host_reads; });
}

CONTROL uint64_t cudaseq_emulator_used_memory() {
    return locked([](Device& d) { return static_cast<uint64_t>(d.memory.used()); });
}

CONTROL void cudaseq_emulator_watch() {
    locked([](Device& d) { d.watch(); });
}

CONTROL int cudaseq_emulator_reach(uint64_t address) {
    return locked([&](Device& d) {
        const auto* allocation = d.memory.holding(address);
        return allocation == nullptr ? 1 : allocation->host || allocation->managed ? 3 : 2;
    });
}

CONTROL const char* cudaseq_emulator_kernel_image() {
    Dl_info info;
    if (dladdr(reinterpret_cast<void*>(cudaseq_emulator_kernel_image), &info) == 0) return nullptr;
    const char* level = getenv("CUDASEQ_EMULATOR_LEVEL");
    bool checked = level != nullptr && strcmp(level, "checked") == 0;
    std::string path = info.dli_fname;
    auto slash = path.rfind('/');
    returned_text = (slash == std::string::npos ? "" : path.substr(0, slash + 1)) + (checked ? "NativeKernels.checked.so" : "NativeKernels.plain.so");
    return access(returned_text.c_str(), R_OK) == 0 ? returned_text.c_str() : nullptr;
}

CONTROL int cudaseq_emulator_forget(uint64_t address, size_t bytes, void* stream) {
    return enter_stream(stream, [&](Device& d, Stream& s) -> int {
        auto operation = std::make_shared<Operation>();
        operation->name = "cudaseq_emulator_forget";
        operation->work = [&d, address, bytes] {
            auto failure = d.touch("cudaseq_emulator_forget", address, bytes, Access::Write);
            if (failure.code != 0) return failure;
            memset(reinterpret_cast<void*>(address), 0xff, bytes);
            auto* allocation = d.memory.holding(address);
            if (allocation->cells != nullptr) Shadow::mark_uninitialised(allocation->cells + (address - allocation->begin), bytes);
            return failure;
        };
        return d.timeline.submit(s, operation);
    });
}

CONTROL int cudaseq_emulator_enqueue(void* stream, const char* name, int (*work)(void* state), void (*release)(void* state), void* state) {
    std::shared_ptr<void> kept(state, release);
    return enter_stream(stream, [&](Device& d, Stream& s) {
        auto operation = std::make_shared<Operation>();
        operation->name = name;
        operation->work = [work, kept] {
            library_failure = Failure();
            int result = work(kept.get());
            if (result != Success && library_failure.code == 0) library_failure = {result, "failed"};
            return library_failure;
        };
        return d.timeline.submit(s, operation);
    });
}

CONTROL int cudaseq_emulator_touch(const char* name, uint64_t address, size_t bytes, int write) {
    library_failure = locked([&](Device& d) { return d.touch(name, address, bytes, write ? Access::Write : Access::Read, false); });
    return library_failure.code;
}

CONTROL int cudaseq_emulator_parameter(void* function, size_t index, unsigned* bytes, int* kind, int* element_kind, unsigned* element_bytes) {
    const auto& kernel = *static_cast<Function*>(function)->kernel;
    if (index >= static_cast<size_t>(kernel.parameter_count)) return InvalidValue;
    const auto& parameter = kernel.parameters[index];
    *bytes = parameter.size;
    *kind = static_cast<int>(parameter.kind);
    *element_kind = static_cast<int>(parameter.element);
    *element_bytes = parameter.element_size;
    return Success;
}

CONTROL int cudaseq_emulator_launch(
    const Module* module, const Kernel* kernel, const unsigned* extents, unsigned shared_bytes, unsigned most_shared_bytes, void* stream, void** parameters) {
    return enter_stream(stream, [&](Device& d, Stream& s) {
        static auto& image = *new std::unique_ptr<Image>(Image::of_program(*module));
        if (image == nullptr) return d.refuse(InvalidImage, "the program's segments cannot be found");
        if (module->checked) d.watch();
        Function function{image.get(), kernel, most_shared_bytes};
        return d.launch(s, function, {extents[0], extents[1], extents[2]}, {extents[3], extents[4], extents[5]}, shared_bytes, parameters, nullptr);
    });
}
