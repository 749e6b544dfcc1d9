// Streams, events, capture, graphs.
#include "../runtime/device.h"

using namespace cuda_emulator;

namespace {

constexpr unsigned EventWithoutTiming = 2;

template <typename Body>
int enter_event(void* handle, Body body) {
    return enter([&](Device& d) -> int {
        auto* event = static_cast<Event*>(handle);
        if (d.events.count(event) == 0) return d.refuse(InvalidHandle, "there is no such event, or it has been destroyed");
        return body(d, *event);
    });
}

}  // namespace

CUDA_API cuStreamCreateWithPriority(void** stream, unsigned flags, int priority) {
    return enter([&](Device& d) {
        *stream = d.timeline.create(flags, priority);
        return Success;
    });
}

CUDA_API cuStreamCreate(void** stream, unsigned flags) { return cuStreamCreateWithPriority(stream, flags, 0); }

CUDA_API cuStreamDestroy_v2(void* stream) {
    return enter_stream(stream, [&](Device& d, Stream& s) {
        if (reinterpret_cast<uintptr_t>(stream) <= 2) return d.refuse(InvalidHandle, "the default streams cannot be destroyed");
        d.timeline.destroy(&s);
        return static_cast<int>(Success);
    });
}

CUDA_API cuStreamSynchronize(void* stream) {
    return enter_stream(stream, [&](Device& d, Stream& s) {
        if (s.capture != nullptr) {
            s.capture->spoiled = true;
            return d.refuse(CaptureUnsupported, "cuStreamSynchronize of a stream that is being captured");
        }
        d.timeline.synchronise(d.timeline.knowledge(s));
        return static_cast<int>(Success);
    });
}

CUDA_API cuStreamQuery(void* stream) {
    return enter_stream(stream, [&](Device& d, Stream& s) { return d.timeline.reached(d.timeline.knowledge(s)) ? Success : NotReady; });
}

CUDA_API cuStreamGetId(void* stream, uint64_t* id) {
    return enter_stream(stream, [&](Device&, Stream& s) {
        *id = static_cast<uint64_t>(s.index);
        return Success;
    });
}

CUDA_API cuStreamGetFlags(void* stream, unsigned* flags) {
    return enter_stream(stream, [&](Device&, Stream& s) {
        *flags = s.flags;
        return Success;
    });
}

CUDA_API cuStreamGetPriority(void* stream, int* priority) {
    return enter_stream(stream, [&](Device&, Stream& s) {
        *priority = s.priority;
        return Success;
    });
}

CUDA_API cuLaunchHostFunc(void* stream, void (*function)(void*), void* argument) {
    return enter_stream(stream, [&](Device& d, Stream& s) {
        auto operation = std::make_shared<Operation>();
        operation->name = "cuLaunchHostFunc";
        operation->work = [function, argument] {
            function(argument);
            return Failure();
        };
        return d.timeline.submit(s, operation);
    });
}

CUDA_API cuEventCreate(void** event, unsigned flags) {
    return enter([&](Device& d) {
        auto* made = new Event{flags, {}, nullptr, nullptr, {}};
        d.events.insert(made);
        *event = made;
        return Success;
    });
}

CUDA_API cuEventDestroy_v2(void* event) {
    return enter_event(event, [](Device& d, Event& e) {
        d.events.erase(&e);
        delete &e;
        return Success;
    });
}

CUDA_API cuEventRecord(void* event, void* stream) {
    return enter_event(event, [&](Device& d, Event& e) {
        auto* s = d.timeline.find(stream);
        if (s == nullptr) return d.refuse(InvalidHandle, "cuEventRecord on a stream that does not exist");
        return d.timeline.record(*s, e);
    });
}

CUDA_API cuEventRecordWithFlags(void* event, void* stream, unsigned) { return cuEventRecord(event, stream); }

CUDA_API cuStreamWaitEvent(void* stream, void* event, unsigned) {
    return enter_event(event, [&](Device& d, Event& e) {
        auto* s = d.timeline.find(stream);
        if (s == nullptr) return d.refuse(InvalidHandle, "cuStreamWaitEvent on a stream that does not exist");
        return d.timeline.wait(*s, e);
    });
}

CUDA_API cuEventSynchronize(void* event) {
    return enter_event(event, [](Device& d, Event& e) {
        if (e.capture != nullptr) return d.refuse(CaptureUnsupported, "cuEventSynchronize of an event that was recorded in a capture");
        d.timeline.synchronise(e.clock);
        return static_cast<int>(Success);
    });
}

CUDA_API cuEventQuery(void* event) {
    return enter_event(event, [](Device& d, Event& e) { return d.timeline.done(e) ? Success : NotReady; });
}

CUDA_API cuEventElapsedTime(float* milliseconds, void* start, void* end) {
    return enter_event(start, [&](Device& d, Event& from) {
        return enter_event(end, [&](Device&, Event& to) -> int {
            if (from.moment == nullptr || to.moment == nullptr || ((from.flags | to.flags) & EventWithoutTiming) != 0)
                return d.refuse(InvalidHandle, "cuEventElapsedTime needs two recorded events with timing");
            if (!d.timeline.done(from) || !d.timeline.done(to)) return NotReady;
            *milliseconds = std::chrono::duration<float, std::milli>(to.moment->time - from.moment->time).count();
            return Success;
        });
    });
}

CUDA_API cuEventElapsedTime_v2(float* milliseconds, void* start, void* end) { return cuEventElapsedTime(milliseconds, start, end); }

CUDA_API cuStreamBeginCapture_v2(void* stream, int mode) {
    return enter_stream(stream, [&](Device& d, Stream& s) {
        int result = d.timeline.begin_capture(s, mode);
        return result == Success ? result : d.refuse(result, "this stream cannot be captured now");
    });
}

CUDA_API cuStreamEndCapture(void* stream, void** graph) {
    return enter_stream(stream, [&](Device& d, Stream& s) -> int {
        std::shared_ptr<Capture> capture;
        *graph = nullptr;
        int result = d.timeline.end_capture(s, capture);
        if (result != Success)
            return d.refuse(result, "the capture came to nothing: what was called during it was not allowed, or not all its streams were joined");
        auto* made = new Graph(capture->graph);
        d.graphs.insert(made);
        *graph = made;
        return Success;
    });
}

CUDA_API cuStreamIsCapturing(void* stream, int* status) {
    return enter_stream(stream, [&](Device&, Stream& s) {
        *status = s.capture == nullptr ? 0 : s.capture->spoiled ? 2 : 1;
        return Success;
    });
}

CUDA_API cuStreamGetCaptureInfo_v2(void* stream, int* status, uint64_t* id, void** graph, const void*** dependencies, size_t* count) {
    int result = cuStreamIsCapturing(stream, status);
    if (id != nullptr) *id = 1;
    if (graph != nullptr) *graph = nullptr;
    if (dependencies != nullptr) *dependencies = nullptr;
    if (count != nullptr) *count = 0;
    return result;
}

CUDA_API cuThreadExchangeStreamCaptureMode(int* mode) {
    *mode = 0;
    return Success;
}

CUDA_API cuGraphGetNodes(void* graph, void** nodes, size_t* count) {
    return enter([&](Device& d) -> int {
        if (nodes != nullptr) return d.refuse(NotSupported, "the emulated device counts the nodes of a graph and shows none");
        *count = static_cast<Graph*>(graph)->nodes.size();
        return Success;
    });
}

CUDA_API cuGraphInstantiateWithFlags(void** executable, void* graph, uint64_t) {
    return enter([&](Device& d) -> int {
        auto* captured = static_cast<Graph*>(graph);
        if (d.graphs.count(captured) == 0) return d.refuse(InvalidHandle, "there is no such graph, or it has been destroyed");
        auto* replay = new Replay(d.timeline, *captured);
        d.replays.insert(replay);
        *executable = replay;
        return Success;
    });
}

CUDA_API cuGraphInstantiate_v2(void** executable, void* graph, void*, char*, size_t) { return cuGraphInstantiateWithFlags(executable, graph, 0); }

CUDA_API cuGraphUpload(void*, void*) { return Success; }

CUDA_API cuGraphLaunch(void* executable, void* stream) {
    return enter_stream(stream, [&](Device& d, Stream& s) {
        auto* replay = static_cast<Replay*>(executable);
        if (d.replays.count(replay) == 0) return d.refuse(InvalidHandle, "there is no such executable graph, or it has been destroyed");
        return replay->launch(s);
    });
}

CUDA_API cuGraphExecDestroy(void* executable) {
    return enter([&](Device& d) -> int {
        auto* replay = static_cast<Replay*>(executable);
        if (d.replays.erase(replay) == 0) return d.refuse(InvalidHandle, "there is no such executable graph, or it has been destroyed");
        delete replay;
        return Success;
    });
}

CUDA_API cuGraphDestroy(void* graph) {
    return enter([&](Device& d) -> int {
        auto* captured = static_cast<Graph*>(graph);
        if (d.graphs.erase(captured) == 0) return d.refuse(InvalidHandle, "there is no such graph, or it has been destroyed");
        delete captured;
        return Success;
    });
}
