using CudaSeq.Kernels;

namespace CudaSeq.Tests;

public sealed class CudaLibrariesTests : IDisposable
{
    private const nint Handle = 42;

    private readonly TemporaryFolder _folder = new();
    private readonly Dictionary<string, string> _variables = [];
    private readonly HashSet<string> _loadable = [];
    private readonly List<string> _loaded = [];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void WhoNamesAFileGetsThatOne()
    {
        string file = Put("mine/libcuda.so");
        _variables["CUDASEQ_CUDA_LIBRARY"] = file;
        _loadable.Add("libcuda.so.1");
        var search = Find(CudaLibrary.Driver);
        Assert.Equal(Handle, search.Handle);
        Assert.Equal(file, search.Path);
        AssertTried(search, new LibraryAttempt(file, "loaded"));
    }

    [Fact]
    public void ANamedFileThatIsNotThereIsAnErrorWhateverElseIsThere()
    {
        _variables["CUDASEQ_CUDA_LIBRARY"] = "/no/such/libcuda.so";
        _loadable.Add("libcuda.so.1");
        var search = Find(CudaLibrary.Driver);
        Assert.False(search.Found);
        Assert.Equal("libcuda cannot be loaded; tried CUDASEQ_CUDA_LIBRARY=/no/such/libcuda.so (there is no such file)", search.Failure);
    }

    [Fact]
    public void TheLoadersOwnNamesComeNext()
    {
        _loadable.Add("libcuda.so.1");
        var search = Find(CudaLibrary.Driver);
        Assert.Equal("libcuda.so.1", search.Path);
        AssertTried(search, new("CUDASEQ_CUDA_LIBRARY", "not set"), new("libcuda.so.1", "loaded"));
    }

    [Fact]
    public void ThenTheUsualFoldersAndEveryPlaceIsRemembered()
    {
        string broken = Put("usr/lib64/libcuda.so.1"), good = Put("usr/lib/wsl/lib/libcuda.so.1", loadable: true);
        Directory.CreateDirectory(_folder.PathOf("usr/local/nvidia/lib64"));
        var search = Find(CudaLibrary.Driver);
        Assert.Equal(good, search.Path);
        AssertTried(
            search,
            new("CUDASEQ_CUDA_LIBRARY", "not set"),
            new("libcuda.so.1", "cannot be opened"),
            new("libcuda.so", "cannot be opened"),
            new(_folder.PathOf("usr/lib/x86_64-linux-gnu"), "no such folder"),
            new(broken, "cannot be opened"),
            new(_folder.PathOf("usr/local/nvidia/lib64"), "no libcuda.so.1, libcuda.so"),
            new(_folder.PathOf("usr/lib64-nvidia"), "no such folder"),
            new(good, "loaded"));
    }

    [Fact]
    public void NoToolkitsStubPassesForTheDriver()
    {
        Put("usr/local/cuda/lib64/libcuda.so", loadable: true);
        Put("usr/local/cuda/lib64/stubs/libcuda.so", loadable: true);
        _variables["CUDA_PATH"] = _folder.PathOf("usr/local/cuda");
        Assert.False(Find(CudaLibrary.Driver).Found);
    }

    [Theory]
    [InlineData("usr/local/cuda/lib64/libcublasLt.so.12")]
    [InlineData("usr/local/cuda-12.4/lib64/libcublasLt.so.12")]
    [InlineData("usr/lib/x86_64-linux-gnu/libcublasLt.so.11")]
    [InlineData("opt/conda/lib/python3.12/site-packages/nvidia/cublas/lib/libcublasLt.so.12")]
    [InlineData("usr/local/lib/python3.11/dist-packages/nvidia/cu13/lib/libcublasLt.so.13")]
    [InlineData("usr/lib/python3/dist-packages/nvidia/cublas/lib/libcublasLt.so.12")]
    [InlineData("home/me/.local/lib/python3.10/site-packages/nvidia/cublas/lib/libcublasLt.so.12")]
    [InlineData("venv/lib/python3.12/site-packages/nvidia/cublas/lib/libcublasLt.so.12")]
    [InlineData("onpath/lib/python3.12/site-packages/nvidia/cublas/lib/libcublasLt.so.12")]
    [InlineData("toolkit/lib64/libcublasLt.so.12")]
    public void LibrariesAreFoundWhereToolkitsAndPythonPutThem(string file)
    {
        _variables["CUDA_PATH"] = _folder.PathOf("toolkit");
        _variables["HOME"] = _folder.PathOf("home/me");
        _variables["VIRTUAL_ENV"] = _folder.PathOf("venv");
        _variables["PATH"] = $"relative:{_folder.PathOf("none")}:{_folder.PathOf("onpath/bin")}";
        Put("onpath/bin/python3");
        string path = Put(file, loadable: true);
        Assert.Equal(path, Find(CudaLibrary.CublasLt).Path);
    }

    [Theory]
    [InlineData("toolkit/bin/x64/cublasLt64_13.dll")]
    [InlineData("toolkit/bin/cublasLt64_12.dll")]
    [InlineData("programs/NVIDIA GPU Computing Toolkit/CUDA/v12.4/bin/cublasLt64_12.dll")]
    [InlineData("venv/Lib/site-packages/nvidia/cublas/bin/cublasLt64_12.dll")]
    public void SoTheyAreOnWindows(string file)
    {
        _variables["CUDA_PATH"] = _folder.PathOf("toolkit");
        _variables["ProgramFiles"] = _folder.PathOf("programs");
        _variables["VIRTUAL_ENV"] = _folder.PathOf("venv");
        string path = Put(file, loadable: true);
        Assert.Equal(path, Find(CudaLibrary.CublasLt, windows: true).Path);
    }

    [Fact]
    public void AToolkitNewerThanTheDriverComesLast()
    {
        string[][] all = [["libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so.11.2", "libnvrtc.so"]];
        Assert.Equal(all, CudaLibraryNames.Rounds(CudaLibrary.Nvrtc, windows: false, driverMajor: 0));
        Assert.Equal(all, CudaLibraryNames.Rounds(CudaLibrary.Nvrtc, windows: false, driverMajor: 13));
        Assert.Equal(
            (string[][])[["libnvrtc.so.12", "libnvrtc.so.11.2", "libnvrtc.so"], ["libnvrtc.so.13"]],
            CudaLibraryNames.Rounds(CudaLibrary.Nvrtc, windows: false, driverMajor: 12));
        Assert.Equal(
            (string[][])[["nvrtc64_120_0.dll", "nvrtc64_112_0.dll"], ["nvrtc64_130_0.dll"]],
            CudaLibraryNames.Rounds(CudaLibrary.Nvrtc, windows: true, driverMajor: 12));
        string old = Put("usr/lib64/libcublas.so.11", loadable: true);
        _loadable.Add("libcublas.so.13");
        Assert.Equal(old, new CudaLibraries(Machine()).Find(CudaLibrary.Cublas, driverMajor: 12).Path);
    }

    [Fact]
    public void WhatALibraryNeedsIsLoadedBeforeItFromTheSameFolder()
    {
        string nvrtc = Put("usr/local/cuda/lib64/libnvrtc.so.12", loadable: true), builtins = Put("usr/local/cuda/lib64/libnvrtc-builtins.so.12.4");
        Put("usr/local/cuda/lib64/libnvrtc-builtins.so.13.0");
        string cublas = Put("usr/local/cuda/lib64/libcublas.so.12", loadable: true), lt = Put("usr/local/cuda/lib64/libcublasLt.so.12");
        Find(CudaLibrary.Nvrtc);
        Assert.Equal([builtins, nvrtc], _loaded.TakeLast(2));
        Find(CudaLibrary.Cublas);
        Assert.Equal([lt, cublas], _loaded.TakeLast(2));
        Assert.DoesNotContain(_loaded, f => f.EndsWith("13.0", StringComparison.Ordinal));
    }

    [Fact]
    public void BesideAnEmulatedDriverOnlyItsOwnFolderCounts()
    {
        _variables["CUDASEQ_CUDA_LIBRARY"] = Put("emulator/libcuda.so.1", loadable: true);
        _loadable.Add("libcublasLt.so.12");
        var machine = Machine(exports: (_, name) => name == "cudaseq_emulator_version");
        var search = new CudaLibraries(machine).Find(CudaLibrary.CublasLt, 12);
        Assert.False(search.Found);
        Assert.Equal(_folder.PathOf("emulator"), search.Attempts[1].Place);
        foreach (var (library, file) in ((CudaLibrary, string)[])[(CudaLibrary.CublasLt, "libcublasLt.so.12"), (CudaLibrary.Cublas, "libcublas.so.12")])
        {
            string own = Put($"emulator/{file}", loadable: true);
            Assert.Equal(own, new CudaLibraries(machine).Find(library, 12).Path);
        }
    }

    [Fact]
    public void ALibraryIsLookedForOnce()
    {
        var libraries = new CudaLibraries(Machine());
        var first = libraries.Find(CudaLibrary.Nvrtc);
        int loads = _loaded.Count;
        Assert.Same(first, libraries.Find(CudaLibrary.Nvrtc, 12));
        Assert.Equal(loads, _loaded.Count);
    }

    [Fact]
    public void TheLoadersReasonIsOneShortLine()
    {
        string file = Put("broken/libcuda.so");
        var (handle, reason) = new LibraryMachine().Load(file);
        Assert.Equal(0, handle);
        Assert.NotNull(reason);
        Assert.DoesNotContain('\n', reason);
        Assert.DoesNotContain(file, reason);
        Assert.True(reason.Length is > 0 and < 200, reason);
    }

    [Fact]
    public void PatternsStandForFolders()
    {
        foreach (string folder in (string[])["a-1/x", "a-2/x", "a-3", "b-1/x"])
            Directory.CreateDirectory(_folder.PathOf(folder));
        Assert.Equal([_folder.PathOf("a-2/x"), _folder.PathOf("a-1/x")], CudaLibraries.Expand(_folder.PathOf("a-*/x")));
        Assert.Equal([_folder.PathOf("a-3")], CudaLibraries.Expand(_folder.PathOf("a-3")));
        Assert.Empty(CudaLibraries.Expand(_folder.PathOf("c-*/x")));
        Assert.Empty(CudaLibraries.Expand("/no/such/*/folder"));
    }

    private static void AssertTried(LibrarySearch search, params LibraryAttempt[] expected) => Assert.Equal(expected, search.Attempts);

    private LibrarySearch Find(CudaLibrary library, bool windows = false) => new CudaLibraries(Machine(windows)).Find(library);

    private LibraryMachine Machine(bool windows = false, Func<nint, string, bool>? exports = null) => new()
    {
        Variable = name => _variables.GetValueOrDefault(name),
        Windows = windows,
        Arm = false,
        Root = _folder.PathOf(""),
        Load = place =>
        {
            _loaded.Add(place);
            if (_loadable.Contains(place) || place == _variables.GetValueOrDefault("CUDASEQ_CUDA_LIBRARY"))
                return (Handle, null);
            return (0, "cannot be opened");
        },
        Exports = exports ?? ((_, _) => false),
    };

    private string Put(string file, bool loadable = false)
    {
        string path = _folder.PathOf(file);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        _folder.File(file, "not a library");
        if (loadable)
            _loadable.Add(path);
        return path;
    }
}
