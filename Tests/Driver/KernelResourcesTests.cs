using CudaSeq.CompileKernels;

namespace CudaSeq.Tests;

/// <summary>What eng/CompileKernels makes of the compiler's account of registers and spills.</summary>
public sealed class KernelResourcesTests
{
    private const string Nvrtc = """
        ptxas info    : 0 bytes gmem
        ptxas info    : Compiling entry function 'softmax_forward_f32' for 'sm_80'
        ptxas info    : Function properties for softmax_forward_f32
            0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
        ptxas info    : Used 40 registers, 376 bytes cmem[0]
        ptxas info    : Compiling entry function 'adam_step_f32' for 'sm_80'
        ptxas info    : Function properties for adam_step_f32
            24 bytes stack frame, 16 bytes spill stores, 20 bytes spill loads
        ptxas info    : Used 255 registers, 4132 bytes smem, 424 bytes cmem[0], 8 bytes cmem[2]
        """;

    [Fact]
    public void EveryKernelHasItsAccount()
        => Assert.Equal(
            [new("softmax_forward_f32", "sm_80", 40, 0, 0, 0, 0), new("adam_step_f32", "sm_80", 255, 4132, 24, 16, 20)],
            KernelResources.Parse(Nvrtc));

    [Theory]
    [InlineData("Used 16 registers, used 1 barriers, 48 bytes cumulative stack size, 1024 bytes smem, 352 bytes cmem[0]", 16, 1024)]
    [InlineData("Used 8 registers", 8, 0)]
    public void OtherVersionsSayItInOtherWords(string line, int registers, int shared)
    {
        var resources = Assert.Single(KernelResources.Parse($"ptxas info : Compiling entry function 'k' for 'sm_90a'\nptxas info : {line}\n"));
        Assert.Equal(new("k", "sm_90a", registers, shared, 0, 0, 0), resources);
    }

    [Fact]
    public void SpillsOfFunctionsAreTheirKernels()
        => Assert.Equal(
            [new("k", "sm_89", 32, 0, 16, 12, 8)],
            KernelResources.Parse(
                """
                ptxas info    : Function properties for before
                    8 bytes stack frame, 4 bytes spill stores, 4 bytes spill loads
                ptxas info    : Compiling entry function 'k' for 'sm_89'
                ptxas info    : Function properties for k
                    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
                ptxas info    : Used 32 registers, 376 bytes cmem[0]
                ptxas info    : Function properties for called
                    16 bytes stack frame, 12 bytes spill stores, 8 bytes spill loads
                """));

    [Fact]
    public void WhatIsNoAccountIsARemark()
        => Assert.Equal(
            ["NativeKernels.cu(3): warning #177-D: variable \"x\" was declared but never referenced"],
            KernelResources.Remarks($"{Nvrtc}\r\n\nNativeKernels.cu(3): warning #177-D: variable \"x\" was declared but never referenced\n\0"));

    [Fact]
    public void AHotKernelThatSpillsIsNamed()
    {
        var resources = KernelResources.Parse(Nvrtc);
        Assert.Equal(
            ["adam_step_f32 must not spill, it is in eng/hot-kernels.txt; on sm_80 it stores 16 bytes and loads 20 with 255 registers"],
            HotKernels.Parse("# a list\nadam_* # the optimiser\n\nsoftmax_forward_f32").Problems(resources));
        Assert.Empty(HotKernels.Parse("softmax_*").Problems(resources));
    }

    [Theory]
    [InlineData("softmax_forward", "softmax_forward")]
    [InlineData("\nmax_*\nsoftmax_*", "max_*")]
    public void AHotKernelThatIsNotThereIsNamed(string list, string name)
        => Assert.Equal(
            [$"eng/hot-kernels.txt:{list.Split('\n').Index().First(l => l.Item == name).Index + 1}: no kernel is called {name}"],
            HotKernels.Parse(list).Problems(KernelResources.Parse(Nvrtc)));

    [Fact]
    public void TheTableIsSortedAndAligned()
    {
        string table = ResourceTable.Write("NVRTC 12.4", KernelResources.Parse($"{Nvrtc}\n{Nvrtc.Replace("sm_80", "sm_90a", StringComparison.Ordinal)}"), HotKernels.Parse("adam_*"));
        Assert.Contains("as NVRTC 12.4 compiles it", table, StringComparison.Ordinal);
        Assert.Equal(
            """
            kernel               hot  chip    registers  shared  stack  spill stores  spill loads
            adam_step_f32        *    sm_80         255    4132     24            16           20
            adam_step_f32        *    sm_90a        255    4132     24            16           20
            softmax_forward_f32       sm_80          40       0      0             0            0
            softmax_forward_f32       sm_90a         40       0      0             0            0

            """.ReplaceLineEndings("\n"),
            table[table.IndexOf("kernel  ", StringComparison.Ordinal)..]);
    }
}
