namespace CudaSeq.Kernels;

internal static partial class BeamReorderKernel
{
    private const int MostThreads = 128;
    private const int Warp = 32;

    private static readonly CudaKernelFamily Rows = new("beam_reorder", KernelTypes.Bits);

    private static void ForwardCuda(CudaDevice cuda, BeamReorderSize size, DeviceSpan x, DeviceSpan parents, DeviceSpan? counts)
    {
        if (x.Length == 0)
            return;
        int row = checked(size.S * size.C);
        int pack = size.C % Elementwise.Pack(x.Type) == 0 && Elementwise.IsAligned(x) ? Elementwise.Pack(x.Type) : 1;
        int columns = row / pack, bytes = size.Beam * x.Type.Size() * pack;
        int threads = Math.Clamp(cuda.DefaultSharedBytes / bytes / Warp * Warp, Warp, MostThreads);
        int blocks = (columns + threads - 1) / threads;
        cuda.Launch(
            Rows[x.Type], new Dim3(checked(size.N / size.Beam * blocks)), new Dim3(threads), bytes * threads, x, parents, counts,
            size.Beam, size.C, row, blocks, pack > 1 ? 1 : 0);
    }
}
