#!/usr/bin/env bash
# gpu-check.sh tests|kernels|models OUT [--smoke]: what CudaSeq does on this machine's GPU, into the folder OUT. It lies at the top of the archive that
# eng/gpu-bundle.sh makes and needs neither an SDK nor a network; rivals are measured where python3 has PyTorch, fairseq's kernels where FAIRSEQ_ROOT
# names a checkout and nvcc is there. Each part ends within 8 minutes; each of its steps has a limit of its own, so that one that hangs loses itself alone.
#   tests    what doctor finds, every test, compute-sanitizer over every kernel
#   kernels  every op beside the GPU's own ceilings, PyTorch and fairseq
#   models   training and translating in tokens a second, beside PyTorch
# Figures gather in OUT/gpu.json, part after part; a step's whole output is OUT/<step>.log. Exit code 0: every step did what it should.
# --smoke takes the smallest shapes, to try all this on the emulated GPU (CUDASEQ_CUDA_LIBRARY=.../libcuda.so.1); its times mean nothing.
set -uo pipefail
usage() { sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}" >&2 && exit 2; }
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
part=${1-} out=${2-} smoke=
[[ ${3-} == --smoke ]] && smoke=1 && set -- "$1" "$2"
(($# == 2)) && [[ $part =~ ^(tests|kernels|models)$ ]] || usage
bin=$here/bin
[[ -x $bin/CudaSeq.Tests ]] || { echo "gpu-check.sh: $bin holds no tests; run it from the unpacked archive of eng/gpu-bundle.sh" >&2 && exit 2; }
mkdir -p "$out" && out=$(cd "$out" && pwd) || exit 2
json=$out/gpu.json python=${PYTHON:-python3} begun=$SECONDS failed=0
# Seconds: of a part, and of the tests in it.
part_limit=470 tests_limit=285
sizes=gpu
[[ -n $smoke ]] && sizes=smoke
export PYTHONUNBUFFERED=1 NO_COLOR=1
# Where CUDA's libraries came with python's packages, and nowhere else.
if ! ls /usr/local/cuda*/lib64/libnvrtc.so.* &>/dev/null && ! ldconfig -p 2>/dev/null | grep -q libnvrtc; then
    packages=$("$python" -c 'import glob, sys; print(":".join(f for p in sys.path for f in glob.glob(p + "/nvidia/*/lib")))' 2>/dev/null)
    [[ -n $packages ]] && export LD_LIBRARY_PATH=${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$packages
fi
# The tests' own name of the device, and that nothing less will do.
device=cuda
[[ -n ${CUDASEQ_CUDA_LIBRARY-} ]] && device=cuda-emulated || export CUDASEQ_TEST_GPU=1

# step NAME LIMIT COMMAND...: runs it for at most LIMIT seconds; what it prints goes to OUT/NAME.log and, its last lines, to the screen.
step() {
    local name=$1 limit=$2 start=$SECONDS status verdict
    shift 2
    printf '\n== %s (at most %s s)\n' "$name" "$limit"
    timeout -k 10 "$limit" "$@" >"$out/$name.log" 2>&1
    status=$?
    tail -n "${lines:-200}" "$out/$name.log"
    case $status in
    0) verdict=done ;;
    124 | 137) verdict="STOPPED after its $limit s" ;;
    *) verdict="FAILED with exit code $status" ;;
    esac
    ((status == 0)) || failed=$((failed + 1))
    printf -- '-- %s: %s, %s s\n' "$name" "$verdict" $((SECONDS - start))
    return $status
}
record() { "$bin/CudaSeq.Benchmarks" record "$json" "$@" || failed=$((failed + 1)); }

# count PATTERN...: tests in the results whose element matches all of these, and none that begins with a !.
count() {
    local elements pattern
    elements=$(cat "$out"/tests.*.xml | grep -o '<test [^>]*>')
    for pattern in "$@"; do
        [[ $pattern == !* ]] && elements=$(grep -Ev -- "${pattern#!}" <<<"$elements") || elements=$(grep -E -- "$pattern" <<<"$elements")
    done
    grep -c . <<<"$elements"
}

# Every class, in several processes at a time where there are processors for them; one that hangs loses its share of the classes. A test of a device has the device in
# its name; others say "cuda: ..." when they have none and are skipped.
all_tests() {
    local shards=$(($(nproc) / 4)) classes pids=() selected i c status passed fail skipped here_passed here_skipped
    ((shards = shards < 1 ? 1 : shards > 4 ? 4 : shards))
    mapfile -t classes < <("$bin/CudaSeq.Tests" -noLogo -list classes | grep '^CudaSeq')
    [[ -n $smoke ]] && classes=(CudaSeq.Tests.ReluTests CudaSeq.Tests.LightConvTests CudaSeq.Tests.CudaDeviceTests CudaSeq.Tests.ProcessTests CudaSeq.Tests.PageTests)
    printf '\n== tests: %s classes in %s processes (at most %s s)\n' "${#classes[@]}" "$shards" "$tests_limit"
    rm -f "$out"/tests.*.xml
    for ((i = 0; i < shards; i++)); do
        selected=()
        for ((c = i; c < ${#classes[@]}; c += shards)); do selected+=(-class "${classes[c]}"); done
        timeout -k 10 "$tests_limit" "$bin/CudaSeq.Tests" -noColor -noLogo -xml "$out/tests.$i.xml" "${selected[@]}" >"$out/tests.$i.log" 2>&1 &
        pids+=($!)
    done
    for i in "${!pids[@]}"; do
        wait "${pids[i]}"
        status=$?
        grep -A 12 -E '\[FAIL\]|unhandled|Fatal' "$out/tests.$i.log" | head -n 200
        tail -n 3 "$out/tests.$i.log"
        ((status == 0)) && continue
        failed=$((failed + 1))
        ((status == 124 || status == 137)) && echo "-- tests.$i: STOPPED after its $tests_limit s, its results are lost" || echo "-- tests.$i: FAILED with exit code $status"
    done
    passed=$(count 'result="Pass"') fail=$(count 'result="Fail"') skipped=$(count 'result="Skip"')
    # ProcessTests has devices in names that the tool is to refuse.
    here_passed=$(count 'result="Pass"' "[(](name|device): .?&quot;$device.?&quot;" '!ProcessTests')
    here_skipped=$(($(count 'result="Skip"' '[(](name|device): .?&quot;cuda') + $(cat "$out"/tests.*.xml | grep -o '<reason><!\[CDATA\[cuda: ' | wc -l)))
    cat "$out"/tests.*.xml | grep -o '<reason><!\[CDATA\[[^]]*' | sed 's/.*\[/skipped: /' | sort | uniq -c
    echo "-- tests: $passed passed, $fail failed, $skipped skipped; on $device: $here_passed passed, $here_skipped skipped"
    record tests device="$device" passed="$passed" failed="$fail" skipped="$skipped" device_passed="$here_passed" device_skipped="$here_skipped"
    if ((here_passed == 0)); then
        echo "-- tests: FAILED, none ran on $device"
        failed=$((failed + 1))
    elif ((here_skipped > 0)); then
        echo "-- tests: FAILED, $here_skipped of the tests on $device were skipped"
        failed=$((failed + 1))
    fi
}

# Every op forward and backward, each in all its cases, and nothing of the processor: what the sanitizer's slowness leaves time for.
sanitizer() {
    local tool status verdict tried limit left=4
    if [[ -n ${CUDASEQ_CUDA_LIBRARY-} ]] || ! tried=$(type -P compute-sanitizer || ls /usr/local/cuda/bin/compute-sanitizer 2>/dev/null); then
        verdict="not run: $([[ -n ${CUDASEQ_CUDA_LIBRARY-} ]] && echo "there is no GPU for it" || echo "there is no compute-sanitizer")"
        echo "compute-sanitizer: $verdict"
        record sanitizer memcheck="$verdict" racecheck="$verdict" initcheck="$verdict" synccheck="$verdict"
        return
    fi
    for tool in memcheck racecheck initcheck synccheck; do
        local kernels=("$bin/CudaSeq.Tests" -noColor -noLogo -method '*.WorksOnCudaWithoutLookingBack')
        # Guard zones are written before each use and would pass for what was initialised.
        [[ $tool == initcheck ]] && kernels=("$bin/CudaSeq.Benchmarks" quick --device cuda --sizes smoke --rounds 1)
        limit=$(((part_limit - (SECONDS - begun)) / left - 5)) left=$((left - 1))
        lines=15 step "$tool" "$limit" "$tried" --tool "$tool" --error-exitcode 86 --print-limit 20 "${kernels[@]}"
        status=$?
        verdict=$(grep -Eo 'ERROR SUMMARY: .*|RACECHECK SUMMARY: .*' "$out/$tool.log" | tail -n 1)
        # A tool that attached to nothing, or to a program that ran nothing, has found nothing either.
        ((status == 0)) && { [[ -z $verdict ]] || ! grep -Eq 'Total: [1-9]|GB/s' "$out/$tool.log"; } && status="that of success, but nothing was checked"
        case $status in
        0) verdict="clean ($verdict)" ;;
        124 | 137) verdict="not finished in $limit s" ;;
        86) verdict="found errors: $verdict" ;;
        *) verdict="failed with exit code $status${verdict:+ ($verdict)}" ;;
        esac
        record sanitizer "$tool=$verdict"
    done
}

printf 'CudaSeq %s on %s\n' "$(cat "$here/COMMIT" 2>/dev/null || echo unknown)" "$(uname -sr)"
driver=$(nvidia-smi --query-gpu=driver_version --format=csv,noheader 2>/dev/null | head -n 1)
record machine driver="${driver:-unknown}" system="$(uname -sr)"
case $part in
tests)
    step doctor 40 "$bin/cudaseq" doctor
    all_tests
    sanitizer
    ;;
kernels)
    # Compiling takes minutes, the processor's: it begins first and ends in time or not at all.
    export FAIRSEQ_BUILD=${FAIRSEQ_BUILD:-$out/fairseq-kernels}
    timeout -k 5 300 "$python" "$here/gpu_peers.py" build-fairseq >"$out/fairseq-build.log" 2>&1 &
    building=$!
    step quick 200 "$bin/CudaSeq.Benchmarks" quick --device cuda --sizes "$sizes" --json "$json" ${smoke:+--rounds 2}
    step rivals 230 "$python" "$here/gpu_peers.py" kernels --json "$json" --seconds 170 ${smoke:+--smoke}
    kill "$building" 2>/dev/null
    wait "$building"
    tail -n 5 "$out/fairseq-build.log"
    ;;
models)
    step models 235 "$bin/CudaSeq.Benchmarks" models --device cuda --sizes "$sizes" --json "$json"
    step rivals-models 225 "$python" "$here/gpu_peers.py" models --json "$json" --seconds 190 ${smoke:+--smoke}
    ;;
esac
printf '\n%s: %s, %s s; %s\n' "$part" "$( ((failed == 0)) && echo "all steps done" || echo "$failed FAILED")" $((SECONDS - begun)) "$json"
((failed == 0))
