namespace CudaSeq.Kernels;

/// <summary>The ways in which CUDA computes a convolution over time.</summary>
internal enum ConvPath
{
    /// <summary>Any size: eight steps of a channel a thread.</summary>
    Generic,

    /// <summary>Few taps: the rows that a step sees stay in registers.</summary>
    Window,

    /// <summary>Many taps and elements of 16 bits: a band of taps times rows, on the tensor cores.</summary>
    Banded,
}

/// <summary>
/// Which kernels serve a convolution on CUDA and how its work is cut: pure functions of sizes, element size, addresses (all of them, joined by "or") and
/// the shared memory that a block may have. What decides about the order of sums, parts and steps, depends on sizes alone; on the tensor cores on that
/// memory too.
/// </summary>
/// <param name="Path">The way.</param>
/// <param name="Blocks">Blocks of the grid.</param>
/// <param name="Threads">Threads of a block.</param>
/// <param name="SharedBytes">Dynamic shared memory of a block.</param>
internal readonly record struct ConvPlan(ConvPath Path, int Blocks, int Threads, int SharedBytes)
{
    /// <summary>Threads of most blocks: four warps.</summary>
    public const int BlockThreads = 128;

    /// <summary>Steps and taps that the generic kernels take at a time.</summary>
    public const int GenericSteps = 8;

    /// <summary>Channels of a slab of <see cref="ConvPath.Banded"/>.</summary>
    public const int BandChannels = 64;

    /// <summary>The narrowest filter that the tensor cores get.</summary>
    public const int LeastBandedK = 15;

    private const int Warp = 32;
    private const int Warps = BlockThreads / Warp;

    // What a block has on every device without being asked.
    private const int CommonShared = 48 * 1024;

    // Warps, and blocks of four of them, that keep a large device busy; below, runs and tiles get shorter.
    private const int BusyWarps = 4096;
    private const int BusyBlocks = BusyWarps / Warps;

    /// <summary>Time steps of a run (a warp's) or of a tile (a block's) where the path cuts time.</summary>
    public int Steps { get; init; }

    /// <summary>Partial sums of the gradients that are summed over time.</summary>
    public int Parts { get; init; }

    /// <summary>Channels that share a partial sum for each of their heads.</summary>
    public int Width { get; init; }

    /// <summary>Heads of a block where <see cref="Path"/> cuts heads; where it cuts channels, the most heads that its channels touch.</summary>
    public int Heads { get; init; }

    /// <summary>Slabs that are in shared memory at once: 2 where the next ones come in while the present ones are multiplied.</summary>
    public int Stages { get; init; }

    public Dim3 Grid => new(Blocks);

    public Dim3 Block => new(Threads);

    /// <summary>The K for which there are register windows.</summary>
    public static ReadOnlySpan<int> WindowWidths => [3, 5, 7, 15, 31];

    /// <summary>The column tiles of bands for which there are gradients on the tensor cores.</summary>
    public static ReadOnlySpan<int> BandWidths => [4, 6, 10, 18, 34];

    /// <summary>Channels of a thread in register windows with taps for each head.</summary>
    public static int HeadVector(int K) => K <= 15 ? 4 : 2;

    /// <summary>Channels of a thread in register windows with taps for each channel.</summary>
    public static int ChannelVector(int K) => K <= 7 ? 4 : K <= 15 ? 2 : 1;

    /// <summary>Column tiles of eight rows that a band of K taps spans, rounded up to one of <see cref="BandWidths"/>.</summary>
    public static int BandTiles(int K) => K <= 17 ? 4 : K <= 33 ? 6 : K <= 65 ? 10 : K <= 129 ? 18 : 34;

    public static ConvPlan LightForward(ConvSize size, int elementBytes, ulong addresses, int maxShared)
    {
        if (IsBanded(size, elementBytes, addresses) && LightBanded(size, maxShared, stages: 0) is { } banded)
            return banded;
        return IsHeadWindow(size, elementBytes, addresses) ? Runs(size, Warp * HeadVector(size.K)) : Slide(size);
    }

    public static ConvPlan LightBackward(ConvSize size, int elementBytes, ulong addresses, int maxShared)
    {
        if (IsBanded(size, elementBytes, addresses) && (LightBanded(size, maxShared, stages: 2) ?? LightBanded(size, maxShared, stages: 1)) is { } banded)
            return banded;
        return IsHeadWindow(size, elementBytes, addresses) ? PartialRuns(size, Warp * HeadVector(size.K)) : Slide(size);
    }

    public static ConvPlan DepthwiseForward(ConvSize size, int elementBytes, ulong addresses)
        => IsChannelWindow(size, elementBytes, addresses) ? Runs(size, Warp * ChannelVector(size.K)) : Slide(size);

    public static ConvPlan DepthwiseBackward(ConvSize size, int elementBytes, ulong addresses)
        => IsChannelWindow(size, elementBytes, addresses) ? PartialRuns(size, Warp * ChannelVector(size.K)) : Slide(size);

    public static ConvPlan DynamicForward(ConvSize size, int elementBytes, ulong addresses, int maxShared)
    {
        if (IsBanded(size, elementBytes, addresses) && DynamicBanded(size, maxShared, backward: false) is { } banded)
            return banded;
        int width = Warp * HeadVector(size.K);
        if (IsHeadWindow(size, elementBytes, addresses) && Tiles(size, width, Touched(size, width), arrays: 1) is { } tiles)
            return tiles;
        return DynamicSlide(size);
    }

    /// <summary>The generic path has <see cref="TapGradient"/> before it.</summary>
    public static ConvPlan DynamicBackward(ConvSize size, int elementBytes, ulong addresses, int maxShared)
    {
        if (IsBanded(size, elementBytes, addresses) && DynamicBanded(size, maxShared, backward: true) is { } banded)
            return banded;
        int width = Warp * HeadVector(size.K);
        if (IsHeadWindow(size, elementBytes, addresses) && (width % size.R == 0 || size.R % width == 0)
            && Tiles(size, Math.Max(width, size.R), Math.Max(1, width / size.R), arrays: 3) is { } tiles)
        {
            return tiles;
        }

        return DynamicSlide(size);
    }

    /// <summary>Logit gradients and softmax statistics of DynamicConv's generic path.</summary>
    public static ConvPlan TapGradient(ConvSize size)
    {
        const int Channels = 32;
        int octets = Math.Clamp(256 / (size.K + GenericSteps - 1), 1, Math.Clamp(Ceiling(size.T, GenericSteps), 1, 8));
        int steps = octets * GenericSteps, threads = Ceiling(octets * (size.K + GenericSteps - 1), Warp) * Warp;
        int floats = (Channels * (steps + 4)) + (steps * size.K) + ((steps + size.K - 1) * (Channels + 1));
        return new ConvPlan(ConvPath.Generic, Count((long)size.B * Ceiling(size.T, steps) * size.H), threads, floats * sizeof(float)) { Steps = steps };
    }

    /// <summary>Partial sums of the tap gradients of LightConv and DepthwiseConv in their generic path: a sum for each channel.</summary>
    public static ConvPlan PartialGradient(ConvSize size)
    {
        const int MostBlocks = 512, Threads = 256;
        int groups = Ceiling(size.C, Warp), parts = PartsOf((long)size.B * Ceiling(size.T, GenericSteps), MostBlocks, groups);
        return new ConvPlan(ConvPath.Generic, groups * parts, Threads, 0) { Parts = parts, Width = 1, Heads = 1 };
    }

    /// <summary>One step of decoding: a thread for each channel. <see cref="Width"/> channels and <see cref="Steps"/> sequences a block.</summary>
    /// <param name="size">B sequences of one step.</param>
    /// <param name="perSequence">Whether every sequence has its own taps.</param>
    public static ConvPlan Step(ConvSize size, bool perSequence)
    {
        int width = Touched(size, BlockThreads) * size.K * sizeof(float) <= CommonShared ? BlockThreads : Warp;
        int threads = perSequence ? width : BlockThreads, rows = threads / width;
        return new ConvPlan(
            ConvPath.Generic, Count((long)Ceiling(size.C, width) * Ceiling(size.B, rows)), threads, Touched(size, width) * size.K * sizeof(float))
        {
            Steps = rows,
            Width = width,
        };
    }

    /// <summary>The most heads that <paramref name="width"/> neighbouring channels touch, counted from a multiple of the width.</summary>
    public static int Touched(ConvSize size, int width)
        => size.R % width == 0 ? 1 : Math.Min(size.H, width % size.R == 0 ? width / size.R : ((width - 2) / size.R) + 2);

    private static bool IsHeadWindow(ConvSize size, int elementBytes, ulong addresses)
        => size.C > 0 && size.R % 4 == 0 && WindowWidths.Contains(size.K) && addresses % (ulong)(HeadVector(size.K) * elementBytes) == 0;

    private static bool IsChannelWindow(ConvSize size, int elementBytes, ulong addresses)
    {
        int vector = ChannelVector(size.K);
        return size.C % vector == 0 && WindowWidths.Contains(size.K) && addresses % (ulong)(vector * elementBytes) == 0;
    }

    private static bool IsBanded(ConvSize size, int elementBytes, ulong addresses)
        => elementBytes == 2 && size.K >= LeastBandedK && size.C > 0 && size.R % 8 == 0 && addresses % 16 == 0;

    // Runs of one warp, four to a block.
    private static ConvPlan Runs(ConvSize size, int width)
    {
        int segments = Ceiling(size.C, width), run = 64;
        while (run > 8 && (long)size.B * Ceiling(size.T, run) * segments < BusyWarps)
            run /= 2;
        long units = (long)size.B * Ceiling(size.T, run);
        return new ConvPlan(ConvPath.Window, Count((units + Warps - 1) / Warps * segments), BlockThreads, 0) { Steps = run, Width = width };
    }

    // The same runs, divided among blocks that each leave one partial sum.
    private static ConvPlan PartialRuns(ConvSize size, int width)
    {
        int run = Runs(size, width).Steps, segments = Ceiling(size.C, width);
        long units = (long)size.B * Ceiling(size.T, run);
        int parts = PartsOf((units + Warps - 1) / Warps, BusyBlocks, segments);
        return new ConvPlan(ConvPath.Window, Count((long)parts * segments), BlockThreads, 0)
        {
            Steps = run,
            Width = width,
            Parts = parts,
            Heads = Touched(size, width),
        };
    }

    private static ConvPlan Slide(ConvSize size)
        => new(ConvPath.Generic, Count((long)Ceiling(size.C, BlockThreads) * size.B * Ceiling(size.T, GenericSteps)), BlockThreads, 0);

    private static ConvPlan DynamicSlide(ConvSize size)
    {
        const int MostTaps = CommonShared / (GenericSteps * sizeof(float));
        int heads = Math.Clamp(Ceiling(BlockThreads, Math.Max(1, size.R)), 1, Math.Min(size.H, MostTaps / size.K));
        return new ConvPlan(
            ConvPath.Generic, Count((long)Ceiling(size.H, heads) * size.B * Ceiling(size.T, GenericSteps)), BlockThreads,
            heads * GenericSteps * size.K * sizeof(float))
        { Heads = heads };
    }

    // Tiles of one block: the longest that leave enough blocks, with a row of K floats a thread and some arrays of [tile, heads] rows of taps in shared memory.
    private static ConvPlan? Tiles(ConvSize size, int channels, int heads, int arrays)
    {
        ConvPlan? plan = null;
        for (int tile = 64; tile >= 16; tile /= 2)
        {
            int bytes = ((BlockThreads * size.K) + (arrays * tile * heads * TapStride(size.K))) * sizeof(float);
            if (bytes > CommonShared || (tile > 16 && tile / 2 >= size.T))
                continue;
            plan = new ConvPlan(ConvPath.Window, Count((long)Ceiling(size.C, channels) * size.B * Ceiling(size.T, tile)), BlockThreads, bytes)
            {
                Steps = tile,
                Heads = heads,
                Width = channels,
            };
            if (plan.Value.Blocks >= BusyBlocks)
                break;
        }

        return plan;
    }

    // tap_stride of Taps.cuh.
    private static int TapStride(int K) => ((K + 3) / 8 * 8) + 4;

    // Bytes of 16 rows of a slab, and of a band of `depth` times 16 columns: slab_stride and band_stride of BandedProduct.cuh.
    private const int SlabBytes = 16 * (BandChannels + 8) * 2;

    private static int BandDepth(int K) => (K + 30) / 16;

    private static int BandBytes(int K) => 16 * ((16 * BandDepth(K)) + 8) * 2;

    // stages 0 is forward.
    private static ConvPlan? LightBanded(ConvSize size, int maxShared, int stages)
    {
        const int TapBytes = (ConvSize.MaxK + 1) * sizeof(float);
        int slabs = Math.Max(1, 2 * stages), sums = stages == 0 ? 0 : 16 * ((8 * BandTiles(size.K)) + 4) * sizeof(float);
        int fixedBytes = (slabs * SlabBytes * (BandDepth(size.K) - 1)) + BandBytes(size.K) + TapBytes;
        if (Bands(size, maxShared, fixedBytes, (slabs + 1) * SlabBytes, sums) is not { } plan)
            return null;
        int pieces = Ceiling(size.R, BandChannels) * size.H;
        long units = (long)size.B * Ceiling(size.T, plan.Steps);
        int parts = stages == 0 ? 0 : PartsOf(units, BusyBlocks, pieces);
        return plan with { Blocks = Count((stages == 0 ? units : parts) * pieces), Parts = parts, Stages = stages, Width = 1, Heads = 1 };
    }

    private static ConvPlan? DynamicBanded(ConvSize size, int maxShared, bool backward)
    {
        int row = 16 * (size.K | 1) * sizeof(float), scratch = Math.Max(row, SlabBytes), slabs = backward ? 2 : 1;
        int warpBytes = (slabs * SlabBytes) + BandBytes(size.K) + scratch + (backward ? row : 0);
        if (Bands(size, maxShared, slabs * SlabBytes * (BandDepth(size.K) - 1), warpBytes, 0) is not { } plan)
            return null;
        return plan with { Blocks = Count((long)size.B * Ceiling(size.T, plan.Steps) * size.H) };
    }

    // As many warps as the sequence has use for and as leave room for a second block; a single block if need be. A warp takes 16 steps.
    private static ConvPlan? Bands(ConvSize size, int maxShared, int fixedBytes, int warpBytes, int leastWarpBytes)
    {
        for (int blocks = 2; blocks >= 1; blocks--)
        {
            for (int warps = Warps; warps >= 1; warps /= 2)
            {
                int bytes = Math.Max(fixedBytes + (warps * warpBytes), warps * leastWarpBytes);
                if (bytes <= CudaDevice.SharedBytesOf(blocks, maxShared) && (warps == 1 || 8 * warps < size.T))
                    return new ConvPlan(ConvPath.Banded, 0, warps * Warp, bytes) { Steps = 16 * warps };
            }
        }

        return null;
    }

    // Parts of some units of work, so that parts times others are not much more than a number of blocks. 0 where there is no work.
    private static int PartsOf(long units, int blocks, int others) => (int)Math.Min(units, Math.Max(1, blocks / Math.Max(1, others)));

    private static int Ceiling(int a, int b) => (a + b - 1) / b;

    private static int Count(long blocks) => checked((int)blocks);
}
