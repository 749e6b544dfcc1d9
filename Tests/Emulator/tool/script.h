// What the comments of a .cu say is to be done with it (see README.md, "Running any .cu").
#pragma once
#include <map>
#include <string>
#include <vector>

namespace cuda_emulator {

struct Step {
    int line;
    std::vector<std::string> words;
};

/// The lines of a file that begin with `// emulate:`.
std::vector<Step> read_steps(const std::string& path);

/// "4", "4x2" or "4x2x1".
bool parse_extent(const std::string& text, unsigned (&extent)[3]);

struct Element {
    const char* name;
    unsigned bytes;
    bool is_float, is_unsigned;
};

/// What an argument is made of: a number, or a buffer `[NAME:]TYPE[COUNT][=CONTENT]`, or the name of an earlier buffer.
struct Argument {
    enum { Number, Buffer, Name } kind;
    std::string name, content;
    const Element* element;
    size_t count;
    double number;
};

/// False if the word is none of these.
bool parse_argument(const std::string& word, Argument& argument);

/// `count` elements: "random" (floats from -1 to 1, whole numbers 0 to 99), "index", or a number for all.
std::vector<char> make_content(const Element& element, size_t count, const std::string& content);

/// Writes a number as this many bytes of this kind.
void write_number(char* to, double number, unsigned bytes, bool is_float);

/// By what a kernel was declared with: Float, Unsigned or else Signed.
const Element& element_for(bool is_float, bool is_unsigned, unsigned bytes);

}  // namespace cuda_emulator
