namespace CudaSeq.Kernels;

internal static unsafe partial class IndexRangeKernel
{
    private static long FirstOutsideCpu(DeviceSpan indices, int limit, int? allowed)
    {
        for (long start = 0; start < indices.Length;)
        {
            var part = new ReadOnlySpan<int>(indices.Ints + start, (int)Math.Min(int.MaxValue, indices.Length - start));
            int found = limit > 0 ? part.IndexOfAnyExceptInRange(0, limit - 1) : 0;
            if (found >= 0 && part[found] != allowed)
                return start + found;
            start += found < 0 ? part.Length : found + 1;
        }

        return -1;
    }
}
