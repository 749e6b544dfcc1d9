#!/usr/bin/env bash
# build.sh [FOLDER]: builds into FOLDER (artifacts/emulator), two compilers at a time and only what is not current:
#   libcuda_emulated.so      the driver; CUDASEQ_CUDA_LIBRARY names it
#   libcublas_emulated.so    cuBLAS and cuBLASLt; CUDASEQ_CUBLAS_LIBRARY and CUDASEQ_CUBLASLT_LIBRARY name it
#   NativeKernels.plain.so, NativeKernels.checked.so   the kernels of NativeKernels.cu
#   samples.*.so, wrong.*.so, emulate                  for the emulator's own tests and eng/emulate.sh
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/flags.sh"
command -v "$cxx" >/dev/null || { echo "build.sh: needs $cxx" >&2 && exit 3; }
only_tools=${EMULATOR_ONLY_TOOLS-}
mkdir -p "${1:-$root/artifacts/emulator}"
output=$(cd "${1:-$root/artifacts/emulator}" && pwd)
exec 9>"$output/lock"
flock 9

pids=()
start() {
    while (($(jobs -rp | wc -l) >= 2)); do wait -n || true; done
    "$@" &
    pids+=($!)
}
finish() {
    local pid failed=0
    for pid in "${pids[@]}"; do wait "$pid" || failed=1; done
    ((failed == 0)) || { echo "build.sh: failed" >&2 && exit 1; }
}

image() { start "$emulator/image.sh" "$1" "$output/$2.$1.so" "${@:3}"; }

objects() {
    local folder
    for folder in "$@"; do
        for source in "$emulator/$folder"/*.cpp; do
            start compile "$output/objects/$folder/$(basename "$source" .cpp).o" "$source" "${library[@]}"
        done
    done
}

# link OUTPUT FOLDER... -- FLAG...
link() {
    local target=$1 inputs=()
    shift
    while [[ $1 != -- ]]; do
        inputs+=("$output/objects/$1"/*.o)
        shift
    done
    shift
    if stale "$target" "${inputs[@]}"; then
        echo "link $(basename "$target")"
        "$cxx" "${inputs[@]}" "$@" -pthread -o "$target.new" && mv "$target.new" "$target"
    fi
}

# The images take longest, so they start first.
if [[ -z $only_tools ]]; then
    if [[ -e $root/NativeKernels.cu ]]; then
        image plain NativeKernels "$root/NativeKernels.cu"
        image checked NativeKernels "$root/NativeKernels.cu"
    fi
    for level in plain checked; do
        image $level samples "$emulator"/samples/*.cu
        image $level wrong "$emulator"/wrong/*.cu
    done
fi
objects runtime driver blas tool
finish

beside=(-L"$output" -lcuda_emulated "-Wl,-rpath,\$ORIGIN")
link "$output/libcuda_emulated.so" runtime driver -- -shared -Wl,--no-undefined -Wl,-soname,libcuda_emulated.so -ldl
link "$output/libcublas_emulated.so" blas -- -shared -Wl,--no-undefined -Wl,-soname,libcublas_emulated.so "${beside[@]}"
link "$output/emulate" tool -- "${beside[@]}"
