namespace CudaSeq.Kernels;

internal static partial class DropoutKernel
{
    private static readonly CudaKernel Values = new("dropout_forward_f32");

    private static void ForwardCuda(CudaDevice cuda, float p, PhiloxKey key, DeviceSpan x, DeviceSpan y)
    {
        if (y.Length == 0)
            return;
        var mask = new DropMask(key, p);
        cuda.Launch(
            Values, Elementwise.Grid(cuda, y.Length), new Dim3(Elementwise.Threads), 0, x, y, y.Length,
            mask.Key.Seed, mask.Key.Stream, cuda.StreamShift, mask.Threshold, mask.Scale);
    }
}
