#include "script.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <fstream>
#include <random>
#include <sstream>

namespace cuda_emulator {
namespace {

constexpr Element Elements[] = {
    {"float", 4, true, false}, {"double", 8, true, false}, {"int", 4, false, false},   {"uint", 4, false, true},  {"long", 8, false, false},
    {"ulong", 8, false, true}, {"short", 2, false, false}, {"ushort", 2, false, true}, {"char", 1, false, false}, {"uchar", 1, false, true},
};

template <typename T>
void put(char* to, T value) {
    memcpy(to, &value, sizeof value);
}

bool is_number(const std::string& word, double& number) {
    char* end;
    number = strtod(word.c_str(), &end);
    if (*end == 'f') end++;
    return end != word.c_str() && *end == 0;
}

}  // namespace

std::vector<Step> read_steps(const std::string& path) {
    std::vector<Step> steps;
    std::ifstream file(path);
    std::string text;
    for (int line = 1; std::getline(file, text); line++) {
        size_t begin = text.find_first_not_of(" \t");
        const std::string mark = "// emulate:";
        if (begin == std::string::npos || text.compare(begin, mark.size(), mark) != 0) continue;
        std::istringstream words(text.substr(begin + mark.size()));
        Step step{line, {}};
        for (std::string word; words >> word;) step.words.push_back(word);
        if (!step.words.empty()) steps.push_back(step);
    }
    return steps;
}

bool parse_extent(const std::string& text, unsigned (&extent)[3]) {
    extent[0] = extent[1] = extent[2] = 1;
    const char* at = text.c_str();
    for (auto& side : extent) {
        char* end;
        side = static_cast<unsigned>(strtoul(at, &end, 10));
        if (end == at) return false;
        at = end;
        if (*at == 0) return true;
        if (*at++ != 'x') return false;
    }
    return false;
}

bool parse_argument(const std::string& word, Argument& argument) {
    argument = {Argument::Number, "", "random", nullptr, 0, 0};
    if (word == "null" || is_number(word, argument.number)) return true;
    size_t bracket = word.find('[');
    if (bracket == std::string::npos) {
        argument.kind = Argument::Name;
        argument.name = word;
        return true;
    }
    argument.kind = Argument::Buffer;
    size_t colon = word.find(':'), close = word.find(']', bracket);
    size_t type = colon != std::string::npos && colon < bracket ? colon + 1 : 0;
    if (type > 0) argument.name = word.substr(0, colon);
    if (close == std::string::npos) return false;
    for (const auto& element : Elements)
        if (word.compare(type, bracket - type, element.name) == 0) argument.element = &element;
    argument.count = strtoull(word.c_str() + bracket + 1, nullptr, 10);
    if (close + 1 < word.size()) {
        if (word[close + 1] != '=') return false;
        argument.content = word.substr(close + 2);
    }
    double ignored;
    bool known = argument.content == "random" || argument.content == "index" || argument.content == "unwritten" || is_number(argument.content, ignored);
    return argument.element != nullptr && argument.count > 0 && known;
}

std::vector<char> make_content(const Element& element, size_t count, const std::string& content) {
    std::vector<char> bytes(count * element.bytes);
    std::mt19937 random(20190123);
    double number = 0;
    bool constant = is_number(content, number);
    for (size_t i = 0; i < count; i++) {
        double drawn = static_cast<double>(random()) / 4294967296.0;
        double value = constant             ? number
                       : content == "index" ? static_cast<double>(i)
                       : element.is_float   ? 2 * drawn - 1
                                            : static_cast<double>(static_cast<int>(100 * drawn));
        write_number(bytes.data() + i * element.bytes, value, element.bytes, element.is_float);
    }
    return bytes;
}

void write_number(char* to, double number, unsigned bytes, bool is_float) {
    if (is_float && bytes == 4) return put(to, static_cast<float>(number));
    if (is_float && bytes == 8) return put(to, number);
    auto whole = static_cast<int64_t>(number);
    memcpy(to, &whole, bytes);  // little endian: the low bytes come first
}

const Element& element_for(bool is_float, bool is_unsigned, unsigned bytes) {
    for (const auto& element : Elements)
        if (element.is_float == is_float && element.bytes == bytes && (is_float || element.is_unsigned == is_unsigned)) return element;
    return Elements[sizeof Elements / sizeof Elements[0] - 1];
}

}  // namespace cuda_emulator
