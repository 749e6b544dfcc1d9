using CudaSeq.Tensors;

namespace CudaSeq.Tests;

public sealed class ScheduleTests
{
    // The numbers of fairseq/optim/lr_scheduler/inverse_square_root_schedule.py for lr 5e-4, 4000 warm-up updates, initial 1e-7, in float64.
    [Theory]
    [InlineData(0, 1e-7)]
    [InlineData(1, 1e-7 + ((5e-4 - 1e-7) / 4000))]
    [InlineData(2000, (5e-4 + 1e-7) / 2)]
    [InlineData(3999, 5e-4 - ((5e-4 - 1e-7) / 4000))]
    [InlineData(4000, 5e-4)]
    [InlineData(16000, 2.5e-4)]
    [InlineData(400_000_000, 5e-4 * 0.0031622776601683795)]
    public void InverseSquareRootIsFairseqs(long update, double rate)
        => Assert.Equal((float)rate, new InverseSquareRootSchedule(5e-4f, 4000).At(update));

    [Fact]
    public void InverseSquareRootStartsWhereItIsTold() => Assert.Equal(0f, new InverseSquareRootSchedule(1, 10, initial: 0).At(0));

    [Theory]
    [InlineData(0, 0.1f)]
    [InlineData(4, 0.5f)]
    [InlineData(9, 1f)]
    [InlineData(10, 1f)]
    [InlineData(long.MaxValue, 1f)]
    public void FixedWarmsUpAsFairseq(long update, float rate) => Assert.Equal(rate, new FixedSchedule(1, 10).At(update));

    [Fact]
    public void FixedNeedsNoWarmup() => Assert.Equal(0.25f, new FixedSchedule(0.25f).At(0));

    [Fact]
    public void Refusals()
    {
        Refuses("InverseSquareRootSchedule: warmup must be at least 1, got 0.", () => new InverseSquareRootSchedule(1, 0));
        Refuses("InverseSquareRootSchedule: peak must be at least 0, got -1.", () => new InverseSquareRootSchedule(-1, 1));
        Refuses("InverseSquareRootSchedule: initial must be at least 0, got NaN.", () => new InverseSquareRootSchedule(1, 1, float.NaN));
        Refuses("FixedSchedule: rate must be at least 0, got Infinity.", () => new FixedSchedule(float.PositiveInfinity));
        Refuses("FixedSchedule: warmup must be at least 0, got -1.", () => new FixedSchedule(1, -1));

        static void Refuses(string message, Func<object> call) => Assert.Equal(message, Assert.Throws<ArgumentException>(call).Message);
    }
}
