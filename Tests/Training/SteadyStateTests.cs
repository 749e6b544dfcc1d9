using CudaSeq.Kernels;
using CudaSeq.Models;
using CudaSeq.Tensors;
using static CudaSeq.Tests.TinyTraining;

namespace CudaSeq.Tests;

/// <summary>What training takes once it has seen its longest batches: no buffer, little of the managed heap, and no collection of what lives. Tests run one after the other, so the process's counters are its own.</summary>
public sealed class SteadyStateTests
{
    private const int Warm = 300;
    private const int Updates = 150;

    // Of a model with two layers a side, whatever its widths.
    private const long MostBytes = 40_000;

    [Theory]
    [InlineData(Architecture.Transformer)]
    [InlineData(Architecture.DynamicConv)]
    public void UpdatesTakeNoBufferAndCollectOnlyTheYoungest(Architecture architecture)
    {
        using var device = new CpuDevice(2);
        var (model, data, random) = Setup(Of(architecture), device);
        using var _ = model;
        var counters = new CountingSchedule(device);
        var options = Options(Warm + Updates) with
        {
            BatchTokens = 36,
            ValidateEvery = 10 * Updates,
            ReportEvery = TimeSpan.FromDays(1),
            SaveEvery = TimeSpan.FromDays(1),
            Schedule = counters,
        };
        using var trainer = new Trainer(model, data with { Valid = null }, options, random);
        trainer.Run();
        var (begin, end) = (counters.Begin, counters.End);
        Assert.True(begin.Bytes > 0 && end.Bytes > begin.Bytes);
        Assert.Equal(0, end.Buffers - begin.Buffers);
        long bytes = (end.Bytes - begin.Bytes) / Updates;
        Assert.True(bytes <= MostBytes, $"{architecture}: an update allocates {bytes} bytes of managed memory");
        Assert.Equal((0, 0), (end.First - begin.First, end.Second - begin.Second));
    }

    // Is asked for the rate of every update, and looks at the counters of the whole process then.
    private sealed class CountingSchedule(CpuDevice device) : ILearningRateSchedule
    {
        public (long Buffers, long Bytes, int First, int Second) Begin { get; private set; }

        public (long Buffers, long Bytes, int First, int Second) End { get; private set; }

        public float At(long update)
        {
            if (update == Warm)
            {
                // What the warm-up left is old from here on, and its collection nobody's here.
                GC.Collect();
                Begin = Counters();
            }
            else if (update == Warm + Updates - 1)
                End = Counters();
            return 1e-3f;
        }

        private (long Buffers, long Bytes, int First, int Second) Counters()
            => (device.Allocations, GC.GetTotalAllocatedBytes(), GC.CollectionCount(1), GC.CollectionCount(2));
    }
}
