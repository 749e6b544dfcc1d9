#include "source_lines.h"

#include <elf.h>
#include <string.h>

namespace cuda_emulator {
namespace {

class Reader {
  public:
    Reader(const char* begin, const char* end) : at_(begin), end_(end) {}

    template <typename T>
    T fixed() {
        T value{};
        if (static_cast<size_t>(end_ - at_) < sizeof(T)) {
            at_ = end_;
            return value;
        }
        memcpy(&value, at_, sizeof value);
        at_ += sizeof value;
        return value;
    }
    uint64_t unsigned_leb() {
        uint64_t value = 0;
        for (unsigned shift = 0; at_ < end_; shift += 7) {
            auto byte = static_cast<uint8_t>(*at_++);
            if (shift < 64) value |= static_cast<uint64_t>(byte & 0x7f) << shift;
            if (!(byte & 0x80)) break;
        }
        return value;
    }
    int64_t signed_leb() {
        int64_t value = 0;
        for (unsigned shift = 0; at_ < end_;) {
            auto byte = static_cast<uint8_t>(*at_++);
            if (shift < 64) value |= static_cast<int64_t>(byte & 0x7f) << shift;
            shift += 7;
            if (byte & 0x80) continue;
            if (shift < 64 && (byte & 0x40)) value |= -(static_cast<int64_t>(1) << shift);
            break;
        }
        return value;
    }
    std::string string() {
        std::string text;
        while (at_ < end_ && *at_ != 0) text += *at_++;
        if (at_ < end_) at_++;
        return text;
    }
    uint64_t offset(bool wide) { return wide ? fixed<uint64_t>() : fixed<uint32_t>(); }
    void skip(uint64_t bytes) { at_ = bytes < static_cast<uint64_t>(end_ - at_) ? at_ + bytes : end_; }
    Reader part(uint64_t bytes) const {
        Reader copy = *this;
        copy.skip(bytes);
        return Reader(at_, copy.at_);
    }
    bool done() const { return at_ >= end_; }
    bool before(const Reader& other) const { return at_ < other.at_; }

  private:
    const char *at_, *end_;
};

struct Header {
    uint8_t instruction_bytes = 1, line_range = 1, opcode_base = 1;
    int8_t line_base = 0;
    std::vector<uint8_t> operand_counts;
    std::vector<std::string> folders{""}, files{""};
    std::vector<uint64_t> folder_of{0};

    std::string file(uint64_t index) const {
        if (index == 0 || index >= files.size()) return "";
        const auto& folder = folder_of[index] < folders.size() ? folders[folder_of[index]] : folders[0];
        return folder.empty() || files[index].front() == '/' ? files[index] : folder + "/" + files[index];
    }
};

Header read_header(Reader& reader, int version) {
    Header header;
    header.instruction_bytes = reader.fixed<uint8_t>();
    if (version >= 4) reader.fixed<uint8_t>();  // operations in one instruction
    reader.fixed<uint8_t>();                    // whether rows start as statements
    header.line_base = reader.fixed<int8_t>();
    header.line_range = reader.fixed<uint8_t>();
    header.opcode_base = reader.fixed<uint8_t>();
    header.operand_counts.push_back(0);
    for (int i = 1; i < header.opcode_base; i++) header.operand_counts.push_back(reader.fixed<uint8_t>());
    for (auto folder = reader.string(); !folder.empty(); folder = reader.string()) header.folders.push_back(folder);
    for (auto file = reader.string(); !file.empty(); file = reader.string()) {
        header.files.push_back(file);
        header.folder_of.push_back(reader.unsigned_leb());
        reader.unsigned_leb();  // time
        reader.unsigned_leb();  // length
    }
    return header;
}

struct Row {
    uint64_t address = 0, file = 1;
    int64_t line = 1;
};

/// Runs one unit's line program until two rows enclose the address.
std::string search(Reader program, const Header& header, uint64_t target) {
    Row now, last;
    bool has_last = false;
    std::string found;
    auto emit = [&](bool end_of_sequence) {
        bool encloses = has_last && last.address <= target && target < now.address && last.line > 0;
        if (encloses) found = header.file(last.file) + ":" + std::to_string(last.line);
        last = now;
        has_last = !end_of_sequence;
        return encloses;
    };
    while (!program.done()) {
        auto opcode = program.fixed<uint8_t>();
        if (opcode >= header.opcode_base) {
            int special = opcode - header.opcode_base;
            now.address += static_cast<uint64_t>(special / header.line_range) * header.instruction_bytes;
            now.line += header.line_base + special % header.line_range;
            if (emit(false)) return found;
            continue;
        }
        switch (opcode) {
            case 0: {  // extended
                uint64_t bytes = program.unsigned_leb();
                Reader operand = program.part(bytes);
                program.skip(bytes);
                auto extended = operand.fixed<uint8_t>();
                if (extended == 1) {
                    if (emit(true)) return found;
                    now = Row();
                } else if (extended == 2) {
                    now.address = operand.fixed<uint64_t>();
                }
                break;
            }
            case 1:  // copy
                if (emit(false)) return found;
                break;
            case 2:  // advance address
                now.address += program.unsigned_leb() * header.instruction_bytes;
                break;
            case 3:  // advance line
                now.line += program.signed_leb();
                break;
            case 4:  // set file
                now.file = program.unsigned_leb();
                break;
            case 8:  // advance address as the last special opcode would
                now.address += static_cast<uint64_t>((255 - header.opcode_base) / header.line_range) * header.instruction_bytes;
                break;
            case 9:  // advance address by two bytes' worth
                now.address += program.fixed<uint16_t>();
                break;
            default:
                for (int i = 0; i < header.operand_counts[opcode]; i++) program.unsigned_leb();
        }
    }
    return "";
}

}  // namespace

SourceLines::SourceLines(const char* elf) {
    const auto& header = *reinterpret_cast<const Elf64_Ehdr*>(elf);
    const auto* sections = reinterpret_cast<const Elf64_Shdr*>(elf + header.e_shoff);
    if (header.e_shnum == 0 || header.e_shstrndx >= header.e_shnum) return;
    const char* names = elf + sections[header.e_shstrndx].sh_offset;
    for (int i = 0; i < header.e_shnum; i++) {
        const auto& section = sections[i];
        if (strcmp(names + section.sh_name, ".debug_line") == 0 && !(section.sh_flags & SHF_COMPRESSED))
            section_.assign(elf + section.sh_offset, elf + section.sh_offset + section.sh_size);
    }
}

std::string SourceLines::find(uint64_t address) const {
    Reader reader(section_.data(), section_.data() + section_.size());
    while (!reader.done()) {
        uint64_t length = reader.fixed<uint32_t>();
        bool wide = length == 0xffffffffu;
        if (wide) length = reader.fixed<uint64_t>();
        Reader unit = reader.part(length);
        reader.skip(length);
        int version = unit.fixed<uint16_t>();
        uint64_t header_bytes = unit.offset(wide);
        if (version < 2 || version > 4) continue;
        Reader program = unit;
        program.skip(header_bytes);
        Header header = read_header(unit, version);
        if (header.line_range == 0) continue;
        auto found = search(program, header, address);
        if (!found.empty()) return found;
    }
    return "";
}

}  // namespace cuda_emulator
