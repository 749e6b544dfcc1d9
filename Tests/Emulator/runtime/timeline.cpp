#include "timeline.h"

#include <algorithm>

#include "graph.h"
#include "result.h"

namespace cuda_emulator {
namespace {

constexpr unsigned NonBlocking = 1;

}  // namespace

Timeline::Timeline(Shadow& shadow) : shadow_(shadow) {
    make(0, 0);  // the legacy stream
    make(0, 0);  // the per-thread stream, of which all threads share one here
}

Stream* Timeline::make(unsigned flags, int priority) {
    int index;
    if (free_indices_.empty()) {
        index = static_cast<int>(submitted_.size());
        submitted_.push_back(0);
        executed_.push_back(0);
    } else {
        index = free_indices_.back();
        free_indices_.pop_back();
    }
    auto stream = std::make_unique<Stream>();
    stream->index = index;
    stream->flags = flags;
    stream->priority = priority;
    stream->blocking = !(flags & NonBlocking);
    streams_.push_back(std::move(stream));
    return streams_.back().get();
}

Stream* Timeline::create(unsigned flags, int priority) { return make(flags, priority); }

void Timeline::destroy(Stream* stream) {
    synchronise(stream->clock);
    free_indices_.push_back(stream->index);
    streams_.erase(std::find_if(streams_.begin(), streams_.end(), [&](const auto& s) { return s.get() == stream; }));
}

Stream* Timeline::find(void* handle) {
    auto number = reinterpret_cast<uintptr_t>(handle);
    if (number <= 1) return streams_[0].get();
    if (number == 2) return streams_[1].get();
    for (const auto& stream : streams_)
        if (stream.get() == handle) return stream.get();
    return nullptr;
}

Clock Timeline::knowledge(const Stream& stream) const {
    Clock clock = stream.clock;
    clock.join(host_);
    if (&stream == streams_[0].get()) {
        for (const auto& other : streams_)
            if (other->blocking) clock.join(other->clock);
    } else if (stream.blocking) {
        clock.join(streams_[0]->clock);
    }
    return clock;
}

int Timeline::submit(Stream& stream, OperationPointer operation) {
    if (stream.capture != nullptr) return stream.capture->add(stream, std::move(operation));
    if (&stream == streams_[0].get()) {
        for (const auto& other : streams_) {
            if (!other->blocking || other->capture == nullptr) continue;
            other->capture->spoiled = true;
            return CaptureImplicit;
        }
    }
    enqueue(stream, std::move(operation), knowledge(stream));
    return Success;
}

uint64_t Timeline::submit_after(Stream& stream, OperationPointer operation, const Clock& before) {
    Clock all = before;
    all.join(stream.clock);
    return enqueue(stream, std::move(operation), all);
}

uint64_t Timeline::enqueue(Stream& stream, OperationPointer operation, const Clock& before) {
    uint64_t number = ++submitted_[static_cast<size_t>(stream.index)];
    stream.clock = before;
    stream.clock.set(stream.index, number);
    stream.queue.push_back({number, before, std::move(operation)});
    if (!lazy_) execute(stream);
    return number;
}

void Timeline::execute(Stream& stream) {
    auto next = std::move(stream.queue.front());
    stream.queue.pop_front();
    if (failure_.code == 0) {
        if (watched_) shadow_.begin_operation(next.operation->name, stream.index, next.number, next.before);
        failure_ = next.operation->work();
    }
    executed_[static_cast<size_t>(stream.index)] = next.number;
}

bool Timeline::reached(const Clock& clock) const {
    for (int s = 0; s < clock.streams(); s++)
        if (executed_[static_cast<size_t>(s)] < clock.of(s)) return false;
    return true;
}

void Timeline::synchronise(const Clock& clock) {
    while (!reached(clock)) {
        // Whatever is first in its stream and has all that it waits for may run; there is always one, because nothing can wait for later work.
        std::vector<Stream*> ready;
        for (const auto& stream : streams_)
            if (!stream->queue.empty() && reached(stream->queue.front().before)) ready.push_back(stream.get());
        execute(*ready[random_.below(static_cast<uint32_t>(ready.size()))]);
    }
    host_.join(clock);
    if (!watched_) return;
    for (size_t s = 0; s < submitted_.size(); s++)
        if (host_.of(static_cast<int>(s)) < submitted_[s]) return;
    shadow_.settle();
}

void Timeline::synchronise_all() {
    Clock all;
    for (size_t s = 0; s < submitted_.size(); s++) all.set(static_cast<int>(s), submitted_[s]);
    synchronise(all);
}

int Timeline::record(Stream& stream, Event& event) {
    if (stream.capture != nullptr) {
        event.capture = stream.capture;
        event.frontier = stream.frontier;
        return Success;
    }
    auto moment = std::make_shared<Event::Moment>();
    auto stamp = std::make_shared<Operation>();
    stamp->name = "cuEventRecord";
    stamp->work = [moment] {
        moment->time = std::chrono::steady_clock::now();
        return Failure();
    };
    int result = submit(stream, stamp);
    if (result != Success) return result;
    event.capture = nullptr;
    event.moment = moment;
    event.clock = stream.clock;
    return Success;
}

int Timeline::wait(Stream& stream, const Event& event) {
    if (event.capture != nullptr) return event.capture->join(stream, event.capture, event.frontier);
    if (stream.capture != nullptr) {
        stream.capture->spoiled = true;
        return CaptureIsolation;
    }
    stream.clock.join(event.clock);
    return Success;
}

int Timeline::refuse_while_capturing() {
    for (const auto& weak : captures_) {
        auto capture = weak.lock();
        if (capture == nullptr || capture->ended || !capture->forbids_now()) continue;
        capture->spoiled = true;
        return CaptureUnsupported;
    }
    return Success;
}

int Timeline::begin_capture(Stream& stream, int mode) {
    if (&stream == streams_[0].get()) return CaptureUnsupported;
    if (stream.capture != nullptr) return InvalidValue;
    auto capture = std::make_shared<Capture>();
    capture->origin = &stream;
    capture->mode = mode;
    capture->owner = std::this_thread::get_id();
    capture->enter(stream, capture);
    captures_.erase(std::remove_if(captures_.begin(), captures_.end(), [](const auto& weak) { return weak.expired(); }), captures_.end());
    captures_.push_back(capture);
    return Success;
}

int Timeline::end_capture(Stream& stream, std::shared_ptr<Capture>& capture) {
    constexpr int IllegalState = 401;
    if (stream.capture == nullptr) return IllegalState;
    if (stream.capture->origin != &stream) return CaptureUnmatched;
    capture = stream.capture;
    bool joined = capture->all_before(stream.frontier);
    capture->ended = true;
    for (const auto& other : streams_) {
        if (other->capture != capture) continue;
        other->capture = nullptr;
        other->frontier.clear();
    }
    if (capture->spoiled) return CaptureInvalidated;
    return joined ? Success : CaptureUnjoined;
}

void Timeline::set_lazy(bool lazy, uint64_t seed) {
    if (lazy_ && !lazy) synchronise_all();
    lazy_ = lazy;
    random_.reset(seed);
}

}  // namespace cuda_emulator
