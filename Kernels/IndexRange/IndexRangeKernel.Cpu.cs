namespace CudaSeq.Kernels;

internal static unsafe partial class IndexRangeKernel
{
    private static long FirstOutsideCpu(DeviceSpan indices, int limit)
    {
        if (limit <= 0)
            return indices.Length == 0 ? -1 : 0;
        for (long start = 0; start < indices.Length; start += int.MaxValue)
        {
            var part = new ReadOnlySpan<int>(indices.Ints + start, (int)Math.Min(int.MaxValue, indices.Length - start));
            int found = part.IndexOfAnyExceptInRange(0, limit - 1);
            if (found >= 0)
                return start + found;
        }

        return -1;
    }
}
