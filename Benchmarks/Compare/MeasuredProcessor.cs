using CudaSeq.Kernels;

namespace CudaSeq.Benchmarks;

/// <summary>A processor: by the clock on the wall, beside its multiply-adds and its memory.</summary>
internal sealed class MeasuredProcessor : MeasuredDevice
{
    private readonly CpuDevice _cpu;
    private readonly MemoryCeiling _memory;
    private readonly bool _smoke;

    /// <param name="cpu">The device, which it owns.</param>
    /// <param name="smoke">Whether ceilings of the start will do.</param>
    public MeasuredProcessor(CpuDevice cpu, bool smoke)
    {
        _cpu = cpu;
        _smoke = smoke;
        Machine = ProcessorCeilings.Measure(cpu, smoke ? 1 : ProcessorCeilings.Tries);
        _memory = new MemoryCeiling(cpu);
    }

    /// <inheritdoc/>
    public override Device Device => _cpu;

    /// <inheritdoc/>
    public override MachineCeilings Machine { get; }

    /// <inheritdoc/>
    public override double Sample(Action call, int repetitions) => QuickRun.Sample(call, Clock.Wall, repetitions);

    /// <inheritdoc/>
    public override double Ceiling(Work work, bool bound) => _smoke ? (bound ? Machine.Copy : Machine.Flops)
        : Enumerable.Range(0, 3).Max(_ => bound ? _memory.Copy() : Ceilings.FmaPeak(_cpu, Clock.Wall, 5));

    /// <summary>Neither the ceiling's arrays nor what the cases before it left in the pool and on the heap is resident for a model's sake.</summary>
    public override void Trim()
    {
        _memory.Dispose();
        _cpu.TrimCache();
        ResidentSet.Trim();
    }

    /// <inheritdoc/>
    public override void ResetPeak() => ResidentSet.Reset();

    /// <inheritdoc/>
    public override long? PeakBytes() => ResidentSet.Peak();

    /// <inheritdoc/>
    public override void Dispose()
    {
        _memory.Dispose();
        _cpu.Dispose();
    }
}
