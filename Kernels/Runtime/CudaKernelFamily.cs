namespace CudaSeq.Kernels;

/// <summary>Which variants of a kernel NativeKernels.cu exports.</summary>
internal enum KernelTypes
{
    /// <summary>For float32 and bfloat16: what goes backward.</summary>
    Training,

    /// <summary>For float32, bfloat16 and float16: what goes forward.</summary>
    Inference,

    /// <summary>For bfloat16 alone: what goes backward on the tensor cores.</summary>
    NarrowTraining,

    /// <summary>For bfloat16 and float16: what goes forward on the tensor cores, and conversions.</summary>
    NarrowInference,

    /// <summary>For elements of 4 and of 2 bytes that nothing looks into.</summary>
    Bits,
}

/// <summary>
/// One kernel in a variant for each type of its activations: the same template behind symbols that end in f32, bf16 and f16, or in b32 and b16. Made once,
/// next to the code that launches it, in what a static readonly field holds; a launch picks its variant without a string.
/// </summary>
internal sealed class CudaKernelFamily
{
    private readonly string _name;
    private readonly CudaKernel? _float32;
    private readonly CudaKernel? _bfloat16;
    private readonly CudaKernel? _float16;
    private readonly CudaKernel? _int32;

    /// <param name="name">The exported name without its type.</param>
    /// <param name="types">The variants that exist.</param>
    public CudaKernelFamily(string name, KernelTypes types)
    {
        _name = name;
        if (types == KernelTypes.Bits)
        {
            _float32 = _int32 = new CudaKernel(name + "_b32");
            _bfloat16 = _float16 = new CudaKernel(name + "_b16");
            return;
        }

        if (types is KernelTypes.Training or KernelTypes.Inference)
            _float32 = new CudaKernel(name + "_f32");
        _bfloat16 = new CudaKernel(name + "_bf16");
        if (types is KernelTypes.Inference or KernelTypes.NarrowInference)
            _float16 = new CudaKernel(name + "_f16");
    }

    /// <summary>The variant for activations of a type.</summary>
    /// <exception cref="CudaException">There is none: a gate let through what no kernel serves.</exception>
    public CudaKernel this[DType type] => type switch
    {
        DType.Float32 => _float32,
        DType.BFloat16 => _bfloat16,
        DType.Float16 => _float16,
        _ => _int32,
    } ?? throw new CudaException($"{_name}: there is no kernel for {type}.");
}

/// <summary>A family in several widths: the same template for filters of so many taps or tiles of so many channels.</summary>
internal sealed class CudaKernelWidths
{
    private readonly CudaKernelFamily?[] _families;

    /// <param name="name">The exported name without width and type.</param>
    /// <param name="widths">All widths.</param>
    /// <param name="types">The variants of each.</param>
    public CudaKernelWidths(string name, ReadOnlySpan<int> widths, KernelTypes types)
    {
        int most = 0;
        foreach (int width in widths)
            most = Math.Max(most, width);
        _families = new CudaKernelFamily?[most + 1];
        foreach (int width in widths)
            _families[width] = new CudaKernelFamily($"{name}{width}", types);
    }

    /// <summary>The family of one of the widths.</summary>
    public CudaKernelFamily this[int width] => _families[width]!;
}
