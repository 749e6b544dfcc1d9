#!/usr/bin/env bash
# program.sh OUTPUT SOURCE.cu TOOLS: compiles a .cu that has a main() of its own into a program on the emulated device, checked.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/flags.sh"
output=$1 source=$2 tools=$3
read -ra more <<<"${EMULATOR_FLAGS-}"
host=()
for flag in "${device[@]}"; do
    [[ $flag == -fno-exceptions || $flag == -fno-rtti ]] || host+=("$flag")
done
compile "$output.o" "$source" "${host[@]}" "${checked[@]}" -include "$emulator/runtime_api/cuda_runtime.h" "${more[@]}"
compile "$output.program.o" "$emulator/runtime_api/program.cpp" -std=c++20 -O2 -fPIC -fvisibility=hidden -I"$emulator" -Wno-attributes
compile "$output.support.o" "$emulator/module_support.cpp" -std=c++20 -O2 -fPIC -fvisibility=hidden -fno-threadsafe-statics -DCUDASEQ_EMULATOR_CHECKED
"$cxx" "$output.o" "$output.program.o" "$output.support.o" "-L$tools" -l:libcuda.so.1 "-Wl,-rpath,$tools" -Wl,--disable-new-dtags -pthread -lm -o "$output"
