#!/usr/bin/env python3
"""Rivals on the same GPU, for eng/gpu-check.sh: PyTorch, eager and compiled, and fairseq's own CUDA kernels.

usage: gpu_peers.py kernels|models --json FILE [--seconds N] [--only TEXT] [--smoke]
       gpu_peers.py build-fairseq          compiles fairseq's kernels from FAIRSEQ_ROOT into FAIRSEQ_BUILD

Cases are called as the benchmarks of CudaSeq call them, so that figures of one case can be laid side by side. What cannot be measured is printed and noted with
its reason, and the next case begins. --smoke takes tiny shapes and goes without a GPU, to try the script itself: its times mean nothing.
"""
import argparse
import datetime
import json
import math
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOKENS = 65536


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


class Figures:
    """The file that all parts of a run write to; as Benchmarks/FiguresFile.cs has it."""

    def __init__(self, path):
        self.path = path
        if path and path.exists():
            self.root = json.loads(path.read_text())
        else:
            commit = HERE / "COMMIT"
            self.root = {
                "format": 1,
                "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d"),
                "commit": commit.read_text().strip() if commit.exists() else "unknown",
            }

    def record(self, section, facts):
        self.root.setdefault(section, {}).update(facts)
        self.save()

    def add(self, figure):
        key = lambda f: tuple(f.get(k) for k in ("by", "case", "dtype", "mode"))
        figures = self.root.setdefault("figures", [])
        figures[:] = [f for f in figures if key(f) != key(figure)] + [figure]
        self.save()

    def fail(self, by, case, reason):
        failures = self.root.setdefault("failures", [])
        failures[:] = [f for f in failures if (f["by"], f["case"]) != (by, case)] + [{"by": by, "case": case, "reason": reason}]
        self.save()

    def save(self):
        if self.path:
            written = self.path.with_name(self.path.name + ".tmp")
            written.write_text(json.dumps(self.root, indent=2, ensure_ascii=False) + "\n")
            written.replace(self.path)


class Bench:
    """Times calls by the GPU's own clock, each sample between two copies of as many bytes as the case must move."""

    def __init__(self, torch, options):
        self.torch, self.smoke, self.only = torch, options.smoke, options.only.lower()
        self.cuda = torch.cuda.is_available()
        self.device = torch.device("cuda" if self.cuda else "cpu")
        self.end = time.monotonic() + options.seconds
        self.figures = Figures(options.json)
        self.rounds = 2 if self.smoke else 7
        self.copies = {}
        torch.manual_seed(1)

    def describe(self):
        torch = self.torch
        facts = {"version": torch.__version__, "cuda": torch.version.cuda or "none", "python": sys.version.split()[0]}
        if self.cuda:
            facts["gpu"] = torch.cuda.get_device_name()
            facts["cudnn"] = torch.backends.cudnn.version()
        try:
            import triton
            facts["triton"] = triton.__version__
        except ImportError:
            pass
        print(", ".join(f"{key} {value}" for key, value in facts.items()))
        self.figures.record("torch", facts)

    def normal(self, *shape, dtype, scale=1.0, grad=False):
        x = self.torch.randn(*shape, device=self.device, dtype=self.torch.float32)
        return x.mul_(scale).to(dtype).requires_grad_(grad)

    def tokens(self, *shape, vocabulary):
        return self.torch.randint(4, vocabulary, shape, device=self.device)

    def synchronize(self):
        if self.cuda:
            self.torch.cuda.synchronize()

    def seconds(self, call, repetitions=1):
        if not self.cuda:
            start = time.perf_counter()
            for _ in range(repetitions):
                call()
            return (time.perf_counter() - start) / repetitions
        start, end = (self.torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        for _ in range(repetitions):
            call()
        end.record()
        end.synchronize()
        return start.elapsed_time(end) / 1e3 / repetitions

    def copy(self, nbytes):
        """Seconds of a copy that reads and writes so many bytes together."""
        half = max(256, int(nbytes / 2) // 256 * 256)
        if half not in self.copies:
            self.copies.clear()
            source = self.torch.randint(-100, 100, (half,), device=self.device, dtype=self.torch.int8)
            self.copies[half] = (source, self.torch.empty_like(source))
        source, target = self.copies[half]
        return self.seconds(lambda: target.copy_(source))

    def skips(self, case):
        return self.only not in case.lower()

    def case(self, by, case, dtype, prepare, nbytes):
        """prepare() gives the call to time; its tensors are dropped afterwards."""
        if self.skips(case):
            return
        if time.monotonic() > self.end:
            return self.fail(by, case, "the time was up")
        try:
            call = prepare()
            for _ in range(3):
                call()
            once = min(self.seconds(call) for _ in range(2))
            repetitions = 1 if self.smoke else max(1, min(1000, int(0.005 / max(once, 1e-9))))
            times, copies = [], []
            for _ in range(self.rounds):
                before = self.copy(nbytes)
                times.append(self.seconds(call, repetitions))
                copies.append((before + self.copy(nbytes)) / 2)
            seconds, low, high = spread(times)
            copied = spread(copies)[0]
            print(f"{by:15} {name_of(dtype):9} {case:60} {seconds * 1e6:12.1f} us  {copied / seconds:6.1%} of a copy", flush=True)
            self.figures.add({
                "by": by, "case": case, "dtype": name_of(dtype), "seconds": seconds, "low": low, "high": high, "rounds": self.rounds,
                "value": nbytes / seconds / 1e9, "unit": "GB/s", "copy_seconds": copied,
            })
        except Exception as e:
            self.fail(by, case, f"{type(e).__name__}: {e}")
        finally:
            call = None
            if self.cuda:
                self.torch.cuda.empty_cache()

    def fail(self, by, case, reason):
        reason = " ".join(reason.split())[:300]
        print(f"{by:15} {case:60} not measured: {reason}", flush=True)
        self.figures.fail(by, case, reason)


def name_of(dtype):
    return str(dtype).removeprefix("torch.")


def size_of(torch, dtype):
    return torch.finfo(dtype).bits // 8


def spread(values):
    s = sorted(values)
    return s[len(s) // 2], s[len(s) // 10], s[-1 - len(s) // 10]


def kernels(bench):
    torch = bench.torch
    dtypes = [torch.float32] if bench.smoke else [torch.bfloat16, torch.float32]
    for dtype in dtypes:
        attention(bench, dtype)
        rows(bench, dtype)
        products(bench, dtype)
        convolutions(bench, dtype)
    adam(bench)
    fairseq(bench)

    # Compiling takes seconds a case: last, and the papers' middle and widest common filters only.
    for dtype in dtypes:
        compiled(bench, dtype)


def passes(bench, by, case, dtype, make, forward, sizes, backward=True):
    """Forward, backward alone, and both, of forward(*inputs).

    make() gives the inputs; those that are floating are differentiated. sizes: bytes of forward, backward, both.
    """
    torch = bench.torch

    def evaluated():
        inputs = make()

        def call():
            with torch.no_grad():
                forward(*inputs)
        return call

    def trained(alone):
        inputs = [x.requires_grad_() if torch.is_floating_point(x) else x for x in make()]
        leaves = [x for x in inputs if x.requires_grad]
        y = forward(*inputs)
        dy = torch.randn_like(y)
        if alone:
            return lambda: torch.autograd.grad(y, leaves, dy, retain_graph=True)
        del y
        return lambda: torch.autograd.grad(forward(*inputs), leaves, dy)

    bench.case(by, case, dtype, evaluated, sizes[0])
    if backward:
        bench.case(by, case + " backward", dtype, lambda: trained(True), sizes[1])
    bench.case(by, case + " forward + backward", dtype, lambda: trained(False), sizes[2])


def conv_shapes(bench):
    if bench.smoke:
        return [(2, 20, 32, 2, 3), (2, 20, 32, 2, 15)]
    return [(TOKENS // t, t, 1024, 16, k) for t in (64, 512) for k in (3, 7, 15, 31, 63)]


def conv_sizes(b, t, c, h, k, element, dynamic):
    columns, logits = b * t * c, b * t * h * k if dynamic else 0
    return [element * (columns * n + logits * m) for n, m in ((2, 1), (3, 2), (5, 3))]


def windows(bench, x, h, k):
    """[B, T, H, R, K]: a view of the K steps around each step."""
    b, t, c = x.shape
    padded = bench.torch.nn.functional.pad(x, (0, 0, k // 2, k - 1 - k // 2))
    return padded.unfold(1, k, 1).unflatten(2, (h, c // h))


def light_conv(bench, x, w, fused):
    """Unfolded; as a batch of products, or, for a compiler to fuse, as a sum of products."""
    torch, (h, k) = bench.torch, w.shape
    u, taps = windows(bench, x, h, k), torch.softmax(w, -1)
    if fused:
        return (u * taps[:, None, :]).sum(-1).flatten(2)
    return torch.matmul(u, taps[:, :, None]).flatten(2)


def dynamic_conv(bench, x, logits, h, fused):
    torch, k = bench.torch, logits.shape[2] // h
    u, taps = windows(bench, x, h, k), torch.softmax(logits.unflatten(2, (h, k)), -1)
    if fused:
        return (u * taps[:, :, :, None, :]).sum(-1).flatten(2)
    return torch.matmul(u, taps[..., None]).flatten(2)


def convolutions(bench, dtype):
    torch, functional = bench.torch, bench.torch.nn.functional
    for b, t, c, h, k in conv_shapes(bench):
        shape, element = f"B={b} T={t} C={c} H={h} K={k}", size_of(torch, dtype)
        light = lambda: [bench.normal(b, t, c, dtype=dtype), bench.normal(h, k, dtype=dtype)]
        dynamic = lambda: [bench.normal(b, t, c, dtype=dtype), bench.normal(b, t, h * k, dtype=dtype)]

        def depthwise(x, w):
            taps = torch.softmax(w, -1).repeat_interleave(c // h, 0)[:, None, :]
            return functional.conv1d(x.transpose(1, 2), taps, padding=k // 2, groups=c).transpose(1, 2)

        passes(bench, "torch", f"LightConv {shape}", dtype, light, lambda x, w: light_conv(bench, x, w, False), conv_sizes(b, t, c, h, k, element, False), backward=False)
        passes(bench, "torch", f"DynamicConv {shape}", dtype, dynamic, lambda x, l: dynamic_conv(bench, x, l, h, False), conv_sizes(b, t, c, h, k, element, True), backward=False)
        if k in (7, 31) or bench.smoke:
            passes(bench, "torch conv1d", f"LightConv {shape}", dtype, light, depthwise, conv_sizes(b, t, c, h, k, element, False), backward=False)


def compiled(bench, dtype):
    torch = bench.torch
    if not hasattr(torch, "compile"):
        return bench.fail("torch compiled", "LightConv", f"PyTorch {torch.__version__} has no torch.compile")
    for b, t, c, h, k in conv_shapes(bench):
        if k not in (7, 31) and not bench.smoke:
            continue
        shape, element = f"B={b} T={t} C={c} H={h} K={k}", size_of(torch, dtype)
        try:
            light = torch.compile(lambda x, w: light_conv(bench, x, w, True), dynamic=False)
            dynamic = torch.compile(lambda x, l: dynamic_conv(bench, x, l, h, True), dynamic=False)
        except Exception as e:
            return bench.fail("torch compiled", "LightConv, DynamicConv", f"{type(e).__name__}: {e}")
        passes(
            bench, "torch compiled", f"LightConv {shape}", dtype, lambda: [bench.normal(b, t, c, dtype=dtype), bench.normal(h, k, dtype=dtype)],
            light, conv_sizes(b, t, c, h, k, element, False), backward=False)
        passes(
            bench, "torch compiled", f"DynamicConv {shape}", dtype, lambda: [bench.normal(b, t, c, dtype=dtype), bench.normal(b, t, h * k, dtype=dtype)],
            dynamic, conv_sizes(b, t, c, h, k, element, True), backward=False)


def attention(bench, dtype):
    functional = bench.torch.nn.functional
    shapes = [(2, 9, 64, 2)] if bench.smoke else [(TOKENS // t, t, 1024, 16) for t in (32, 64, 128, 256, 512)]
    for b, t, c, h in shapes:
        for causal in (False, True):
            case = f"Attention B={b} T={t} S={t} C={c} H={h}{' causal' if causal else ''}"
            if not hasattr(functional, "scaled_dot_product_attention"):
                bench.fail("torch", case, f"PyTorch {bench.torch.__version__} has no scaled_dot_product_attention")
                continue
            element = size_of(bench.torch, dtype)

            # Heads are a view, as they are for us.
            def forward(q, k, v):
                q, k, v = (x.unflatten(2, (h, c // h)).transpose(1, 2) for x in (q, k, v))
                return functional.scaled_dot_product_attention(q, k, v, is_causal=causal).transpose(1, 2).flatten(2)

            sizes = [element * b * c * 4 * t * n for n in (1, 2, 3)]
            passes(bench, "torch", case, dtype, lambda: [bench.normal(b, t, c, dtype=dtype) for _ in range(3)], forward, sizes)


def rows(bench, dtype):
    functional, element = bench.torch.nn.functional, size_of(bench.torch, dtype)
    for n, c in [(33, 64)] if bench.smoke else [(TOKENS, 512), (TOKENS, 1024)]:
        passes(
            bench, "torch", f"LayerNorm [{n}, {c}]", dtype, lambda: [bench.normal(n, c, dtype=dtype), bench.normal(c, dtype=dtype), bench.normal(c, dtype=dtype)],
            lambda x, g, b: functional.layer_norm(x, (c,), g, b), [element * n * c * m for m in (2, 3, 5)])
    for n, c in [(33, 31)] if bench.smoke else [(16 * TOKENS, 31), (16 * TOKENS, 64), (TOKENS, 1024), (8192, 32768)]:
        passes(
            bench, "torch", f"Softmax [{n}, {c}]", dtype, lambda: [bench.normal(n, c, dtype=dtype)], lambda x: functional.softmax(x, -1),
            [element * n * c * m for m in (2, 3, 5)])


def products(bench, dtype):
    torch, functional, element = bench.torch, bench.torch.nn.functional, size_of(bench.torch, dtype)
    for n, i, o in [(20, 32, 48)] if bench.smoke else [(TOKENS, 1024, 1024), (TOKENS, 1024, 4096), (TOKENS, 4096, 1024)]:
        size = element * (n * i + i * o + n * o)
        make = lambda: [bench.normal(n, i, dtype=dtype), bench.normal(o, i, dtype=dtype, scale=0.05), bench.normal(o, dtype=dtype)]
        for name, activation in (("None", lambda x: x), ("Relu", functional.relu), ("Gelu", functional.gelu)):
            bench.case(
                "torch", f"Linear [{n}, {i}] -> {o} {name}", dtype,
                lambda: without_gradient(torch, make(), lambda x, w, b: activation(functional.linear(x, w, b))), size)
        passes_of_relu = lambda x, w, b: functional.relu(functional.linear(x, w, b))
        bench.case("torch", f"Linear [{n}, {i}] -> {o} Relu forward + backward", dtype, lambda: with_gradient(torch, make(), passes_of_relu), 3 * size)

    n, c, v = (20, 32, 50) if bench.smoke else (TOKENS, 1024, 32768)
    targets = bench.tokens(n, vocabulary=v)
    make = lambda: [bench.normal(n, c, dtype=dtype), bench.normal(v, c, dtype=dtype, scale=0.05)]
    loss = lambda x, w: functional.cross_entropy(functional.linear(x, w), targets, label_smoothing=0.1, reduction="sum")
    case, size = f"CrossEntropy [{n}, {c}] -> {v}", element * c * (n + v)
    bench.case("torch", case, dtype, lambda: without_gradient(torch, make(), loss), size)
    bench.case("torch", case + " forward + backward", dtype, lambda: with_gradient(torch, make(), loss), 3 * size)

    n, v, c = (20, 50, 32) if bench.smoke else (TOKENS, 32768, 1024)
    ids = bench.tokens(n, vocabulary=v)
    case = f"Embedding {n} of [{v}, {c}]"
    bench.case("torch", case, dtype, lambda: without_gradient(torch, [bench.normal(v, c, dtype=dtype)], lambda w: functional.embedding(ids, w)), 2 * n * c * element)

    def embedding_backward():
        table = bench.normal(v, c, dtype=dtype, grad=True)
        y = functional.embedding(ids, table)
        dy = torch.randn_like(y)
        return lambda: torch.autograd.grad(y, table, dy, retain_graph=True)

    bench.case("torch", case + " backward", dtype, embedding_backward, (n + v) * c * element)


def without_gradient(torch, inputs, forward):
    def call():
        with torch.no_grad():
            forward(*inputs)
    return call


def with_gradient(torch, inputs, forward):
    inputs = [x.requires_grad_() for x in inputs]
    dy = torch.randn_like(forward(*inputs))
    return lambda: torch.autograd.grad(forward(*inputs), inputs, dy)


def adamw(bench, parameters):
    return bench.torch.optim.AdamW(parameters, lr=1e-4, betas=(0.9, 0.98), **({"fused": True} if bench.cuda else {}))


def adam(bench):
    torch = bench.torch
    tensors, n = (3, 1) if bench.smoke else (48, 4096)

    def prepare():
        parameters = [bench.normal(n, 1024, dtype=torch.float32, grad=True) for _ in range(tensors)]
        for p in parameters:
            p.grad = torch.randn_like(p)
        return adamw(bench, parameters).step

    bench.case("torch", f"Adam {tensors} x [{n}, 1024]", torch.float32, prepare, 28 * tensors * n * 1024)


# fairseq's kernels -----------------------------------------------------------------------------------------------------------------------------------


def fairseq_folder(module):
    return Path(os.environ.get("FAIRSEQ_BUILD", "/tmp/fairseq-kernels")) / module


def fairseq_module(module):
    """Compiles one of fairseq's two extensions from a copy of its sources, or loads what was compiled; the copy leaves out what is not measured, and says
    is_cuda(), data_ptr<T>() and TORCH_CHECK where newer versions of PyTorch have dropped the older words."""
    import torch
    from torch.utils import cpp_extension
    source, folder = Path(os.environ["FAIRSEQ_ROOT"]) / "fairseq" / "modules", fairseq_folder(module)
    layer = folder / f"{module}_layer"
    if not layer.exists():
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source / layer.name, layer)
        shutil.copy(source / "cuda_utils.cu", folder)
        generator = layer / "cuda_function_gen.py"
        text = generator.read_text()
        text = re.sub(r"seqs = \[32 \* x .*\]", "seqs = [64, 96, 512]", text).replace("63, 127, 255]", "63]")
        generator.write_text(text)
        subprocess.run([sys.executable, generator.name], cwd=layer, check=True)
        for file in [*layer.glob("*.cu"), *layer.glob("*.cuh"), *layer.glob("*.cpp")]:
            text = file.read_text()
            for old, new in (
                (".type().is_cuda()", ".is_cuda()"), (".data<", ".data_ptr<"), ("AT_ASSERTM", "TORCH_CHECK"),
                ("#include <c10/cuda/CUDAStream.h>", "#include <ATen/cuda/CUDAContext.h>"),
            ):
                text = text.replace(old, new)
            file.write_text(text)
        (layer / "build").mkdir()
    os.environ.setdefault("TORCH_CUDA_ARCH_LIST", "{}.{}".format(*torch.cuda.get_device_capability()))
    sources = [str(layer / f"{module}_cuda.cpp"), str(layer / f"{module}_cuda_kernel.cu")]
    return cpp_extension.load(name=f"{module}_cuda", sources=sources, extra_cuda_cflags=["-O3"], build_directory=str(layer / "build"))


def fairseq_absence():
    if not os.environ.get("FAIRSEQ_ROOT"):
        return "FAIRSEQ_ROOT names no checkout of fairseq"
    if not shutil.which("nvcc"):
        return "there is no nvcc"
    return None


def build_fairseq(module):
    absence = fairseq_absence()
    if absence:
        print(f"fairseq: not built, {absence}")
        return 0
    if module:
        fairseq_module(module)
        print(f"fairseq: {module} is built in {fairseq_folder(module)}")
        return 0
    builds = [subprocess.Popen([sys.executable, __file__, "build-fairseq", "--module", m]) for m in ("lightconv", "dynamicconv")]
    return max(b.wait() for b in builds)


def fairseq(bench):
    torch = bench.torch
    absence = fairseq_absence()
    if absence:
        return bench.fail("fairseq", "LightConv, DynamicConv", absence)
    for module, op in (("lightconv", "LightConv"), ("dynamicconv", "DynamicConv")):
        # What is not built by now is being compiled, or failed: compiling here would take the others' time.
        if not any(fairseq_folder(module).glob("*_layer/build/*.so")):
            bench.fail("fairseq", op, "its kernels were not built in time")
            continue
        try:
            extension = fairseq_module(module)
        except Exception as e:
            bench.fail("fairseq", op, f"{type(e).__name__}: {e}")
            continue
        for dtype in (torch.float16, torch.float32):
            for shape in conv_shapes(bench):
                fairseq_case(bench, extension, op, dtype, *shape)


def fairseq_case(bench, extension, op, dtype, b, t, c, h, k):
    """The kernels alone, on their own layout [B, C, T] and with taps that are normalised already: less than ours do."""
    torch, dynamic = bench.torch, op == "DynamicConv"
    case, element = f"{op} B={b} T={t} C={c} H={h} K={k}", size_of(torch, dtype)
    sizes = conv_sizes(b, t, c, h, k, element, dynamic)

    def inputs():
        x = bench.normal(b, c, t, dtype=dtype)
        logits = bench.normal(b, h, k, t, dtype=dtype) if dynamic else bench.normal(h, k, dtype=dtype)
        taps = torch.softmax(logits, 2 if dynamic else 1)
        check(x[:1].contiguous(), taps[:1].contiguous() if dynamic else taps)
        return x, taps

    def check(x, taps):
        taps = taps.permute(0, 3, 1, 2) if dynamic else taps.expand(1, t, h, k)
        u = windows(bench, x.transpose(1, 2).float(), h, k)
        wanted = torch.matmul(u, taps.float()[..., None]).flatten(2).transpose(1, 2)
        got = extension.forward(x, (taps.permute(0, 2, 3, 1) if dynamic else taps[0, 0]).contiguous(), k // 2)[0].float()
        error = ((got - wanted).norm() / wanted.norm()).item()
        if not error < 2e-2:
            raise RuntimeError(f"its result differs from the unfolded one by {error:.2g} of its norm")

    def forward():
        x, taps = inputs()
        return lambda: extension.forward(x, taps, k // 2)

    def backward():
        x, taps = inputs()
        dy = torch.randn_like(x)
        return lambda: extension.backward(dy, k // 2, x, taps)

    bench.case("fairseq", case, dtype, forward, sizes[0])
    bench.case("fairseq", case + " backward", dtype, backward, sizes[1])


# Whole models ----------------------------------------------------------------------------------------------------------------------------------------


def models(bench):
    torch = bench.torch
    presets = {"base": (512, 8, 2048, 32768, 0.1), "small": (512, 4, 1024, 8192, 0.3), "big": (1024, 16, 4096, 32768, 0.3)}
    b, t, layers = (256, 64, 6)
    if bench.smoke:
        presets, (b, t, layers) = {"base": (32, 2, 48, 50, 0.1)}, (2, 6, 1)
    # What the targets are about comes first: a model that is compiled with max-autotune takes minutes.
    bf16, f32 = torch.bfloat16, torch.float32
    order = [("base", bf16, "eager"), ("base", bf16, "max-autotune"), ("base", bf16, "default"), ("base", f32, "eager")]
    order += [(preset, dtype, "eager") for preset in ("small", "big") for dtype in (bf16, f32)] + [("big", bf16, "max-autotune"), ("base", f32, "max-autotune")]
    for preset, dtype, mode in order:
        if preset not in presets:
            continue
        d, h, ffn, v, dropout = presets[preset]
        case = f"Training transformer {preset} B={b} T={t} V={v}"
        if bench.skips(case):
            continue
        if time.monotonic() > bench.end:
            bench.fail("torch", f"{case} {name_of(dtype)} {mode}", "the time was up")
            continue
        try:
            rate, low, high = train(bench, d, h, ffn, layers, v, dropout, b, t, dtype, mode)
            print(f"torch {mode:13} {name_of(dtype):9} {case:50} {rate:12,.0f} tokens/s ({low:,.0f} .. {high:,.0f})", flush=True)
            bench.figures.add({"by": "torch", "case": case, "dtype": name_of(dtype), "mode": mode, "value": rate, "unit": "tokens/s", "low": low, "high": high})
        except Exception as e:
            bench.fail("torch", f"{case} {name_of(dtype)} {mode}", f"{type(e).__name__}: {e}")
        finally:
            if hasattr(torch, "_dynamo"):
                torch._dynamo.reset()
            if bench.cuda:
                torch.cuda.empty_cache()


def build_transformer(bench, d, h, ffn, layers, v, dropout, t):
    torch, nn = bench.torch, bench.torch.nn

    class Model(nn.Module):
        """nn.Transformer between one shared table of embeddings, sinusoidal positions added."""

        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(v, d, padding_idx=1)
            nn.init.normal_(self.embedding.weight, std=d ** -0.5)
            self.transformer = nn.Transformer(d, h, layers, layers, ffn, dropout, batch_first=True)
            self.dropout = nn.Dropout(dropout)
            angles = torch.arange(t)[:, None] * torch.exp(torch.arange(d // 2) * (-math.log(10000.0) / (d // 2 - 1)))
            self.register_buffer("positions", torch.cat([angles.sin(), angles.cos()], 1))
            self.register_buffer("causal", torch.full((t, t), float("-inf")).triu(1))

        def embed(self, tokens):
            return self.dropout(self.embedding(tokens) * math.sqrt(d) + self.positions)

        def forward(self, source, previous, target):
            features = self.transformer(self.embed(source), self.embed(previous), tgt_mask=self.causal, **self.hint)
            logits = nn.functional.linear(features, self.embedding.weight)
            return nn.functional.cross_entropy(logits.flatten(0, 1), target.flatten(), ignore_index=1, label_smoothing=0.1)

        hint = {"tgt_is_causal": True} if "tgt_is_causal" in nn.Transformer.forward.__code__.co_varnames else {}

    return Model().to(bench.device)


def train(bench, d, h, ffn, layers, v, dropout, b, t, dtype, mode):
    """Target tokens a second of whole steps: forward, backward, fused AdamW."""
    torch = bench.torch
    model = build_transformer(bench, d, h, ffn, layers, v, dropout, t)
    optimizer = adamw(bench, model.parameters())
    source, previous, target = (bench.tokens(b, t, vocabulary=v) for _ in range(3))
    if mode != "eager":
        if not hasattr(torch, "compile"):
            raise RuntimeError(f"PyTorch {torch.__version__} has no torch.compile")
        model = torch.compile(model, mode=mode)

    def step():
        if mode != "eager" and hasattr(torch.compiler, "cudagraph_mark_step_begin"):
            torch.compiler.cudagraph_mark_step_begin()
        with torch.autocast(bench.device.type, dtype=torch.bfloat16, enabled=dtype == torch.bfloat16):
            loss = model(source, previous, target)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return loss

    for _ in range(2 if bench.smoke else 6):
        loss = step()
    if not math.isfinite(loss.item()):
        raise RuntimeError(f"the loss is {loss.item()}")
    rates = []
    for _ in range(bench.rounds):
        bench.synchronize()
        start, steps = time.perf_counter(), 0
        while True:
            step()
            steps += 1
            if bench.smoke or (steps % 5 == 0 and time.perf_counter() - start > 0.3):
                break
        bench.synchronize()
        rates.append(steps * b * t / (time.perf_counter() - start))
    return spread(rates)


if __name__ == "__main__":
    sys.exit(main())
