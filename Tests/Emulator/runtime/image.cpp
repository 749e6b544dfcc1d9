#include "image.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>

#include "result.h"

namespace cuda_emulator {
namespace {

#if defined(__x86_64__)
constexpr int HostMachine = EM_X86_64;
#else
constexpr int HostMachine = EM_AARCH64;
#endif
constexpr int CudaMachine = 190;

size_t file_bytes(const Elf64_Ehdr& header) { return header.e_shoff + static_cast<size_t>(header.e_shnum) * header.e_shentsize; }

bool write_all(int file, const char* bytes, size_t count) {
    while (count > 0) {
        ssize_t written = write(file, bytes, count);
        if (written <= 0) return false;
        bytes += written;
        count -= static_cast<size_t>(written);
    }
    return true;
}

}  // namespace

std::unique_ptr<Image> Image::load(const void* bytes, int& result, std::string& reason) {
    const auto& header = *static_cast<const Elf64_Ehdr*>(bytes);
    result = InvalidImage;
    if (memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) {
        reason = "the image is no ELF file: the emulated device runs only images that Tests/Emulator/build.sh made";
        return nullptr;
    }
    if (header.e_machine != HostMachine) {
        if (header.e_machine == CudaMachine) result = NoBinaryForGpu;
        reason = "the image is compiled for another processor: the emulated device runs only images that Tests/Emulator/build.sh made";
        return nullptr;
    }
    std::unique_ptr<Image> image(new Image);
    image->file_ = memfd_create("cuda-image", MFD_CLOEXEC);
    if (image->file_ < 0 || !write_all(image->file_, static_cast<const char*>(bytes), file_bytes(header))) {
        result = OutOfMemory;
        reason = "no memory for a copy of the image";
        return nullptr;
    }
    // The descriptor stays open as long as the image: the loader knows libraries by their paths, and would take a number used again for the same one.
    std::string path = "/proc/self/fd/" + std::to_string(image->file_);
    image->handle_ = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (image->handle_ == nullptr) {
        reason = std::string("the image cannot be loaded: ") + dlerror();
        return nullptr;
    }
    auto get_module = reinterpret_cast<const Module* (*)()>(dlsym(image->handle_, "cuda_emulator_module"));
    if (get_module == nullptr || get_module()->version != InterfaceVersion) {
        reason = "the image was not made for this emulator: run Tests/Emulator/build.sh";
        return nullptr;
    }
    image->module_ = get_module();
    image->lines_ = SourceLines(static_cast<const char*>(bytes));
    if (!image->find_segments()) {
        reason = "the image's segments cannot be found";
        return nullptr;
    }
    result = Success;
    return image;
}

std::unique_ptr<Image> Image::of_program(const Module& module) {
    std::unique_ptr<Image> image(new Image);
    image->handle_ = dlopen(nullptr, RTLD_NOW);
    image->module_ = &module;
    FILE* file = fopen("/proc/self/exe", "rb");
    std::string bytes;
    if (file != nullptr) {
        char buffer[65536];
        for (size_t n; (n = fread(buffer, 1, sizeof buffer, file)) > 0;) bytes.append(buffer, n);
        fclose(file);
        image->lines_ = SourceLines(bytes.data());
    }
    return image->find_segments() ? std::move(image) : nullptr;
}

Image::~Image() {
    drop_cells(variable_cells_, variables_.bytes);
    if (handle_ != nullptr) dlclose(handle_);
    if (file_ >= 0) close(file_);
}

const Kernel* Image::find(const char* name) const {
    for (int i = 0; i < module_->kernel_count; i++)
        if (strcmp(module_->kernels[i].name, name) == 0) return &module_->kernels[i];
    return nullptr;
}

bool Image::find_segments() {
    auto visit = [](dl_phdr_info* info, size_t, void* self) {
        auto& image = *static_cast<Image*>(self);
        uintptr_t low = UINTPTR_MAX, high = 0;
        size_t shared_bytes = 0;
        Range variables{};
        for (int i = 0; i < info->dlpi_phnum; i++) {
            const auto& segment = info->dlpi_phdr[i];
            if (segment.p_type == PT_LOAD) {
                low = std::min<uintptr_t>(low, info->dlpi_addr + segment.p_vaddr);
                high = std::max<uintptr_t>(high, info->dlpi_addr + segment.p_vaddr + segment.p_memsz);
                if (segment.p_flags & PF_W) variables = {reinterpret_cast<char*>(info->dlpi_addr + segment.p_vaddr), segment.p_memsz};
            } else if (segment.p_type == PT_TLS) {
                shared_bytes = segment.p_memsz;
            }
        }
        auto address = reinterpret_cast<uintptr_t>(image.module_);
        if (address < low || address >= high) return 0;
        image.base_ = info->dlpi_addr;
        image.low_ = low;
        image.high_ = high;
        image.shared_bytes_ = shared_bytes;
        image.variables_ = variables;
        return 1;
    };
    return dl_iterate_phdr(visit, this) != 0;
}

Image::Range Image::shared() const {
    module_->touch_shared();
    void* begin = nullptr;
    if (dlinfo(handle_, RTLD_DI_TLS_DATA, &begin) != 0 || begin == nullptr) return {nullptr, 0};
    return {static_cast<char*>(begin), shared_bytes_};
}

Cell* Image::cells_of(const void* address, size_t bytes) const {
    auto offset = reinterpret_cast<uintptr_t>(address) - reinterpret_cast<uintptr_t>(variables_.begin);
    if (offset >= variables_.bytes || bytes > variables_.bytes - offset) return nullptr;
    if (variable_cells_ == nullptr) variable_cells_ = make_cells(variables_.bytes);
    return variable_cells_ == nullptr ? nullptr : variable_cells_ + offset;
}

std::string Image::locate(const void* return_address) const {
    if (return_address == nullptr) return "line unknown";
    auto address = reinterpret_cast<uintptr_t>(return_address);
    if (address >= low_ && address <= high_) {
        auto line = lines_.find(address - base_ - 1);
        if (!line.empty()) return line;
    }
    return "line unknown";
}

}  // namespace cuda_emulator
