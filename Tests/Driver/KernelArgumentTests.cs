using CudaSeq.Kernels;

namespace CudaSeq.Tests;

public sealed unsafe class KernelArgumentTests
{
    [Fact]
    public void ValuesHaveTheirBitsAndSizes()
    {
        Check(-2, 0xFFFF_FFFE, 4);
        Check(3_000_000_000u, 3_000_000_000, 4);
        Check(-2L, 0xFFFF_FFFF_FFFF_FFFE, 8);
        Check(ulong.MaxValue, ulong.MaxValue, 8);
        Check(1f, 0x3F80_0000, 4);
        Check(1d, 0x3FF0_0000_0000_0000, 8);
    }

    [Fact]
    public void SpansAreAddresses()
    {
        using var cpu = new CpuDevice(1);
        var buffer = cpu.Rent(400);
        var span = new DeviceSpan(buffer, 7, 3);
        Check(span, (ulong)buffer.Pointer + 28, 8);
        Check((DeviceSpan?)span, (ulong)buffer.Pointer + 28, 8);
        Check((DeviceSpan?)null, 0, 8);
        buffer.Release();
    }

    // CUDA is given the address of the argument as that of its value.
    [Fact]
    public void TheValueComesFirst()
    {
        KernelArgument argument = 0x1234_5678;
        Assert.Equal(0x1234_5678, *(int*)&argument);
        Assert.Equal(16, sizeof(KernelArgument));
    }

    [Fact]
    public void KernelsAreNumberedThrough()
    {
        CudaKernel first = new("test_first_f32"), second = new("test_second_f32");
        Assert.Equal(first.Id + 1, second.Id);
        Assert.Same(second, CudaKernel.All[second.Id]);
        Assert.Equal("test_second_f32", second.ToString());
    }

    [Fact]
    public void GridsSayWhetherThereIsWork()
    {
        Assert.False(new Dim3(3).IsEmpty);
        Assert.True(new Dim3(3, 0).IsEmpty);
        Assert.Equal("3 x 2 x 1", new Dim3(3, 2).ToString());
    }

    private static void Check(KernelArgument argument, ulong bits, int size) => Assert.Equal((bits, size), (argument.Bits, argument.Size));
}
