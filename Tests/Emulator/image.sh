#!/usr/bin/env bash
# image.sh plain|checked OUTPUT.so SOURCE.cu...: compiles kernels into an image that the emulated device loads. More flags come from EMULATOR_FLAGS.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/flags.sh"
level=$1 output=$2
shift 2
case $level in
    plain) optimise=("${plain[@]}") define=() ;;
    checked) optimise=("${checked[@]}") define=(-DCUDASEQ_EMULATOR_CHECKED) ;;
    *) echo "image.sh: the level is plain or checked, got $level" >&2 && exit 2 ;;
esac
read -ra more <<<"${EMULATOR_FLAGS-}"
objects=$(dirname "$output")/objects
name=$(basename "$output" .so)

generated=$objects/$name.cpp
mapfile -t inputs < <(dependencies "$objects/$name.o.d")
if [[ ! -e $objects/$name.o.d ]] || stale "$generated" "$@" "$emulator/generate.sh" || stale "$objects/$name.o" "${inputs[@]}"; then
    "$emulator/generate.sh" "$generated" "$@"
    touch "$generated"
fi
compile "$objects/$name.o" "$generated" "${device[@]}" "${optimise[@]}" "${more[@]}"
compile "$objects/$name.support.o" "$emulator/module_support.cpp" -std=c++20 -O2 -fPIC -fvisibility=hidden -fno-exceptions -fno-threadsafe-statics "${define[@]}"
if stale "$output" "$objects/$name.o" "$objects/$name.support.o"; then
    "$cxx" -shared -Wl,--no-undefined "$objects/$name.o" "$objects/$name.support.o" -o "$output.new" -lm
    mv "$output.new" "$output"
fi
