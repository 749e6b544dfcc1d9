using System.Runtime.InteropServices;

namespace CudaSeq.Kernels;

internal static unsafe partial class FillKernel
{
    private static void ZeroCpu(DeviceSpan y) => NativeMemory.Clear(y.Floats, (nuint)y.Length * sizeof(float));

    private static void FillCpu(CpuDevice cpu, DeviceSpan y, float value)
    {
        for (long done = 0; done < y.Length; done += int.MaxValue)
            new Span<float>(y.Floats + done, (int)Math.Min(int.MaxValue, y.Length - done)).Fill(value);
    }
}
