#include "block_scheduler.h"

#include <string.h>

#include "image.h"
#include "result.h"
#include "shadow.h"

namespace cuda_emulator {

BlockScheduler* running_scheduler;

namespace {
bool same_line(const char* a, int line_a, const char* b, int line_b) { return line_a == line_b && (a == b || strcmp(a, b) == 0); }
}  // namespace

void BlockScheduler::begin_launch(
    const Image& image, const Kernel& kernel, void* const* arguments, Coordinates block_size, Order order, RandomNumbers& random, Shadow* shadow) {
    image_ = &image;
    module_ = &image.module();
    kernel_ = &kernel;
    arguments_ = arguments;
    order_ = order;
    random_ = &random;
    shadow_ = shadow;
    block_size_ = block_size;
    thread_count_ = static_cast<int>(block_size.x * block_size.y * block_size.z);
    int thread = 0;
    for (unsigned z = 0; z < block_size.z; z++)
        for (unsigned y = 0; y < block_size.y; y++)
            for (unsigned x = 0; x < block_size.x; x++) coordinates_[thread++] = {x, y, z};
    failure_ = Failure();
    running_scheduler = this;
}

bool BlockScheduler::run_block(Coordinates block_index) {
    *module_->block_index = block_index;
    runnable_.clear();
    stacks_.give_all();
    memset(living_, 0, sizeof living_);
    memset(waiting_, 0, sizeof waiting_);
    for (int t = 0; t < thread_count_; t++) {
        threads_[t] = Thread{};
        runnable_.add(t);
        living_[t >> 5] |= 1u << (t & 31);
    }
    ended_ = at_barrier_ = 0;
    running_ = true;
    resume(runnable_.take(order_, *random_), &host_stack_pointer_);
    running_ = false;
    return failure_.code == 0;
}

void BlockScheduler::make_current(int thread) {
    current_ = thread;
    *module_->thread_index = coordinates_[thread];
    *module_->lane = static_cast<unsigned>(thread & 31);
    threads_[thread].state = State::Running;
}

void BlockScheduler::resume(int thread, void** save) {
    auto& t = threads_[thread];
    if (t.state == State::NotStarted) {
        t.stack = stacks_.take();
        t.stack_pointer = stacks_.begin(t.stack, carry);
    }
    make_current(thread);
    cuda_emulator_switch(save, t.stack_pointer);
}

void BlockScheduler::carry() { running_scheduler->carry_threads(); }

void BlockScheduler::carry_threads() {
    for (;;) {
        kernel_->call(kernel_->entry, arguments_);
        int stack = threads_[current_].stack;
        end_current();
        int next = runnable_.take(order_, *random_);
        if (next >= 0 && threads_[next].state == State::NotStarted) {
            threads_[next].stack = stack;
            make_current(next);
            continue;
        }
        if (next < 0) {
            if (ended_ < thread_count_) report_deadlock();
            leave();
        }
        stacks_.give(stack);  // nobody takes it before the switch below has left it
        void* never_resumed;
        resume(next, &never_resumed);
    }
}

void BlockScheduler::leave() {
    void* never_resumed;
    cuda_emulator_switch(&never_resumed, host_stack_pointer_);
    __builtin_unreachable();
}

void BlockScheduler::wait(State state) {
    auto& t = threads_[current_];
    t.state = state;
    int next = runnable_.take(order_, *random_);
    if (next < 0) report_deadlock();
    resume(next, &t.stack_pointer);
}

bool BlockScheduler::yield() {
    auto& t = threads_[current_];
    int next = runnable_.take(Order::Random, *random_);  // in any other order two that wait could keep the third from its turn
    if (next < 0) return false;
    t.state = State::Runnable;
    runnable_.add(current_);
    resume(next, &t.stack_pointer);
    return true;
}

void BlockScheduler::end_current() {
    auto& t = threads_[current_];
    int warp = current_ >> 5;
    t.state = State::Ended;
    ended_++;
    living_[warp] &= ~(1u << (current_ & 31));
    if (at_barrier_ > 0) {
        int waiting = first_in(State::AtBarrier);
        fail(
            waiting, LaunchFailed, "divergent barrier: waits at __syncthreads(), which thread " + describe(current_) + " ended without reaching",
            place_of(waiting));
    }
    for (uint32_t left = waiting_[warp]; left != 0; left &= left - 1) {
        int lane = __builtin_ctz(left);
        if ((waiting_[warp] >> lane & 1) != 0) complete(warp, *threads_[warp * WarpSize + lane].call);
    }
}

int BlockScheduler::barrier(Vote vote, int predicate, const char* file, int line) {
    auto& t = threads_[current_];
    t.file = file;
    t.line = line;
    t.predicate = predicate;
    if (ended_ > 0) {
        int ended = first_in(State::Ended);
        fail(LaunchFailed, "divergent barrier: reaches __syncthreads(), which thread " + describe(ended) + " ended without reaching", {file, line, nullptr});
    }
    at_barrier_++;
    if (at_barrier_ == thread_count_) {
        t.state = State::AtBarrier;
        release_barrier(vote);
    } else {
        wait(State::AtBarrier);
    }
    return vote_result_;
}

void BlockScheduler::release_barrier(Vote vote) {
    int me = current_, any = 0, all = 1, count = 0;
    const auto& mine = threads_[me];
    for (int i = 0; i < thread_count_; i++) {
        auto& t = threads_[i];
        if (!same_line(t.file, t.line, mine.file, mine.line))
            fail(
                LaunchFailed, "divergent barrier: while thread " + describe(i) + " waits at another __syncthreads(), at " + describe(place_of(i)),
                place_of(me));
        any |= t.predicate != 0;
        all &= t.predicate != 0;
        count += t.predicate != 0;
    }
    vote_result_ = vote == Vote::Any ? any : vote == Vote::All ? all : count;
    for (int i = 0; i < thread_count_; i++) {
        if (i == me) continue;
        threads_[i].state = State::Runnable;
        runnable_.add(i);
    }
    threads_[me].state = State::Running;
    at_barrier_ = 0;
    if (shadow_ != nullptr) shadow_->pass_barrier();
}

void BlockScheduler::warp_call(WarpCall* call) {
    int warp = current_ >> 5, lane = current_ & 31;
    auto& t = threads_[current_];
    t.file = call->file;
    t.line = call->line;
    t.call = call;
    if (!(call->mask >> lane & 1)) fail(LaunchFailed, std::string(call->name) + " whose mask lacks the lane that calls it", {call->file, call->line, nullptr});
    t.state = State::AtWarpCall;
    waiting_[warp] |= 1u << lane;
    if (complete(warp, *call)) return;
    wait(State::AtWarpCall);
}

/// Runs the operation if all who take part have arrived at it: the caller goes on at once, the others become runnable.
bool BlockScheduler::complete(int warp, const WarpCall& call) {
    unsigned lanes = call.mask & living_[warp];
    if ((waiting_[warp] & lanes) != lanes) return false;
    WarpCall* calls[WarpSize] = {};
    for (int lane = 0; lane < WarpSize; lane++) {
        if (!(lanes >> lane & 1)) continue;
        auto* other = threads_[warp * WarpSize + lane].call;
        bool together =
            other->combine == call.combine && other->mask == call.mask && (call.orders_memory || same_line(other->file, other->line, call.file, call.line));
        if (!together) return false;
        calls[lane] = other;
    }
    bool orders_memory = call.orders_memory;
    call.combine(lanes, calls);
    if (orders_memory && shadow_ != nullptr) shadow_->pass_warp(warp, lanes);
    waiting_[warp] &= ~lanes;
    for (int lane = 0; lane < WarpSize; lane++) {
        if (!(lanes >> lane & 1)) continue;
        int thread = warp * WarpSize + lane;
        bool caller = thread == current_;
        threads_[thread].state = caller ? State::Running : State::Runnable;
        if (!caller) runnable_.add(thread);
    }
    return true;
}

int BlockScheduler::first_in(State state) const {
    for (int i = 0; i < thread_count_; i++)
        if (threads_[i].state == state) return i;
    return -1;
}

void BlockScheduler::report_deadlock() {
    int barrier = first_in(State::AtBarrier), warp = first_in(State::AtWarpCall);
    if (warp < 0) fail(barrier, LaunchFailed, "deadlock at __syncthreads()", place_of(barrier));
    const auto& call = *threads_[warp].call;
    std::string what = std::string("deadlock: waits at ") + call.name + " for lanes that do not come";
    for (int lane = 0; lane < WarpSize; lane++) {
        int other = (warp & ~31) + lane;
        if (other >= thread_count_ || !(call.mask >> lane & 1) || other == warp) continue;
        const auto& t = threads_[other];
        bool elsewhere = t.state == State::AtBarrier || (t.state == State::AtWarpCall && (t.line != call.line || t.call->mask != call.mask));
        if (!elsewhere) continue;
        what +=
            "; thread " + describe(other) + " waits at " + (t.state == State::AtBarrier ? "__syncthreads()" : t.call->name) + ", " + describe(place_of(other));
        break;
    }
    fail(warp, LaunchFailed, what, place_of(warp));
}

void BlockScheduler::fail(int thread, int code, const std::string& what, Place place) {
    if (failure_.code == 0) {
        const auto& b = *module_->block_index;
        failure_.code = code;
        failure_.message = what + "; kernel " + kernel_->name + ", block (" + std::to_string(b.x) + "," + std::to_string(b.y) + "," + std::to_string(b.z) +
                           "), thread " + describe(thread) + ", " + describe(place);
    }
    leave();
}

std::string BlockScheduler::describe(int thread) const {
    const auto& c = coordinates_[thread];
    return "(" + std::to_string(c.x) + "," + std::to_string(c.y) + "," + std::to_string(c.z) + ")";
}

std::string BlockScheduler::describe(Place place) const {
    if (place.file != nullptr) return std::string(place.file) + ":" + std::to_string(place.line);
    return image_->locate(place.return_address);
}

}  // namespace cuda_emulator
