using CudaSeq.Kernels;

namespace CudaSeq.Tests;

public sealed class KernelImageTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void WhatIsKeptComesBack()
    {
        var cache = new KernelCache(_folder.PathOf("kernels"));
        Assert.Null(cache.Read("key"));
        Assert.Null(cache.Write("key", [1, 2, 3]));
        Assert.Equal((byte[])[1, 2, 3], cache.Read("key"));
        Assert.Null(cache.Write("key", [4]));
        Assert.Equal((byte[])[4], cache.Read("key"));
        Assert.Null(cache.Read("another"));
        Assert.Equal(["key"], Directory.EnumerateFiles(cache.Folder!).Select(f => Path.GetFileName(f)));
    }

    [Fact]
    public void ADamagedEntryIsNone()
    {
        var cache = new KernelCache(_folder.PathOf("kernels"));
        cache.Write("key", [.. Enumerable.Range(0, 200).Select(i => (byte)i)]);
        string file = Path.Join(cache.Folder, "key");
        byte[] good = File.ReadAllBytes(file);
        for (int length = 0; length < good.Length; length += 13)
        {
            File.WriteAllBytes(file, good[..length]);
            Assert.Null(cache.Read("key"));
        }

        for (int i = 0; i < good.Length; i++)
        {
            byte[] bad = [.. good];
            bad[i] ^= 0x10;
            File.WriteAllBytes(file, bad);
            Assert.Null(cache.Read("key"));
        }

        cache.Write("key", [7]);
        Assert.Equal((byte[])[7], cache.Read("key"));
    }

    [Fact]
    public void AFolderThatCannotBeMadeIsNoError()
    {
        string file = _folder.File("taken", "");
        var cache = new KernelCache(Path.Join(file, "kernels"));
        Assert.NotNull(cache.Write("key", [1]));
        Assert.Null(cache.Read("key"));
        var none = new KernelCache(null);
        Assert.Equal("the user has no cache folder", none.Write("key", [1]));
        Assert.Null(none.Read("key"));
    }

    [Fact]
    public void ManyMayWriteAtOnce()
    {
        var cache = new KernelCache(_folder.PathOf("kernels"));
        int torn = 0;
        var writers = Enumerable.Range(0, 4).Select(n => new Thread(() =>
        {
            for (int i = 0; i < 50; i++)
            {
                cache.Write("key", [.. Enumerable.Repeat((byte)n, 1000)]);
                if (cache.Read("key") is not { Length: 1000 })
                    Interlocked.Increment(ref torn);
            }
        })).ToArray();
        foreach (var writer in writers)
            writer.Start();
        foreach (var writer in writers)
            writer.Join();
        Assert.Equal(0, torn);
        Assert.Single(Directory.EnumerateFiles(cache.Folder!));
    }

    [Fact]
    public void WhateverChangesTheKernelsChangesTheKey()
    {
        string[] keys =
        [
            KernelCache.Key("source", ["-a"], "sm_90a", new Version(12, 4)),
            KernelCache.Key("sourcf", ["-a"], "sm_90a", new Version(12, 4)),
            KernelCache.Key("source", ["-b"], "sm_90a", new Version(12, 4)),
            KernelCache.Key("source", ["-a"], "sm_80", new Version(12, 4)),
            KernelCache.Key("source", ["-a"], "sm_90a", new Version(12, 6)),
        ];
        Assert.Equal(keys.Length, keys.Distinct().Count());
        Assert.Equal(keys[0], KernelCache.Key("source", ["-a"], "sm_90a", new Version(12, 4)));
        Assert.Matches("^sm_90a-nvrtc12\\.4-[0-9a-f]{32}$", keys[0]);
    }

    [Fact]
    public void TheCacheIsTheUsers()
    {
        Assert.Equal("/mine", KernelCache.FolderOfUser(n => n == "CUDASEQ_CACHE" ? "/mine" : "/other", windows: false));
        Assert.Equal(Path.Join("/x", "cudaseq", "kernels"), KernelCache.FolderOfUser(n => n == "XDG_CACHE_HOME" ? "/x" : n == "HOME" ? "/h" : null, windows: false));
        Assert.Equal(Path.Join("/h", ".cache", "cudaseq", "kernels"), KernelCache.FolderOfUser(n => n == "HOME" ? "/h" : null, windows: false));
        Assert.Equal(Path.Join("l", "cudaseq", "kernels"), KernelCache.FolderOfUser(n => n == "LOCALAPPDATA" ? "l" : null, windows: true));
        Assert.Null(KernelCache.FolderOfUser(_ => null, windows: false));
    }

    [Theory]
    [InlineData(90, "12.4", "sm_90a")]
    [InlineData(90, "11.8", "sm_90")]
    [InlineData(89, "12.4", "sm_89")]
    [InlineData(100, "12.4", "compute_90")]
    public void TheNewestCodeThatRunsIsMade(int computeCapability, string version, string architecture)
        => Assert.Equal(architecture, NvrtcCompiler.Architecture(computeCapability, [50, 80, 86, 89, 90], new Version(version)));

    [Fact]
    public void AChipTooOldForTheCompilerIsRefused()
        => Assert.Equal(
            "NVRTC 13.0: must know compute capability 7.0, knows 75, 80, 90.",
            Assert.Throws<CudaException>(() => NvrtcCompiler.Architecture(70, [75, 80, 90], new Version(13, 0))).Message);

    [Fact]
    public void WhatDoesNotSayOnceIsIncludedAgain()
    {
        string flat = KernelSource.Flatten(
            "Native.cu", "#define NAME a\n#include \"table.cuh\"\n#define NAME b\n#include \"table.cuh\"\n", f => f == "table.cuh" ? "int NAME;\n" : null);
        Assert.Equal(2, flat.Split("int NAME;").Length - 1);
        Assert.Equal(2, flat.Split("#line 1 \"table.cuh\"").Length - 1);
    }

    [Fact]
    public void IncludesArePutInTheirPlaces()
    {
        var files = new Dictionary<string, string>
        {
            ["Kernels/Runtime/Device.cuh"] = "#pragma once\nint device;\n",
            ["Kernels/Relu/ReluKernel.cuh"] = "#include \"../Runtime/Device.cuh\"\nint relu;\n",
        };
        string flat = KernelSource.Flatten(
            "Native.cu", "#include \"Kernels/Relu/ReluKernel.cuh\"\r\n#include \"Kernels/Runtime/Device.cuh\"\nint last;\n", f => files.GetValueOrDefault(f));
        Assert.Equal(
            """
            #line 1 "Native.cu"
            #line 1 "Kernels/Relu/ReluKernel.cuh"
            #line 1 "Kernels/Runtime/Device.cuh"

            int device;

            #line 2 "Kernels/Relu/ReluKernel.cuh"
            int relu;

            #line 2 "Native.cu"
            #line 3 "Native.cu"
            int last;


            """.ReplaceLineEndings("\n"),
            flat);
        Assert.Equal(
            "Native.cu:2: there is no file none.cuh.",
            Assert.Throws<FileNotFoundException>(() => KernelSource.Flatten("Native.cu", "int x;\n#include \"none.cuh\"\n", _ => null)).Message);
    }
}
