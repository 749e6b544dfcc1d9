using System.Runtime.InteropServices;

namespace CudaSeq.Kernels;

/// <summary>Where a <see cref="BufferPool"/> gets its memory. Called under the pool's lock, one call at a time.</summary>
internal unsafe interface IBufferAllocator
{
    /// <summary>New memory, aligned as the device wants it; null where there is not that much.</summary>
    void* Allocate(long bytes);

    /// <summary>Gives back what <see cref="Allocate"/> gave.</summary>
    void Free(void* memory, long bytes);

    /// <summary>Waits until what was freed can be allocated in another size.</summary>
    void Reclaim();

    /// <summary>Sets bytes to one value, after the work that is queued.</summary>
    void Fill(void* memory, long bytes, byte value);

    /// <summary>What memory holds is no longer of use; its next owner must not read it.</summary>
    void Forget(void* memory, long bytes);

    /// <summary>Whether <see cref="View"/> may be called: not while a device writes its work down instead of doing it.</summary>
    bool CanView { get; }

    /// <summary>What the bytes hold once the work that is queued is done; good until the next call.</summary>
    ReadOnlySpan<byte> View(void* memory, int bytes);

    /// <summary>What the device says of its free memory, for messages, with a leading separator; empty where it says nothing.</summary>
    string Spare();
}

/// <summary>Memory of this process.</summary>
internal sealed unsafe class HostAllocator : IBufferAllocator
{
    private const int Alignment = 64;

    public bool CanView => true;

    public void* Allocate(long bytes)
    {
        try
        {
            return NativeMemory.AlignedAlloc((nuint)bytes, Alignment);
        }
        catch (OutOfMemoryException)
        {
            return null;
        }
    }

    public void Free(void* memory, long bytes) => NativeMemory.AlignedFree(memory);

    public void Reclaim()
    {
    }

    public void Forget(void* memory, long bytes)
    {
    }

    public void Fill(void* memory, long bytes, byte value) => NativeMemory.Fill(memory, (nuint)bytes, value);

    public ReadOnlySpan<byte> View(void* memory, int bytes) => new(memory, bytes);

    public string Spare() => "";
}
