using System.Text.Json.Nodes;
using CudaSeq.Kernels;
using CudaSeq.Models;
using CudaSeq.Tensors;

namespace CudaSeq.Benchmarks;

/// <summary>
/// Whole translations by the small model with random parameters, which knows no end: each output is made to be of a fixed number of steps, its end-of-sentence included. Rivals decode with the same
/// parameters and the same rules; tokens must be equal and scores agree before anything is timed.
/// </summary>
internal static class DecodeSuite
{
    /// <summary>What an order of it begins with.</summary>
    public const string Op = "decode";

    /// <summary>The same in integers of 8 bits, which no rival has: its outputs are not those of float32.</summary>
    public const string QuantizedOp = "decode_int8";

    private const int SourceTokens = 32;

    private static readonly Architecture[] Models = [Architecture.Transformer, Architecture.DynamicConv];

    /// <summary>All cases.</summary>
    /// <param name="sizes">Those of a processor, or as small as goes through everything.</param>
    public static IEnumerable<CompareCase> Of(Sizes sizes)
    {
        // A beam over 1024 steps takes minutes a turn with some rivals.
        (int B, int Beam, int Steps)[] all = sizes == Sizes.Smoke
            ? [(3, 1, 7), (2, 4, 7), (1, 1, 7)]
            : [(32, 1, 64), (32, 1, 256), (32, 1, 1024), (16, 4, 64), (16, 4, 256), (8, 1, 64), (1, 1, 64), (1, 1, 256), (1, 1, 1024)];
        int source = SourceTokensOf(sizes);
        var attention = CompareModels.Case(Architecture.Transformer, sizes, "small");
        foreach (var architecture in Models)
        {
            var model = CompareModels.Case(architecture, sizes, "small");
            foreach (var (b, beam, steps) in all)
            {
                yield return Case(model, b, beam, steps, source) with
                {
                    Siblings = architecture == Architecture.Transformer || beam > 1 ? [] : [new Sibling("self-attention", Prepare(attention with { B = b, T = source }, b, beam, steps, quantized: false))],
                };
            }

            foreach (var (b, beam, steps) in all.Where(a => a.Steps == all[0].Steps && a.B != 8))
                yield return Quantized(model, b, beam, steps, source);
        }
    }

    /// <summary>Tokens of a source.</summary>
    public static int SourceTokensOf(Sizes sizes) => sizes == Sizes.Smoke ? 5 : SourceTokens;

    // Random parameters say nothing of how much is lost: that is measured on trained models.
    private static CompareCase Quantized(ModelCase model, int b, int beam, int steps, int sourceTokens)
    {
        var c = Case(model, b, beam, steps, sourceTokens);
        c.Order["op"] = QuantizedOp;
        var prepare = Prepare(model with { B = b, T = sourceTokens }, b, beam, steps, quantized: true);
        return c with { Name = c.Name + " int8", Label = c.Label + " int8", Prepare = prepare, Places = [], Siblings = [new Sibling("float32", c.Prepare)] };
    }

    private static Func<Device, Contender> Prepare(ModelCase model, int b, int beam, int steps, bool quantized)
    {
        int[][] sources = [.. model.Pairs(b).Select(p => p.Source)];
        return device =>
        {
            var run = new Run(model.Config, device, sources, beam, steps, quantized);
            return new Contender(() => run.Translate(), run.Outputs, run, run.Weights);
        };
    }

    /// <summary>Decodings by a model.</summary>
    /// <param name="model">Which; its batch does not matter.</param>
    /// <param name="b">Sources.</param>
    /// <param name="beam">Hypotheses of each.</param>
    /// <param name="steps">Steps, end-of-sentence's included.</param>
    /// <param name="sourceTokens">Of each source, end-of-sentence included.</param>
    public static CompareCase Case(ModelCase model, int b, int beam, int steps, int sourceTokens)
    {
        var c = model with { B = b, T = sourceTokens };
        int[][] sources = [.. c.Pairs(b).Select(p => p.Source)];
        string kind = beam == 1 ? "greedy" : $"beam {beam}";
        return new CompareCase(
            $"Decode {c.Name} {c.Preset} {kind} B={b} S={sourceTokens} T={steps} V={c.Config.TargetVocabulary}",
            $"Decoding, {c.Name} {c.Preset}",
            $"{kind} B={b} T={steps}",
            ModelWork.OfDecoding(c.Config, b, beam, sourceTokens, steps),
            new JsonObject { ["op"] = Op, ["model"] = CompareModels.Describe(c.Config), ["b"] = b, ["beam"] = beam, ["steps"] = steps, ["source"] = CompareModels.Ids(sources.SelectMany(s => s)) },
            [],
            Prepare(c, b, beam, steps, quantized: false))
        {
            Places = [new("T", steps, $"{kind}, B = {b}"), .. beam == 1 ? [new Place("B", b, $"{kind}, T = {steps}")] : Array.Empty<Place>()],
            Whole = "decoding",
            IsLatency = b == 1,

            // As a share of the largest id no two ids are as near as half of one of V.
            Tolerance = Math.Min(Turns.Tolerance, 0.5 / c.Config.TargetVocabulary),
        };
    }

    private sealed class Run : IDisposable
    {
        private readonly int[][] _sources;
        private readonly Seq2SeqModel _model;
        private readonly SequenceGenerator _generator;
        private readonly DecodingOptions _options;

        public Run(ModelConfig config, Device device, int[][] sources, int beam, int steps, bool quantized)
        {
            _sources = sources;
            _model = SequenceModel.Create(config, device, new RandomSource(1));
            _generator = new SequenceGenerator(_model);
            _options = new DecodingOptions { Beam = beam, MinLength = steps - 1, MaxLengthB = steps - 1, BatchTokens = sources.Sum(s => s.Length) };
            Weights = CompareModels.WriteWeights(_model);
            if (quantized)
                _model.Quantize();
        }

        /// <summary>The file of the parameters.</summary>
        public string Weights { get; }

        public IReadOnlyList<IReadOnlyList<Hypothesis>> Translate() => _generator.Generate(_sources, _options);

        /// <summary>The tokens of each sentence's best output without its end, one behind the other, and the scores.</summary>
        public float[][] Outputs()
        {
            var best = Translate().Select(h => h[0]).ToArray();
            return [[.. best.SelectMany(h => h.Tokens).Select(t => (float)t)], [.. best.Select(h => h.Score)]];
        }

        public void Dispose()
        {
            File.Delete(Weights);
            _model.Dispose();
        }
    }
}
