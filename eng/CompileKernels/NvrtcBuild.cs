using System.Runtime.InteropServices;
using CudaSeq.Kernels;

namespace CudaSeq.CompileKernels;

/// <summary>NVRTC and nvFatbin from the folder that eng/get-cuda-compiler.sh fills.</summary>
internal sealed unsafe class NvrtcBuild : IKernelCompiler
{
    private readonly string _source;
    private readonly NvrtcCompiler _compiler;
    private readonly delegate* unmanaged<int, byte*> _errorString;
    private readonly delegate* unmanaged<nint*, byte**, nuint, int> _create;
    private readonly delegate* unmanaged<nint*, int> _destroy;
    private readonly delegate* unmanaged<nint, byte*, nuint, byte*, byte*, int> _addCubin;
    private readonly delegate* unmanaged<nint, byte*, nuint, byte*, byte*, byte*, int> _addPtx;
    private readonly delegate* unmanaged<nint, nuint*, int> _size;
    private readonly delegate* unmanaged<nint, byte*, int> _get;

    private NvrtcBuild(string folder, string source)
    {
        _source = source;
        // NVRTC asks for its second half by its bare name, which the loader answers with what is loaded already.
        NativeLibrary.Load(Library(folder, "libnvrtc-builtins.so.*")!);
        _compiler = new NvrtcCompiler(NativeLibrary.Load(Library(folder, "libnvrtc.so.*")!));
        nint fatbin = NativeLibrary.Load(Library(folder, "libnvfatbin.so.*")!);
        _errorString = (delegate* unmanaged<int, byte*>)NativeLibrary.GetExport(fatbin, "nvFatbinGetErrorString");
        _create = (delegate* unmanaged<nint*, byte**, nuint, int>)NativeLibrary.GetExport(fatbin, "nvFatbinCreate");
        _destroy = (delegate* unmanaged<nint*, int>)NativeLibrary.GetExport(fatbin, "nvFatbinDestroy");
        _addCubin = (delegate* unmanaged<nint, byte*, nuint, byte*, byte*, int>)NativeLibrary.GetExport(fatbin, "nvFatbinAddCubin");
        _addPtx = (delegate* unmanaged<nint, byte*, nuint, byte*, byte*, byte*, int>)NativeLibrary.GetExport(fatbin, "nvFatbinAddPTX");
        _size = (delegate* unmanaged<nint, nuint*, int>)NativeLibrary.GetExport(fatbin, "nvFatbinSize");
        _get = (delegate* unmanaged<nint, byte*, int>)NativeLibrary.GetExport(fatbin, "nvFatbinGet");
    }

    public string Name => $"NVRTC {_compiler.Version}";

    /// <summary>The compiler in a folder; null where the folder does not hold it.</summary>
    /// <param name="folder">Of libnvrtc, libnvrtc-builtins and libnvfatbin.</param>
    /// <param name="source">The text of all kernels.</param>
    public static NvrtcBuild? Find(string folder, string source)
        => Directory.Exists(folder) && ((string[])["libnvrtc-builtins.so.*", "libnvrtc.so.*", "libnvfatbin.so.*"]).All(p => Library(folder, p) is not null)
            ? new(folder, source)
            : null;

    public CompiledKernels Compile(string architecture)
    {
        try
        {
            byte[] code = _compiler.Compile(_source, KernelSource.Unit, architecture, ["--ptxas-options=-v"], out string messages);
            return new(architecture, code, messages);
        }
        catch (CudaException e)
        {
            throw new BuildException(e.Message);
        }
    }

    public byte[] Pack(IReadOnlyList<CompiledKernels> parts)
    {
        nint fatbin = 0;
        // Else only PTX is compressed; machine code shrinks to a third too.
        fixed (byte* wide = "-64\0"u8, small = "-compress-all\0"u8)
        {
            byte** options = stackalloc byte*[] { wide, small };
            Check(_create(&fatbin, options, 2), "nvFatbinCreate");
        }

        try
        {
            foreach (var part in parts)
                Add(fatbin, part);
            nuint size = 0;
            Check(_size(fatbin, &size), "nvFatbinSize");
            var image = new byte[(int)size];
            fixed (byte* to = image)
                Check(_get(fatbin, to), "nvFatbinGet");
            return image;
        }
        finally
        {
            _ = _destroy(&fatbin);
        }
    }

    private void Add(nint fatbin, CompiledKernels part)
    {
        nint number = Marshal.StringToCoTaskMemUTF8(part.Number);
        try
        {
            fixed (byte* code = part.Code, name = "NativeKernels\0"u8, none = "\0"u8)
            {
                Check(
                    part.IsPtx
                        ? _addPtx(fatbin, code, (nuint)part.Code.Length, (byte*)number, name, none)
                        : _addCubin(fatbin, code, (nuint)part.Code.Length, (byte*)number, name),
                    $"nvFatbinAdd for {part.Architecture}");
            }
        }
        finally
        {
            Marshal.FreeCoTaskMem(number);
        }
    }

    private static string? Library(string folder, string pattern) => Directory.GetFiles(folder, pattern).Order(StringComparer.Ordinal).FirstOrDefault();

    private void Check(int result, string call)
    {
        if (result != 0)
            throw new BuildException($"{call}: {Marshal.PtrToStringUTF8((nint)_errorString(result))} ({result}).");
    }
}
