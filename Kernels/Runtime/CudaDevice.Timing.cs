namespace CudaSeq.Kernels;

internal sealed partial class CudaDevice
{
    /// <summary>A mark that notes the device's time when the queue reaches it. The caller disposes it.</summary>
    public CudaEvent CreateMark() => CudaEvent.Create(_context, Description, timed: true);

    /// <summary>Puts a mark behind all that is queued so far; a mark may be put again.</summary>
    public void Record(CudaEvent mark)
    {
        Enter();
        CudaDriver.EventRecord(mark.Value, _stream.Value).Check("cuEventRecord", Description);
    }

    /// <summary>Waits until the later mark is reached.</summary>
    /// <returns>Seconds from one mark to the other by the device's own clock.</returns>
    /// <exception cref="CudaException">A kernel failed, or a mark was never put anywhere.</exception>
    public double SecondsBetween(CudaEvent earlier, CudaEvent later)
    {
        Enter();
        CudaDriver.EventSynchronize(later.Value).Check("cuEventSynchronize", Description);
        CudaDriver.EventElapsedTime(earlier.Value, later.Value, out float milliseconds).Check("cuEventElapsedTime", Description);
        return milliseconds / 1e3;
    }
}
