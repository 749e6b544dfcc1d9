namespace CudaSeq.Kernels;

/// <summary>
/// Copies between the host and a device through a ring of pinned slots. Upwards the processor fills a slot and goes on, while the device copies it when the queue
/// comes to it; small copies share a slot, and a slot is filled again once its copies have run.
/// </summary>
internal sealed unsafe class CudaStaging(CudaContext context, CudaStream stream, string where) : IDisposable
{
    /// <summary>Bytes of a slot; larger copies take several.</summary>
    public const int SlotBytes = 1 << 20;

    private const int Slots = 8;
    private const int Alignment = 16;

    private readonly Slot?[] _ring = new Slot?[Slots];
    private readonly Lock _uploadGate = new();
    private readonly Lock _downloadGate = new();
    private Slot? _download;
    private int _present;
    private int _used;

    /// <summary>Queues a copy to the device; the source has been read on return.</summary>
    public void Upload(ReadOnlySpan<byte> source, ulong destination)
    {
        lock (_uploadGate)
        {
            while (!source.IsEmpty)
            {
                int count = Math.Min(source.Length, SlotBytes);
                var slot = Room(count);
                byte* place = slot.Memory.Pointer + _used;
                source[..count].CopyTo(new Span<byte>(place, count));
                CudaDriver.CopyFromHost(destination, place, (nuint)count, stream.Value).Check("cuMemcpyHtoDAsync_v2", where);
                _used += (count + Alignment - 1) / Alignment * Alignment;
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

        lock (_downloadGate)
        {
            var slot = _download ??= NewSlot();
            CudaDriver.CopyToHost(slot.Memory.Pointer, source, (nuint)destination.Length, stream.Value).Check("cuMemcpyDtoHAsync_v2", where);
            CudaDriver.EventRecord(slot.Copied.Value, stream.Value).Check("cuEventRecord", where);
            CudaDriver.EventSynchronize(slot.Copied.Value).Check("cuEventSynchronize", where);
            new ReadOnlySpan<byte>(slot.Memory.Pointer, destination.Length).CopyTo(destination);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var slot in _ring.Append(_download))
        {
            slot?.Copied.Dispose();
            slot?.Memory.Dispose();
        }
    }

    // The present slot where it has room, else the next one, once the device has copied what was in it.
    private Slot Room(int count)
    {
        if (_ring[_present] is { } present)
        {
            if (_used + count <= SlotBytes)
                return present;
            CudaDriver.EventRecord(present.Copied.Value, stream.Value).Check("cuEventRecord", where);
            _present = (_present + 1) % Slots;
            if (_ring[_present] is { } next)
                CudaDriver.EventSynchronize(next.Copied.Value).Check("cuEventSynchronize", where);
        }

        _used = 0;
        return _ring[_present] ??= NewSlot();
    }

    private Slot NewSlot() => new(CudaHostMemory.Allocate(context, SlotBytes, where), CudaEvent.Create(context, where));

    private sealed record Slot(CudaHostMemory Memory, CudaEvent Copied);
}
