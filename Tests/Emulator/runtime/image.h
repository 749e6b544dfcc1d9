// A kernel image: a shared library that generate.sh and build.sh made of a .cu, loaded from its bytes.
#pragma once
#include <stdint.h>

#include <memory>
#include <string>

#include "../module_interface.h"
#include "shadow.h"
#include "source_lines.h"

namespace cuda_emulator {

class Image {
  public:
    /// Null and the reason, and a Result, if the bytes are no image of ours.
    static std::unique_ptr<Image> load(const void* bytes, int& result, std::string& reason);
    /// For kernels inside the running program.
    static std::unique_ptr<Image> of_program(const Module& module);
    ~Image();

    const Module& module() const { return *module_; }
    const Kernel* find(const char* name) const;
    /// "file:line" of a call that returns to this address, or what can be said instead.
    std::string locate(const void* return_address) const;
    bool contains(const void* address, size_t bytes) const {
        auto a = reinterpret_cast<uintptr_t>(address);
        return a >= low_ && a + bytes <= high_;
    }

    /// The cells of these bytes of __device__ variables; null for what is constant.
    Cell* cells_of(const void* address, size_t bytes) const;

    struct Range {
        char* begin;
        size_t bytes;
    };
    /// The __shared__ variables of all kernels, as this operating-system thread sees them.
    Range shared() const;

  private:
    Image() = default;
    bool find_segments();

    void* handle_ = nullptr;
    int file_ = -1;
    const Module* module_ = nullptr;
    uintptr_t base_ = 0, low_ = 0, high_ = 0;
    Range variables_{};
    mutable Cell* variable_cells_ = nullptr;  // from the first access on
    size_t shared_bytes_ = 0;
    SourceLines lines_;
};

}  // namespace cuda_emulator
