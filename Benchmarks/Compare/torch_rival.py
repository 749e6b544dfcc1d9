"""PyTorch as a rival of `compare`: asked on standard input, a JSON object a line, it answers with one on standard output.

{"do": "hello", "threads": 2, "device": "cpu"}     -> {"name", "version", "detail", "ctranslate2": whether it is installed}
{"do": "prepare", "case": {...}, "result": FILE}   -> {} once the case was computed and its outputs are in FILE as float32, or {"skip": why}
{"do": "sample", "repetitions": N}                 -> {"seconds": of one call}
{"do": "reset"}                                    -> {} once the most resident memory is counted anew
{"do": "peak"}                                     -> {"bytes": the most since then, null where the system does not say, and of a GPU}

On a GPU products of float32 are not rounded to TF32, and seconds are those of the GPU's own clock.

Cases of ops are in torch_ops.py, those of whole models in torch_models.py.
"""
import ctypes
import gc
import importlib.util
import json
import os
import sys
import time

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # waiting threads must not take the other's core

import torch

import torch_models
import torch_ops

OPS = {**torch_ops.OPS, "train": torch_models.train, "decode": torch_models.decode}


def blas():
    """The library that multiplies matrices: what the process has loaded, not what it was built for."""
    torch.mm(torch.ones(2, 2), torch.ones(2, 2))
    if not os.path.exists("/proc/self/maps"):
        return "its own BLAS"
    with open("/proc/self/maps") as file:
        loaded = {line[line.index("/") :].strip() for line in file if "/" in line}

    def find(part):
        return next((path for path in sorted(loaded) if part in os.path.basename(path).lower()), None)

    openblas = find("openblas")
    name = "MKL" if find("libmkl") else f"OpenBLAS{core(openblas)}" if openblas else "reference BLAS" if find("libblas") else "its own BLAS"
    return name + (", jemalloc" if find("libjemalloc") else "")


def core(library):
    """The processor whose kernels OpenBLAS runs; Debian's BLAS is a wrapper around it that has this function too."""
    try:
        ask = ctypes.CDLL(library).openblas_get_corename
    except (OSError, AttributeError):
        return ""
    ask.restype = ctypes.c_char_p
    return " " + ask().decode()


def reset_peak():
    """From what is resident now, where Linux lets it; elsewhere from the start of the process."""
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
    except OSError:
        pass


def forget():
    """Gives the memory of the case before back to the system, where the C library can."""
    gc.collect()
    try:
        ctypes.CDLL("libc.so.6").malloc_trim(0)
    except (OSError, AttributeError):
        pass


def peak():
    if torch_ops.Place.device.type == "cuda" or not os.path.exists("/proc/self/status"):
        return None
    with open("/proc/self/status") as file:
        return next((1024 * int(line.split()[1]) for line in file if line.startswith("VmHWM:")), None)


def open_device(name):
    """Where everything is computed from now on, and what it is called."""
    if name == "cpu":
        return blas()
    if not torch.cuda.is_available():
        sys.exit("this PyTorch has no GPU")
    torch_ops.Place.device = torch.device(name if ":" in name else name + ":0")
    torch.cuda.set_device(torch_ops.Place.device)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    return f"CUDA {torch.version.cuda}"


def timed(call, repetitions):
    """Seconds of one call."""
    if torch_ops.Place.device.type != "cuda":
        start = time.perf_counter()
        for _ in range(repetitions):
            call()
        return (time.perf_counter() - start) / repetitions
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    start.record()
    for _ in range(repetitions):
        call()
    end.record()
    end.synchronize()
    return start.elapsed_time(end) / 1e3 / repetitions


def main():
    call = answers = None
    for line in sys.stdin:
        asked = json.loads(line)
        if asked["do"] == "hello":
            torch.set_num_threads(asked["threads"])
            answer = {"name": "PyTorch", "version": torch.__version__, "detail": open_device(asked["device"]), "ctranslate2": importlib.util.find_spec("ctranslate2") is not None}
        elif asked["do"] == "prepare":
            call = answers = None
            forget()
            op = OPS.get(asked["case"]["op"])
            made = op and op(asked["case"])
            if made is None:
                answer = {"skip": "no such op"}
            else:
                call, answers = made
                with open(asked["result"], "wb") as file:
                    for tensor in answers():
                        file.write(tensor.detach().contiguous().cpu().numpy().tobytes())
                if answers is not call:
                    call()
                answer = {}
        elif asked["do"] == "sample":
            answer = {"seconds": timed(call, asked["repetitions"])}
        elif asked["do"] == "reset":
            reset_peak()
            answer = {}
        else:
            answer = {"bytes": peak()}
        print(json.dumps(answer), flush=True)


main()
