using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Benchmarks;

/// <summary>The ops whose host cost is measured: of each kind one, in evaluation, recorded, and backward.</summary>
internal static class HostCases
{
    public static IEnumerable<HostCase> All(CudaDevice device)
    {
        const int Width = 64, Heads = 4;
        Tensor x = Zeros(2, 8, Width), row = Zeros(Width), weight = Zeros(Width, Width), filter = Zeros(Heads, 3), logits = Zeros(2, 8, Heads * 3);
        var ids = Tensor.Zeros(device, [2, 8], DType.Int32);
        var lengths = Tensor.Zeros(device, [2], DType.Int32);
        Tensor p = Zeros(2, 8, Width).AsParameter(), w = Zeros(Width, Width).AsParameter(), gain = Zeros(Width).AsParameter(), bias = Zeros(Width).AsParameter();
        Tensor step = Zeros(2, Width), stepLogits = Zeros(2, Heads * 3), window = Zeros(2, 3, Width);
        var targets = Tensor.Zeros(device, [Width], DType.Int32);
        var random = new RandomSource(1);
        yield return new("an empty tensor", () => Tensor.Empty(device, [8], DType.Float32, "empty"));
        yield return new("Add", () => Ops.Add(x, x));
        yield return new("Add [2, 8, C] + [C]", () => Ops.Add(x, row));
        yield return new("Relu", () => Ops.Relu(x));
        yield return new("Glu", () => Ops.Glu(x));
        yield return new("Dropout", () => Ops.Dropout(x, 0.1f, random));
        yield return new("LayerNorm", () => Ops.LayerNorm(x, row, row));
        yield return new("Softmax", () => Ops.Softmax(x));
        yield return new("Embedding", () => Ops.Embedding(weight, ids));
        yield return new("Linear", () => Ops.Linear(x, weight));
        yield return new("Linear + bias", () => Ops.Linear(x, weight, row));
        yield return new("Linear + bias + Relu", () => Ops.Linear(x, weight, row, Activation.Relu));
        yield return new("LightConv", () => Ops.LightConv(x, filter, 2));
        yield return new("DynamicConv", () => Ops.DynamicConv(x, logits, Heads, 2));
        yield return new("Attention", () => Ops.Attention(x, x, x, Heads, lengths, causal: true));
        yield return new("Transpose", () => Ops.Transpose(x, 0, 2, 1));
        yield return new("MatMul", () => Ops.MatMul(weight, weight));
        yield return new("Concat", () => Ops.Concat(1, x, x));
        yield return new("Slice", () => Ops.Slice(x, 1, 2, 4));
        yield return new("Sum", () => Ops.Sum(x));
        yield return new("MaskPadding", () => Ops.MaskPadding(x, lengths));
        yield return new("CrossEntropy", () => Ops.CrossEntropy(weight, weight, targets), 2);
        yield return new("LogSoftmax", () => Ops.LogSoftmax(x));
        yield return new("TopK", () => Ops.TopK(weight, 4), 2);
        yield return new("IndexSelect", () => Ops.IndexSelect(weight, 0, lengths));
        yield return new("CacheAppend", () => Ops.CacheAppend(x, step, lengths), 0);
        yield return new("BeamReorder", () => Ops.BeamReorder(x, lengths, 2, lengths), 0);
        yield return new("AttentionStep", () => Ops.AttentionStep(step, x, x, Heads, lengths));
        yield return new("LightConvStep", () => Ops.LightConvStep(step, filter, window, lengths));
        yield return new("DynamicConvStep", () => Ops.DynamicConvStep(step, stepLogits, Heads, window, lengths));
        yield return new("Reshape", () => x.Reshape([16, Width]));

        yield return new("Relu, recorded", () => Ops.Relu(p));
        yield return new("Linear + bias, recorded", () => Ops.Linear(x, w, bias));
        yield return new("LayerNorm, recorded", () => Ops.LayerNorm(p, gain, bias), 3);
        yield return new("Dropout, recorded", () => Ops.Dropout(p, 0.1f, random));

        var dy = Zeros(2, 8, Width);
        yield return new("Relu, and backward", () => Backward(Ops.Relu(p), p), 0);
        yield return new("Linear + bias, and backward", () => Backward(Ops.Linear(p, w, bias), p, w, bias), 0);
        yield return new("LayerNorm, and backward", () => Backward(Ops.LayerNorm(p, gain, bias), p, gain, bias), 0);

        Tensor Zeros(params ReadOnlySpan<int> sizes) => Tensor.Zeros(device, new Shape(sizes));

        void Backward(Tensor y, params ReadOnlySpan<Tensor> parameters)
        {
            y.Backward(dy);
            foreach (var parameter in parameters)
                parameter.ZeroGrad();
        }
    }
}
