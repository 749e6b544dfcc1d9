using System.Runtime.InteropServices;

namespace CudaSeq.Kernels;

/// <summary>
/// One argument of a launch, in the order of the kernel's parameters: at most 8 bytes, the lowest first, as CUDA reads them. The type in C# decides the size, so
/// that an int is 4 bytes and a long 8; a mismatch with the kernel is found by the check that debug builds and tests make.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly struct KernelArgument
{
    private KernelArgument(ulong bits, int size)
    {
        Bits = bits;
        Size = size;
    }

    /// <summary>The value. First of the fields: a launch passes the address of the whole as that of the value.</summary>
    public readonly ulong Bits;

    /// <summary>Bytes of it that count, 4 or 8.</summary>
    public readonly int Size;

    /// <summary>The device address of the first element.</summary>
    public static implicit operator KernelArgument(DeviceSpan value) => new(value.Address, sizeof(ulong));

    /// <summary>The device address of the first element, 0 where there is no span.</summary>
    public static implicit operator KernelArgument(DeviceSpan? value) => new(value is { } span ? span.Address : 0, sizeof(ulong));

    public static implicit operator KernelArgument(int value) => new((uint)value, sizeof(int));

    public static implicit operator KernelArgument(uint value) => new(value, sizeof(uint));

    public static implicit operator KernelArgument(long value) => new((ulong)value, sizeof(long));

    public static implicit operator KernelArgument(ulong value) => new(value, sizeof(ulong));

    public static implicit operator KernelArgument(float value) => new(BitConverter.SingleToUInt32Bits(value), sizeof(float));

    public static implicit operator KernelArgument(double value) => new(BitConverter.DoubleToUInt64Bits(value), sizeof(double));
}
