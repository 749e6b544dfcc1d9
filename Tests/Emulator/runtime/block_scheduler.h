// Runs the threads of one block, one at a time, each until it has to wait for others. A stack carries one thread after another as long as
// they do not wait: only a thread that waits keeps its stack, and the next one begins on a fresh one.
#pragma once
#include <string>

#include "../module_interface.h"
#include "fiber.h"
#include "order.h"

namespace cuda_emulator {

class Image;
class Shadow;

constexpr int MaxThreads = 1024, MaxWarps = MaxThreads / WarpSize;

/// Where in the source: a file and line, or else the address that a call returns to.
struct Place {
    const char* file;
    int line;
    const void* return_address;
};

struct Failure {
    int code = 0;  ///< a Result; 0 while all is well
    std::string message;
};

class BlockScheduler {
  public:
    BlockScheduler() : stacks_(MaxThreads + 1) {}

    void begin_launch(
        const Image& image, const Kernel& kernel, void* const* arguments, Coordinates block_size, Order order, RandomNumbers& random, Shadow* shadow);
    /// False if a thread of the block failed; what it did until then stays done.
    bool run_block(Coordinates block_index);

    /// For the thread that runs now.
    int barrier(Vote vote, int predicate, const char* file, int line);
    void warp_call(WarpCall* call);
    unsigned active_lanes() const { return living_[current_ >> 5]; }
    /// Lets another thread of the block go on; false if none can.
    bool yield();
    [[noreturn]] void fail(int code, const std::string& what, Place place) { fail(current_, code, what, place); }

    bool running() const { return running_; }
    int current() const { return current_; }
    std::string describe(int thread) const;
    std::string describe(Place place) const;
    const Image& image() const { return *image_; }
    const Failure& failure() const { return failure_; }
    const Stacks& stacks() const { return stacks_; }

  private:
    enum class State : uint8_t { NotStarted, Running, Runnable, AtBarrier, AtWarpCall, Ended };

    struct Thread {
        State state;
        int stack;
        void* stack_pointer;
        const char* file;  // where it waits
        int line;
        int predicate;
        WarpCall* call;
    };

    static void carry();
    void carry_threads();
    void make_current(int thread);
    void resume(int thread, void** save);
    void wait(State state);
    void end_current();
    void release_barrier(Vote vote);
    bool complete(int warp, const WarpCall& call);
    [[noreturn]] void leave();
    [[noreturn]] void fail(int thread, int code, const std::string& what, Place place);
    [[noreturn]] void report_deadlock();
    Place place_of(int thread) const { return {threads_[thread].file, threads_[thread].line, nullptr}; }
    int first_in(State state) const;

    Stacks stacks_;
    Thread threads_[MaxThreads];
    Coordinates coordinates_[MaxThreads];
    Coordinates block_size_{};
    RunnableThreads runnable_;
    uint32_t living_[MaxWarps], waiting_[MaxWarps];
    int thread_count_ = 0, ended_ = 0, at_barrier_ = 0, current_ = 0;
    int vote_result_ = 0;
    void* host_stack_pointer_ = nullptr;
    bool running_ = false;

    const Image* image_ = nullptr;
    const Module* module_ = nullptr;
    const Kernel* kernel_ = nullptr;
    void* const* arguments_ = nullptr;
    Order order_ = Order::Forward;
    RandomNumbers* random_ = nullptr;
    Shadow* shadow_ = nullptr;
    Failure failure_;
};

/// The one that runs now: stacks are switched without an argument to carry it.
extern BlockScheduler* running_scheduler;

}  // namespace cuda_emulator
