#!/usr/bin/env python3
"""Rivals on the same GPU, for eng/gpu-check.sh: PyTorch, eager and compiled, and fairseq's own CUDA kernels.

usage: gpu_peers kernels|models --json FILE [--seconds N] [--only TEXT] [--smoke]
       gpu_peers build-fairseq          compiles fairseq's kernels from FAIRSEQ_ROOT into FAIRSEQ_BUILD

Cases are called as the benchmarks of CudaSeq call them, so that figures of one case can be laid side by side. What cannot be measured is printed and noted with
its reason, and the next case begins. --smoke takes tiny shapes and goes without a GPU, to try the script itself: its times mean nothing.
"""
import argparse
import sys
from pathlib import Path

from bench import Bench
from fairseq_kernels import build_fairseq
from kernels import kernels
from models import models


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("part", choices=["kernels", "models", "build-fairseq"])
    parser.add_argument("--json", type=Path)
    parser.add_argument("--seconds", type=float, default=140)
    parser.add_argument("--only", default="")
    parser.add_argument("--smoke", action="store_true")
    parser.add_argument("--module", choices=["lightconv", "dynamicconv"])
    options = parser.parse_args()
    try:
        import torch
    except ImportError as e:
        print(f"rivals: not measured, {sys.executable} has no PyTorch ({e})")
        return 0
    if not torch.cuda.is_available() and not options.smoke:
        print(f"rivals: not measured, PyTorch {torch.__version__} of {sys.executable} sees no GPU")
        return 0
    if options.part == "build-fairseq":
        return build_fairseq(options.module)
    bench = Bench(torch, options)
    bench.describe()
    (kernels if options.part == "kernels" else models)(bench)
    return 0


if __name__ == "__main__":
    sys.exit(main())
