using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

/// <summary>Which kernels each class of shapes gets where activations are bfloat16.</summary>
public sealed class NarrowKernelTests
{
    // C channels in H heads, K taps. R = C / H of a multiple of 8 gets the tensor cores from 15 taps on, R of a multiple of 4 a register window where K has one.
    [Theory]
    [InlineData(64, 4, 7, "forward_k7", "backward_k7")]
    [InlineData(64, 4, 15, "forward_banded", "backward_banded4")]
    [InlineData(64, 8, 31, "forward_banded", "backward_banded6")]
    [InlineData(48, 3, 33, "forward_banded", "backward_banded6")]
    [InlineData(40, 1, 65, "forward_banded", "backward_banded10")]
    [InlineData(80, 1, 127, "forward_banded", "backward_banded18")]
    [InlineData(16, 2, 255, "forward_banded", "backward_banded34")]
    [InlineData(24, 2, 31, "forward_k31", "backward_k31")]
    [InlineData(24, 2, 33, "forward", "backward")]
    [InlineData(64, 4, 8, "forward", "backward")]
    [InlineData(30, 2, 7, "forward", "backward")]
    public void LightConvolutions(int channels, int heads, int taps, string forward, string backward) => Convolve(
        "light_conv", forward, backward, channels, (device, x) => Ops.LightConv(x, Tensor.From(device, new float[heads * taps], [heads, taps]).AsParameter(), taps / 2));

    // Backward windows need heads that divide their channels; the gradient of 255 taps needs more shared memory than all chips have.
    [Theory]
    [InlineData(64, 4, 7, "forward_k7", "backward_k7")]
    [InlineData(64, 4, 15, "forward_banded", "backward_banded4")]
    [InlineData(64, 8, 31, "forward_banded", "backward_banded6")]
    [InlineData(48, 3, 33, "forward_banded", "backward_banded6")]
    [InlineData(40, 1, 65, "forward_banded", "backward_banded10")]
    [InlineData(80, 1, 127, "forward_banded", "backward_banded18")]
    [InlineData(16, 2, 255, "forward_banded", null)]
    [InlineData(24, 2, 31, "forward_k31", "backward")]
    [InlineData(24, 2, 33, "forward", "backward")]
    [InlineData(64, 4, 8, "forward", "backward")]
    [InlineData(30, 2, 7, "forward", "backward")]
    public void DynamicConvolutions(int channels, int heads, int taps, string forward, string? backward) => Convolve(
        "dynamic_conv", forward, backward, channels, (device, x) => Ops.DynamicConv(
            x, Tensor.From(device, new float[2 * 9 * heads * taps], [2, 9, heads * taps]).AsParameter().To(DType.BFloat16), heads, taps / 2));

    [Theory]
    [InlineData(64, 3, "forward_k3", "backward_k3")]
    [InlineData(64, 8, "forward", "backward")]
    [InlineData(30, 7, "forward", "backward")]
    public void DepthwiseConvolutions(int channels, int taps, string forward, string backward) => Convolve(
        "depthwise_conv", forward, backward, channels, (device, x) => Ops.DepthwiseConv(x, Tensor.From(device, new float[channels * taps], [channels, taps]).AsParameter(), null, taps / 2));

    // Channels of a head; whole packs of eight up to 128 get the tensor cores.
    [Theory]
    [InlineData(8, "tensor_d32")]
    [InlineData(32, "tensor_d32")]
    [InlineData(40, "tensor_d64")]
    [InlineData(64, "tensor_d64")]
    [InlineData(96, "tensor_d128")]
    [InlineData(128, "tensor_d128")]
    [InlineData(12, "d32")]
    [InlineData(60, "d64")]
    [InlineData(136, "d128")]
    public void Attention(int depth, string kernels)
    {
        using var device = TestDevices.OpenCuda();
        using var scope = TensorScope.Begin();
        var x = Tensor.From(device, new float[2 * 5 * 2 * depth], [2, 5, 2 * depth]).AsParameter().To(DType.BFloat16);
        var y = Ops.Attention(x, x, x, 2);
        Assert.Equal([$"attention_forward_{kernels}_bf16"], Launched(device, "attention_forward"));
        y.Backward(y.Detach());
        Assert.Equal([$"attention_backward_keys_{kernels}_bf16", $"attention_backward_queries_{kernels}_bf16"], Launched(device, "attention_backward"));
    }

    [Fact]
    public void WhatStartsBesideAPackGetsTheGenericKernels()
    {
        using var device = TestDevices.OpenCuda();
        using var scope = TensorScope.Begin();
        var x = Tensor.From(device, new float[1 + (5 * 64)], [1 + (5 * 64), 1]).To(DType.BFloat16).Rows(1, 5 * 64).Reshape([1, 5, 64]);
        Ops.Attention(x, x, x, 2);
        Ops.LightConv(x, Tensor.Zeros(device, [4, 15]), 7);
        Assert.Equal(["attention_forward_d32_bf16"], Launched(device, "attention_forward"));
        Assert.Equal(["light_conv_forward_bf16"], Launched(device, "light_conv_forward"));
    }

    // Filters of 15 taps go to the tensor cores, whose bands multiply what a tap does not reach by zero.
    [Theory]
    [InlineData(7)]
    [InlineData(15)]
    [InlineData(31)]
    public void WhatIsNotFiniteStaysWhereItBelongs(int taps)
    {
        using var device = TestDevices.OpenCuda();
        using var scope = TensorScope.Begin();
        var random = new Random(3);
        const int T = 41, Now = 18, C = 32;
        float[] values = Input.Random(random, [1, T, C]).Values, weights = Input.Random(random, [2, taps]).Values, logits = Input.Random(random, [1, T, 2 * taps]).Values;
        var before = Convolved();
        values.AsSpan(Now * C).Fill(float.NaN);
        logits.AsSpan(Now * 2 * taps).Fill(float.NaN);
        var after = Convolved();
        Assert.Equal(before.Light[..(Now * C)], after.Light[..(Now * C)]);
        Assert.Equal(before.Dynamic[..(Now * C)], after.Dynamic[..(Now * C)]);
        Assert.All(after.Light[(Now * C)..((Now + 1) * C)], y => Assert.True(float.IsNaN(y)));

        (float[] Light, float[] Dynamic) Convolved()
        {
            var x = Tensor.From(device, values, [1, T, C]).To(DType.BFloat16);
            return (Ops.LightConv(x, Tensor.From(device, weights, [2, taps]), taps - 1).ToArray(),
                Ops.DynamicConv(x, Tensor.From(device, logits, [1, T, 2 * taps]).To(DType.BFloat16), 2, taps - 1).ToArray());
        }
    }

    [Theory]
    [InlineData(7)]
    [InlineData(15)]
    [InlineData(31)]
    public void ATapThatNeverMetInfinityHasAFiniteGradient(int taps)
    {
        using var device = TestDevices.OpenCuda();
        using var scope = TensorScope.Begin();
        const int T = 5, C = 16;
        var values = new float[T * C];
        Array.Fill(values, 1);
        values[4 * C] = float.PositiveInfinity;
        var weight = Tensor.From(device, new float[taps], [1, taps]).AsParameter();
        var y = Ops.LightConv(Tensor.From(device, values, [1, T, C]).To(DType.BFloat16), weight, taps - 1, softmax: false);
        y.Backward(Tensor.Full(device, y.Shape, 1).To(DType.BFloat16));

        // Causal: tap K - 1 - j takes row t - j to step t, and the last row goes to the last step alone.
        float[] expected = [.. Enumerable.Range(0, taps).Select(k => k == taps - 1 ? float.PositiveInfinity : Math.Max(0, T - (taps - 1 - k)) * C)];
        Assert.Equal(expected, weight.Grad!.ToArray());
        weight.ZeroGrad();
    }

    private static void Convolve(string op, string forward, string? backward, int channels, Func<CudaDevice, Tensor, Tensor> call)
    {
        using var device = TestDevices.OpenCuda();
        using var scope = TensorScope.Begin();
        var x = Tensor.From(device, new float[2 * 9 * channels], [2, 9, channels]).AsParameter().To(DType.BFloat16);
        var y = call(device, x);
        Assert.Equal([$"{op}_{forward}_bf16"], Launched(device, $"{op}_forward"));
        y.Backward(y.Detach());
        backward ??= device.MaxSharedBytes >= 160 * 1024 ? "backward_banded34" : "backward";
        Assert.Equal([$"{op}_{backward}_bf16"], Launched(device, $"{op}_backward"));
    }

    private static string[] Launched(CudaDevice device, string start)
        => [.. CudaKernel.All.Where(k => device.LaunchesOf(k) > 0).Select(k => k.Symbol).Where(s => s.StartsWith(start, StringComparison.Ordinal)).Order(StringComparer.Ordinal)];
}
