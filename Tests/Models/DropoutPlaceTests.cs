using CudaSeq.Kernels;
using CudaSeq.Models;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

/// <summary>
/// Where training drops: a layer with a mask is the same layer without, whose value at that one place was multiplied by the mask (with probability 1/2: what is kept is doubled).
/// At any other place the numbers differ.
/// </summary>
public sealed class DropoutPlaceTests
{
    private const int Width = 8, Inner = 12, Batch = 2, Steps = 5;
    private const float Half = 0.5f;

    // x + dropout(f(x)): what entered is whole.
    [Theory, Devices]
    public void AResidualDropsTheSubLayersOutput(string name)
    {
        using var device = TestDevices.Open(name);
        foreach (bool preNorm in (bool[])[false, true])
        {
            using var scope = TensorScope.Begin();
            using var residual = Ready(device, new Residual(Width, preNorm, Half));
            Tensor x = Normal(device, 1, Width), y = Normal(device, 2, Width);
            Near(residual.After(x, Ops.Multiply(y, Mask(y)), null), residual.After(x, y, Draws()));
        }
    }

    [Theory, Devices]
    public void AFeedForwardBlockDropsBehindItsActivation(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        using var block = Ready(device, new FeedForward(Width, Inner, Half));
        var inner = block.Inner(Normal(device, 1, Width));
        Near(block.Output(Ops.Multiply(inner, Mask(inner))), block.Forward(Normal(device, 1, Width), Draws()));
    }

    [Theory, Devices]
    public void AConvolutionsModuleDropsItsInput(string name)
    {
        using var device = TestDevices.Open(name);
        foreach (var architecture in (Architecture[])[Architecture.LightConv, Architecture.DynamicConv])
        {
            foreach (bool glu in (bool[])[false, true])
            {
                using var scope = TensorScope.Begin();
                using Convolution convolution = architecture == Architecture.LightConv ? new LightConvolution(Width, 2, 3, causal: false, TapNormalization.Softmax, 0)
                    : new DynamicConvolution(Width, 2, 3, causal: false, TapNormalization.Softmax, 0);
                using var module = Ready(device, new ConvModule(Width, glu, Half, convolution));
                var x = Normal(device, 1, Width);
                var lengths = Tensor.From(device, [Steps, Steps - 2]);
                Near(module.Forward(Ops.Multiply(x, Mask(x)), lengths, null), module.Forward(x, lengths, Draws()));
            }
        }
    }

    // dropout(token + position): the sum, not the token alone.
    [Theory, Devices]
    public void ADecoderDropsTheSumOfTokensAndPositions(string name)
    {
        using var device = TestDevices.Open(name);
        using var model = (EncoderDecoderModel)TinyModels.Create(TinyModels.Transformer with { Dropout = Half }, device);
        using var scope = TensorScope.Begin();
        var previous = TinyModels.Pad(device, [[2, 4, 9, 6], [2, 5, 5, 7]]);
        var whole = model.Decoder.Embedded(previous, null).X;
        Near(Ops.Multiply(whole, Mask(whole)), model.Decoder.Embedded(previous, Draws()).X);
    }

    private static RandomSource Draws() => new(3);

    // What a dropout of that shape draws first.
    private static Tensor Mask(Tensor like) => Ops.Dropout(Tensor.Full(like.Device, like.Shape, 1), Half, Draws());

    private static Tensor Normal(Device device, int seed, int width) => Tensor.From(device, FiniteDifference.Normals(seed, Batch * Steps * width), [Batch, Steps, width]);

    private static TModule Ready<TModule>(Device device, TModule module)
        where TModule : Module
    {
        var random = new RandomSource(1);
        module.Initialize(device, random);
        return TinyModels.Spread(module, random);
    }

    private static void Near(Tensor expected, Tensor got)
    {
        Assert.Equal(expected.Shape.ToString(), got.Shape.ToString());
        FiniteDifference.Near(Array.ConvertAll(expected.ToArray(), v => (double)v), got.ToArray());
    }
}
