using CudaSeq.Kernels;

namespace CudaSeq.Tests;

/// <summary>Which CUDA kernels a convolution gets, and that their cuts cover the work.</summary>
public sealed class ConvPlanTests
{
    private const int Float = sizeof(float);
    private const int Half = 2;
    private const int Shared = 99 * 1024;

    [Theory]
    [InlineData(512, 8, 3, 0ul, nameof(ConvPath.Window))]
    [InlineData(512, 8, 31, 0ul, nameof(ConvPath.Window))]
    [InlineData(512, 8, 9, 0ul, nameof(ConvPath.Generic))]
    [InlineData(512, 8, 255, 0ul, nameof(ConvPath.Generic))]
    [InlineData(512, 8, 7, 4ul, nameof(ConvPath.Generic))]
    [InlineData(512, 8, 31, 8ul, nameof(ConvPath.Window))]
    [InlineData(6, 3, 3, 0ul, nameof(ConvPath.Generic))]
    [InlineData(48, 1, 3, 0ul, nameof(ConvPath.Window))]
    public void FewTapsAndFoursOfChannelsGoToTheWindow(int channels, int heads, int taps, ulong addresses, string path)
    {
        var size = new ConvSize(4, 20, channels, heads, taps, taps - 1);
        Assert.Equal(path, ConvPlan.LightForward(size, Float, addresses, Shared).Path.ToString());
        Assert.Equal(path, ConvPlan.LightBackward(size, Float, addresses, Shared).Path.ToString());
        Assert.Equal(path, ConvPlan.DynamicForward(size, Float, addresses, Shared).Path.ToString());
    }

    [Theory]
    [InlineData(512, 8, nameof(ConvPath.Window))]
    [InlineData(512, 1, nameof(ConvPath.Window))]
    [InlineData(128, 16, nameof(ConvPath.Window))]
    [InlineData(160, 2, nameof(ConvPath.Generic))]
    [InlineData(48, 1, nameof(ConvPath.Generic))]
    public void DynamicBackwardWantsWholeHeadsInWholeWarps(int channels, int heads, string path)
        => Assert.Equal(path, ConvPlan.DynamicBackward(new ConvSize(4, 20, channels, heads, 7, 3), Float, 0, Shared).Path.ToString());

    [Theory]
    [InlineData(64, 3, 0ul, nameof(ConvPath.Window))]
    [InlineData(64, 31, 4ul, nameof(ConvPath.Window))]
    [InlineData(64, 7, 4ul, nameof(ConvPath.Generic))]
    [InlineData(66, 7, 0ul, nameof(ConvPath.Generic))]
    [InlineData(66, 15, 0ul, nameof(ConvPath.Window))]
    public void DepthwiseTakesFewerChannelsAThreadForMoreTaps(int channels, int taps, ulong addresses, string path)
    {
        var size = new ConvSize(4, 20, channels, channels, taps, 0);
        Assert.Equal(path, ConvPlan.DepthwiseForward(size, Float, addresses).Path.ToString());
        Assert.Equal(path, ConvPlan.DepthwiseBackward(size, Float, addresses).Path.ToString());
    }

    [Theory]
    [InlineData(512, 8, 15, nameof(ConvPath.Banded))]
    [InlineData(512, 8, 31, nameof(ConvPath.Banded))]
    [InlineData(512, 8, 63, nameof(ConvPath.Banded))]
    [InlineData(512, 8, 255, nameof(ConvPath.Banded))]
    [InlineData(512, 8, 7, nameof(ConvPath.Window))]
    [InlineData(60, 5, 15, nameof(ConvPath.Window))]
    [InlineData(60, 5, 33, nameof(ConvPath.Generic))]
    public void ManyTapsOfSixteenBitsGoToTheTensorCores(int channels, int heads, int taps, string path)
    {
        var size = new ConvSize(16, 64, channels, heads, taps, taps / 2);
        const int Hopper = 227 * 1024;
        Assert.Equal(path, ConvPlan.LightForward(size, Half, 0, Hopper).Path.ToString());
        Assert.Equal(path, ConvPlan.LightBackward(size, Half, 0, Hopper).Path.ToString());
        Assert.Equal(path, ConvPlan.DynamicForward(size, Half, 0, Hopper).Path.ToString());
        Assert.NotEqual(ConvPath.Banded, ConvPlan.DynamicForward(size, Float, 0, Hopper).Path);
    }

    [Fact]
    public void SharedMemoryIsAsMuchAsThereIs()
    {
        foreach (int taps in (int[])[1, 2, 3, 7, 8, 15, 16, 31, 33, 63, 64, 127, 129, 130, 255])
        {
            foreach (var (channels, heads) in ((int, int)[])[(4, 1), (64, 16), (64, 1), (512, 4), (512, 128), (512, 512), (1024, 1), (96, 2)])
            {
                foreach (int steps in (int[])[1, 5, 16, 33, 64, 512])
                {
                    var size = new ConvSize(3, steps, channels, heads, taps, taps / 2);
                    foreach (int bytes in (int[])[Float, Half])
                    {
                        ConvPlan[] plans =
                        [
                            ConvPlan.LightForward(size, bytes, 0, Shared), ConvPlan.LightBackward(size, bytes, 0, Shared),
                            ConvPlan.DynamicForward(size, bytes, 0, Shared), ConvPlan.DynamicBackward(size, bytes, 0, Shared),
                            ConvPlan.TapGradient(size), ConvPlan.PartialGradient(size), ConvPlan.Step(size, true), ConvPlan.Step(size, false),
                        ];
                        Assert.All(plans, p => Assert.True(p.SharedBytes <= (p.Path == ConvPath.Banded ? Shared : 48 * 1024), $"{size}: {p}"));
                        Assert.All(plans, p => Assert.True(p.Blocks > 0 && p.Threads % 32 == 0 && p.Threads <= 288, $"{size}: {p}"));
                    }
                }
            }
        }
    }

    [Fact]
    public void PartsDependOnSizesAlone()
    {
        var size = new ConvSize(64, 64, 512, 8, 7, 3);
        Assert.Equal(ConvPlan.LightBackward(size, Float, 0, Shared), ConvPlan.LightBackward(size, Float, 16, 227 * 1024));
        Assert.Equal(1024, ConvPlan.LightBackward(size with { B = 4096 }, Float, 0, Shared).Blocks);
        Assert.Equal(256, ConvPlan.LightBackward(size with { B = 4096 }, Float, 0, Shared).Parts);
    }
}
