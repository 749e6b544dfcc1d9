namespace CudaSeq.Kernels;

/// <summary>Rows of a table looked up.</summary>
/// <param name="N">Ids.</param>
/// <param name="V">Rows of the table.</param>
/// <param name="C">Channels of a row.</param>
/// <param name="Scale">Factor of every element.</param>
/// <param name="PaddingIndex">The row without a gradient; -1 for none.</param>
internal readonly record struct EmbeddingSize(int N, int V, int C, float Scale, int PaddingIndex);

/// <summary>y [N, C] = Scale * table [ids [N], C]. The table and its gradient are float32, y and dy of any type.</summary>
internal static partial class EmbeddingKernel
{
    public static void Forward(in EmbeddingSize size, DeviceSpan table, DeviceSpan ids, DeviceSpan y)
    {
        switch (table.Device)
        {
            case CpuDevice cpu: ForwardCpu(cpu, size, table, ids, y); break;
            case CudaDevice cuda: ForwardCuda(cuda, size, table, ids, y); break;
            default: throw KernelException.NoKernel("Embedding", table.Device);
        }
    }

    /// <summary>dtable [v, C] = Scale * sum of dy [n, C] over the n with ids[n] = v, in the order of n; 0 for the padding row.</summary>
    public static void Backward(in EmbeddingSize size, DeviceSpan ids, DeviceSpan dy, DeviceSpan dtable)
    {
        switch (dy.Device)
        {
            case CpuDevice cpu: BackwardCpu(cpu, size, ids, dy, dtable); break;
            case CudaDevice cuda: BackwardCuda(cuda, size, ids, dy, dtable); break;
            default: throw KernelException.NoKernel("Embedding", dy.Device);
        }
    }
}
