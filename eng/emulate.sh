#!/usr/bin/env bash
# emulate.sh FILE.cu: runs a .cu on the processor, watched: out of bounds, races, missing and divergent barriers, uninitialised reads, use after
# free. What is launched and with what is said by comments `// emulate: KERNEL GRID BLOCK SHARED ARGUMENT...` in the file (Tests/Emulator/README.md
# has the whole of it), or by its own main() with <<<...>>>; a file with neither has its extern "C" kernels launched with default arguments.
# Exit code 0: no mistake was found, 1: one was, 2: the file cannot be run.
set -euo pipefail
(($# == 1)) || { echo "usage: eng/emulate.sh FILE.cu" >&2 && exit 2; }
file=$1
[[ -r $file ]] || { echo "emulate.sh: cannot read $file" >&2 && exit 2; }
emulator=$(cd "$(dirname "${BASH_SOURCE[0]}")/../Tests/Emulator" && pwd)
source "$emulator/flags.sh"
tools=$root/artifacts/emulator
EMULATOR_ONLY_TOOLS=1 "$emulator/build.sh" "$tools" >&2 || exit 2

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# C++ has neither `extern __shared__ T name[];` nor `kernel<<<...>>>(...)`: say them in words it knows, line by line. A declaration at the margin
# is taken to be outside of functions, where only a macro can say the name anew for each launch.
rewritten=$work/$(basename "$file")
align='((__align__|alignas)[[:space:]]*\([^)]*\)[[:space:]]*)?'
shared="extern[[:space:]]+__shared__[[:space:]]+$align([A-Za-z_][A-Za-z0-9_:<> ]*)[[:space:]]+$align([A-Za-z_][A-Za-z0-9_]*)[[:space:]]*\[[[:space:]]*\][[:space:]]*;"
{
    echo "#line 1 \"$file\""
    sed -E \
        -e 's/static[[:space:]]+__shared__/__shared__/g' \
        -e "s/^$shared/#define \6 (static_cast<\3*>(emulator_dynamic_shared()))/" \
        -e "s/$shared/EMULATOR_DYNAMIC_SHARED(\3, \6);/g" \
        -e 's/([A-Za-z_][A-Za-z0-9_:]*(<[^<>();]*>)?)[[:space:]]*<<</EMULATOR_LAUNCH((\1), /g' \
        -e 's/>>>[[:space:]]*\(/)(/g' \
        "$file"
} >"$rewritten"
# What the compiler can tell of a thread's own variables, which nobody watches: overruns through a pointer stop the thread, reads of what nothing
# has written are its warnings.
export EMULATOR_FLAGS="-I$(cd "$(dirname "$file")" && pwd) -I$emulator/runtime_api -fsanitize=object-size -finline-functions -finline-small-functions -fno-sanitize-recover=all -Wuninitialized -Wmaybe-uninitialized"

# cannot_be_compiled: what the compiler's own words may leave unclear.
cannot_be_compiled() {
    local line
    line=$(grep -nEm1 '(^|[^A-Za-z0-9_])asm([^A-Za-z0-9_]|$)' "$file" | cut -d: -f1) || true
    [[ -z $line ]] || echo "$file:$line: inline PTX is not run: give it a body under #ifdef CUDASEQ_EMULATOR (Tests/Emulator/README.md)" >&2
    exit 2
}

if grep -Eq '(^|[^A-Za-z0-9_])main[[:space:]]*\(' "$file"; then
    "$emulator/program.sh" "$work/program" "$rewritten" "$tools" >&2 || cannot_be_compiled
    export CUDASEQ_EMULATOR_LEVEL=checked
    status=0
    for order in forward reverse random; do
        CUDASEQ_EMULATOR_ORDER=$order "$work/program" || status=1
        ((status == 0)) || break
    done
    ((status == 0)) && echo "$file: no mistake found in forward, reverse and random order"
    exit "$status"
fi
"$emulator/image.sh" checked "$work/image.so" "$rewritten" >&2 || cannot_be_compiled
status=0
"$tools/emulate" "$work/image.so" "$file" || status=$?
exit "$status"
