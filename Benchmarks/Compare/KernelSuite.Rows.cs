using System.Text.Json.Nodes;
using CudaSeq.Models;
using CudaSeq.Tensors;

namespace CudaSeq.Benchmarks;

/// <summary>What goes through memory row by row, and the optimiser.</summary>
internal static partial class KernelSuite
{
    private const float DropProbability = 0.1f;
    private const float AdamRate = 0.1f;
    private const float Beta1 = 0.9f;
    private const float Beta2 = 0.98f;

    // What one step alone shows, the first, does not depend on the betas.
    private const int AdamSteps = 2;

    private static readonly string[] AdamVariants = ["single", "foreach"];

    private static IEnumerable<CompareCase> Rows(bool smoke)
    {
        RowsShape[] filters = smoke ? [new(33, 31)] : [new(65536, 31), new(32768, 64), new(4096, 512), new(256, 8000)];
        RowsShape[] features = smoke ? [new(33, 64)] : [new(4096, 256), new(4096, 512), new(4096, 1024), new(16384, 512), new(32, 512)];
        foreach (bool backward in (bool[])[false, true])
        {
            // Forward reads x and writes y; backward reads y and dy and writes dx.
            foreach (var s in filters)
                yield return OfRows("Softmax", s, backward ? 5 : 2, backward, Prepared(backward, [[s.N, s.C]], _ => x => Ops.Softmax(x[0])));

            // Backward reads x and dy and writes dx.
            foreach (var s in features)
                yield return OfRows("LayerNorm", s, backward ? 5 : 2, backward, Prepared(backward, [[s.N, s.C], [s.C], [s.C]], _ => x => Ops.LayerNorm(x[0], x[1], x[2])));

            // Forward reads x and the residual and writes y, and the sum where backward follows, which reads it and dy and writes dx and the residual's gradient. Which elements
            // are dropped is each side's own chance: results are compared without, times with dropout.
            foreach (var s in features)
            {
                yield return OfRows(
                    "DropoutAddLayerNorm",
                    s,
                    backward ? 8 : 3,
                    backward,
                    Prepared(
                        backward,
                        [[s.N, s.C], [s.N, s.C], [s.C], [s.C]],
                        _ => x => Ops.DropoutAddLayerNorm(x[0], x[1], x[2], x[3], 0, null),
                        _ =>
                        {
                            var random = new RandomSource(1);
                            return x => Ops.DropoutAddLayerNorm(x[0], x[1], x[2], x[3], DropProbability, random);
                        }));
            }
        }
    }

    private static CompareCase OfRows(string op, RowsShape s, int passes, bool backward, Func<Kernels.Device, Contender> prepare) => new(
        $"{op} {s}{Suffix(backward)}",
        Group(op, backward),
        $"{s}",
        new Work(0, (double)passes * sizeof(float) * s.N * s.C, s.N),
        new JsonObject { ["op"] = op.ToLowerInvariant(), ["n"] = s.N, ["c"] = s.C, ["dropout"] = DropProbability, ["backward"] = backward },
        [],
        prepare)
    {
        Places = [new("C", s.C, $"{s.N} rows")],
    };

    // One step over all parameters of a model: reads parameter and gradient, reads and writes both moments, writes the parameter: 28 bytes of each.
    private static CompareCase Adam(bool smoke)
    {
        var c = CompareModels.Case(Architecture.Transformer, smoke ? Sizes.Smoke : Sizes.Processor, "small");
        Shape[] shapes;
        using (var model = SequenceModel.Declare(c.Config))
            shapes = [.. model.ParameterShapes().Select(p => p.Shape)];
        double count = shapes.Sum(s => (double)s.Count);
        return new CompareCase(
            $"Adam {c.Name} {c.Preset}, {shapes.Length} tensors of {count:f0} parameters",
            "Adam, one step",
            $"{c.Name} {c.Preset}",
            new Work(0, 7 * sizeof(float) * count, count),
            new JsonObject
            {
                ["op"] = "adam",
                ["shapes"] = new JsonArray([.. shapes.Select(s => new JsonArray([.. Enumerable.Range(0, s.Rank).Select(i => JsonValue.Create(s[i]))]))]),
                ["rate"] = AdamRate,
                ["beta1"] = Beta1,
                ["beta2"] = Beta2,
                ["steps"] = AdamSteps,
            },
            AdamVariants,
            device =>
            {
                Tensor[] parameters = [.. shapes.Select((s, i) => Patterns.Of(device, s, 1 + i).AsParameter())];
                foreach (var (i, parameter) in parameters.Index())
                {
                    using var scope = TensorScope.Begin();
                    Ops.Scale(parameter, 1).Backward(Patterns.Of(device, parameter.Shape, 1 + parameters.Length + i));
                }

                var adam = new Adam(parameters, new AdamOptions { Beta1 = Beta1, Beta2 = Beta2, Form = AdamForm.PyTorch });
                return new Contender(
                    () => adam.Step(AdamRate),
                    () =>
                    {
                        for (int i = 0; i < AdamSteps; i++)
                            adam.Step(AdamRate);
                        return [Joined(parameters), Joined(adam.FirstMoments), Joined(adam.SecondMoments)];
                    });
            });

        static float[] Joined(IEnumerable<Tensor> tensors) => [.. tensors.SelectMany(t => t.ToArray())];
    }
}
