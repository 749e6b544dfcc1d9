namespace CudaSeq.Kernels;

internal sealed unsafe partial class CudaDevice
{
    private long _hostReads;

    /// <summary>Copies from the device to the host since the device was opened.</summary>
    public long HostReads => Volatile.Read(ref _hostReads);

    /// <summary>Queues a copy from the host; the source may be changed on return.</summary>
    public void CopyFromHost(ReadOnlySpan<byte> source, DeviceSpan destination)
    {
        if (source.IsEmpty)
            return;
        Enter();
        RefuseWhileCapturing("a copy from the host");
        _staging.Upload(source, destination.Address);
        Settle("a copy from the host");
    }

    /// <summary>Waits for the work that is queued and copies to the host.</summary>
    /// <exception cref="CudaException">A kernel failed.</exception>
    public void CopyToHost(DeviceSpan source, Span<byte> destination)
    {
        if (destination.IsEmpty)
            return;
        Enter();
        RefuseWhileCapturing("a copy to the host");
        _staging.Download(source.Address, destination);
        Interlocked.Increment(ref _hostReads);
    }

    /// <summary>Queues a copy of as many elements as the source has, to elements of the same type; the two must not overlap.</summary>
    public void CopyOnDevice(DeviceSpan source, DeviceSpan destination)
    {
        if (source.Length == 0)
            return;
        Enter();
        CudaDriver.CopyOnDevice(destination.Address, source.Address, (nuint)source.Bytes, QueueOfThread.Value).Check("cuMemcpyDtoDAsync_v2", Description);
        Settle("a copy on the device");
    }

    /// <summary>Queues setting every element, of 4 bytes, to the same bits.</summary>
    public void Fill32(DeviceSpan destination, uint bits)
    {
        if (destination.Length == 0)
            return;
        Enter();
        CudaDriver.Fill32(destination.Address, bits, (nuint)destination.Length, QueueOfThread.Value).Check("cuMemsetD32Async", Description);
        Settle("a fill");
    }

    /// <summary>Queues setting every byte to zero.</summary>
    public void Zero(DeviceSpan destination)
    {
        if (destination.Length == 0)
            return;
        if (((ulong)destination.Bytes | destination.Address) % sizeof(uint) == 0)
        {
            Fill32(destination with { Length = destination.Bytes / sizeof(uint) }, 0);
            return;
        }

        Enter();
        CudaDriver.Fill8(destination.Address, 0, (nuint)destination.Bytes, QueueOfThread.Value).Check("cuMemsetD8Async", Description);
        Settle("a fill");
    }

    // Memory of the device: in the order of the stream where the driver has pools, so that neither renting nor freeing waits for the device; else plain.
    // `shortage` frees what others have cached.
    private sealed class CudaAllocator(CudaDevice device, nint pool, Action? shortage = null) : IBufferAllocator
    {
        private byte[] _copy = [];

        public bool CanView => !device.IsCapturing;

        public void* Allocate(long bytes)
        {
            device.Enter();
            ulong address;
            var result = pool != 0
                ? CudaDriver.MemoryAllocateAsync(out address, (nuint)bytes, device._stream.Value)
                : CudaDriver.MemoryAllocate(out address, (nuint)bytes);
            if (result == CudaResult.OutOfMemory)
                return null;
            result.Check(pool != 0 ? "cuMemAllocAsync" : "cuMemAlloc_v2", device.Description);
            return (void*)address;
        }

        // Also on the way out, after a fault that was reported when it was met: there is nothing more to say.
        public void Free(void* memory, long bytes)
        {
            if (device._context.TryMakeCurrent() == CudaResult.Success)
                _ = pool != 0 ? CudaDriver.MemoryFreeAsync((ulong)memory, device._stream.Value) : CudaDriver.MemoryFree((ulong)memory);
        }

        public void Reclaim()
        {
            shortage?.Invoke();
            device.Enter();
            CudaDriver.StreamSynchronize(device._stream.Value).Check("cuStreamSynchronize", device.Description);
            if (pool != 0)
                CudaDriver.MemoryPoolTrim(pool, 0).Check("cuMemPoolTrimTo", device.Description);
        }

        public void Fill(void* memory, long bytes, byte value)
        {
            if (bytes == 0)
                return;
            device.Enter();
            CudaDriver.Fill8((ulong)memory, value, (nuint)bytes, device.QueueOfThread.Value).Check("cuMemsetD8Async", device.Description);
        }

        public void Forget(void* memory, long bytes)
        {
            if (!device.IsCapturing)
                CudaDriver.Forget((ulong)memory, (nuint)bytes, device._stream.Value);
        }

        public ReadOnlySpan<byte> View(void* memory, int bytes)
        {
            device.Enter();
            if (_copy.Length < bytes)
                _copy = new byte[bytes];
            device._staging.Download((ulong)memory, _copy.AsSpan(0, bytes));
            return _copy.AsSpan(0, bytes);
        }

        public string Spare()
        {
            device.Enter();
            long held = device.OfGraphs(p => p.HeldBytes);
            string graphs = held > 0 ? $"; graphs hold {held:N0}" : "";
            return CudaDriver.MemoryInfo(out nuint free, out nuint total) == CudaResult.Success ? $"{graphs}; {free:N0} of the device's {total:N0} are free" : graphs;
        }
    }
}
