// emulate IMAGE SOURCE.cu: does what the comments of the source say with the kernels of the image, in every order of threads, and reports the
// first mistake. Exit code 0: none was found, 1: one was, 2: the comments or the image cannot be used.
#include <stdio.h>
#include <stdlib.h>

#include <memory>

#include "../driver/controls.h"
#include "../module_interface.h"
#include "cuda.h"
#include "script.h"

using namespace cuda_emulator;

namespace {

/// Where the script itself is at fault.
struct ScriptError {
    int line;
    std::string what;
};

/// Where the emulated device found one.
struct KernelError {
    int code;
};

void check(int result) {
    if (result != 0) throw KernelError{result};
}

struct Buffer {
    uint64_t address;
    size_t bytes;
};

class Run {
  public:
    Run(void* module, const std::vector<Step>& steps) : module_(module), steps_(steps) {}
    ~Run() {
        for (auto& buffer : unnamed_) cuMemFree_v2(buffer.address);
        for (auto& [name, buffer] : named_) cuMemFree_v2(buffer.address);
        for (auto& [number, stream] : streams_)
            if (stream != nullptr) cuStreamDestroy_v2(stream);
    }

    int launches() const { return launches_; }

    void play() {
        for (const auto& step : steps_) {
            const auto& words = step.words;
            if (words[0] == "stream" && words.size() == 2)
                present_ = stream(words[1]);
            else if (words[0] == "wait" && words.size() == 2)
                wait_for(stream(words[1]));
            else if (words[0] == "free" && words.size() == 2)
                free(step);
            else if (words[0] == "synchronise" && words.size() == 1)
                check(cuCtxSynchronize());
            else
                launch(step);
        }
        check(cuCtxSynchronize());
    }

    /// A source without instructions: each kernel once, with this for every argument.
    /// As many elements as threads, and a few less: a kernel without a guard is right with the first alone.
    void play_defaults() {
        constexpr unsigned Grid = 2, Block = 128;
        play_defaults(Grid, Block, Grid * Block);
        play_defaults(Grid, Block, Grid * Block - 6);
    }

    void play_defaults(unsigned grid, unsigned block, unsigned elements) {
        unsigned count;
        check(cuModuleGetFunctionCount(&count, module_));
        std::vector<void*> functions(count);
        check(cuModuleEnumerateFunctions(functions.data(), count, module_));
        for (void* function : functions) {
            Arguments arguments(function);
            for (size_t i = 0; arguments.describe(i); i++) {
                const auto& p = arguments.parameter;
                bool pointer = static_cast<Kind>(p.kind) == Kind::Pointer;
                if (pointer) {
                    const auto& element =
                        element_for(static_cast<Kind>(p.element_kind) == Kind::Float, static_cast<Kind>(p.element_kind) == Kind::Unsigned, p.element_bytes);
                    size_t length = p.element_bytes > element.bytes ? elements * p.element_bytes / element.bytes : elements;
                    unnamed_.push_back(make_buffer(element, length, "random"));
                    arguments.add_address(unnamed_.back().address);
                } else {
                    arguments.add_number(static_cast<Kind>(p.kind) == Kind::Float ? 0.5 : elements);
                }
            }
            launch(function, arguments, grid, block, 16 << 10);
        }
        check(cuCtxSynchronize());
    }

  private:
    struct Parameter {
        unsigned bytes;
        int kind, element_kind;
        unsigned element_bytes;
    };

    /// The values of a launch, each with room for the largest number.
    class Arguments {
      public:
        explicit Arguments(void* function) : function_(function) {}
        Parameter parameter{};

        /// False past the last one.
        bool describe(size_t index) {
            auto& p = parameter;
            return cudaseq_emulator_parameter(function_, index, &p.bytes, &p.kind, &p.element_kind, &p.element_bytes) == 0;
        }
        void add_address(uint64_t address) {
            values_.push_back(std::make_unique<char[]>(Room));
            *reinterpret_cast<uint64_t*>(values_.back().get()) = address;
        }
        void add_number(double number) {
            values_.push_back(std::make_unique<char[]>(Room));
            if (parameter.bytes <= sizeof(uint64_t))
                write_number(values_.back().get(), number, parameter.bytes, static_cast<Kind>(parameter.kind) == Kind::Float);
        }
        std::vector<void*> pointers() {
            std::vector<void*> result;
            for (auto& value : values_) result.push_back(value.get());
            return result;
        }

      private:
        static constexpr size_t Room = 4096;
        void* function_;
        std::vector<std::unique_ptr<char[]>> values_;
    };

    void* stream(const std::string& number) {
        if (number == "0") return nullptr;
        auto& stream = streams_[number];
        constexpr unsigned NonBlocking = 1;
        if (stream == nullptr) check(cuStreamCreate(&stream, NonBlocking));
        return stream;
    }

    void wait_for(void* other) {
        void* event;
        check(cuEventCreate(&event, 0));
        check(cuEventRecord(event, other));
        check(cuStreamWaitEvent(present_, event, 0));
        check(cuEventDestroy_v2(event));
    }

    /// The buffer stays known by its name, so that a script can use it after this.
    void free(const Step& step) {
        auto found = named_.find(step.words[1]);
        if (found == named_.end()) throw ScriptError{step.line, "no buffer is called " + step.words[1]};
        check(cuMemFreeAsync(found->second.address, present_));
    }

    Buffer make_buffer(const Element& element, size_t count, const std::string& content) {
        Buffer buffer{0, count * element.bytes};
        check(cuMemAlloc_v2(&buffer.address, buffer.bytes));
        if (content == "unwritten") return buffer;
        auto bytes = make_content(element, count, content);
        check(cuMemcpyHtoD_v2(buffer.address, bytes.data(), bytes.size()));
        return buffer;
    }

    void launch(const Step& step) {
        const auto& words = step.words;
        void* function;
        if (words.size() < 4) throw ScriptError{step.line, "wants KERNEL GRID BLOCK SHARED ARGUMENT..., or stream, wait, free, synchronise"};
        if (cuModuleGetFunction(&function, module_, words[0].c_str()) != 0) throw ScriptError{step.line, "no kernel is called " + words[0]};
        unsigned grid[3], block[3];
        if (!parse_extent(words[1], grid) || !parse_extent(words[2], block)) throw ScriptError{step.line, "grid and block are like 4 or 4x2 or 4x2x1"};
        Arguments arguments(function);
        size_t index = 0;
        for (; arguments.describe(index); index++) {
            Argument argument;
            if (index + 4 >= words.size()) throw ScriptError{step.line, words[0] + " has more parameters than there are arguments"};
            if (!parse_argument(words[index + 4], argument)) throw ScriptError{step.line, words[index + 4] + " is no argument"};
            if (argument.kind == Argument::Number)
                arguments.add_number(argument.number);
            else
                arguments.add_address(buffer_of(step, argument).address);
        }
        if (index + 4 != words.size()) throw ScriptError{step.line, words[0] + " has fewer parameters than there are arguments"};
        char* end;
        auto shared_bytes = static_cast<unsigned>(strtoul(words[3].c_str(), &end, 10));
        if (*end != 0) throw ScriptError{step.line, "shared memory is a number of bytes"};
        launch(function, arguments, grid, block, shared_bytes);
    }

    const Buffer& buffer_of(const Step& step, const Argument& argument) {
        if (argument.kind == Argument::Buffer) {
            auto buffer = make_buffer(*argument.element, argument.count, argument.content);
            if (!argument.name.empty()) return named_[argument.name] = buffer;
            unnamed_.push_back(buffer);
            return unnamed_.back();
        }
        auto found = named_.find(argument.name);
        if (found == named_.end()) throw ScriptError{step.line, "no buffer is called " + argument.name};
        return found->second;
    }

    void launch(void* function, Arguments& arguments, unsigned grid, unsigned block, unsigned shared_bytes) {
        unsigned grids[3] = {grid, 1, 1}, blocks[3] = {block, 1, 1};
        launch(function, arguments, grids, blocks, shared_bytes);
    }

    void launch(void* function, Arguments& arguments, const unsigned (&grid)[3], const unsigned (&block)[3], unsigned shared_bytes) {
        constexpr int MostDynamicSharedBytes = 8;
        constexpr unsigned WithoutAsking = 48 << 10;
        if (shared_bytes > WithoutAsking) check(cuFuncSetAttribute(function, MostDynamicSharedBytes, static_cast<int>(shared_bytes)));
        auto pointers = arguments.pointers();
        check(cuLaunchKernel(function, grid[0], grid[1], grid[2], block[0], block[1], block[2], shared_bytes, present_, pointers.data(), nullptr));
        launches_++;
    }

    void* module_;
    const std::vector<Step>& steps_;
    std::map<std::string, Buffer> named_;
    std::vector<Buffer> unnamed_;
    std::map<std::string, void*> streams_;
    void* present_ = nullptr;
    int launches_ = 0;
};

int emulate(const char* image, const char* source) {
    void *context, *module;
    if (cuInit(0) != 0 || cuDevicePrimaryCtxRetain(&context, 0) != 0 || cuCtxSetCurrent(context) != 0 || cuModuleLoad(&module, image) != 0) {
        fprintf(stderr, "%s: %s\n", source, cudaseq_emulator_last_message());
        return 2;
    }
    auto steps = read_steps(source);
    const char* orders[] = {"forward", "reverse", "random"};
    int launches = 0;
    for (int order = 0; order < 3; order++) {
        cudaseq_emulator_set_order(order, 1);
        cudaseq_emulator_set_lazy(order == 2, 1);
        try {
            Run run(module, steps);
            steps.empty() ? run.play_defaults() : run.play();
            launches = run.launches();
        } catch (const ScriptError& error) {
            fprintf(stderr, "%s:%d: %s\n", source, error.line, error.what.c_str());
            return 2;
        } catch (const KernelError& error) {
            printf("%s: error %d in %s order: %s\n", source, error.code, orders[order], cudaseq_emulator_last_message());
            if (steps.empty()) printf("(with default arguments; say others in a comment `// emulate: KERNEL GRID BLOCK SHARED ARGUMENT...`)\n");
            return 1;
        }
    }
    if (launches == 0) {
        fprintf(stderr, "%s: launched nothing: no extern \"C\" __global__ kernel\n", source);
        return 2;
    }
    printf(
        "%s: %d %s, no mistake found in forward, reverse and random order%s\n", source, launches, launches == 1 ? "launch" : "launches",
        steps.empty() ? " (default arguments)" : "");
    return 0;
}

}  // namespace

int main(int count, char** words) {
    if (count != 3) {
        fprintf(stderr, "usage: emulate IMAGE SOURCE.cu\n");
        return 2;
    }
    return emulate(words[1], words[2]);
}
