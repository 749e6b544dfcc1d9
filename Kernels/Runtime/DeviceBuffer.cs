namespace CudaSeq.Kernels;

/// <summary>A block of device memory, counted by the tensors that share it and returned to its pool by the last one.</summary>
internal sealed unsafe class DeviceBuffer
{
    private readonly BufferPool? _pool;
    private int _references;

    /// <param name="device">Where it is.</param>
    /// <param name="pool">Where it goes back to; null for memory that another buffer owns.</param>
    /// <param name="pointer">First byte.</param>
    /// <param name="capacity">Bytes.</param>
    public DeviceBuffer(Device device, BufferPool? pool, void* pointer, long capacity)
    {
        Device = device;
        _pool = pool;
        Pointer = pointer;
        Capacity = capacity;
    }

    public Device Device { get; }

    /// <summary>First byte, aligned to 64, to 256 on a GPU, where it is an address of the device; null once the device is disposed.</summary>
    public void* Pointer { get; private set; }

    /// <summary>Whether the memory is there: false once the device is disposed.</summary>
    public bool IsOpen => Pointer != null;

    /// <summary>Bytes that the pool reserved, at least <see cref="Bytes"/>.</summary>
    public long Capacity { get; }

    /// <summary>Bytes that the present owner asked for.</summary>
    public long Bytes { get; private set; }

    /// <summary>Whether the zones around it were filled, and not only written down to be filled, when the present owner got it.</summary>
    public bool IsGuarded { get; set; }

    /// <summary>What the present owner is called, for the list of what fills the memory; null for scratch.</summary>
    public string? Label { get; set; }

    /// <summary>
    /// Between what numbers all integers in the buffer are known to lie; null where nobody knows. Who knows spares the gates a look, which on a GPU is a wait for all
    /// that is queued.
    /// </summary>
    public IndexBounds? Bounds { get; set; }

    /// <summary>Grows whenever elements that somebody may have copied in another type or layout are overwritten.</summary>
    public long Version { get; private set; }

    /// <summary>How many tensors share this memory; 1 means the holder may overwrite it.</summary>
    public int References => Volatile.Read(ref _references);

    public void Open(long bytes)
    {
        Bytes = bytes;
        Label = null;
        Bounds = null;
        Volatile.Write(ref _references, 1);
    }

    /// <summary>Whether a pool rented it.</summary>
    public bool IsFrom(BufferPool pool) => ReferenceEquals(_pool, pool);

    /// <summary>The same memory under another count: whoever holds it must know that it is still there.</summary>
    public DeviceBuffer Alias()
    {
        var alias = new DeviceBuffer(Device, null, Pointer, Capacity);
        alias.Open(Bytes);
        return alias;
    }

    /// <summary>Says that elements were overwritten.</summary>
    public void Touch() => Version++;

    public void AddReference() => Interlocked.Increment(ref _references);

    public void Release()
    {
        if (Interlocked.Decrement(ref _references) == 0)
            _pool?.Return(this);
    }

    public void Invalidate() => Pointer = null;
}

/// <summary>A contiguous run of elements inside a <see cref="DeviceBuffer"/>: what a kernel receives for a tensor.</summary>
/// <param name="Buffer">The memory.</param>
/// <param name="Offset">First element, in elements.</param>
/// <param name="Length">Number of elements.</param>
/// <param name="Type">What an element is. Scratch memory of any 4 bytes calls itself Float32; on the CPU all elements are of 4 bytes.</param>
internal readonly unsafe record struct DeviceSpan(DeviceBuffer Buffer, long Offset, long Length, DType Type = DType.Float32)
{
    public Device Device => Buffer.Device;

    /// <summary>Bytes of all elements.</summary>
    public long Bytes => Length * Type.Size();

    /// <summary>Device address of the first element; only meaningful on a GPU.</summary>
    public ulong Address => (ulong)Buffer.Pointer + (ulong)(Offset * Type.Size());

    /// <summary>Host pointer to the first element; only meaningful on the CPU.</summary>
    public float* Floats => (float*)Buffer.Pointer + Offset;

    /// <summary>Host pointer to the first element; only meaningful on the CPU.</summary>
    public int* Ints => (int*)Buffer.Pointer + Offset;

    /// <summary>The device of this span as the CPU; kernels switch on the device's type before they ask.</summary>
    public CpuDevice Cpu => (CpuDevice)Buffer.Device;
}

/// <summary>Operands that a call may leave out.</summary>
internal static unsafe class OptionalSpans
{
    /// <summary>Host pointer to the first element, null where there is no span.</summary>
    public static float* FloatsOrNull(this DeviceSpan? span) => span is { } some ? some.Floats : null;

    /// <summary>Host pointer to the first element, null where there is no span.</summary>
    public static int* IntsOrNull(this DeviceSpan? span) => span is { } some ? some.Ints : null;
}
