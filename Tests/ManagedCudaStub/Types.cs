using System;
using System.Runtime.InteropServices;

namespace ManagedCuda.BasicTypes
{
    public enum CUResult
    {
        Success = 0,
    }

    public enum CUInitializationFlags : uint
    {
        None = 0,
    }

    public enum CUDeviceAttribute
    {
    }

    public enum CUFunctionAttribute
    {
    }

    public enum CUJITOption
    {
        ErrorLogBuffer = 5,
        ErrorLogBufferSizeBytes = 6,
    }

    public enum CUMemHostAllocFlags
    {
        None = 0,
    }

    public enum CUStreamFlags : uint
    {
        None = 0,
        NonBlocking = 1,
    }

    public enum CUstreamCaptureMode
    {
    }

    public enum CUEventFlags
    {
        Default = 0,
        DisableTiming = 2,
    }

    public enum CUgraphInstantiate_flags : ulong
    {
        None = 0,
    }

    public enum cudaDataType
    {
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct CUdevice
    {
        public int Pointer;
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct CUcontext
    {
        public IntPtr Pointer;
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct CUmodule
    {
        public IntPtr Pointer;
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct CUfunction
    {
        public IntPtr Pointer;
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct CUstream
    {
        public IntPtr Pointer;
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct CUevent
    {
        public IntPtr Pointer;
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct CUgraph
    {
        public IntPtr Pointer;
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct CUgraphExec
    {
        public IntPtr Pointer;
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct CUmemoryPool
    {
        public IntPtr Pointer;
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct CUdeviceptr
    {
        public SizeT Pointer;
    }

    // The real one converts to and from more types; of these the compiler picks the same ones for our calls.
    [StructLayout(LayoutKind.Sequential)]
    public struct SizeT
    {
        private readonly UIntPtr _value;

        public SizeT(ulong value) => _value = new UIntPtr(value);

        public static implicit operator int(SizeT t) => (int)t._value.ToUInt32();

        public static implicit operator uint(SizeT t) => t._value.ToUInt32();

        public static implicit operator long(SizeT t) => (long)t._value.ToUInt64();

        public static implicit operator ulong(SizeT t) => t._value.ToUInt64();

        public static implicit operator UIntPtr(SizeT t) => t._value;

        public static implicit operator IntPtr(SizeT t) => (IntPtr)t._value.ToUInt64();

        public static implicit operator SizeT(int value) => new SizeT((ulong)value);

        public static implicit operator SizeT(uint value) => new SizeT(value);

        public static implicit operator SizeT(long value) => new SizeT((ulong)value);

        public static implicit operator SizeT(ulong value) => new SizeT(value);

        public static implicit operator SizeT(IntPtr value) => new SizeT((ulong)value);

        public static implicit operator SizeT(UIntPtr value) => new SizeT(value.ToUInt64());
    }
}
