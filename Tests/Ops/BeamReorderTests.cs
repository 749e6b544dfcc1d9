using CudaSeq.Tensors;

namespace CudaSeq.Tests;

public sealed class BeamReorderTests
{
    /// <summary>Beams of every kind of permutation and repetition, packs of four channels and not, rows longer than a block and a chunk.</summary>
    [Theory, Devices]
    public void MovesRowsWithinTheirBeamsAndNothingElse(string name)
    {
        using var device = TestDevices.Open(name);
        var random = new Random(3);
        foreach (var (m, beam, s, c) in ((int, int, int, int)[])[(1, 1, 1, 1), (2, 3, 4, 5), (3, 5, 7, 16), (1, 2, 33, 129), (2, 4, 70, 64), (1, 64, 3, 8), (1, 64, 2, 3), (0, 4, 2, 3)])
        {
            foreach (bool counted in (bool[])[false, true])
            {
                using var scope = TensorScope.Begin();
                int n = m * beam;
                float[] values = [.. Enumerable.Range(0, n * s * c).Select(i => (float)i)];
                int[] parents = [.. Enumerable.Range(0, n).Select(_ => random.Next(beam))], counts = [.. Enumerable.Range(0, n).Select(_ => random.Next(s + 1))];
                var x = Tensor.From(device, values, [n, s, c]);
                Ops.BeamReorder(x, Tensor.From(device, parents), beam, counted ? Tensor.From(device, counts) : null);
                float[] expected = [.. Enumerable.Range(0, n * s * c).Select(i =>
                {
                    int row = i / (s * c), place = i / c % s;
                    bool moves = !counted || place < counts[row];
                    return values[moves ? (((row / beam * beam) + parents[row]) * s * c) + (i % (s * c)) : i];
                })];
                Assert.Equal(expected, x.ToArray());
            }
        }
    }

    /// <summary>Without counts rows may have any axes.</summary>
    [Theory, Devices]
    public void RowsOfAnyShapeAreMovedWhole(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        var x = Tensor.From(device, [1f, 2f, 3f, 4f]);
        Ops.BeamReorder(x, Tensor.From(device, [1, 0, 1, 1]), 2);
        Assert.Equal([2, 1, 4, 4], x.ToArray());
    }

    /// <summary>Integers too, and rows of places without channels.</summary>
    [Theory, Devices]
    public void IntegersAreMovedUpToTheirCounts(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        var x = Tensor.From(device, [1, 2, 3, 4, 5, 6], [2, 3]);
        Ops.BeamReorder(x, Tensor.From(device, [1, 0]), 2, Tensor.From(device, [2, 1]));
        Assert.Equal([4, 5, 3, 1, 5, 6], x.ToIntArray());
    }

    [Theory, Devices]
    public void Refusals(string name)
    {
        using var device = TestDevices.Open(name);
        using var scope = TensorScope.Begin();
        Tensor x = Tensor.Zeros(device, [4, 3, 2]), parents = Tensor.From(device, [0, 1, 0, 1]);
        Refuses("BeamReorder: beam must be in 1 .. 64, got 65 (x [4, 3, 2]).", () => Ops.BeamReorder(x, parents, 65));
        Refuses("BeamReorder: x must be [N, ...] with N a multiple of beam, got x [4, 3, 2], beam = 3.", () => Ops.BeamReorder(x, parents, 3));
        Refuses("BeamReorder: x must be [N, S, ...] with N a multiple of beam, got x [24], beam = 2.", () => Ops.BeamReorder(x.Reshape([24]), parents, 2, parents));
        Refuses("BeamReorder: parents and counts must be [N], got parents [2] (x [4, 3, 2]).", () => Ops.BeamReorder(x, Tensor.From(device, [0, 1]), 2));
        Refuses("BeamReorder: parents must be in 0 .. 1, got 2 at [n = 1].", () => Ops.BeamReorder(x, Tensor.From(device, [0, 2, 0, 1]), 2));
        Refuses("BeamReorder: counts must be in 0 .. 3, got 4 at [n = 3].", () => Ops.BeamReorder(x, parents, 2, Tensor.From(device, [0, 1, 2, 4])));

        static void Refuses(string message, Action call) => Assert.Equal(message, Assert.Throws<ArgumentException>(call).Message);
    }
}
