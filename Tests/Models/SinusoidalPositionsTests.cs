using CudaSeq.Models;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

public sealed class SinusoidalPositionsTests
{
    /// <summary>
    /// Width 6, so frequencies 1, 10^-2, 10^-4; the first token has position 2. By hand from fairseq's layout, [sin | cos]:
    /// sin 2, sin 0.02, sin 0.0002, cos 2, cos 0.02, cos 0.0002.
    /// </summary>
    [Theory, Devices]
    public void AreAllSinesThenAllCosinesFromPositionTwo(string name)
    {
        using var device = TestDevices.Open(name);
        using var positions = new SinusoidalPositions(6);
        positions.Initialize(device, new RandomSource(1));
        using var scope = TensorScope.Begin();
        float[] expected =
        [
            0.9092974f, 0.0199986667f, 0.0002f, -0.41614684f, 0.9998f, 0.99999998f,
            0.14112f, 0.0299955f, 0.0003f, -0.9899925f, 0.99955003f, 0.99999996f,
        ];
        float[] got = positions.Forward(0, 2).ToArray();
        for (int i = 0; i < expected.Length; i++)
            Assert.Equal(expected[i], got[i], 1e-6f);
    }

    [Theory, Devices]
    public void ReachAnyLengthAndStayTheSame(string name)
    {
        using var device = TestDevices.Open(name);
        using var positions = new SinusoidalPositions(16);
        positions.Initialize(device, new RandomSource(1));
        using (TensorScope.Begin())
        {
            float[] few = positions.Forward(0, 3).ToArray();
            float[] many = positions.Forward(0, 10_000).ToArray();
            Assert.Equal(few, many[..few.Length]);
            Assert.Equal(many[(9_999 * 16)..], positions.Forward(9_999, 1).ToArray());
        }

        positions.Dispose();
        Assert.Equal(0, device.LiveBytes);
    }

    [Theory, Devices]
    public void AnOddWidthEndsInAZero(string name)
    {
        using var device = TestDevices.Open(name);
        using var positions = new SinusoidalPositions(5);
        positions.Initialize(device, new RandomSource(1));
        using var scope = TensorScope.Begin();
        float[] got = positions.Forward(0, 1).ToArray();
        Assert.Equal(0, got[4]);
        Assert.Equal(MathF.Cos(2), got[2], 1e-6f);
    }
}
