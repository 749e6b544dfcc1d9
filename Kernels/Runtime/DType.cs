namespace CudaSeq.Kernels;

/// <summary>The element type of a tensor.</summary>
public enum DType
{
    /// <summary>IEEE 754 single precision, 4 bytes: values, parameters and gradients.</summary>
    Float32,

    /// <summary>Signed 32-bit integers, 4 bytes: token ids, lengths and indices.</summary>
    Int32,
}

/// <summary>Facts about element types.</summary>
internal static class DTypes
{
    /// <summary>Bytes of one element.</summary>
    public static int Size(this DType dtype) => dtype switch
    {
        DType.Float32 => sizeof(float),
        DType.Int32 => sizeof(int),
        _ => throw new ArgumentOutOfRangeException(nameof(dtype), dtype, null),
    };
}
