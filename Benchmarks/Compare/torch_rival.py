"""PyTorch as a rival of `compare`: asked on standard input, a JSON object a line, it answers with one on standard output.

{"do": "hello", "threads": 2}                      -> {"name", "version", "detail"}
{"do": "prepare", "case": {...}, "result": FILE}   -> {} once the case was computed and its outputs are in FILE as float32, or {"skip": why}
{"do": "sample", "repetitions": N}                 -> {"seconds": of one call}

Inputs are those of Patterns.cs, number by number, so that outputs can be compared. Variants of a case are what a user of PyTorch can write for it.
"""
import json
import os
import sys
import time

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # waiting threads must not take the other's core

import numpy
import torch
import torch.nn.functional as functional


def pattern(shape, seed):
    """Numbers in [-1, 1) with 24 bits, the same as Patterns.Of(shape, seed)."""
    h = numpy.arange(int(numpy.prod(shape)), dtype=numpy.uint32)
    h = h * numpy.uint32(2654435761) + numpy.uint32(seed * 40503)
    h ^= h >> numpy.uint32(16)
    h *= numpy.uint32(0x85EBCA6B)
    h ^= h >> numpy.uint32(13)
    h *= numpy.uint32(0xC2B2AE35)
    h ^= h >> numpy.uint32(16)
    return torch.from_numpy(((h >> numpy.uint32(8)).astype(numpy.float32) / numpy.float32(8388608) - numpy.float32(1)).reshape(shape))


def matmul(c):
    batch = [c["batch"]] if c["batch"] > 1 else []
    a = pattern(batch + ([c["k"], c["m"]] if c["ta"] else [c["m"], c["k"]]), 1)
    b = pattern(batch + ([c["n"], c["k"]] if c["tb"] else [c["k"], c["n"]]), 2)
    left, right = a.transpose(-1, -2) if c["ta"] else a, b.transpose(-1, -2) if c["tb"] else b
    out = torch.empty(batch + [c["m"], c["n"]])
    return lambda: [torch.matmul(left, right, out=out)]


def differentiated(forward, gradient, inputs):
    """The outputs; where there is a gradient of them, with those of the inputs behind them."""
    if gradient is None:
        def call():
            with torch.no_grad():
                return [forward()]
        return call

    def call():
        for i in inputs:
            i.grad = None
        y = forward()
        y.backward(gradient)
        return [y.detach()] + [i.grad for i in inputs]
    return call


def windows(x, taps, left):
    """[T, B, C] as a view [T, B, C, K] of the taps around each step."""
    return functional.pad(x, (0, 0, 0, 0, left, taps - 1 - left)).unfold(0, taps, 1)


def by_windows(x, weight, heads, left):
    """One small product for each step, sentence and head; weight [H, K] or [T, B, H, K], normalised."""
    t, b, c = x.shape
    taps = weight.shape[-1]
    copies = windows(x, taps, left).reshape(t * b * heads, c // heads, taps)
    own = weight.expand(t, b, heads, taps).reshape(t * b * heads, taps, 1)
    return torch.bmm(copies, own).view(t, b, c)


def by_band(x, weight, heads, left):
    """A product with a band matrix for each sentence and head; weight [H, K] or [T, B, H, K], normalised."""
    t, b, c = x.shape
    taps = weight.shape[-1]
    own = weight.expand(t, b, heads, taps).permute(1, 2, 0, 3).reshape(b * heads, t, taps)
    band = x.new_zeros(b * heads, t, t + taps - 1)
    band.as_strided((b * heads, t, taps), (t * (t + taps - 1), t + taps, 1)).copy_(own)
    band = band.narrow(2, left, t)
    columns = x.reshape(t, b * heads, c // heads).transpose(0, 1)
    return torch.bmm(band, columns).transpose(0, 1).reshape(t, b, c)


def by_conv1d(x, weight, heads, left):
    """The library's own depthwise convolution, which takes filters that are the same at every step; weight [H, K], normalised."""
    c, taps = x.shape[2], weight.shape[-1]
    filters = weight.repeat_interleave(c // heads, 0).unsqueeze(1)
    columns = functional.pad(x.permute(1, 2, 0), (left, taps - 1 - left))
    return functional.conv1d(columns, filters, groups=c).permute(2, 0, 1)


VARIANTS = {"unfold": by_windows, "band": by_band, "conv1d": by_conv1d}


def convolution(c, dynamic):
    # Rivals keep time first, which costs them no transposition; the outputs are given as [B, T, ...].
    x = pattern([c["b"], c["t"], c["c"]], 1).transpose(0, 1).contiguous().requires_grad_(c["backward"])
    shape = [c["b"], c["t"], c["h"], c["k"]] if dynamic else [c["h"], c["k"]]
    logits = pattern(shape, 2)
    logits = (logits.transpose(0, 1).contiguous() if dynamic else logits).requires_grad_(c["backward"])
    variant, left = VARIANTS[c["variant"]], c["k"] // 2
    gradient = pattern([c["b"], c["t"], c["c"]], 9).transpose(0, 1).contiguous() if c["backward"] else None
    call = differentiated(lambda: variant(x, torch.softmax(logits, -1), c["h"], left), gradient, [x, logits])

    def answers():
        y, *gradients = call()
        return [y.transpose(0, 1)] + [g.transpose(0, 1) if g.dim() > 2 else g for g in gradients]
    return call, answers


def prepared(c):
    """What is timed, and what gives the outputs in our order."""
    if c["op"] == "matmul":
        call = matmul(c)
        return call, call
    if c["op"] in ("lightconv", "dynamicconv"):
        return convolution(c, c["op"] == "dynamicconv")
    return None


def blas():
    """The library that multiplies matrices: what the process has loaded, not what it was built for."""
    torch.mm(torch.ones(2, 2), torch.ones(2, 2))
    if not os.path.exists("/proc/self/maps"):
        return "its own BLAS"
    with open("/proc/self/maps") as file:
        loaded = file.read().lower()
    return "MKL" if "libmkl" in loaded else "OpenBLAS" if "openblas" in loaded else "reference BLAS" if "libblas" in loaded else "its own BLAS"


def main():
    call = None
    for line in sys.stdin:
        asked = json.loads(line)
        if asked["do"] == "hello":
            torch.set_num_threads(asked["threads"])
            answer = {"name": "PyTorch", "version": torch.__version__, "detail": blas()}
        elif asked["do"] == "prepare":
            found = prepared(asked["case"])
            if found is None:
                answer = {"skip": "no such op"}
            else:
                call, answers = found
                with open(asked["result"], "wb") as file:
                    for tensor in answers():
                        file.write(tensor.detach().contiguous().numpy().tobytes())
                call()
                answer = {}
        else:
            start = time.perf_counter()
            for _ in range(asked["repetitions"]):
                call()
            answer = {"seconds": (time.perf_counter() - start) / asked["repetitions"]}
        print(json.dumps(answer), flush=True)


main()
