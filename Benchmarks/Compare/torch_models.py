"""The papers' models in PyTorch, as torch_rival.py trains and decodes them beside ours: post-norm, one table for all embeddings.

Parameters come from a safetensors file and keep their names. Time comes first in all activations, [T, B, C], which spares attention and convolutions copies, as fairseq has it.
"""
import json
import math

import numpy
import torch
import torch.nn.functional as functional

from torch_ops import HAS_FUSED, VARIANTS, Place, attention, fused_attention

PAD, EOS = 1, 2


def parameters(path):
    """The tensors of a safetensors file: eight bytes of header length, a JSON header, the data."""
    with open(path, "rb") as file:
        data = file.read()
    length = int.from_bytes(data[:8], "little")
    tensors = {}
    for name, entry in json.loads(data[8:8 + length]).items():
        if name != "__metadata__":
            start, end = entry["data_offsets"]
            values = numpy.frombuffer(data, numpy.float32, (end - start) // 4, 8 + length + start)
            tensors[name] = torch.from_numpy(values.reshape(entry["shape"]).copy()).to(Place.device).requires_grad_()
    return tensors


def positions(count, width):
    """[T, C], sines, then cosines; the first token of a sentence has position 2."""
    half = width // 2
    frequencies = numpy.exp(-math.log(10000) * numpy.arange(half) / (half - 1))
    angles = (numpy.arange(count) + PAD + 1)[:, None] * frequencies[None, :]
    return torch.from_numpy(numpy.concatenate([numpy.sin(angles), numpy.cos(angles)], 1).astype(numpy.float32)).to(Place.device)


def ids(values):
    return torch.tensor(values, device=Place.device)


class Model:
    """A model of layers: transformer, lightconv or dynamicconv."""

    def __init__(self, config, path, variant=None):
        self.config, self.heads = config, config["heads"]
        self.tensors = parameters(path)
        self.table = self.tensors["encoder.embed_tokens.weight"]
        self.width = self.table.shape[1]
        self.convolve = VARIANTS[variant] if variant else None
        self.known = positions(256, self.width)
        self.masks = {}

    @property
    def attends(self):
        return self.config["architecture"] == "transformer"

    def linear(self, x, name):
        return functional.linear(x, self.tensors[name + ".weight"], self.tensors.get(name + ".bias"))

    def norm(self, x, name):
        return functional.layer_norm(x, (self.width,), self.tensors[name + ".weight"], self.tensors[name + ".bias"])

    def drop(self, x, key, training):
        return functional.dropout(x, self.config[key], training)

    def positions(self, count):
        if count > len(self.known):
            self.known = positions(2 * count, self.width)
        return self.known[:count]

    def mask(self, count):
        if count not in self.masks:
            self.masks[count] = torch.triu(torch.full((count, count), float("-inf"), device=Place.device), 1)
        return self.masks[count]

    def embed(self, tokens, training):
        """[B, T] to [T, B, C]."""
        x = functional.embedding(tokens.t(), self.table, PAD) * math.sqrt(self.width)
        return self.drop(x + self.positions(tokens.shape[1])[:, None], "dropout", training)

    def residual(self, x, y, name, training):
        return self.norm(x + self.drop(y, "dropout", training), name)

    def attend(self, x, source, name, mask, training):
        q, k, v = self.linear(x, name + ".q_proj"), self.linear(source, name + ".k_proj"), self.linear(source, name + ".v_proj")
        return self.linear((fused_attention if HAS_FUSED else attention)(q, k, v, self.heads, mask, self.config["attention_dropout"] if training else 0.0), name + ".out_proj")

    def gated(self, x, name, side):
        x = self.linear(x, name + ".linear1")
        return functional.glu(x, -1) if self.config[side + "_glu"] else x

    def taps(self, x, name):
        """[H, K], or [..., H, K] where they are predicted."""
        if self.config["architecture"] == "lightconv":
            return torch.softmax(self.tensors[name + ".conv.weight"], -1)
        logits = self.linear(x, name + ".conv.weight_linear")
        return torch.softmax(logits.view(*x.shape[:-1], self.heads, -1), -1)

    def mix(self, x, side, layer, training):
        """Self-attention or convolution, over whole sequences; a decoder's sees no later step."""
        name, causal = f"{side}.layers.{layer}", side == "decoder"
        if self.attends:
            return self.attend(x, x, name + ".self_attn", self.mask(len(x)) if causal else None, training)
        x = self.gated(self.drop(x, "input_dropout", training), name, side)
        width = self.config[side + "_kernels"][layer]
        taps = self.drop(self.taps(x, name), "weight_dropout", training)
        return self.linear(self.convolve(x, taps, self.heads, width - 1 if causal else width // 2), name + ".linear2")

    def mixer_norm(self, side, layer):
        return f"{side}.layers.{layer}." + ("self_attn_layer_norm" if self.attends else "layer_norms.0" if side == "encoder" else "conv_layer_norm")

    def feed(self, x, side, layer, training):
        name = f"{side}.layers.{layer}"
        y = self.linear(self.drop(functional.relu(self.linear(x, name + ".fc1")), "activation_dropout", training), name + ".fc2")
        return self.residual(x, y, name + (".layer_norms.1" if side == "encoder" and not self.attends else ".final_layer_norm"), training)

    def encode(self, tokens, training):
        x = self.embed(tokens, training)
        for layer in range(self.config["encoder_layers"]):
            x = self.residual(x, self.mix(x, "encoder", layer, training), self.mixer_norm("encoder", layer), training)
            x = self.feed(x, "encoder", layer, training)
        return x

    def decode(self, previous, source, training):
        x = self.embed(previous, training)
        for layer in range(self.config["decoder_layers"]):
            x = self.residual(x, self.mix(x, "decoder", layer, training), self.mixer_norm("decoder", layer), training)
            name = f"decoder.layers.{layer}.encoder_attn"
            x = self.residual(x, self.attend(x, source, name, None, training), name + "_layer_norm", training)
            x = self.feed(x, "decoder", layer, training)
        return x


def train(c):
    """An update, and without dropout the first loss a token, the norm of its gradient and that of each parameter's."""
    model = Model(c["model"], c["weights"], c.get("variant"))
    source, previous = ids(c["source"]).view(c["b"], -1), ids(c["previous"]).view(c["b"], -1)
    target = ids(c["target"]).view(c["b"], -1).t().reshape(-1)
    own = list(model.tensors.values())
    optimizer = torch.optim.Adam(own, lr=c["rate"], betas=(c["beta1"], c["beta2"]), eps=c["epsilon"])

    def loss(training):
        features = model.decode(previous, model.encode(source, training), training)
        logits = functional.linear(features.view(-1, model.width), model.table)
        return functional.cross_entropy(logits, target, ignore_index=PAD, reduction="sum", label_smoothing=c["smoothing"]) / len(target)

    def call():
        optimizer.zero_grad(set_to_none=True)
        loss(True).backward()
        torch.nn.utils.clip_grad_norm_(own, c["clip"])
        optimizer.step()

    def answers():
        first = loss(False)
        first.backward()
        norms = torch.stack([p.grad.double().norm() for p in own])
        optimizer.zero_grad(set_to_none=True)
        return [first.reshape(1), norms.norm().reshape(1).float(), norms.float()]
    return call, answers


class Decoding:
    """What is remembered of B sources and B x beam hypotheses, side by side."""

    def __init__(self, model, source, beam, steps):
        self.model, self.beam = model, beam
        states = model.encode(source, False)
        s, b, c = states.shape
        self.b, self.rows, self.c, self.d = b, b * beam, c, c // model.heads
        self.sources, self.memories = [], []
        for layer in range(model.config["decoder_layers"]):
            name = f"decoder.layers.{layer}.encoder_attn."
            keys, values = model.linear(states, name + "k_proj"), model.linear(states, name + "v_proj")
            self.sources.append([m.view(s, b * model.heads, self.d).transpose(0, 1).contiguous() for m in (keys, values)])
            if model.attends:
                self.memories.append([torch.empty(self.rows * model.heads, steps, self.d, device=Place.device) for _ in range(2)])
            else:
                self.memories.append([torch.zeros(self.rows, model.config["decoder_kernels"][layer] - 1, c, device=Place.device)])

    def reorder(self, order, t):
        """Lets row i go on from row order[i]."""
        for memory in self.memories:
            for i, m in enumerate(memory):
                if self.model.attends:
                    used = m.view(self.rows, self.model.heads, -1, self.d)[:, :, :t]
                    used.copy_(used.index_select(0, order))
                else:
                    memory[i] = m.index_select(0, order)

    def mix(self, x, layer, t):
        model, name, memory = self.model, f"decoder.layers.{layer}", self.memories[layer]
        if model.attends:
            name += ".self_attn"
            for m, part in zip(memory, (".k_proj", ".v_proj")):
                m[:, t] = model.linear(x, name + part).view(-1, self.d)
            q = (model.linear(x, name + ".q_proj") * self.d ** -0.5).view(-1, 1, self.d)
            keys, values = (m[:, :t + 1] for m in memory)
            y = torch.bmm(torch.softmax(torch.bmm(q, keys.transpose(1, 2)), -1), values)
            return model.linear(y.view(self.rows, self.c), name + ".out_proj")
        x = model.gated(x, name, "decoder")
        window = torch.cat([memory[0], x[:, None]], 1)
        memory[0] = window[:, 1:]
        taps = model.taps(x, name).expand(self.rows, -1, -1)
        seen = window.view(self.rows, -1, model.heads, self.d).permute(0, 2, 1, 3)
        return model.linear(torch.matmul(taps[:, :, None], seen).reshape(self.rows, self.c), name + ".linear2")

    def look(self, x, layer):
        """Attention of all hypotheses of a sentence to the one source that they have."""
        model, name = self.model, f"decoder.layers.{layer}.encoder_attn"
        keys, values = self.sources[layer]
        q = (model.linear(x, name + ".q_proj") * self.d ** -0.5).view(self.b, self.beam, model.heads, self.d).transpose(1, 2).reshape(-1, self.beam, self.d)
        y = torch.bmm(torch.softmax(torch.bmm(q, keys.transpose(1, 2)), -1), values)
        return model.linear(y.view(self.b, model.heads, self.beam, self.d).transpose(1, 2).reshape(self.rows, self.c), name + ".out_proj")

    def step(self, tokens, t):
        """Log probabilities [N, V] of what follows tokens [N], the t-th of each row."""
        model = self.model
        x = functional.embedding(tokens, model.table) * math.sqrt(model.width) + model.positions(t + 1)[t]
        for layer in range(model.config["decoder_layers"]):
            x = model.residual(x, self.mix(x, layer, t), model.mixer_norm("decoder", layer), False)
            x = model.residual(x, self.look(x, layer), f"decoder.layers.{layer}.encoder_attn_layer_norm", False)
            x = model.feed(x, "decoder", layer, False)
        return torch.log_softmax(functional.linear(x, model.table), -1)


def decode(c):
    """The best output of each source, all of the same length, and its score: the mean log probability of its tokens, end-of-sentence included."""
    model = Model(c["model"], c["weights"], "band")  # of the encoder's convolutions, once for all steps
    for tensor in model.tensors.values():
        tensor.requires_grad_(False)
    source, b, beam, steps = ids(c["source"]).view(c["b"], -1), c["b"], c["beam"], c["steps"]
    in_order = torch.arange(b * beam, device=Place.device)
    starts = in_order[::beam, None]

    def call():
        with torch.inference_mode():
            state = Decoding(model, source, beam, steps)
            tokens = torch.full((b * beam,), EOS, device=Place.device)
            best_ids = torch.empty(b * beam, steps - 1, dtype=torch.long, device=Place.device)
            sums = torch.zeros(b, beam, device=Place.device)
            sums[:, 1:] = float("-inf")  # all hypotheses of a sentence are the empty one at first
            for t in range(steps - 1):
                scores = state.step(tokens, t)
                scores[:, PAD] = scores[:, EOS] = float("-inf")
                if beam == 1:
                    best, tokens = scores.max(-1)
                    sums += best[:, None]
                else:
                    sums, best = (sums.view(-1, 1) + scores).view(b, -1).topk(beam)
                    order, tokens = (starts + torch.div(best, scores.shape[1], rounding_mode="floor")).view(-1), (best % scores.shape[1]).view(-1)
                    if not torch.equal(order, in_order):
                        state.reorder(order, t + 1)
                        best_ids[:, :t] = best_ids[:, :t].index_select(0, order)
                best_ids[:, t] = tokens
            sums = (sums + state.step(tokens, steps - 1)[:, EOS].view(b, beam)) / steps
            scores, rows = sums.max(-1)
            return [best_ids[starts[:, 0] + rows].float(), scores]
    return call, call
