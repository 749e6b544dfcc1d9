using System.Runtime.Intrinsics.X86;

namespace CudaSeq.Kernels;

/// <summary>Bytes of the data caches that one core sees. Kernels choose block sizes from it; no result depends on them.</summary>
/// <param name="Level1">First level, data.</param>
/// <param name="Level2">Second level.</param>
internal readonly record struct CacheSizes(int Level1, int Level2)
{
    /// <summary>The caches of this machine.</summary>
    public static readonly CacheSizes Host = Detect();

    private const int Intel = 4;
    private const int Amd = unchecked((int)0x8000001D);

    /// <summary>What the processor says, or 32 KB and 512 KB where it cannot be asked.</summary>
    private static CacheSizes Detect()
    {
        int level1 = 32 << 10, level2 = 512 << 10;
        if (!X86Base.IsSupported)
            return new CacheSizes(level1, level2);
        int leaf = Leaf();
        for (int i = 0; leaf != 0 && i < 8; i++)
        {
            var (eax, ebx, ecx, _) = X86Base.CpuId(leaf, i);
            int type = eax & 31, level = (eax >> 5) & 7;
            if (type == 0)
                break;
            long bytes = (((uint)ebx >> 22) + 1L) * (((ebx >> 12) & 1023) + 1L) * ((ebx & 4095) + 1L) * ((uint)ecx + 1L);
            const int Instructions = 2;
            if (type == Instructions || bytes is < 4 << 10 or > 1 << 28)
                continue;
            if (level == 1)
                level1 = (int)bytes;
            else if (level == 2)
                level2 = (int)bytes;
        }

        return new CacheSizes(level1, level2);
    }

    private static int Leaf()
    {
        int extended = X86Base.CpuId(unchecked((int)0x80000000), 0).Eax;
        if ((uint)extended >= unchecked((uint)Amd) && X86Base.CpuId(Amd, 0).Eax != 0)
            return Amd;
        return X86Base.CpuId(0, 0).Eax >= Intel ? Intel : 0;
    }
}
