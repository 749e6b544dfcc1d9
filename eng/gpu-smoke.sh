#!/usr/bin/env bash
# gpu-smoke.sh: tries the archive for GPU machines without one. Makes it (eng/gpu-bundle.sh), unpacks it as such a machine would, and runs each part of
# gpu-check.sh there in smoke size on the emulated GPU, with no SDK and no variable of ours in reach. Exit code 0: every part did what it should.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$root/eng/gpu-bundle.sh" "$work/cudaseq-gpu.tar.xz"
"$root/Tests/Emulator/build.sh" >"$work/emulator.log" 2>&1 || { cat "$work/emulator.log" >&2 && exit 1; }
cd "$work"
python=$(command -v python3)
"$python" -c "import tarfile; tarfile.open('cudaseq-gpu.tar.xz').extractall()"
# The system's programs but the SDK's.
mkdir path
for program in /usr/bin/* /bin/*; do
    [[ $program == */dotnet ]] || ln -sf "$program" path/
done
status=0
for part in tests kernels models sanitizer; do
    env -i PATH="$work/path" HOME="$work" TMPDIR="${TMPDIR-/tmp}" CUDASEQ_CUDA_LIBRARY="$root/artifacts/emulator/libcuda.so.1" \
        cudaseq-gpu/gpu-check.sh "$part" out --smoke || status=1
done
exit $status
