"""Whole models in tokens a second."""
import math
import time

from bench import adamw, name_of, spread


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
