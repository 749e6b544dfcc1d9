#!/usr/bin/env bash
# gpu-bundle.sh [FILE]: makes FILE (artifacts/cudaseq-gpu.tar.xz), which carries CudaSeq to a machine that has a GPU and nothing else: no SDK, no network.
# `dotnet cake --target=GpuBundle` compiles the kernels first; without them, or where they are older than their source, the GPU compiles them at its first use.
# One folder cudaseq-gpu: gpu-check.sh and gpu_peers to run; bin/, the tests, the benchmarks and the tool with one runtime that they share;
# source/, the repository's files, for the tests that read them and the kernels' sources; COMMIT, what it was made from. There:
#   python3 -c "import tarfile; tarfile.open('cudaseq-gpu.tar.xz').extractall()" && cudaseq-gpu/gpu-check.sh tests out
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
file=$(realpath -m "${1:-$root/artifacts/cudaseq-gpu.tar.xz}")
most=$((45 << 20))
cd "$root"
command -v xz >/dev/null || { echo "gpu-bundle.sh: needs xz" >&2 && exit 3; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
top=$work/cudaseq-gpu
mkdir -p "$top/source" "$(dirname "$file")"

commit=$(git rev-parse HEAD)
[[ -z $(git status --porcelain --untracked-files=no) ]] || { echo "gpu-bundle.sh: the work tree has changes that commit $commit has not" >&2 && commit+=-dirty; }

# The kernels for fewer chips, or the archive is too large.
image=$root/artifacts/kernels/NativeKernels.archive.fatbin

# One folder for all: files of the same name are the same file.
for project in Benchmarks Cli Tests; do
    dotnet publish "$project" -c Release -r linux-x64 --self-contained true -o "$top/bin" --artifacts-path artifacts/gpu-bundle -nologo -v quiet \
        -p:SourceRevisionId="$commit" -p:KernelImage="$image" -p:Emulator=false -p:DebugType=none -p:PublishDocumentationFile=false -p:PublishReferencesDocumentationFiles=false
done

# What packages bring for other systems and in other languages lies in folders; nothing else does.
find "$top/bin" -mindepth 1 -maxdepth 1 -type d ! -name Host -exec rm -r {} +
for program in CudaSeq.Tests CudaSeq.Benchmarks cudaseq; do
    [[ -x $top/bin/$program && -e $top/bin/$program.runtimeconfig.json ]] || { echo "gpu-bundle.sh: $program was not published" >&2 && exit 1; }
done

# The name of the resource, which the assembly has in one byte a letter; in its code it has two.
grep -q NativeKernels.fatbin "$top/bin/CudaSeq.Kernels.dll" && kernels="with compiled kernels" || kernels="WITHOUT compiled kernels: the GPU compiles them at first use"

# What the repository has, as it lies in the work tree, which the programs were built from; nothing else that lies about there.
git ls-files -z --cached | tar --null --files-from - --create --ignore-failed-read --file - | tar --extract --file - -C "$top/source"
cp eng/gpu-check.sh "$top/"
mkdir "$top/gpu_peers"
cp eng/gpu_peers/*.py "$top/gpu_peers/"
echo "$commit" >"$top/COMMIT"

# The same files give the same archive.
tar --create --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$(git log -1 --format=%ct)" -C "$work" cudaseq-gpu | xz -9e --threads=0 >"$file.new"
size=$(stat -c %s "$file.new")
((size <= most)) || { echo "gpu-bundle.sh: must be at most $((most >> 20)) MiB, got $((size >> 20)) MiB" >&2 && exit 1; }
mv "$file.new" "$file"
printf '%s: %s.%s MiB, %s MiB unpacked, commit %s, %s\n' "$file" $((size >> 20)) $(((size & 0xfffff) * 10 >> 20)) "$(du -sm "$top" | cut -f 1)" "$commit" "$kernels"
