namespace CudaSeq.Kernels;

/// <summary>What can be asked of a device; the numbers are CUDA's.</summary>
internal enum CudaDeviceAttribute
{
    MaxThreadsPerBlock = 1,
    MaxSharedMemoryPerBlock = 8,
    MultiprocessorCount = 16,
    L2CacheBytes = 38,
    ComputeCapabilityMajor = 75,
    ComputeCapabilityMinor = 76,
    MaxSharedMemoryPerBlockOptIn = 97,
    MemoryPoolsSupported = 115,
}

/// <summary>What can be asked of a loaded kernel, and set; the numbers are CUDA's.</summary>
internal enum CudaFunctionAttribute
{
    MaxThreadsPerBlock = 0,
    SharedBytes = 1,
    LocalBytes = 3,
    Registers = 4,
    MaxDynamicSharedBytes = 8,
}

/// <summary>What a capture forbids while it lasts; the numbers are CUDA's.</summary>
internal enum CudaCaptureMode
{
    Global = 0,

    /// <summary>Only this thread must keep from calls that could wait for the device.</summary>
    ThreadLocal = 1,
    Relaxed = 2,
}
