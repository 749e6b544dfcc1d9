"""The cases of the convolutions, which PyTorch and fairseq share."""
TOKENS = 65536


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
