// The one emulated device of a process: everything behind the functions of the driver, under one lock.
#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "graph.h"
#include "grid.h"
#include "image.h"
#include "memory.h"
#include "result.h"
#include "shadow.h"
#include "timeline.h"

namespace cuda_emulator {

struct Function {
    const Image* image;
    const Kernel* kernel;
    unsigned most_shared_bytes = SharedBytesByDefault;
};

struct LoadedModule {
    std::unique_ptr<Image> image;
    std::map<std::string, Function> functions;
};

struct Counters {
    long launches = 0, host_reads = 0;
    std::map<std::string, long> launches_of;
};

class Device {
  public:
    Device();

    std::recursive_mutex lock;
    bool initialised = false;
    Memory memory;
    Shadow shadow;
    Timeline timeline;
    Grid grid;
    Order order = Order::Forward;
    RandomNumbers random;
    Counters counters;
    std::set<LoadedModule*> modules;
    std::set<Event*> events;
    std::set<Graph*> graphs;
    std::set<Replay*> replays;

    /// Remembers why a call is refused; returns the result.
    int refuse(int result, const std::string& why);
    /// The latest failure of a kernel, else why the latest refused call was refused.
    const std::string& message() const { return timeline.failure().code != 0 ? timeline.failure().message : refusal_; }
    void forget_errors();

    int load(const void* bytes, LoadedModule*& module);
    /// From now on every byte is watched: a checked image is there.
    void watch();

    int launch(Stream& stream, const Function& function, Coordinates grid_size, Coordinates block_size, unsigned shared_bytes, void** parameters, void** extra);
    int copy_to_device(Stream& stream, uint64_t to, const void* from, size_t bytes, bool wait);
    int copy_to_host(Stream& stream, void* to, uint64_t from, size_t bytes, bool wait);
    int copy_on_device(Stream& stream, uint64_t to, uint64_t from, size_t bytes, bool wait);
    int fill(Stream& stream, uint64_t to, uint32_t value, size_t element_bytes, size_t count, bool wait);
    int allocate(uint64_t& address, size_t bytes, bool host);
    int free_in_order(Stream& stream, uint64_t address);

    /// A kernel-less operation is about to use memory: checks bounds, life and order. The timeline has announced it to the shadow.
    /// A copy may move what was never written; a library may not compute with it.
    Failure touch(const std::string& name, uint64_t address, size_t bytes, Access access, bool may_be_uninitialised = true);

  private:
    int submit(Stream& stream, std::string name, std::function<Failure()> work, bool wait);
    Failure copy(const std::string& name, uint64_t to, uint64_t from, size_t bytes);
    Failure judge(const std::string& name, const Verdict& verdict, uint64_t address, size_t bytes) const;

    bool watched_ = false;
    std::string refusal_;
};

/// Never destroyed: a process may end while others still call.
Device& device();

/// What every function of the driver does first.
template <typename Body>
int enter(Body body) {
    auto& d = device();
    std::lock_guard<std::recursive_mutex> guard(d.lock);
    if (!d.initialised) return NotInitialized;
    if (d.timeline.failure().code != 0) return d.timeline.failure().code;
    int result = body(d);
    return d.timeline.failure().code != 0 ? d.timeline.failure().code : result;
}

/// For a function on a stream.
template <typename Body>
int enter_stream(void* handle, Body body) {
    return enter([&](Device& d) {
        auto* stream = d.timeline.find(handle);
        return stream == nullptr ? d.refuse(InvalidHandle, "there is no such stream, or it has been destroyed") : body(d, *stream);
    });
}

}  // namespace cuda_emulator

#define CUDA_API extern "C" __attribute__((visibility("default"))) int
