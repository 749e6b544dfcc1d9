namespace CudaSeq.Kernels;

internal static partial class BeamReorderKernel
{
    private const int MostThreads = 128;
    private const int Warp = 32;
    private const int PackElements = 4;

    private static readonly CudaKernel Rows = new("beam_reorder_b32");

    private static void ForwardCuda(CudaDevice cuda, BeamReorderSize size, DeviceSpan x, DeviceSpan parents, DeviceSpan? counts)
    {
        if (x.Length == 0)
            return;
        int row = checked(size.S * size.C);
        bool packed = size.C % PackElements == 0 && Elementwise.IsAligned(x);
        int columns = packed ? row / PackElements : row, bytes = size.Beam * sizeof(float) * (packed ? PackElements : 1);
        int threads = Math.Clamp(cuda.DefaultSharedBytes / bytes / Warp * Warp, Warp, MostThreads);
        int blocks = (columns + threads - 1) / threads;
        cuda.Launch(
            Rows, new Dim3(checked(size.N / size.Beam * blocks)), new Dim3(threads), bytes * threads, x, parents, counts,
            size.Beam, size.C, row, blocks, packed ? 1 : 0);
    }
}
