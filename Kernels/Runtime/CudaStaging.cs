namespace CudaSeq.Kernels;

/// <summary>
/// Copies between the host and a device through a ring of pinned slots. Upwards the processor fills a slot and goes on, while the device copies it when the queue
/// comes to it; a slot is filled again once its copy has run.
/// </summary>
internal sealed unsafe class CudaStaging(CudaContext context, CudaStream stream, string where) : IDisposable
{
    /// <summary>Bytes of a slot; larger copies take several.</summary>
    public const int SlotBytes = 1 << 20;

    private const int Slots = 8;

    private readonly Slot?[] _ring = new Slot?[Slots];
    private readonly Lock _gate = new();
    private int _next;

    /// <summary>Queues a copy to the device; the source has been read on return.</summary>
    public void Upload(ReadOnlySpan<byte> source, ulong destination)
    {
        lock (_gate)
        {
            while (!source.IsEmpty)
            {
                int count = Math.Min(source.Length, SlotBytes);
                var slot = Next();
                source[..count].CopyTo(new Span<byte>(slot.Memory.Pointer, SlotBytes));
                CudaDriver.CopyFromHost(destination, slot.Memory.Pointer, (nuint)count, stream.Value).Check("cuMemcpyHtoDAsync_v2", where);
                CudaDriver.EventRecord(slot.Copied.Value, stream.Value).Check("cuEventRecord", where);
                source = source[count..];
                destination += (ulong)count;
            }
        }
    }

    /// <summary>Copies from the device; waits for the queue.</summary>
    public void Download(ulong source, Span<byte> destination)
    {
        // A large copy takes longer than what the driver adds by pinning its own way.
        if (destination.Length > SlotBytes)
        {
            fixed (byte* p = destination)
            {
                CudaDriver.CopyToHost(p, source, (nuint)destination.Length, stream.Value).Check("cuMemcpyDtoHAsync_v2", where);
                CudaDriver.StreamSynchronize(stream.Value).Check("cuStreamSynchronize", where);
            }

            return;
        }

        lock (_gate)
        {
            var slot = Next();
            CudaDriver.CopyToHost(slot.Memory.Pointer, source, (nuint)destination.Length, stream.Value).Check("cuMemcpyDtoHAsync_v2", where);
            CudaDriver.EventRecord(slot.Copied.Value, stream.Value).Check("cuEventRecord", where);
            CudaDriver.EventSynchronize(slot.Copied.Value).Check("cuEventSynchronize", where);
            new ReadOnlySpan<byte>(slot.Memory.Pointer, destination.Length).CopyTo(destination);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var slot in _ring)
        {
            slot?.Copied.Dispose();
            slot?.Memory.Dispose();
        }
    }

    private Slot Next()
    {
        ref var slot = ref _ring[_next];
        _next = (_next + 1) % Slots;
        if (slot is null)
            return slot = new Slot(CudaHostMemory.Allocate(context, SlotBytes, where), CudaEvent.Create(context, where));
        CudaDriver.EventSynchronize(slot.Copied.Value).Check("cuEventSynchronize", where);
        return slot;
    }

    private sealed record Slot(CudaHostMemory Memory, CudaEvent Copied);
}
