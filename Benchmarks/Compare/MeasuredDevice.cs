using CudaSeq.Kernels;

namespace CudaSeq.Benchmarks;

/// <summary>Where ours is computed in a comparison, with its clock and its ceilings.</summary>
internal abstract class MeasuredDevice : IDisposable
{
    /// <summary>Where.</summary>
    public abstract Device Device { get; }

    /// <summary>What it can do at most, measured at the start.</summary>
    public abstract MachineCeilings Machine { get; }

    /// <summary>The same as numbers, for cases that are bound by the one or the other.</summary>
    public Ceilings Ceilings => new(Machine.Flops, Machine.Copy);

    /// <summary>Opens a device.</summary>
    /// <param name="options">Of the command line.</param>
    /// <param name="smoke">Whether nobody looks at times: ceilings are measured once.</param>
    /// <exception cref="OptionException">The device has no such options.</exception>
    /// <exception cref="CudaException">It is a GPU and cannot be had.</exception>
    public static MeasuredDevice Open(OptionList options, bool smoke)
    {
        if (options.Text("--device") is null or "cpu")
            return new MeasuredProcessor(new CpuDevice(options.Whole("--threads"), options.Choice<InstructionTier>("--tier")), smoke);
        string? processor = new[] { "--threads", "--tier" }.FirstOrDefault(o => options.Text(o) is not null);
        if (processor is not null)
            throw new OptionException($"compare: {processor} is about the processor, got --device {options.Text("--device")}.");
        var device = options.OpenDevice("--device");
        if (device is CudaDevice cuda)
            return new MeasuredGpu(cuda, smoke);
        device.Dispose();
        throw new OptionException($"compare: --device must be cpu, cuda or cuda:N, got {options.Text("--device")}.");
    }

    /// <summary>Seconds of a call, by the device's clock.</summary>
    /// <param name="call">Computes it; each time in a scope of its own.</param>
    /// <param name="repetitions">How many calls are timed as one.</param>
    public abstract double Sample(Action call, int repetitions);

    /// <summary>The ceiling beside a case, now: GFLOP/s, or GB/s where it is bound by memory.</summary>
    /// <param name="work">Of the case.</param>
    /// <param name="bound">Whether memory is what bounds it.</param>
    public abstract double Ceiling(Work work, bool bound);

    /// <summary>Gives back what ceilings and the cases before have left.</summary>
    public abstract void Trim();

    /// <summary>Lets <see cref="PeakBytes"/> begin anew.</summary>
    public virtual void ResetPeak()
    {
    }

    /// <summary>The most memory that was resident since; null where nobody counts it.</summary>
    public virtual long? PeakBytes() => null;

    /// <inheritdoc/>
    public abstract void Dispose();
}
