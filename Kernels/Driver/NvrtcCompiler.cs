using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace CudaSeq.Kernels;

/// <summary>
/// NVIDIA's run-time compiler: CUDA C++ text in, machine code out, without headers or a host compiler. Only for devices whose kernels were not compiled when the
/// assembly was built.
/// </summary>
internal sealed unsafe class NvrtcCompiler
{
    private const int Success = 0;
    private const int CompilationError = 6;

    private readonly delegate* unmanaged<int, byte*> _errorString;
    private readonly delegate* unmanaged<nint*, byte*, byte*, int, byte**, byte**, int> _create;
    private readonly delegate* unmanaged<nint*, int> _destroy;
    private readonly delegate* unmanaged<nint, int, byte**, int> _compile;
    private readonly delegate* unmanaged<nint, nuint*, int> _logSize;
    private readonly delegate* unmanaged<nint, byte*, int> _log;
    private readonly delegate* unmanaged<nint, nuint*, int> _cubinSize;
    private readonly delegate* unmanaged<nint, byte*, int> _cubin;
    private readonly delegate* unmanaged<nint, nuint*, int> _ptxSize;
    private readonly delegate* unmanaged<nint, byte*, int> _ptx;

    /// <summary>Binds a loaded libnvrtc.</summary>
    /// <exception cref="EntryPointNotFoundException">It is older than 11.2.</exception>
    public NvrtcCompiler(nint library)
    {
        _errorString = (delegate* unmanaged<int, byte*>)NativeLibrary.GetExport(library, "nvrtcGetErrorString");
        _create = (delegate* unmanaged<nint*, byte*, byte*, int, byte**, byte**, int>)NativeLibrary.GetExport(library, "nvrtcCreateProgram");
        _destroy = (delegate* unmanaged<nint*, int>)NativeLibrary.GetExport(library, "nvrtcDestroyProgram");
        _compile = (delegate* unmanaged<nint, int, byte**, int>)NativeLibrary.GetExport(library, "nvrtcCompileProgram");
        _logSize = (delegate* unmanaged<nint, nuint*, int>)NativeLibrary.GetExport(library, "nvrtcGetProgramLogSize");
        _log = (delegate* unmanaged<nint, byte*, int>)NativeLibrary.GetExport(library, "nvrtcGetProgramLog");
        _cubinSize = (delegate* unmanaged<nint, nuint*, int>)NativeLibrary.GetExport(library, "nvrtcGetCUBINSize");
        _cubin = (delegate* unmanaged<nint, byte*, int>)NativeLibrary.GetExport(library, "nvrtcGetCUBIN");
        _ptxSize = (delegate* unmanaged<nint, nuint*, int>)NativeLibrary.GetExport(library, "nvrtcGetPTXSize");
        _ptx = (delegate* unmanaged<nint, byte*, int>)NativeLibrary.GetExport(library, "nvrtcGetPTX");
        var version = (delegate* unmanaged<int*, int*, int>)NativeLibrary.GetExport(library, "nvrtcVersion");
        var count = (delegate* unmanaged<int*, int>)NativeLibrary.GetExport(library, "nvrtcGetNumSupportedArchs");
        var list = (delegate* unmanaged<int*, int>)NativeLibrary.GetExport(library, "nvrtcGetSupportedArchs");
        int major = 0, minor = 0, number = 0;
        Check(version(&major, &minor), "nvrtcVersion");
        Check(count(&number), "nvrtcGetNumSupportedArchs");
        var supported = new int[Math.Max(1, number)];
        fixed (int* p = supported)
            Check(list(p), "nvrtcGetSupportedArchs");
        Version = new Version(major, minor);
        Supported = supported[..number];
    }

    /// <summary>For example 12.4.</summary>
    public Version Version { get; }

    /// <summary>The compute capabilities it makes code for, 90 for 9.0.</summary>
    public IReadOnlyList<int> Supported { get; }

    /// <summary>How every kernel is compiled, besides the architecture. No fast mathematics: an exp is expf unless the kernel says otherwise.</summary>
    public static IReadOnlyList<string> Options { get; } = ["--std=c++17", "-default-device", "--fmad=true"];

    /// <summary>
    /// What to compile for: the device's own machine code where the compiler knows the device, with the instructions that only this chip has, else the newest PTX
    /// that the device can still run, which the driver then finishes.
    /// </summary>
    /// <param name="computeCapability">90 for 9.0.</param>
    /// <param name="supported">What the compiler knows.</param>
    /// <param name="version">The compiler's version.</param>
    /// <exception cref="CudaException">The device is older than all that it knows.</exception>
    public static string Architecture(int computeCapability, IReadOnlyList<int> supported, Version version)
    {
        // The a of sm_90a came with 12.0.
        if (supported.Contains(computeCapability))
            return string.Create(CultureInfo.InvariantCulture, $"sm_{computeCapability}{(computeCapability == 90 && version.Major >= 12 ? "a" : "")}");
        int[] older = [.. supported.Where(s => s < computeCapability)];
        return older.Length > 0
            ? string.Create(CultureInfo.InvariantCulture, $"compute_{older.Max()}")
            : throw new CudaException(
                $"NVRTC {version}: must know compute capability {computeCapability / 10}.{computeCapability % 10}, knows {string.Join(", ", supported)}.");
    }

    /// <summary>Compiles.</summary>
    /// <param name="source">CUDA C++.</param>
    /// <param name="name">What messages call it.</param>
    /// <param name="architecture">sm_90a for machine code, compute_90 for PTX.</param>
    /// <exception cref="CudaException">It does not compile; with the compiler's messages.</exception>
    public byte[] Compile(string source, string name, string architecture) => Compile(source, name, architecture, [], out _);

    /// <summary>Compiles with more options, and hands over what the compiler said.</summary>
    /// <param name="source">CUDA C++.</param>
    /// <param name="name">What messages call it.</param>
    /// <param name="architecture">sm_90a for machine code, compute_90 for PTX.</param>
    /// <param name="more">Options besides <see cref="Options"/>.</param>
    /// <param name="messages">Warnings, and whatever the options ask it to say.</param>
    /// <exception cref="CudaException">It does not compile; with the compiler's messages.</exception>
    public byte[] Compile(string source, string name, string architecture, IReadOnlyList<string> more, out string messages)
    {
        nint program = 0;
        using var texts = new NativeTexts();
        Check(_create(&program, texts.Add(source), texts.Add(name), 0, null, null), "nvrtcCreateProgram");
        try
        {
            string[] options = [.. Options, $"--gpu-architecture={architecture}", .. more];
            byte** pointers = stackalloc byte*[options.Length];
            for (int i = 0; i < options.Length; i++)
                pointers[i] = texts.Add(options[i]);
            int result = _compile(program, options.Length, pointers);
            if (result is not (Success or CompilationError))
                Check(result, "nvrtcCompileProgram");
            messages = Encoding.UTF8.GetString(Read(program, _logSize, _log, "nvrtcGetProgramLog")).TrimEnd('\0', '\n');
            if (result == CompilationError)
                throw new CudaException($"NVRTC {Version}: {name} must compile for {architecture}, got:\n{messages}", result);
            return architecture.StartsWith("sm_", StringComparison.Ordinal)
                ? Read(program, _cubinSize, _cubin, "nvrtcGetCUBIN")
                : Read(program, _ptxSize, _ptx, "nvrtcGetPTX");
        }
        finally
        {
            _ = _destroy(&program);
        }
    }

    private byte[] Read(nint program, delegate* unmanaged<nint, nuint*, int> size, delegate* unmanaged<nint, byte*, int> content, string call)
    {
        nuint bytes = 0;
        Check(size(program, &bytes), $"{call}Size");
        var result = new byte[(int)bytes];
        fixed (byte* p = result)
            Check(content(program, p), call);
        return result;
    }

    private void Check(int result, string call)
    {
        if (result != Success)
            throw new CudaException($"{call}: {Marshal.PtrToStringUTF8((nint)_errorString(result))} ({result}).", result);
    }

    // Texts with a 0 behind them, outside of the collected heap, until the end of the call.
    private sealed class NativeTexts : IDisposable
    {
        private readonly List<nint> _pointers = [];

        public byte* Add(string text)
        {
            nint pointer = Marshal.StringToCoTaskMemUTF8(text);
            _pointers.Add(pointer);
            return (byte*)pointer;
        }

        public void Dispose() => _pointers.ForEach(Marshal.FreeCoTaskMem);
    }
}
