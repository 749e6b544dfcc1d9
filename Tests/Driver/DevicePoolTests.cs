using CudaSeq.Kernels;

namespace CudaSeq.Tests;

public sealed unsafe class DevicePoolTests
{
    [Fact]
    public void AShortageSaysWhatIsAskedLiveCachedAndLargest()
    {
        using var cpu = new CpuDevice(1);
        var memory = new SmallMemory(4096);
        var pool = new BufferPool(cpu, memory, guards: false);
        var first = pool.Rent(1024);
        first.Label = "LightConv";
        var second = pool.Rent(2048);
        second.Label = "Linear";
        pool.Return(pool.Rent(500));
        Assert.Equal(
            "cpu: out of memory, asked for 2,000 bytes with 3,072 bytes live and 512 cached, now freed, of 3,584 held; 1,024 of 4,096 are free. "
                + "The largest of 2 live tensors, in bytes: Linear 2,048; LightConv 1,024.",
            Assert.Throws<OutOfMemoryException>(() => pool.Rent(2000)).Message);
        Assert.Equal(1, memory.Reclaimed);
        Assert.Equal(3072, pool.HeldBytes);
        pool.Dispose();
        Assert.Equal(0, memory.Used);
    }

    [Fact]
    public void WhatIsCachedMakesRoom()
    {
        using var cpu = new CpuDevice(1);
        var memory = new SmallMemory(4096);
        var pool = new BufferPool(cpu, memory, guards: false);
        pool.Return(pool.Rent(1024));
        pool.Return(pool.Rent(3072));
        var buffer = pool.Rent(4096);
        Assert.Equal((4096L, 1), (pool.HeldBytes, memory.Reclaimed));
        Assert.Null(buffer.Label);
        pool.Dispose();
    }

    [Fact]
    public void AnOwnersNameGoesWithIt()
    {
        using var cpu = new CpuDevice(1);
        var buffer = cpu.Rent(64);
        buffer.Label = "Linear";
        buffer.Release();
        var again = cpu.Rent(64);
        Assert.Same(buffer, again);
        Assert.Null(again.Label);
        again.Release();
    }

    private sealed class SmallMemory(long size) : IBufferAllocator
    {
        private readonly HostAllocator _host = new();

        public long Used { get; private set; }

        public int Reclaimed { get; private set; }

        public bool CanView => true;

        public void* Allocate(long bytes)
        {
            if (Used + bytes > size)
                return null;
            Used += bytes;
            return _host.Allocate(bytes);
        }

        public void Free(void* memory, long bytes)
        {
            Used -= bytes;
            _host.Free(memory, bytes);
        }

        public void Reclaim() => Reclaimed++;

        public void Fill(void* memory, long bytes, byte value) => _host.Fill(memory, bytes, value);

        public void Forget(void* memory, long bytes)
        {
        }

        public ReadOnlySpan<byte> View(void* memory, int bytes) => _host.View(memory, bytes);

        public string Spare() => $"; {size - Used:N0} of {size:N0} are free";
    }
}
