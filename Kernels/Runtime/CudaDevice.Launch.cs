using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace CudaSeq.Kernels;

internal sealed unsafe partial class CudaDevice
{
    private readonly Lock _loading = new();
    private CudaKernelModule? _module;
    private LoadedKernel?[] _kernels = [];

    /// <summary>Kernels that were launched since the device was opened, or written down to be launched; those of graphs that run do not count.</summary>
    public long KernelLaunches
    {
        get
        {
            long sum = 0;
            foreach (var kernel in Volatile.Read(ref _kernels))
                sum += kernel is null ? 0 : Volatile.Read(ref kernel.Launches);
            return sum;
        }
    }

    /// <summary>Where the loaded kernels come from; loads them if that has not happened.</summary>
    /// <exception cref="CudaException">They cannot be had.</exception>
    public string ImageOrigin
    {
        get
        {
            lock (_loading)
            {
                Enter();
                return Module().Origin;
            }
        }
    }

    /// <summary>How often one kernel was launched.</summary>
    public long LaunchesOf(CudaKernel kernel)
    {
        var kernels = Volatile.Read(ref _kernels);
        return kernel.Id < kernels.Length && kernels[kernel.Id] is { } loaded ? Volatile.Read(ref loaded.Launches) : 0;
    }

    /// <summary>Queues a kernel. Allocates nothing and does not wait.</summary>
    /// <param name="kernel">Which.</param>
    /// <param name="grid">Blocks; an empty grid has nothing to do and is not launched.</param>
    /// <param name="block">Threads a block.</param>
    /// <param name="sharedBytes">Dynamic shared memory a block, up to <see cref="MaxSharedBytes"/> less what the kernel has of its own.</param>
    /// <param name="arguments">In the order of the kernel's parameters.</param>
    /// <exception cref="CudaException">The driver refuses; or a kernel failed, this one or, without CUDASEQ_SYNC=1, one before it.</exception>
    [SkipLocalsInit]
    public void Launch(CudaKernel kernel, Dim3 grid, Dim3 block, int sharedBytes, params ReadOnlySpan<KernelArgument> arguments)
    {
        if (grid.IsEmpty)
            return;
        Enter();
        var loaded = Find(kernel);
        if (ChecksArguments)
            CheckArguments(kernel, loaded, arguments);
        if (sharedBytes > loaded.SharedLimit)
            RaiseSharedLimit(kernel, loaded, sharedBytes);
        CudaResult result;
        void** pointers = stackalloc void*[arguments.Length];
        fixed (KernelArgument* first = arguments)
        {
            for (int i = 0; i < arguments.Length; i++)
                pointers[i] = first + i;
            result = CudaDriver.LaunchKernel(loaded.Function, grid, block, sharedBytes, QueueOfThread.Value, pointers, arguments.Length);
        }

        if (result != CudaResult.Success)
            ThrowLaunch(result, kernel, grid, block, sharedBytes);
        Interlocked.Increment(ref loaded.Launches);
        if (_synchronous)
            Settle(Describe(kernel, grid, block, sharedBytes));
    }

    private static string Describe(CudaKernel kernel, Dim3 grid, Dim3 block, int sharedBytes)
        => $"{kernel} (grid {grid}, block {block}, {sharedBytes} bytes of dynamic shared memory)";

    [DoesNotReturn]
    private void ThrowLaunch(CudaResult result, CudaKernel kernel, Dim3 grid, Dim3 block, int sharedBytes)
        => throw new CudaException(result.Describe($"cuLaunchKernel of {Describe(kernel, grid, block, sharedBytes)}", Description), (int)result);

    private LoadedKernel Find(CudaKernel kernel)
    {
        var kernels = Volatile.Read(ref _kernels);
        return (uint)kernel.Id < (uint)kernels.Length && kernels[kernel.Id] is { } loaded ? loaded : Load(kernel);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private LoadedKernel Load(CudaKernel kernel)
    {
        lock (_loading)
        {
            if (kernel.Id < _kernels.Length && _kernels[kernel.Id] is { } present)
                return present;
            CudaDriver.ModuleFunction(Module().Value, kernel.Symbol, out nint function).Check($"cuModuleGetFunction of {kernel}", Description);
            CudaDriver.FunctionAttribute(function, CudaFunctionAttribute.SharedBytes, out int own).Check($"cuFuncGetAttribute of {kernel}", Description);
            var loaded = new LoadedKernel(function, own, Math.Max(0, DefaultSharedBytes - own), ChecksArguments ? ParameterSizes(function) : null);
            var kernels = _kernels;
            if (kernel.Id >= kernels.Length)
                Array.Resize(ref kernels, Math.Max(2 * kernels.Length, kernel.Id + 32));
            kernels[kernel.Id] = loaded;
            Volatile.Write(ref _kernels, kernels);
            return loaded;
        }
    }

    private CudaKernelModule Module() => _module ??= CudaKernelModule.Rent(_context, ComputeCapability, Description);

    private void RaiseSharedLimit(CudaKernel kernel, LoadedKernel loaded, int sharedBytes)
    {
        int most = MaxSharedBytes - loaded.OwnSharedBytes;
        if (sharedBytes > most)
            throw new CudaException($"{kernel}: shared memory must be at most {most} bytes a block on {Description}, got {sharedBytes}.");
        CudaDriver.FunctionSetAttribute(loaded.Function, CudaFunctionAttribute.MaxDynamicSharedBytes, most).Check($"cuFuncSetAttribute of {kernel}", Description);
        loaded.SharedLimit = most;
    }

    private static int[] ParameterSizes(nint function)
    {
        var sizes = new List<int>();
        while (CudaDriver.FunctionParameter(function, sizes.Count, out _, out nuint size) == CudaResult.Success)
            sizes.Add((int)size);
        return [.. sizes];
    }

    private static void CheckArguments(CudaKernel kernel, LoadedKernel loaded, ReadOnlySpan<KernelArgument> arguments)
    {
        if (loaded.ParameterSizes is not { } sizes)
            return;
        if (sizes.Length != arguments.Length)
            throw new CudaException($"{kernel}: the launch must pass {sizes.Length} arguments, got {arguments.Length}.");
        for (int i = 0; i < sizes.Length; i++)
        {
            if (sizes[i] != arguments[i].Size)
                throw new CudaException($"{kernel}: argument {i} of {sizes.Length} must have {sizes[i]} bytes, got {arguments[i].Size}.");
        }
    }

    // Function, and what a launch must know of it.
    private sealed class LoadedKernel(nint function, int ownSharedBytes, int sharedLimit, int[]? parameterSizes)
    {
        public readonly nint Function = function;
        public readonly int OwnSharedBytes = ownSharedBytes;
        public readonly int[]? ParameterSizes = parameterSizes;
        public int SharedLimit = sharedLimit;
        public long Launches;
    }
}
