"""fairseq's own CUDA kernels, compiled from FAIRSEQ_ROOT into FAIRSEQ_BUILD."""
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from bench import size_of
from shapes import conv_shapes, conv_sizes, windows


def fairseq_folder(module):
    return Path(os.environ.get("FAIRSEQ_BUILD", Path(tempfile.gettempdir()) / "fairseq-kernels")) / module


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
    builds = [subprocess.Popen([sys.executable, str(Path(__file__).parent), "build-fairseq", "--module", m]) for m in ("lightconv", "dynamicconv")]
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
