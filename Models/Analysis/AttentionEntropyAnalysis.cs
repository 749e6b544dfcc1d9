using System.Text.Json;
using CudaSeq.Kernels;

namespace CudaSeq.Models;

/// <summary>How widely each head of each layer looks: the entropy of its weights, averaged over positions.</summary>
internal sealed class AttentionEntropyAnalysis : Analysis
{
    private static readonly AnalysisOption Other = AnalysisOption.Text("--other", "DIR", "Another run, to stand beside the first: a vanilla model and a recurrent one, for example.");

    public override string Name => "attention-entropy";

    public override string Summary => "How widely each head of each layer looks: the entropy of attention, or of a convolution's taps.";

    public override string Origin
        => "R. Dabre and A. Fujita, \"Recurrent stacking of layers in neural networks: an application to neural machine translation\", 2021 (arXiv 2106.10002), the entropy maps of its supplement.";

    public override string Reading
        => "Nats, the mean over query positions of -sum a log a: 0 where a head looks at one position alone, the most where it looks at all alike; that most, the mean of log(positions seen), is "
        + "named with each map. Rows are the places of a path, so a layer that is applied several times has one for each time. Of convolutions the softmaxed taps are the weights. "
        + "In the paper entropy grows smoothly with the recurrences of a stacked layer, and is patchy over the layers of a vanilla model.";

    public override AnalysisReads Reads => AnalysisReads.Pairs;

    public override bool TakesPaths => true;

    public override string? Obstacle(ModelConfig config) => Weightless(config)
        ?? (config.ConvNormalization != TapNormalization.Softmax ? "has conv_normalization: its taps are no distribution over positions." : null);

    internal override bool LooksIntoLayers => false;

    /// <summary>Why a model has no weights of positions to look at; null where it has.</summary>
    internal static string? Weightless(ModelConfig config) => config switch
    {
        { Architecture: Architecture.Lstm } => "is an lstm, which pays no attention: of the source it has nothing but what its cells hold in the end.",
        { Architecture: Architecture.Cnn, IsLanguageModel: true } => "is a cnn without a source: nothing in it says which positions it looks at.",
        _ => null,
    };

    public override IReadOnlyList<AnalysisOption> Options => [Other];

    public override (string Arguments, string What) Example => ("--model runs/vanilla --other runs/recurrent --out analyses", "Two models beside each other.");

    internal override AnalysisFinding Run(AnalysisWork work)
    {
        using var other = work.Settings.Text(Other) is { } folder ? AnalysisRun.Load(folder, work.Run.Device, work.Run.Model.Precision) : null;
        if (other is not null)
            Check(other);
        if (other is not null && other.Config.IsLanguageModel != work.Run.Config.IsLanguageModel)
            throw new InvalidDataException($"analyze {Name}: both models must translate or both be language models, {work.Run.Folder} {(work.Run.Config.IsLanguageModel ? "is one and" : "translates and")} {other.Folder} {(other.Config.IsLanguageModel ? "is a language model" : "translates")}.");
        bool alike = other?.Name == work.Run.Name;
        var models = new List<(string Name, IReadOnlyList<EntropyMap> Maps)> { (alike ? work.Run.Folder : work.Run.Name, Maps(work, work.Run)) };
        if (other is not null)
        {
            // What the page says was read is what the first model read.
            var report = work.Text.Report;
            models.Add((alike ? other.Folder : other.Name, Maps(work, other)));
            work.Text.Report = report;
        }

        double high = models.Max(m => m.Maps.Max(map => map.Means.SelectMany(p => p).Max()));
        WeightKind[] kinds = [.. models.SelectMany(m => m.Maps).Select(m => m.Kind).Distinct().Order()];
        var sections = kinds.Select(kind => new AnalysisSection(Title(kind), Text(Having(models, kind), models.Count > 1), [.. Having(models, kind).Select(m => Map(m.Name, m.Map, high))])).ToList();
        if (models.Count > 1)
            sections.Add(new AnalysisSection("By layer", "The mean over heads.", [.. kinds.Select(kind => new Curves(Title(kind), "place", [.. Having(models, kind).Select(m => ByPlace(m.Name, m.Map))]))]));
        return new AnalysisFinding(Headline(models), sections, json => Write(json, [.. models.Select((m, i) => (i == 0 ? work.Run.Folder : other!.Folder, m.Maps))]));
    }

    /// <summary>The maps of a model over the text.</summary>
    private static IReadOnlyList<EntropyMap> Maps(AnalysisWork work, AnalysisRun run)
    {
        var maps = new SortedDictionary<WeightKind, EntropyMap>();
        foreach (var batch in work.Batches(run))
        {
            new WeightsObserver(weights =>
            {
                if (!maps.TryGetValue(weights.Kind, out var map))
                    maps.Add(weights.Kind, map = new EntropyMap(weights.Kind, weights.LeftPadding is not null));
                map.Add(weights, batch);
            }).Look(run, batch);
        }

        return [.. maps.Values];
    }

    // A cnn has attention to the source alone.
    private static IEnumerable<(string Name, EntropyMap Map)> Having(List<(string Name, IReadOnlyList<EntropyMap> Maps)> models, WeightKind kind)
        => models.SelectMany(m => m.Maps.Where(map => map.Kind == kind).Select(map => (m.Name, map)));

    private static string Headline(List<(string Name, IReadOnlyList<EntropyMap> Maps)> models)
    {
        var kind = models[0].Maps[^1].Kind;
        return $"{Title(kind)}, first and last place of the path: {string.Join("; ", Having(models, kind).Select(m => FormattableString.Invariant($"{m.Name} {m.Map.Means[0].Average():0.00} and {m.Map.Means[^1].Average():0.00} nats")))}.";
    }

    private static string Text(IEnumerable<(string Name, EntropyMap Map)> maps, bool named) => string.Join('\n', maps.Select(m => string.Concat(
        named ? $"{m.Name}: " : "",
        FormattableString.Invariant($"{(m.Map.IsTaps ? "taps" : "attention")} of {m.Map.Positions:N0} positions; looking at all alike would be {m.Map.Uniform:0.00} nats"),
        m.Map.IsTaps ? " in the mean of the layers' kernel widths." : ".")));

    private static HeatMap Map(string name, EntropyMap map, double high)
        => new(name, "place", "head", Numbered(map.Means.Length), Numbered(map.Means[0].Length), map.Means) { High = high };

    private static string[] Numbered(int count) => [.. Enumerable.Range(1, count).Select(n => FormattableString.Invariant($"{n}"))];

    private static Series ByPlace(string name, EntropyMap map) => new(name, [.. map.Means.Select((heads, p) => (p + 1.0, heads.Average()))]);

    private static string Title(WeightKind kind) => kind switch
    {
        WeightKind.EncoderSelf => "Encoder, positions of the source",
        WeightKind.DecoderSelf => "Decoder, positions before",
        _ => "Decoder, attention to the source",
    };

    private static void Write(Utf8JsonWriter json, List<(string Name, IReadOnlyList<EntropyMap> Maps)> models)
    {
        json.WriteString("unit", "nats");
        json.WriteStartArray("models");
        foreach (var (name, maps) in models)
        {
            json.WriteStartObject();
            json.WriteString("model", name);
            foreach (var map in maps)
            {
                json.WriteStartObject(map.Kind switch { WeightKind.EncoderSelf => "encoder_self", WeightKind.DecoderSelf => "decoder_self", _ => "source" });
                json.WriteString("weights", map.IsTaps ? "taps" : "attention");
                json.WriteNumber("positions", map.Positions);
                json.Number("uniform", map.Uniform);
                json.Table("entropy", map.Means);
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}

/// <summary>Running sums of the entropies of one kind of weights, for each place and head.</summary>
/// <param name="kind">Which weights.</param>
/// <param name="isTaps">Whether they are a convolution's taps.</param>
internal sealed class EntropyMap(WeightKind kind, bool isTaps)
{
    private readonly List<double[]> _sums = [];
    private double _uniform;

    /// <summary>Which weights.</summary>
    public WeightKind Kind => kind;

    /// <summary>Whether they are a convolution's taps.</summary>
    public bool IsTaps => isTaps;

    /// <summary>Query positions, of every place as many.</summary>
    public long Positions { get; private set; }

    /// <summary>The mean of the logarithm of how many positions a query sees, or of how many taps there are.</summary>
    public double Uniform => _uniform / (Positions * _sums.Count);

    /// <summary>The mean entropies, [places][heads], in nats.</summary>
    public double[][] Means => [.. _sums.Select(s => Array.ConvertAll(s, v => v / Positions))];

    /// <summary>Adds the positions of a batch that are no padding.</summary>
    /// <param name="weights">The weights of one place.</param>
    /// <param name="batch">What was computed.</param>
    public void Add(PositionWeights weights, Batch batch)
    {
        if (weights.Place == _sums.Count)
            _sums.Add(new double[weights.Heads]);
        double[] sums = _sums[weights.Place];
        var rows = weights.Rows();
        double[]? fixedOnes = weights.IsFixed ? [.. Enumerable.Range(0, sums.Length).Select(h => Entropy(rows(0, h, 0).Span))] : null;
        int[] lengths = kind == WeightKind.EncoderSelf ? batch.SourceLengths : batch.TargetLengths;
        for (int b = 0; b < lengths.Length; b++)
        {
            for (int t = 0; t < lengths[b]; t++)
            {
                for (int h = 0; h < sums.Length; h++)
                    sums[h] += fixedOnes?[h] ?? Entropy(rows(b, h, t).Span);
                _uniform += Math.Log(isTaps ? weights.Values.Shape[weights.Values.Shape.Rank - 1] : kind == WeightKind.Source ? batch.SourceLengths[b] : Seen(lengths[b], t, weights.Window));
            }

            if (weights.Place == 0)
                Positions += lengths[b];
        }
    }

    // How many of so many positions one of them sees.
    private int Seen(int positions, int t, int window)
    {
        bool causal = kind == WeightKind.DecoderSelf;
        int behind = window == 0 ? t : causal ? window - 1 : (window - 1) / 2, ahead = causal ? 0 : window == 0 ? positions : window / 2;
        return Math.Min(positions - 1, t + ahead) - Math.Max(0, t - behind) + 1;
    }

    /// <summary>-sum a log a in nats; 0 log 0 is 0.</summary>
    public static double Entropy(ReadOnlySpan<float> weights)
    {
        double sum = 0;
        foreach (float a in weights)
        {
            if (a > 0)
                sum -= a * Math.Log(a);
        }

        return sum;
    }
}
