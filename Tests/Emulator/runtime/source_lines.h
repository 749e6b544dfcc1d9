// From an address in an image to the line of source it came from, read from the image's .debug_line section (DWARF 2 to 4: images are
// compiled with -gdwarf-4, whose tables are half as intricate as DWARF 5's).
#pragma once
#include <stdint.h>

#include <string>
#include <vector>

namespace cuda_emulator {

class SourceLines {
  public:
    SourceLines() = default;
    /// Takes the section's bytes out of an ELF file.
    explicit SourceLines(const char* elf);

    /// "file:line" of an address relative to the image's start; empty if the tables do not say.
    std::string find(uint64_t address) const;

  private:
    std::vector<char> section_;
};

}  // namespace cuda_emulator
