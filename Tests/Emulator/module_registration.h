// The list of an image's kernels. generate.sh writes a file that includes the .cu, then this header, then names the kernels.
#pragma once
#include <utility>

#include "module_interface.h"

namespace cuda_emulator {

template <typename T>
constexpr Kind kind_of() {
    if constexpr (std::is_pointer_v<T>)
        return Kind::Pointer;
    else if constexpr (std::is_floating_point_v<T>)
        return Kind::Float;
    else if constexpr (std::is_integral_v<T> || std::is_enum_v<T>)
        return std::is_unsigned_v<T> ? Kind::Unsigned : Kind::Signed;
    else
        return Kind::Other;
}

template <typename T>
constexpr Parameter describe() {
    Parameter parameter{sizeof(T), alignof(T), kind_of<T>(), Kind::Other, 0};
    if constexpr (std::is_pointer_v<T>) {
        using Element = std::remove_cv_t<std::remove_pointer_t<T>>;
        if constexpr (!std::is_void_v<Element> && !std::is_function_v<Element>) {
            parameter.element = kind_of<Element>();
            parameter.element_size = sizeof(Element);
        }
    }
    return parameter;
}

template <typename... P>
struct Signature {
    static constexpr Parameter parameters[sizeof...(P) + 1] = {describe<std::remove_cv_t<P>>()..., Parameter{}};

    template <size_t... I>
    EMULATOR_UNCHECKED static void invoke(void (*entry)(), [[maybe_unused]] void* const* arguments, std::index_sequence<I...>) {
        reinterpret_cast<void (*)(P...)>(entry)(*static_cast<std::remove_cv_t<P>*>(arguments[I])...);
    }
    EMULATOR_UNCHECKED static void call(void (*entry)(), void* const* arguments) { invoke(entry, arguments, std::index_sequence_for<P...>{}); }
};

template <typename... P>
Kernel make_kernel(const char* name, void (*entry)(P...)) {
    return Kernel{name, reinterpret_cast<void (*)()>(entry), &Signature<P...>::call, Signature<P...>::parameters, static_cast<int>(sizeof...(P))};
}

}  // namespace cuda_emulator
