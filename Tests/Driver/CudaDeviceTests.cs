using System.Runtime.InteropServices;
using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

/// <summary>What a device does besides its kernels, on a GPU or the emulator, whichever this process speaks to.</summary>
public sealed class CudaDeviceTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(1000)]
    [InlineData((CudaStaging.SlotBytes / 4) - 1)]
    [InlineData((CudaStaging.SlotBytes * 9 / 4) + 3)]
    public void WhatIsCopiedThereComesBack(int count)
    {
        using var cuda = TestDevices.OpenCuda();
        float[] values = [.. Enumerable.Range(0, count).Select(i => i + 0.5f)];
        var a = Rent(cuda, count);
        var b = Rent(cuda, count);
        CopyKernel.FromHost<float>(values, a);
        CopyKernel.Copy(a, b);
        FillKernel.Zero(a);
        var back = new float[count];
        CopyKernel.ToHost(b, back.AsSpan());
        Assert.Equal(values, back);
        CopyKernel.ToHost(a, back.AsSpan());
        Assert.All(back, v => Assert.Equal(0, v));
        Assert.Equal(count == 0 ? 0 : 2, cuda.HostReads);
        a.Buffer.Release();
        b.Buffer.Release();
        Assert.Equal(0, cuda.LiveBytes);
    }

    [Fact]
    public void PartsAreFilledAndNothingBesideThem()
    {
        using var cuda = TestDevices.OpenCuda();
        var whole = Rent(cuda, 100);
        FillKernel.Fill(whole, 1);
        FillKernel.Fill(whole with { Offset = 13, Length = 5 }, -2.5f);
        float[] values = Read(whole);
        for (int i = 0; i < values.Length; i++)
            Assert.Equal(i is >= 13 and < 18 ? -2.5f : 1, values[i]);
        whole.Buffer.Release();
    }

    [Fact]
    public void TheSourceOfACopyMayBeChangedAtOnce()
    {
        using var cuda = TestDevices.OpenCuda();
        var value = new float[4096];
        var targets = new DeviceSpan[40];
        for (int i = 0; i < targets.Length; i++)
        {
            targets[i] = Rent(cuda, value.Length);
            Array.Fill(value, i);
            CopyKernel.FromHost<float>(value, targets[i]);
        }

        for (int i = 0; i < targets.Length; i++)
            Assert.All(Read(targets[i]), v => Assert.Equal(i, v));
        foreach (var target in targets)
            target.Buffer.Release();
    }

    [Fact]
    public void BuffersAreAlignedAndKeptForTheNext()
    {
        using var cuda = TestDevices.OpenCuda();
        for (int round = 0; round < 3; round++)
        {
            var buffers = Enumerable.Range(1, 30).Select(i => cuda.Rent(i * 300)).ToArray();
            Assert.All(buffers, b => Assert.Equal(0ul, new DeviceSpan(b, 0, 1).Address % 256));
            foreach (var buffer in buffers)
                buffer.Release();
        }

        Assert.Equal(30, cuda.Allocations);
        Assert.True(cuda.HeldBytes > 0);
        cuda.TrimCache();
        Assert.Equal(0, cuda.HeldBytes);
    }

    [Fact]
    public void GuardsSeeAWriteOutside()
    {
        using var cuda = TestDevices.OpenCuda();
        var buffer = cuda.Rent(400);
        FillKernel.Zero(new DeviceSpan(buffer, 0, 101));
        Assert.Equal("A kernel wrote 0 bytes past the end of a buffer of 400 bytes.", Assert.Throws<InvalidOperationException>(buffer.Release).Message);
    }

    [Fact]
    public void WhatCannotBeHadSaysHowMuch()
    {
        using var cuda = TestDevices.OpenCuda();
        var held = cuda.Rent(4096);
        held.Label = "Linear";
        string message = Assert.Throws<OutOfMemoryException>(() => cuda.Rent(1L << 46)).Message;
        Assert.StartsWith("cuda:0: out of memory, asked for 70,368,744,177,664 bytes with 4,096 bytes live and ", message);
        Assert.Matches("; [0-9,]+ of the device's [0-9,]+ are free\\. The largest of 1 live tensors, in bytes: Linear 4,096\\.$", message);
        held.Release();
    }

    /// <summary>Asked, live, cached, held, what graphs hold, what is free, and the largest tensors by the ops that made them.</summary>
    [Fact]
    public void AFullDeviceSaysWhatFillsIt()
    {
        using var cuda = TestDevices.OpenCuda();
        using var outer = TensorScope.Begin();
        using var memory = new CudaGraphMemory(cuda);
        Tensor large = Tensor.Zeros(cuda, [1 << 18]), sum = Ops.Add(large.Rows(0, 256), large.Rows(0, 256));
        Tensor.Zeros(cuda, [1 << 17]).Dispose();
        string message = Assert.Throws<OutOfMemoryException>(() => cuda.Rent(1L << 46)).Message;
        Assert.Matches(
            @"^cuda:0: out of memory, asked for 70,368,744,177,664 bytes with 1,049,600 bytes live and 52[0-9],[0-9]{3} cached, now freed, of 1,57[0-9],[0-9]{3} held; graphs hold [0-9,]+; "
            + @"[0-9,]+ of the device's [0-9,]+ are free\. The largest of 2 live tensors, in bytes: Zeros 1,048,576; Add 1,024\.$",
            message);
        Assert.True(large.IsAlive && sum.IsAlive);
    }

    [Fact]
    public void AnUnknownKernelIsNamed()
    {
        using var cuda = TestDevices.OpenCuda();
        var kernel = new CudaKernel("test_no_such_kernel_f32");
        string message = Assert.Throws<CudaException>(() => cuda.Launch(kernel, new Dim3(1), new Dim3(32), 0)).Message;
        Assert.StartsWith($"cuModuleGetFunction of test_no_such_kernel_f32 on {cuda.Description}: CUDA_ERROR_NOT_FOUND (500)", message);
        cuda.Launch(kernel, new Dim3(1, 0), new Dim3(32), 0);
        Assert.Equal(0, cuda.KernelLaunches);
    }

    [Fact]
    public void CapturedWorkRunsAgainAndAgain()
    {
        using var cuda = TestDevices.OpenCuda();
        DeviceSpan a = Rent(cuda, 64), b = Rent(cuda, 64);
        FillKernel.Fill(a, 1);
        FillKernel.Fill(b, 0);
        using var memory = new CudaGraphMemory(cuda);
        cuda.BeginCapture(memory);
        CopyKernel.Copy(a, b);
        FillKernel.Fill(a, 2);
        Assert.Equal(
            "cuda:0: a capture must hold kernels, fills and copies on the device only, got a copy to the host.",
            Assert.Throws<CudaException>(() => CopyKernel.ToHost(a, new float[64].AsSpan())).Message);
        using (var graph = cuda.EndCapture(out _))
        {
            Assert.All(Read(b), v => Assert.Equal(0, v));
            cuda.Launch(graph, memory);
            Assert.All(Read(b), v => Assert.Equal(1, v));
            cuda.Launch(graph, memory);
            Assert.All(Read(b), v => Assert.Equal(2, v));
        }

        a.Buffer.Release();
        b.Buffer.Release();
    }

    [Fact]
    public void ADisposedDeviceGivesNothingMore()
    {
        var cuda = TestDevices.OpenCuda();
        var span = Rent(cuda, 10);
        cuda.Dispose();
        cuda.Dispose();
        Assert.Equal(0, cuda.HeldBytes);
        Assert.False(span.Buffer.IsOpen);
        Assert.Throws<ObjectDisposedException>(() => cuda.Rent(4));
        Assert.Throws<ObjectDisposedException>(cuda.Synchronize);
        Assert.Throws<ObjectDisposedException>(() => FillKernel.Zero(span));
        span.Buffer.Release();
        cuda.TrimCache();
    }

    [Fact]
    public void TwoDevicesShareAGpu()
    {
        using var first = TestDevices.OpenCuda();
        var span = Rent(first, 16);
        FillKernel.Fill(span, 3);
        using (var second = TestDevices.OpenCuda())
        {
            var other = Rent(second, 16);
            FillKernel.Fill(other, 4);
            Assert.All(Read(other), v => Assert.Equal(4, v));
            other.Buffer.Release();
        }

        Assert.All(Read(span), v => Assert.Equal(3, v));
        span.Buffer.Release();
    }

    [Fact]
    public void SeveralThreadsUseADevice()
    {
        using var cuda = TestDevices.OpenCuda();
        int failures = 0;
        var threads = Enumerable.Range(0, 4).Select(n => new Thread(() =>
        {
            for (int round = 0; round < 50; round++)
            {
                var span = Rent(cuda, 1000);
                FillKernel.Fill(span, (n * 100) + round);
                if (Read(span).Any(v => v != (n * 100) + round))
                    Interlocked.Increment(ref failures);
                span.Buffer.Release();
            }
        })).ToArray();
        foreach (var thread in threads)
            thread.Start();
        foreach (var thread in threads)
            thread.Join();
        Assert.Equal(0, failures);
        Assert.Equal(0, cuda.LiveBytes);
    }

    [Fact]
    public void MarksTellTheTimeBetweenThem()
    {
        using var cuda = TestDevices.OpenCuda();
        using CudaEvent first = cuda.CreateMark(), second = cuda.CreateMark(), third = cuda.CreateMark();
        var span = Rent(cuda, 1 << 16);
        cuda.Record(first);
        FillKernel.Fill(span, 1);
        cuda.Record(second);
        FillKernel.Fill(span, 2);
        cuda.Record(third);
        double all = cuda.SecondsBetween(first, third), part = cuda.SecondsBetween(first, second);
        Assert.InRange(part, 0, all);
        Assert.InRange(all, double.Epsilon, 60);
        span.Buffer.Release();
    }

    private static DeviceSpan Rent(CudaDevice cuda, int count) => new(cuda.Rent(Math.Max(1, count) * sizeof(float)), 0, count);

    private static float[] Read(DeviceSpan span)
    {
        var values = new float[span.Length];
        ((CudaDevice)span.Device).CopyToHost(span, MemoryMarshal.AsBytes(values.AsSpan()));
        return values;
    }
}
