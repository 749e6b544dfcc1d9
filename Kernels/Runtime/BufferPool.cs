using System.Numerics;
using System.Runtime.InteropServices;

namespace CudaSeq.Kernels;

/// <summary>
/// Host memory cached by size class (four classes an octave, so at most a quarter of a buffer is slack, and untouched slack is never resident).
/// With guards, every buffer lies between patterned zones that are checked when it comes back, and starts as NaN.
/// </summary>
internal sealed unsafe class BufferPool(Device device, bool guards)
{
    private const int Alignment = 64;
    private const int GuardBytes = 256;
    private const byte GuardPattern = 0xA5;

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
            var buffer = TakeCached(capacity) ?? Allocate(capacity);
            buffer.Open(bytes);
            _live.Add(buffer);
            _liveBytes += buffer.Capacity;
            if (guards)
                Poison(buffer);
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
            if (guards)
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
            foreach (var stack in _free.Values)
            {
                while (stack.TryPop(out var buffer))
                    Free(buffer);
            }
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            if (_disposed)
                return;
            Trim();
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
        if (bytes <= Alignment)
            return Alignment;
        int exponent = 63 - BitOperations.LeadingZeroCount((ulong)(bytes - 1));
        long step = Math.Max(Alignment, 1L << Math.Max(0, exponent - 2));
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

    private DeviceBuffer Allocate(long capacity)
    {
        long size = capacity + (guards ? 2 * GuardBytes : 0);
        void* memory;
        try
        {
            memory = NativeMemory.AlignedAlloc((nuint)size, Alignment);
        }
        catch (OutOfMemoryException)
        {
            // What is cached in other sizes may be what is missing here.
            Trim();
            try
            {
                memory = NativeMemory.AlignedAlloc((nuint)size, Alignment);
            }
            catch (OutOfMemoryException e)
            {
                throw new OutOfMemoryException($"{device}: out of memory, asked for {capacity:N0} bytes with {_liveBytes:N0} bytes live.", e);
            }
        }

        _heldBytes += size;
        _allocations++;
        return new DeviceBuffer(device, (byte*)memory + (guards ? GuardBytes : 0), capacity);
    }

    private void Free(DeviceBuffer buffer)
    {
        NativeMemory.AlignedFree((byte*)buffer.Pointer - (guards ? GuardBytes : 0));
        _heldBytes -= buffer.Capacity + (guards ? 2 * GuardBytes : 0);
        buffer.Invalidate();
    }

    private static void Poison(DeviceBuffer buffer)
    {
        var start = (byte*)buffer.Pointer;
        NativeMemory.Fill(start - GuardBytes, GuardBytes, GuardPattern);
        NativeMemory.Fill(start, (nuint)buffer.Bytes, 0xFF);
        NativeMemory.Fill(start + buffer.Bytes, (nuint)(buffer.Capacity - buffer.Bytes + GuardBytes), GuardPattern);
    }

    private static void CheckGuards(DeviceBuffer buffer)
    {
        var start = (byte*)buffer.Pointer;
        var before = new ReadOnlySpan<byte>(start - GuardBytes, GuardBytes);
        var after = new ReadOnlySpan<byte>(start + buffer.Bytes, (int)Math.Min(int.MaxValue, buffer.Capacity - buffer.Bytes + GuardBytes));
        int low = before.LastIndexOfAnyExcept(GuardPattern);
        int high = after.IndexOfAnyExcept(GuardPattern);
        if (low >= 0)
            throw new InvalidOperationException($"A kernel wrote {GuardBytes - low} bytes before a buffer of {buffer.Bytes} bytes.");
        if (high >= 0)
            throw new InvalidOperationException($"A kernel wrote {high} bytes past the end of a buffer of {buffer.Bytes} bytes.");
    }
}
