using System.Numerics;

namespace CudaSeq.Kernels;

/// <summary>
/// Memory of a device cached by size class (four classes an octave, so at most a quarter of a buffer is slack, and untouched slack of host memory is never
/// resident). With guards, every buffer lies between patterned zones that are checked when it comes back, and starts as NaN. On a device that works through a queue
/// a buffer may come back before the work that uses it has run: the next owner's work stands behind it in the same queue. One that keeps gives nothing back before it is
/// disposed: what is cached in it is used again by work that was written down.
/// </summary>
internal sealed unsafe class BufferPool(Device device, IBufferAllocator memory, bool guards, bool keeps = false)
{
    private const int SmallestClass = 64;
    private const int GuardBytes = 256;
    private const byte GuardPattern = 0xA5;
    private const int NamedBuffers = 5;

    private readonly Dictionary<long, Stack<DeviceBuffer>> _free = [];
    private readonly HashSet<DeviceBuffer> _live = [];
    private readonly Lock _gate = new();
    private long _liveBytes;
    private long _heldBytes;
    private long _allocations;
    private bool _disposed;

    public long LiveBytes => Volatile.Read(ref _liveBytes);

    public long HeldBytes => Volatile.Read(ref _heldBytes);

    public long Allocations => Volatile.Read(ref _allocations);

    public DeviceBuffer Rent(long bytes)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, device);
            long capacity = SizeClass(bytes);
            var buffer = TakeCached(capacity) ?? Allocate(bytes, capacity);
            buffer.Open(bytes);
            _live.Add(buffer);
            _liveBytes += buffer.Capacity;
            buffer.IsGuarded = guards && memory.CanView;
            if (guards)
                Poison(buffer);
            memory.Forget(buffer.Pointer, buffer.Bytes);
            return buffer;
        }
    }

    public void Return(DeviceBuffer buffer)
    {
        lock (_gate)
        {
            if (_disposed)
                return;
            _live.Remove(buffer);
            _liveBytes -= buffer.Capacity;
            if (buffer.IsGuarded && memory.CanView)
                CheckGuards(buffer);
            if (!_free.TryGetValue(buffer.Capacity, out var stack))
                _free.Add(buffer.Capacity, stack = new Stack<DeviceBuffer>());
            stack.Push(buffer);
        }
    }

    public void Trim()
    {
        lock (_gate)
        {
            if (_disposed)
                return;
            FreeCached();
            memory.Reclaim();
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            if (_disposed)
                return;
            FreeCached();
            foreach (var buffer in _live)
                Free(buffer);
            _live.Clear();
            _liveBytes = 0;
            _disposed = true;
        }
    }

    /// <summary>The capacity for a request: 64 bytes at least, then 4, 5, 6 or 7 eighths of a power of two.</summary>
    internal static long SizeClass(long bytes)
    {
        if (bytes <= SmallestClass)
            return SmallestClass;
        int exponent = 63 - BitOperations.LeadingZeroCount((ulong)(bytes - 1));
        long step = Math.Max(SmallestClass, 1L << Math.Max(0, exponent - 2));
        return (bytes + step - 1) / step * step;
    }

    // A cached buffer of up to twice the size serves too: batches come in many lengths, and each length would else need buffers of its own.
    private DeviceBuffer? TakeCached(long capacity)
    {
        for (long size = capacity; size <= 2 * capacity; size = SizeClass(size + 1))
        {
            if (_free.TryGetValue(size, out var stack) && stack.TryPop(out var buffer))
                return buffer;
        }

        return null;
    }

    private DeviceBuffer Allocate(long bytes, long capacity)
    {
        long size = capacity + (guards ? 2 * GuardBytes : 0);
        void* start = memory.Allocate(size);
        if (start is null)
        {
            // What is cached in other sizes may be what is missing here.
            long cached = keeps ? 0 : _heldBytes - _liveBytes;
            if (!keeps)
                FreeCached();
            memory.Reclaim();
            start = memory.Allocate(size);
            if (start is null)
                throw new OutOfMemoryException(Shortage(bytes, cached));
        }

        _heldBytes += size;
        _allocations++;
        return new DeviceBuffer(device, this, (byte*)start + (guards ? GuardBytes : 0), capacity);
    }

    private string Shortage(long bytes, long cached)
    {
        var largest = _live.OrderByDescending(b => b.Capacity).Take(NamedBuffers).Select(b => $"{b.Label ?? "scratch"} {b.Bytes:N0}").ToArray();
        return $"{device}: out of memory, asked for {bytes:N0} bytes with {_liveBytes:N0} bytes live and {cached:N0} cached, now freed, of {_liveBytes + cached:N0} held{memory.Spare()}."
            + (largest.Length > 0 ? $" The largest of {_live.Count:N0} live tensors, in bytes: {string.Join("; ", largest)}." : "");
    }

    private void FreeCached()
    {
        foreach (var stack in _free.Values)
        {
            while (stack.TryPop(out var buffer))
                Free(buffer);
        }
    }

    private void Free(DeviceBuffer buffer)
    {
        long size = buffer.Capacity + (guards ? 2 * GuardBytes : 0);
        memory.Free((byte*)buffer.Pointer - (guards ? GuardBytes : 0), size);
        _heldBytes -= size;
        buffer.Invalidate();
    }

    private void Poison(DeviceBuffer buffer)
    {
        var start = (byte*)buffer.Pointer;
        memory.Fill(start - GuardBytes, GuardBytes, GuardPattern);
        memory.Fill(start, buffer.Bytes, 0xFF);
        memory.Fill(start + buffer.Bytes, buffer.Capacity - buffer.Bytes + GuardBytes, GuardPattern);
    }

    private void CheckGuards(DeviceBuffer buffer)
    {
        var start = (byte*)buffer.Pointer;
        int low = memory.View(start - GuardBytes, GuardBytes).LastIndexOfAnyExcept(GuardPattern);
        if (low >= 0)
            throw new InvalidOperationException($"A kernel wrote {GuardBytes - low} bytes before a buffer of {buffer.Bytes} bytes.");
        int behind = (int)Math.Min(int.MaxValue, buffer.Capacity - buffer.Bytes + GuardBytes);
        int high = memory.View(start + buffer.Bytes, behind).IndexOfAnyExcept(GuardPattern);
        if (high >= 0)
            throw new InvalidOperationException($"A kernel wrote {high} bytes past the end of a buffer of {buffer.Bytes} bytes.");
    }
}
