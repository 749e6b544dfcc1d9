"""PyTorch's kernels, eager and compiled."""
from bench import adamw, size_of
from fairseq_kernels import fairseq
from shapes import TOKENS, conv_shapes, conv_sizes, windows


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
    for n, c in [(33, 64)] if bench.smoke else [(TOKENS, 512), (TOKENS, 1024)]:
        try:
            norm = torch.compile(lambda x, r, g, b: dropout_add_layer_norm(bench, x, r, g, b), dynamic=False)
        except Exception as e:
            return bench.fail("torch compiled", "DropoutAddLayerNorm", f"{type(e).__name__}: {e}")
        passes(
            bench, "torch compiled", f"DropoutAddLayerNorm [{n}, {c}]", dtype, lambda: norm_inputs(bench, n, c, dtype), norm,
            [size_of(torch, dtype) * n * c * m for m in (3, 4, 8)], backward=False)
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


def norm_inputs(bench, n, c, dtype):
    return [bench.normal(n, c, dtype=dtype), bench.normal(n, c, dtype=dtype), bench.normal(c, dtype=dtype), bench.normal(c, dtype=dtype)]


def dropout_add_layer_norm(bench, x, residual, gain, bias):
    functional = bench.torch.nn.functional
    return functional.layer_norm(residual + functional.dropout(x, 0.1), gain.shape, gain, bias)


def rows(bench, dtype):
    functional, element = bench.torch.nn.functional, size_of(bench.torch, dtype)
    for n, c in [(33, 64)] if bench.smoke else [(TOKENS, 512), (TOKENS, 1024)]:
        passes(
            bench, "torch", f"LayerNorm [{n}, {c}]", dtype, lambda: [bench.normal(n, c, dtype=dtype), bench.normal(c, dtype=dtype), bench.normal(c, dtype=dtype)],
            lambda x, g, b: functional.layer_norm(x, (c,), g, b), [element * n * c * m for m in (2, 3, 5)])
        passes(
            bench, "torch", f"DropoutAddLayerNorm [{n}, {c}]", dtype, lambda: norm_inputs(bench, n, c, dtype),
            lambda x, r, g, b: dropout_add_layer_norm(bench, x, r, g, b), [element * n * c * m for m in (3, 4, 8)])
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


def adam(bench):
    torch = bench.torch
    tensors, n = (3, 1) if bench.smoke else (48, 4096)

    def prepare():
        parameters = [bench.normal(n, 1024, dtype=torch.float32, grad=True) for _ in range(tensors)]
        for p in parameters:
            p.grad = torch.randn_like(p)
        return adamw(bench, parameters).step

    bench.case("torch", f"Adam {tensors} x [{n}, 1024]", torch.float32, prepare, 28 * tensors * n * 1024)
