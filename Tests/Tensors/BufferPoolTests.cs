using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

public sealed unsafe class BufferPoolTests
{
    [Fact]
    public void SizeClassesHoldTheRequestWithLittleSlack()
    {
        var random = new Random(1);
        long previous = 0;
        for (long bytes = 1; bytes < 1L << 40; bytes += 1 + random.NextInt64(Math.Max(2, bytes / 50)))
        {
            long size = BufferPool.SizeClass(bytes);
            Assert.True(size >= bytes && size % 64 == 0 && (size <= 128 + (bytes * 5 / 4)), $"{bytes} bytes in a class of {size}");
            Assert.True(size >= previous, $"classes must not shrink, got {size} behind {previous}");
            Assert.Equal(size, BufferPool.SizeClass(size));
            previous = size;
        }
    }

    [Fact]
    public void WhatCameBackIsUsedAgain()
    {
        using var cpu = new CpuDevice(1);
        for (int round = 0; round < 5; round++)
        {
            using var scope = TensorScope.Begin();
            for (int n = 1; n < 2000; n += 37)
                _ = Tensor.Zeros(cpu, [n]);
            if (round > 0)
                continue;
        }

        long allocations = cpu.Allocations;
        using (TensorScope.Begin())
        {
            for (int n = 1; n < 2000; n += 37)
                _ = Tensor.Zeros(cpu, [n]);
        }

        Assert.Equal(allocations, cpu.Allocations);
        Assert.Equal(0, cpu.LiveBytes);
        Assert.True(cpu.HeldBytes > 0);
        cpu.TrimCache();
        Assert.Equal(0, cpu.HeldBytes);
    }

    [Fact]
    public void BuffersAreAlignedAndDoNotOverlap()
    {
        using var cpu = new CpuDevice(1, null, guards: true);
        var random = new Random(5);
        var live = new List<DeviceBuffer>();
        for (int round = 0; round < 3000; round++)
        {
            if (live.Count > 40)
            {
                int i = random.Next(live.Count);
                Assert.True(new ReadOnlySpan<byte>(live[i].Pointer, (int)live[i].Bytes).IndexOfAnyExcept((byte)live[i].Bytes) < 0, "someone wrote into a live buffer");
                live[i].Release();
                live.RemoveAt(i);
            }

            var buffer = cpu.Rent(1 + random.Next(1 << random.Next(16)));
            Assert.Equal(0, (long)buffer.Pointer % 64);
            new Span<byte>(buffer.Pointer, (int)buffer.Bytes).Fill((byte)buffer.Bytes);
            live.Add(buffer);
        }

        foreach (var buffer in live)
            buffer.Release();
        Assert.Equal(0, cpu.LiveBytes);
    }

    [Fact]
    public void GuardsSeeAWriteOutside()
    {
        using var cpu = new CpuDevice(1, null, guards: true);
        var after = cpu.Rent(100);
        ((byte*)after.Pointer)[100] = 1;
        Assert.Equal("A kernel wrote 0 bytes past the end of a buffer of 100 bytes.", Assert.Throws<InvalidOperationException>(after.Release).Message);
        var before = cpu.Rent(100);
        ((byte*)before.Pointer)[-3] = 1;
        Assert.Equal("A kernel wrote 3 bytes before a buffer of 100 bytes.", Assert.Throws<InvalidOperationException>(before.Release).Message);
    }

    [Fact]
    public void GuardedBuffersStartAsNaN()
    {
        using var cpu = new CpuDevice(1, null, guards: true);
        var buffer = cpu.Rent(400);
        Assert.All(new ReadOnlySpan<float>(buffer.Pointer, 100).ToArray(), v => Assert.True(float.IsNaN(v)));
        buffer.Release();
    }

    [Fact]
    public void SeveralThreadsMayRentAtOnce()
    {
        using var cpu = new CpuDevice(1);
        Parallel.For(0, 8, new ParallelOptions { MaxDegreeOfParallelism = 8 }, seed =>
        {
            var random = new Random(seed);
            for (int round = 0; round < 5000; round++)
            {
                var buffer = cpu.Rent(8 + random.Next(5000));
                *(int*)buffer.Pointer = seed;
                buffer.AddReference();
                buffer.Release();
                Assert.Equal(seed, *(int*)buffer.Pointer);
                buffer.Release();
            }
        });
        Assert.Equal(0, cpu.LiveBytes);
    }

    [Fact]
    public void ADisposedDeviceGivesNothingMore()
    {
        var cpu = new CpuDevice(2);
        var x = Tensor.Zeros(cpu, [10]);
        cpu.Dispose();
        cpu.Dispose();
        Assert.Equal(0, cpu.HeldBytes);
        Assert.Throws<ObjectDisposedException>(() => Tensor.Zeros(cpu, [10]));
        x.Dispose();
    }

    [Fact]
    public void WhatCannotBeHadIsAnOutOfMemoryExceptionThatSaysHowMuch()
    {
        using var cpu = new CpuDevice(1);
        var error = Assert.Throws<OutOfMemoryException>(() => Tensor.Zeros(cpu, [1 << 20, 1 << 20]));
        Assert.Matches("^cpu: out of memory, asked for [0-9,]+ bytes with 0 bytes live and 0 cached, now freed, of 0 held\\.$", error.Message);
        Assert.Equal(0, cpu.LiveBytes);
    }
}
