#!/usr/bin/env bash
# get-cuda-compiler.sh [FOLDER]: unpacks NVIDIA's run-time compiler into FOLDER (artifacts/cuda-compiler), unless it is there: NVRTC and nvFatbin of
# CUDA 12.4, as Debian trixie has them in non-free, about 60 MB. They compile NativeKernels.cu on a machine without a GPU, a CUDA toolkit or a host
# compiler. The mirror is the one this machine's apt knows; apt's own lists, caches and packages are left as they are, and no rights are needed.
# Exit codes: 0 it is there; 2 usage; 3 no apt-get or dpkg-deb; 4 apt knows no Debian mirror; 5 the mirror cannot be reached or does not have it;
# 6 the packages do not hold the compiler; 7 FOLDER cannot be written.
set -uo pipefail

packages=(libnvrtc12 libnvrtc-builtins12.4 libnvfatbin12)
libraries=(libnvrtc.so.12 libnvrtc-builtins.so.12.4 libnvfatbin.so.12)

fail() {
    echo "get-cuda-compiler.sh: $2" >&2
    exit "$1"
}

complete() {
    local library
    for library in "${libraries[@]}"; do [[ -e $1/$library ]] || return 1; done
}

(($# <= 1)) || fail 2 "usage: eng/get-cuda-compiler.sh [FOLDER]"
folder=${1:-${BASH_SOURCE[0]%/*}/../artifacts/cuda-compiler}
complete "$folder" && exit 0

for tool in apt-get dpkg-deb; do
    command -v "$tool" >/dev/null || fail 3 "needs $tool, which only Debian and its relatives have"
done

# Of all that apt knows, the main archive of a Debian release; lists that were never downloaded count too.
mirror=$(apt-get indextargets --no-release-info --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' 2>/dev/null |
    awk '$3 == "main" && $2 ~ /^(bullseye|bookworm|trixie|forky|duke|oldstable|stable|testing|sid|unstable)$/ { print $1; exit }')
[[ -n $mirror ]] || fail 4 "apt's configuration names no Debian mirror"

mkdir -p "$folder" 2>/dev/null || fail 7 "cannot write $folder"
folder=$(cd "$folder" && pwd)
work=$(mktemp -d "$folder/.unpacking.XXXXXX" 2>/dev/null) || fail 7 "cannot write $folder"
trap 'rm -rf "$work"; rmdir "$folder" 2>/dev/null' EXIT
mkdir -p "$work"/{lists,cache/archives}/partial "$work"/{packages,files}

keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[[ -e $keyring ]] && trust="signed-by=$keyring"
echo "deb [target=Packages ${trust-}] $mirror trixie non-free" >"$work/sources.list"
# Read after the machine's own configuration, whose proxies and credentials hold, and whose hooks do not.
cat >"$work/apt.conf" <<END
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
Dir::Etc::sourcelist "$work/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::State::Lists "$work/lists";
Dir::Cache "$work/cache";
APT::Architectures { "$(dpkg --print-architecture)"; };
APT::Sandbox::User "$(id -un)";
APT::Update::Error-Mode "any";
Acquire::Languages "none";
Acquire::Retries "3";
END

# apt WORD...: apt's own reason where it fails, in one line.
apt() {
    apt-get --config-file "$work/apt.conf" -qq "$@" >"$work/log" 2>&1 && return
    fail 5 "cannot get ${packages[*]} of trixie from this machine's Debian mirror: $(grep -m 1 '^E: ' "$work/log" || grep -m 1 '^W: ' "$work/log" || echo "apt-get $1 failed")"
}

echo "Fetches NVRTC and nvFatbin of CUDA 12.4 into ${folder/#$PWD\//}, about 60 MB."
apt update
cd "$work/packages" && apt download "${packages[@]}"
for package in *.deb; do
    dpkg-deb -x "$package" "$work/files" || fail 6 "cannot unpack $package"
done
# One folder of libraries: NVRTC looks for its second half beside itself.
mkdir "$work/flat"
find "$work/files" -name 'libnv*.so*' -exec mv -t "$work/flat" {} +
for package in "${packages[@]}"; do
    cp "$work/files/usr/share/doc/$package/copyright" "$work/flat/$package.copyright" 2>/dev/null
done
complete "$work/flat" || fail 6 "the packages ${packages[*]} of trixie do not hold ${libraries[*]}"
mv -f "$work"/flat/* "$folder" || fail 7 "cannot write $folder"
