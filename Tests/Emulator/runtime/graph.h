// Capture of streams into graphs, and their replay.
#pragma once
#include <memory>
#include <thread>
#include <vector>

#include "timeline.h"

namespace cuda_emulator {

struct Node {
    OperationPointer operation;
    std::vector<int> after;
    int lane;  ///< the captured stream it came from: nodes of one lane follow each other
};

struct Graph {
    std::vector<Node> nodes;
    int lanes = 0;
};

struct Capture {
    Graph graph;
    Stream* origin = nullptr;
    int mode = 0;
    std::thread::id owner;
    bool spoiled = false, ended = false;

    /// The stream is captured from now on; `self` is this capture.
    void enter(Stream& stream, const std::shared_ptr<Capture>& self);
    int add(Stream& stream, OperationPointer operation);
    /// All nodes of a graph that is launched while this capture goes on.
    int add(Stream& stream, const Graph& child);
    /// The stream comes after these nodes, and is captured too if it was not.
    int join(Stream& stream, const std::shared_ptr<Capture>& self, const std::vector<int>& frontier);
    bool forbids_now() const;
    /// Whether every node comes before (or is) one of these.
    bool all_before(const std::vector<int>& frontier) const;
};

/// An instantiated graph.
class Replay {
  public:
    Replay(Timeline& timeline, Graph graph);
    ~Replay();
    int launch(Stream& stream);

  private:
    Timeline& timeline_;
    Graph graph_;
    std::vector<Stream*> lanes_;
};

}  // namespace cuda_emulator
