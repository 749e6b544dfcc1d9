"""What PyTorch has for the ops of `compare`, each as a user of it would write it.

Inputs are those of Patterns.cs, number by number, so that outputs can be compared. Variants of a case are the several ways that there are. Each op of a case gives what is timed, and what gives the
outputs in our order.
"""
import numpy
import torch
import torch.nn.functional as functional


class Place:
    """Where everything is computed; set once, before any case."""
    device = torch.device("cpu")


def pattern(shape, seed):
    """Numbers in [-1, 1) with 24 bits, the same as Patterns.Of(shape, seed)."""
    h = numpy.arange(int(numpy.prod(shape)), dtype=numpy.uint32)
    h = h * numpy.uint32(2654435761) + numpy.uint32(seed * 40503)
    h ^= h >> numpy.uint32(16)
    h *= numpy.uint32(0x85EBCA6B)
    h ^= h >> numpy.uint32(13)
    h *= numpy.uint32(0xC2B2AE35)
    h ^= h >> numpy.uint32(16)
    return torch.from_numpy(((h >> numpy.uint32(8)).astype(numpy.float32) / numpy.float32(8388608) - numpy.float32(1)).reshape(shape)).to(Place.device)


def matmul(c):
    batch = [c["batch"]] if c["batch"] > 1 else []
    a = pattern(batch + ([c["k"], c["m"]] if c["ta"] else [c["m"], c["k"]]), 1)
    b = pattern(batch + ([c["n"], c["k"]] if c["tb"] else [c["k"], c["n"]]), 2)
    left, right = a.transpose(-1, -2) if c["ta"] else a, b.transpose(-1, -2) if c["tb"] else b
    out = torch.empty(batch + [c["m"], c["n"]], device=Place.device)

    def call():
        return [torch.matmul(left, right, out=out)]
    return call, call


def differentiated(forward, backward, inputs, gradient=None):
    """The outputs; with backward, the gradients of the inputs behind them. The gradient of an output that is no single number is given."""
    if not backward:
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


def inputs_of(c, *shapes):
    """Patterns 1, 2 and on, which get gradients where the case has a backward."""
    return [pattern(shape, 1 + i).requires_grad_(c["backward"]) for i, shape in enumerate(shapes)]


def gradient_of(c, shape):
    return pattern(shape, 9) if c["backward"] else None


def linear(c):
    x, w, b = inputs_of(c, [c["n"], c["i"]], [c["o"], c["i"]], [c["o"]])
    call = differentiated(lambda: functional.linear(x, w, b), c["backward"], [x, w, b], gradient_of(c, [c["n"], c["o"]]))
    return call, call


def softmax(c):
    x, = inputs_of(c, [c["n"], c["c"]])
    call = differentiated(lambda: torch.softmax(x, -1), c["backward"], [x], gradient_of(c, [c["n"], c["c"]]))
    return call, call


def layer_norm(c):
    x, gain, bias = inputs_of(c, [c["n"], c["c"]], [c["c"]], [c["c"]])
    call = differentiated(lambda: functional.layer_norm(x, (c["c"],), gain, bias), c["backward"], [x, gain, bias], gradient_of(c, [c["n"], c["c"]]))
    return call, call


def dropout_add_layer_norm(c):
    """Which elements are dropped is each side's own chance: results are of no dropout."""
    rows = [c["n"], c["c"]]
    x, residual, gain, bias = own = inputs_of(c, rows, rows, [c["c"]], [c["c"]])

    def pass_with(p):
        return differentiated(lambda: functional.layer_norm(residual + functional.dropout(x, p, True), (c["c"],), gain, bias), c["backward"], own, gradient_of(c, rows))
    return pass_with(c["dropout"]), pass_with(0.0)


def cross_entropy(c):
    x, w = inputs_of(c, [c["n"], c["c"]], [c["v"], c["c"]])
    targets = torch.from_numpy(numpy.arange(c["n"], dtype=numpy.int64) * 2654435761 % c["v"]).to(Place.device)
    call = differentiated(
        lambda: functional.cross_entropy(functional.linear(x, w), targets, reduction="sum", label_smoothing=c["smoothing"]), c["backward"], [x, w])
    return call, lambda: [y.reshape(-1) for y in call()]


def adam(c):
    own = [pattern(shape, 1 + i).requires_grad_() for i, shape in enumerate(c["shapes"])]
    for i, (parameter, shape) in enumerate(zip(own, c["shapes"])):
        parameter.grad = pattern(shape, 1 + len(own) + i)
    optimizer = torch.optim.Adam(own, lr=c["rate"], betas=(c["beta1"], c["beta2"]), foreach=c["variant"] == "foreach")

    def answers():
        for _ in range(c["steps"]):
            optimizer.step()
        return own + [optimizer.state[p]["exp_avg"] for p in own] + [optimizer.state[p]["exp_avg_sq"] for p in own]
    return optimizer.step, answers


def attention(q, k, v, heads, mask=None, dropout=0.0):
    """Scaled dot products of heads side by side; all [T, B, C], and T the first axis of queries or keys. A mask [T, T] is added to the scores."""
    t, b, c = q.shape
    d = c // heads
    q, k, v = (x.view(-1, b * heads, d).transpose(0, 1) for x in (q * d ** -0.5, k, v))
    scores = torch.bmm(q, k.transpose(1, 2)) if mask is None else torch.baddbmm(mask, q, k.transpose(1, 2))
    return torch.bmm(functional.dropout(torch.softmax(scores, -1), dropout), v).transpose(0, 1).reshape(t, b, c)


def fused_attention(q, k, v, heads, mask=None, dropout=0.0):
    """The same by the library's own kernel."""
    t, b, c = q.shape
    q, k, v = (x.view(-1, b, heads, c // heads).permute(1, 2, 0, 3) for x in (q, k, v))
    return functional.scaled_dot_product_attention(q, k, v, mask, dropout).permute(2, 0, 1, 3).reshape(t, b, c)


# Since PyTorch 2.0.
HAS_FUSED = hasattr(functional, "scaled_dot_product_attention")


def attention_case(c):
    if c["variant"] == "fused" and not HAS_FUSED:
        return None
    attend = fused_attention if c["variant"] == "fused" else attention
    shape = [c["b"], c["t"], c["c"]]
    own = [pattern(shape, 1 + i).transpose(0, 1).contiguous().requires_grad_(c["backward"]) for i in range(3)]
    mask = torch.triu(torch.full((c["t"], c["t"]), float("-inf"), device=Place.device), 1) if c["causal"] else None
    gradient = pattern(shape, 9).transpose(0, 1).contiguous() if c["backward"] else None
    call = differentiated(lambda: attend(*own, c["h"], mask), c["backward"], own, gradient)
    return call, lambda: [y.transpose(0, 1) for y in call()]


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


def convolution(c):
    dynamic = c["op"] == "dynamicconv"
    # Rivals keep time first, which costs them no transposition; the outputs are given as [B, T, ...].
    x = pattern([c["b"], c["t"], c["c"]], 1).transpose(0, 1).contiguous().requires_grad_(c["backward"])
    shape = [c["b"], c["t"], c["h"], c["k"]] if dynamic else [c["h"], c["k"]]
    logits = pattern(shape, 2)
    logits = (logits.transpose(0, 1).contiguous() if dynamic else logits).requires_grad_(c["backward"])
    variant, left = VARIANTS[c["variant"]], c["k"] // 2
    gradient = pattern([c["b"], c["t"], c["c"]], 9).transpose(0, 1).contiguous() if c["backward"] else None
    call = differentiated(lambda: variant(x, torch.softmax(logits, -1), c["h"], left), c["backward"], [x, logits], gradient)

    def answers():
        y, *gradients = call()
        return [y.transpose(0, 1)] + [g.transpose(0, 1) if g.dim() > 2 else g for g in gradients]
    return call, answers


OPS = {
    "matmul": matmul, "linear": linear, "softmax": softmax, "layernorm": layer_norm, "dropoutaddlayernorm": dropout_add_layer_norm, "crossentropy": cross_entropy, "adam": adam,
    "attention": attention_case, "lightconv": convolution, "dynamicconv": convolution,
}
