namespace CudaSeq.Tensors;

public static partial class Ops
{
    /// <summary>The means along one axis: their sums, divided by its size. NaN along an empty axis. Saves nothing.</summary>
    /// <inheritdoc cref="Sum(Tensor, int, bool)"/>
    public static Tensor Mean(Tensor x, int axis, bool keepAxis = false) => SumAlong(nameof(Mean), x, axis, keepAxis, mean: true);
}
