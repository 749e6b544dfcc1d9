#!/usr/bin/env bash
# gpu-check.sh tests|kernels|models|sanitizer OUT [--smoke]: what CudaSeq does on this machine's GPU, into the folder OUT. It lies at the top of the archive that
# eng/gpu-bundle.sh makes and needs neither an SDK nor a network; rivals are measured where python3 has PyTorch, fairseq's kernels where FAIRSEQ_ROOT
# names a checkout and nvcc is there. Each part ends within 8 minutes; each of its steps has a limit of its own, so that one that hangs loses itself alone.
#   tests      what doctor finds, and every test
#   kernels    every op beside the GPU's own ceilings, PyTorch and fairseq
#   models     training and translating in tokens a second, beside PyTorch
#   sanitizer  every kernel under compute-sanitizer's memcheck, racecheck, initcheck and synccheck, where there is one
# Figures gather in OUT/gpu.json, each as it is measured, part after part; a step's whole output is OUT/<step>.log. Exit code 0: every step did what it should.
# --smoke takes the smallest shapes, to try all this on the emulated GPU (CUDASEQ_CUDA_LIBRARY=.../libcuda.so.1); its times mean nothing.
set -uo pipefail
usage() { sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}" >&2 && exit 2; }
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
part=${1-} out=${2-} smoke=
[[ ${3-} == --smoke ]] && smoke=1 && set -- "$1" "$2"
(($# == 2)) && [[ $part =~ ^(tests|kernels|models|sanitizer)$ ]] || usage
bin=$here/bin
[[ -x $bin/CudaSeq.Tests ]] || { echo "gpu-check.sh: $bin holds no tests; run it from the unpacked archive of eng/gpu-bundle.sh" >&2 && exit 2; }
mkdir -p "$out" && out=$(cd "$out" && pwd) || exit 2
json=$out/gpu.json python=${PYTHON:-python3} begun=$SECONDS failed=0
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

# Seconds until the part must have ended, what comes after a step that is stopped taken off.
left() { echo $((465 - (SECONDS - begun) - ${1-0})); }

# step NAME LIMIT COMMAND...: runs it for at most LIMIT seconds, and no longer than the part may; what it prints goes to OUT/NAME.log and, its last lines, to the
# screen. The verdict is left in $verdict.
step() {
    local name=$1 limit=$2 start=$SECONDS status most
    shift 2
    most=$(left 10)
    limit=$((limit < most ? limit : most > 1 ? most : 1))
    printf '\n== %s (at most %s s)\n' "$name" "$limit"
    timeout -k 10 "$limit" "$@" >"$out/$name.log" 2>&1
    status=$?
    tail -n "${lines:-200}" "$out/$name.log"
    case $status in
    0) verdict=done ;;
    124 | 137) verdict="not finished in $limit s" ;;
    *) verdict="failed with exit code $status" ;;
    esac
    printf -- '-- %s: %s, %s s\n' "$name" "$verdict" $((SECONDS - start))
    return $status
}
must() { step "$@" || failed=$((failed + 1)); }
record() { "$bin/CudaSeq.Benchmarks" record "$json" "$@" || failed=$((failed + 1)); }

# What all parts begin with: a GPU, and the machine's description in OUT/gpu.json.
machine() {
    if ! step machine 120 "$bin/CudaSeq.Benchmarks" describe --device cuda --json "$json"; then
        must doctor 60 "$bin/cudaseq" doctor
        printf '\n%s: FAILED, nothing was run: %s\n' "$part" "$(tail -n 1 "$out/machine.log")"
        exit 1
    fi
    local driver
    driver=$(nvidia-smi --query-gpu=driver_version --format=csv,noheader 2>/dev/null | head -n 1)
    [[ -n $driver ]] || driver=$(grep -Eom 1 '[0-9]+\.[0-9]+(\.[0-9]+)?' /proc/driver/nvidia/version 2>/dev/null)
    record machine driver="${driver:-unknown}" system="$(uname -sr)"
}

# tally: "passed failed skipped" of all tests, "passed skipped" of those on the device, which have its name in theirs or skip with a reason that begins with cuda; then
# a line for each reason of a skip, and for each test that was running when its process was stopped. The logs are whole up to there.
tally() {
    awk -v device="$device" '
        /^ +CudaSeq\.Tests\..* \[STARTING\]$/ { running[FILENAME] = $0; outcome[FILENAME] = "passed"; reason = ""; next }
        /^ +CudaSeq\.Tests\..* \[FAIL\]$/ { outcome[FILENAME] = "failed"; next }
        /^ +CudaSeq\.Tests\..* \[SKIP\]$/ { outcome[FILENAME] = "skipped"; getline reason; sub(/^ +/, "", reason); reasons[reason]++; next }
        /^ +CudaSeq\.Tests\..* \[FINISHED\] Time: / {
            o = outcome[FILENAME]
            all[o]++
            # ProcessTests has devices in names that the tool is to refuse.
            if ($0 !~ /\.ProcessTests\./ && ($0 ~ "[(](name|device): .?\"" device "\"" || $0 ~ /OnCuda/ || (o == "skipped" && reason ~ /^cuda/)))
                here[o]++
            delete running[FILENAME]
        }
        END {
            print all["passed"] + 0, all["failed"] + 0, all["skipped"] + 0, here["passed"] + 0, here["skipped"] + 0
            for (r in reasons) printf "skipped %d times: %s\n", reasons[r], r
            for (f in running) { sub(/^ +/, "", running[f]); sub(/ \[STARTING\]$/, "", running[f]); printf "was running when its process ended: %s\n", running[f] }
        }' "$out"/tests.*.log
}

# Every class, in several processes at a time where there are processors for them.
all_tests() {
    local shards=$(($(nproc) / 4)) limit classes pids=() selected i c status summary passed fail skipped here_passed here_skipped unfinished=0
    ((shards = shards < 1 ? 1 : shards > 4 ? 4 : shards))
    limit=$(left 20)
    mapfile -t classes < <("$bin/CudaSeq.Tests" -noLogo -list classes | grep '^CudaSeq')
    [[ -n $smoke ]] && classes=(CudaSeq.Tests.ReluTests CudaSeq.Tests.LightConvTests CudaSeq.Tests.CudaDeviceTests CudaSeq.Tests.ProcessTests CudaSeq.Tests.PageTests)
    printf '\n== tests: %s classes in %s processes (at most %s s)\n' "${#classes[@]}" "$shards" "$limit"
    rm -f "$out"/tests.*.log
    for ((i = 0; i < shards; i++)); do
        selected=()
        for ((c = i; c < ${#classes[@]}; c += shards)); do selected+=(-class "${classes[c]}"); done
        timeout -k 5 "$limit" "$bin/CudaSeq.Tests" -noColor -noLogo -reporter verbose "${selected[@]}" >"$out/tests.$i.log" 2>&1 &
        pids+=($!)
    done
    for i in "${!pids[@]}"; do
        wait "${pids[i]}"
        status=$?
        grep -Ev '\[(STARTING|FINISHED|SKIP)\]' "$out/tests.$i.log" | grep -A 12 -E '\[FAIL\]|[Uu]nhandled|Fatal' | head -n 200
        tail -n 1 "$out/tests.$i.log"
        ((status == 0)) && continue
        failed=$((failed + 1)) unfinished=$((unfinished + (status == 124 || status > 128)))
        ((status == 124 || status == 137)) && echo "-- tests.$i: STOPPED after its $limit s" || echo "-- tests.$i: FAILED with exit code $status"
    done
    summary=$(tally)
    read -r passed fail skipped here_passed here_skipped <<<"$summary"
    tail -n +2 <<<"$summary"
    echo "-- tests: $passed passed, $fail failed, $skipped skipped; on $device: $here_passed passed, $here_skipped skipped"
    record tests device="$device" passed="$passed" failed="$fail" skipped="$skipped" device_passed="$here_passed" device_skipped="$here_skipped" \
        processes="$shards" unfinished_processes="$unfinished"
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
    local tool status tried verdict found remaining=4
    tried=$(type -P compute-sanitizer || ls /usr/local/cuda/bin/compute-sanitizer 2>/dev/null)
    if [[ $device == cuda-emulated || -z $tried ]]; then
        verdict="not run: $([[ -n $tried ]] && echo "the GPU is emulated" || echo "there is no compute-sanitizer")"
        echo "compute-sanitizer: $verdict"
        record sanitizer memcheck="$verdict" racecheck="$verdict" initcheck="$verdict" synccheck="$verdict"
        return
    fi
    for tool in memcheck racecheck initcheck synccheck; do
        local kernels=("$bin/CudaSeq.Tests" -noColor -noLogo -method '*.WorksOnCudaWithoutLookingBack')
        # Guard zones are written before each use and would pass for what was initialised.
        [[ $tool == initcheck ]] && kernels=("$bin/CudaSeq.Benchmarks" quick --device cuda --sizes smoke --rounds 1)
        lines=15 step "$tool" $(($(left) / remaining - 10)) "$tried" --tool "$tool" --error-exitcode 86 --print-limit 20 "${kernels[@]}"
        status=$? remaining=$((remaining - 1))
        found=$(grep -Eo 'ERROR SUMMARY: .*|RACECHECK SUMMARY: .*' "$out/$tool.log" | tail -n 1)
        if ((status == 0)) && { [[ -z $found ]] || ! grep -Eq 'Total: [1-9]|GB/s' "$out/$tool.log"; }; then
            # A tool that attached to nothing, or to a program that ran nothing, has found nothing either.
            verdict="failed: it checked nothing" status=1
        elif grep -q 'Device not supported' "$out/$tool.log"; then
            # Some virtual machines hide what it needs.
            verdict="not run: it does not support this machine's GPU (Device not supported)" status=0
        elif ((status == 0)); then
            verdict="clean ($found)"
        elif ((status == 86)); then
            verdict="found errors: $found"
        else
            verdict="$verdict${found:+ ($found)}"
        fi
        ((status == 0)) || failed=$((failed + 1))
        echo "-- $tool: $verdict"
        record sanitizer "$tool=$verdict"
    done
}

printf 'CudaSeq %s on %s\n' "$(cat "$here/COMMIT" 2>/dev/null || echo unknown)" "$(uname -sr)"
machine
case $part in
tests)
    must doctor 60 "$bin/cudaseq" doctor
    all_tests
    ;;
kernels)
    # Compiling takes minutes, the processor's: it begins first and ends in time or not at all.
    export FAIRSEQ_BUILD=${FAIRSEQ_BUILD:-$out/fairseq-kernels}
    timeout -k 5 300 "$python" "$here/gpu_peers" build-fairseq >"$out/fairseq-build.log" 2>&1 &
    building=$!
    for dtype in bfloat16 float32; do
        must "quick-$dtype" 120 "$bin/CudaSeq.Benchmarks" quick --device cuda --sizes "$sizes" --dtype "$dtype" --json "$json" ${smoke:+--rounds 2}
    done
    must rivals "$(left 10)" "$python" "$here/gpu_peers" kernels --json "$json" --seconds "$(left 60)" ${smoke:+--smoke}
    kill "$building" 2>/dev/null
    wait "$building"
    tail -n 5 "$out/fairseq-build.log"
    ;;
models)
    must models 230 "$bin/CudaSeq.Benchmarks" models --device cuda --sizes "$sizes" --json "$json"
    must rivals-models "$(left 10)" "$python" "$here/gpu_peers" models --json "$json" --seconds "$(left 50)" ${smoke:+--smoke}
    ;;
sanitizer)
    sanitizer
    ;;
esac
printf '\n%s: %s, %s s; %s\n' "$part" "$( ((failed == 0)) && echo "all steps done" || echo "$failed FAILED")" $((SECONDS - begun)) "$json"
((failed == 0))
