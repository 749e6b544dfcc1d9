#!/usr/bin/env bash
# build.sh [FOLDER]: builds into FOLDER (artifacts/emulator), two compilers at a time and only what is not current:
#   libcuda.so.1             the driver; CUDASEQ_CUDA_LIBRARY names it
#   libcublas.so.12, libcublasLt.so.12                 found beside it
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
    local source
    for source in "$emulator/$1"/*.cpp; do
        start compile "$output/objects/$1/$(basename "$source" .cpp).o" "$source" "${library[@]}"
    done
}

# link FILE OBJECT... -- FLAG...: objects by their names without ending, in the folder of objects.
link() {
    local target=$output/$1 inputs=()
    shift
    while [[ $1 != -- ]]; do
        inputs+=("$output/objects/$1.o")
        shift
    done
    shift
    if stale "$target" "${inputs[@]}"; then
        echo "link $(basename "$target")"
        "$cxx" "${inputs[@]}" "$@" -pthread -o "$target.new" && mv "$target.new" "$target"
    fi
}
all_of() { for source in "$emulator/$1"/*.cpp; do echo "$1/$(basename "$source" .cpp)"; done; }

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
for folder in runtime driver blas tool; do objects $folder; done
finish

# RPATH and not RUNPATH: the emulated driver comes before whatever LD_LIBRARY_PATH has.
beside=("-L$output" -l:libcuda.so.1 "-Wl,-rpath,\$ORIGIN" -Wl,--disable-new-dtags)
shared=(-shared -Wl,--no-undefined)
link libcuda.so.1 $(all_of runtime) $(all_of driver) -- "${shared[@]}" -Wl,-soname,libcuda.so.1 -ldl
link libcublas.so.12 blas/cublas blas/matrix_product -- "${shared[@]}" -Wl,-soname,libcublas.so.12 "${beside[@]}"
link libcublasLt.so.12 blas/cublas_lt blas/matrix_product -- "${shared[@]}" -Wl,-soname,libcublasLt.so.12 "${beside[@]}"
link emulate $(all_of tool) -- "${beside[@]}"
