namespace CudaSeq.Kernels;

/// <summary>The gate's question about token ids, lengths and indices: are they all in range?</summary>
internal static partial class IndexRangeKernel
{
    /// <summary>
    /// The position of the first index outside 0 .. <paramref name="limit"/> - 1 that is not <paramref name="allowed"/> either, or -1. Looks only where the buffer's bounds
    /// leave a doubt.
    /// </summary>
    public static long FirstOutside(DeviceSpan indices, int limit, int? allowed = null)
    {
        // What runs later without this gate must be able to ask again.
        if (indices.Device is CudaDevice { IsCapturing: true } capturing)
            capturing.NoteGate(indices.Buffer, limit);
        if (indices.Buffer.Bounds is { } bounds && bounds.AreWithin(limit))
            return -1;
        return indices.Device switch
        {
            CpuDevice => FirstOutsideCpu(indices, limit, allowed),
            CudaDevice cuda => FirstOutsideCuda(cuda, indices, limit, allowed),
            _ => throw KernelException.NoKernel("IndexRange", indices.Device),
        };
    }
}
