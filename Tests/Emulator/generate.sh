#!/usr/bin/env bash
# generate.sh OUTPUT.cpp SOURCE.cu...: writes a file that includes the sources and lists their kernels by name. The names are read off the
# preprocessed text, so that kernels which macros declare are found too; templates have no name to be found by.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/flags.sh"
output=$1
shift

kernels() {
    "$cxx" "${device[@]}" -DCUDASEQ_EMULATOR_LISTING "${more[@]}" -E -P -x c++ "$1" | tr '\n' ' ' |
        grep -oE '(template *<[^;{}]*> *)?[A-Za-z_" ]*__global__ +[A-Za-z_0-9 ]*\(' |
        { grep -v '^template' || true; } | sed -E 's/ *\($//; s/.*[ *]//' | sort -u
}
read -ra more <<<"${EMULATOR_FLAGS-}"

mkdir -p "$(dirname "$output")"
{
    names=()
    for source in "$@"; do
        echo "#include \"$(realpath "$source")\""
        mapfile -t -O "${#names[@]}" names < <(kernels "$source" || true)
    done
    echo '#include "module_registration.h"'
    echo 'static const cuda_emulator::Kernel cuda_emulator_registered[] = {'
    for name in "${names[@]}"; do
        echo "    cuda_emulator::make_kernel(\"$name\", $name),"
    done
    echo '    {},'
    echo '};'
    echo 'extern "C" {'
    echo '__attribute__((visibility("hidden"))) const cuda_emulator::Kernel* cuda_emulator_kernels = cuda_emulator_registered;'
    echo "__attribute__((visibility(\"hidden\"))) int cuda_emulator_kernel_count = ${#names[@]};"
    echo '}'
} >"$output.new"
# The same list again is no reason to compile again.
if cmp -s "$output.new" "$output"; then rm "$output.new"; else mv "$output.new" "$output"; fi
