namespace CudaSeq.Kernels;

/// <summary>The element type of a tensor.</summary>
public enum DType
{
    /// <summary>IEEE 754 single precision, 4 bytes: values, and everywhere parameters, their gradients, statistics and losses.</summary>
    Float32,

    /// <summary>Signed 32-bit integers, 4 bytes: token ids, lengths and indices.</summary>
    Int32,

    /// <summary>The upper half of a <see cref="Float32"/>, 2 bytes: values in training and inference on a GPU; sums are taken in float32.</summary>
    BFloat16,

    /// <summary>IEEE 754 half precision, 2 bytes: values in inference on a GPU; sums are taken in float32.</summary>
    Float16,
}

/// <summary>Facts about element types.</summary>
internal static class DTypes
{
    /// <summary>Bytes of one element.</summary>
    public static int Size(this DType dtype) => dtype switch
    {
        DType.Float32 => sizeof(float),
        DType.Int32 => sizeof(int),
        DType.BFloat16 or DType.Float16 => sizeof(ushort),
        _ => throw new ArgumentOutOfRangeException(nameof(dtype), dtype, null),
    };

    /// <summary>Whether the elements are numbers with a fraction.</summary>
    public static bool IsFloat(this DType dtype) => dtype != DType.Int32;

    /// <summary>Whether the elements are floats of 2 bytes, which only a GPU computes with.</summary>
    public static bool IsNarrow(this DType dtype) => dtype is DType.BFloat16 or DType.Float16;
}
