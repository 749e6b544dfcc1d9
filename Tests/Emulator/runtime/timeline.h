// Streams, events and their order. Every operation knows what has to come before it, as a clock over all streams. Eagerly each one runs when it
// is submitted; lazily it waits until somebody synchronises, and then all that may run next get their turn in random order, so that whatever the
// program did not order itself happens in an order it did not expect.
#pragma once
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "block_scheduler.h"
#include "clock.h"
#include "order.h"
#include "shadow.h"

namespace cuda_emulator {

struct Capture;

/// What a stream does in one go: a launch, a copy, a library call. A graph runs the same one many times.
struct Operation {
    std::string name;
    std::function<Failure()> work;
};
using OperationPointer = std::shared_ptr<const Operation>;

struct Stream {
    int index;
    bool blocking;  ///< waits for the legacy stream, and is waited for by it
    unsigned flags;
    int priority;
    Clock clock;  ///< all that the next operation comes after
    struct Queued {
        uint64_t number;
        Clock before;
        OperationPointer operation;
    };
    std::deque<Queued> queue;

    std::shared_ptr<Capture> capture;  ///< null unless the stream is being captured
    std::vector<int> frontier;         ///< of the capture: the nodes that the next one comes after
    int lane = 0;
};

struct Event {
    /// Filled in when the stream gets there; an event recorded anew gets another one.
    struct Moment {
        std::chrono::steady_clock::time_point time;
    };
    unsigned flags;
    Clock clock;
    std::shared_ptr<Moment> moment;    ///< null if never recorded
    std::shared_ptr<Capture> capture;  ///< recorded in a stream that was being captured
    std::vector<int> frontier;
};

class Timeline {
  public:
    explicit Timeline(Shadow& shadow);

    Stream& legacy() { return *streams_[0]; }
    Stream* create(unsigned flags, int priority);
    void destroy(Stream* stream);
    /// The stream behind a handle of CUDA's; null if there is none such.
    Stream* find(void* handle);

    /// A Result; errors of the operation itself are in failure().
    int submit(Stream& stream, OperationPointer operation);
    /// As a node of a graph: after what the clock says, and nothing else of the stream's surroundings. Returns its number.
    uint64_t submit_after(Stream& stream, OperationPointer operation, const Clock& before);
    /// All that an operation submitted now would come after.
    Clock knowledge(const Stream& stream) const;

    int record(Stream& stream, Event& event);
    int wait(Stream& stream, const Event& event);
    bool done(const Event& event) const { return event.moment == nullptr || reached(event.clock); }

    /// Runs what the clock asks for; the host knows it to be done afterwards.
    void synchronise(const Clock& clock);
    void synchronise_all();
    bool reached(const Clock& clock) const;

    /// Refuses (and spoils the capture) what a capture forbids other calls to do meanwhile.
    int refuse_while_capturing();
    int begin_capture(Stream& stream, int mode);
    int end_capture(Stream& stream, std::shared_ptr<Capture>& capture);

    void set_lazy(bool lazy, uint64_t seed);
    void set_watched() { watched_ = true; }
    const Failure& failure() const { return failure_; }
    void forget_failure() { failure_ = Failure(); }

  private:
    Stream* make(unsigned flags, int priority);
    uint64_t enqueue(Stream& stream, OperationPointer operation, const Clock& before);
    void execute(Stream& stream);

    Shadow& shadow_;
    std::vector<std::unique_ptr<Stream>> streams_;
    std::vector<int> free_indices_;
    std::vector<uint64_t> submitted_, executed_;  // by index
    Clock host_;
    bool lazy_ = false, watched_ = false;
    RandomNumbers random_;
    Failure failure_;
    std::vector<std::weak_ptr<Capture>> captures_;
};

}  // namespace cuda_emulator
