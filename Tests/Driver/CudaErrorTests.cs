using CudaSeq.Kernels;

namespace CudaSeq.Tests;

public sealed class CudaErrorTests
{
    private static readonly LibrarySearch Nothing = new(CudaLibrary.Driver, 0, null, [new("libcuda.so.1", "cannot be opened"), new("/usr/lib64", "no such folder"), new("/lib64", "no such folder")]);

    [Fact]
    public void AFailedCallIsNamedWithWhereAndWhy()
    {
        Assert.Equal(
            "cuInit: CUDA_ERROR_NO_DEVICE (100), no CUDA-capable device is detected.",
            CudaResults.Describe(CudaResult.NoDevice, "cuInit", null, "CUDA_ERROR_NO_DEVICE", "no CUDA-capable device is detected"));
        Assert.Equal(
            "cuMemAlloc_v2 on cuda:1 (NVIDIA H200): an error the driver has no name for (12345).",
            CudaResults.Describe((CudaResult)12345, "cuMemAlloc_v2", "cuda:1 (NVIDIA H200)", null, null));
        Assert.Equal(
            "cuInit: CUDA_ERROR_STUB_LIBRARY (34). This is the toolkit's stub to link against, not the driver; take its folder out of the library path.",
            CudaResults.Describe(CudaResult.StubLibrary, "cuInit", null, "CUDA_ERROR_STUB_LIBRARY", null));
        Assert.EndsWith(
            " This process cannot use the device any more.",
            CudaResults.Describe(CudaResult.IllegalAddress, "cuStreamSynchronize", "cuda:0", "CUDA_ERROR_ILLEGAL_ADDRESS", "an illegal memory access was encountered"));
    }

    [Fact]
    public void CublasNamesItsAnswers()
        => Assert.Equal(
            "cublasLtMatmul on cuda:0: NotSupported (15).",
            Assert.Throws<CudaException>(() => CublasResult.NotSupported.Check("cublasLtMatmul", "cuda:0")).Message);

    [Fact]
    public void WithoutAGpuEveryPlaceIsNamed()
    {
        var none = new CudaPresence(Nothing, 0, 0, Nothing.Failure);
        Assert.Equal(
            "Device: cuda needs a GPU, but libcuda cannot be loaded; tried libcuda.so.1 (cannot be opened); /usr/lib64, /lib64 (no such folder).",
            Assert.Throws<CudaException>(() => none.Require("cuda", 0)).Message);
        Assert.Equal("libcuda cannot be loaded", none.ShortAbsence);
        var two = new CudaPresence(Nothing, 12040, 2, null);
        two.Require("cuda:1", 1);
        Assert.Equal("Device: cuda:2 must be one of the visible GPUs, cuda:0 .. cuda:1.", Assert.Throws<CudaException>(() => two.Require("cuda:2", 2)).Message);
        var one = new CudaPresence(Nothing, 12040, 1, null);
        Assert.Equal("Device: cuda:3 must be one of the visible GPUs, which is cuda:0.", Assert.Throws<CudaException>(() => one.Require("cuda:3", 3)).Message);
    }

    [Theory]
    [InlineData("gpu")]
    [InlineData("CUDA")]
    [InlineData("cuda:")]
    [InlineData("cuda:-1")]
    [InlineData("cuda: 1")]
    [InlineData("cuda:1x")]
    [InlineData("")]
    public void OtherNamesAreRefused(string name)
        => Assert.Equal($"Device: must be one of cpu, cuda, cuda:N, auto, got \"{name}\".", Assert.Throws<ArgumentException>(() => Device.Open(name)).Message);

    [Fact]
    public void NamesGiveNumbers()
    {
        Assert.Equal(0, Device.CudaOrdinal("cuda"));
        Assert.Equal(0, Device.CudaOrdinal("cuda:0"));
        Assert.Equal(12, Device.CudaOrdinal("cuda:12"));
        Assert.Null(Device.CudaOrdinal("cpu"));
    }

    [Fact]
    public void AutoSaysWhatItChoseAndWhy()
    {
        using var device = Device.Open("auto");
        Assert.Equal(CudaPresence.OfProcess.IsPresent ? "cuda:0" : "cpu", device.Name);
        Assert.StartsWith($"auto chose {device.Name}", device.Choice);
        using var named = Device.Open("cpu");
        Assert.Null(named.Choice);
    }

    [Fact]
    public void TheReportNamesLibrariesAndGpus()
    {
        var facts = CudaReport.Facts();
        foreach (string name in (string[])["CUDA binding", "libcuda", "libcublasLt", "libcublas", "libnvrtc", "GPUs", "kernels"])
            Assert.Contains(facts, f => f.Name == name && f.Value.Length > 0);
    }
}
