#include "graph.h"

#include <algorithm>

#include "result.h"

namespace cuda_emulator {
namespace {

enum CaptureMode { ModeGlobal = 0, ModeThreadLocal = 1 };

void merge(std::vector<int>& into, const std::vector<int>& from) {
    for (int node : from)
        if (std::find(into.begin(), into.end(), node) == into.end()) into.push_back(node);
}

}  // namespace

void Capture::enter(Stream& stream, const std::shared_ptr<Capture>& self) {
    stream.capture = self;
    stream.lane = graph.lanes++;
    stream.frontier.clear();
}

int Capture::add(Stream& stream, OperationPointer operation) {
    if (spoiled) return CaptureInvalidated;
    graph.nodes.push_back({std::move(operation), stream.frontier, stream.lane});
    stream.frontier = {static_cast<int>(graph.nodes.size()) - 1};
    return Success;
}

int Capture::add(Stream& stream, const Graph& child) {
    if (spoiled) return CaptureInvalidated;
    int first = static_cast<int>(graph.nodes.size()), first_lane = graph.lanes;
    graph.lanes += child.lanes;
    auto frontier = stream.frontier;
    for (const auto& node : child.nodes) {
        Node copy{node.operation, frontier, first_lane + node.lane};
        for (int before : node.after) copy.after.push_back(first + before);
        graph.nodes.push_back(copy);
        merge(stream.frontier, {static_cast<int>(graph.nodes.size()) - 1});
    }
    return Success;
}

int Capture::join(Stream& stream, const std::shared_ptr<Capture>& self, const std::vector<int>& frontier) {
    if (ended) return InvalidValue;
    if (stream.capture == nullptr) enter(stream, self);
    if (stream.capture != self) {
        spoiled = stream.capture->spoiled = true;
        return CaptureIsolation;
    }
    merge(stream.frontier, frontier);
    return Success;
}

bool Capture::forbids_now() const { return mode == ModeGlobal || (mode == ModeThreadLocal && owner == std::this_thread::get_id()); }

bool Capture::all_before(const std::vector<int>& frontier) const {
    std::vector<bool> before(graph.nodes.size());
    for (int node : frontier) before[static_cast<size_t>(node)] = true;
    for (size_t i = graph.nodes.size(); i-- > 0;) {
        if (!before[i]) return false;  // a node's successors have higher numbers and have been seen
        for (int node : graph.nodes[i].after) before[static_cast<size_t>(node)] = true;
    }
    return true;
}

Replay::Replay(Timeline& timeline, Graph graph) : timeline_(timeline), graph_(std::move(graph)) {
    constexpr unsigned NonBlocking = 1;
    for (int i = 0; i < graph_.lanes; i++) lanes_.push_back(timeline_.create(NonBlocking, 0));
}

Replay::~Replay() {
    for (auto* lane : lanes_) timeline_.destroy(lane);
}

int Replay::launch(Stream& stream) {
    if (stream.capture != nullptr) return stream.capture->add(stream, graph_);
    Clock start = timeline_.knowledge(stream);
    std::vector<uint64_t> numbers;
    for (const auto& node : graph_.nodes) {
        Clock before = start;
        for (int i : node.after) {
            int lane = lanes_[static_cast<size_t>(graph_.nodes[static_cast<size_t>(i)].lane)]->index;
            before.set(lane, std::max(before.of(lane), numbers[static_cast<size_t>(i)]));
        }
        numbers.push_back(timeline_.submit_after(*lanes_[static_cast<size_t>(node.lane)], node.operation, before));
    }
    stream.clock.join(start);
    for (const auto& node : graph_.nodes) stream.clock.join(lanes_[static_cast<size_t>(node.lane)]->clock);
    return Success;
}

}  // namespace cuda_emulator
