# How the emulator and its images are compiled; read by build.sh and image.sh.
cxx=${CXX:-g++}
emulator=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$emulator/../.." && pwd)

# Paths in messages are relative to the repository. DWARF 4, because source_lines.cpp reads its tables.
debug=(-g1 -gdwarf-4 "-ffile-prefix-map=$root/=")

library=(-std=c++20 -O2 -fPIC -fvisibility=hidden -pthread -Wall -Wextra "${debug[@]}")

# What a GPU's compiler takes for granted: aliasing through vector types, no errno, no contraction that the source does not ask for.
# No unique symbols: they would tie the images of different sources together.
device=(-std=c++20 -fPIC -fvisibility=hidden -fno-gnu-unique -fno-exceptions -fno-rtti -fno-strict-aliasing -ffp-contract=off -fno-math-errno
    -fno-trapping-math -fno-threadsafe-statics -Wall -Wno-unknown-pragmas -Wno-unused -Wno-maybe-uninitialized -Wno-attributes "${debug[@]}"
    "-I$emulator" -include "$emulator/cuda_builtins.h")
plain=(-O2)
# The calls that these options insert are answered by module_support.cpp; the sanitizers' libraries are not linked.
checked=(-O1 -fsanitize=thread,bounds,alignment -fno-sanitize-recover=all -DCUDASEQ_EMULATOR_CHECKED)

# stale OUTPUT INPUT...: whether OUTPUT is missing or older than something it was made of.
stale() {
    local output=$1 input
    shift
    [[ -e $output ]] || return 0
    for input in "$@"; do
        [[ -e $input && ! $input -nt $output ]] || return 0
    done
    return 1
}

# dependencies FILE.d: what the compiler noted there.
dependencies() {
    [[ -e $1 ]] || return 0
    sed -e 's/^[^:]*://' -e 's/\\$//' "$1" | tr -s ' \n' '\n' | grep -v '^$'
}

# compile OBJECT SOURCE FLAG...: unless the object is newer than all that it was made of last time, and was made by the same command.
compile() {
    local object=$1 source=$2 command
    shift 2
    command="$cxx $* $source"
    local inputs
    mapfile -t inputs < <(dependencies "$object.d")
    if [[ -e $object.d && -e $object.command && $(<"$object.command") == "$command" ]] && ! stale "$object" "${inputs[@]}"; then
        return 0
    fi
    mkdir -p "$(dirname "$object")"
    rm -f "$object.command"
    echo "g++ $(basename "$object")"
    "$cxx" "$@" -MMD -MF "$object.d" -x c++ -c "$source" -o "$object" || return 1
    printf '%s' "$command" >"$object.command"
}
