using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>Hides the padding of sources from attentions that are composed of other ops.</summary>
internal static class SourceMask
{
    // Beyond all scores, and what softmax makes an exact 0 of.
    private const float Hidden = 1e30f;

    /// <summary>What is added to scores.</summary>
    /// <param name="source">[M, S, C]: gives sizes, precision and device.</param>
    /// <param name="lengths">[M] integers.</param>
    /// <returns>[M, 1, S]: 0 where the source is, far below all scores where it is not; new.</returns>
    public static Tensor Of(Tensor source, Tensor lengths)
    {
        var ones = Ops.Convert(Tensor.Full(source.Device, [source.Shape[0], source.Shape[1]], 1), source.DType);
        return Ops.Scale(Ops.Subtract(Ops.MaskPadding(ones, lengths), ones), Hidden).Reshape([source.Shape[0], 1, source.Shape[1]]);
    }
}
