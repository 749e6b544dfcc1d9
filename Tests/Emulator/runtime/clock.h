// What comes before what: for every stream, how many of its operations are known to be done before something else begins.
#pragma once
#include <stddef.h>
#include <stdint.h>

#include <vector>

namespace cuda_emulator {

class Clock {
  public:
    uint64_t of(int stream) const { return static_cast<size_t>(stream) < done_.size() ? done_[static_cast<size_t>(stream)] : 0; }
    void set(int stream, uint64_t number) {
        if (done_.size() <= static_cast<size_t>(stream)) done_.resize(static_cast<size_t>(stream) + 1);
        done_[static_cast<size_t>(stream)] = number;
    }
    void join(const Clock& other) {
        if (done_.size() < other.done_.size()) done_.resize(other.done_.size());
        for (size_t i = 0; i < other.done_.size(); i++)
            if (other.done_[i] > done_[i]) done_[i] = other.done_[i];
    }
    int streams() const { return static_cast<int>(done_.size()); }

  private:
    std::vector<uint64_t> done_;
};

}  // namespace cuda_emulator
