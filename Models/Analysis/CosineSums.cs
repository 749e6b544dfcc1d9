using System.Text.Json;
using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>
/// Cosines of the embeddings of aligned pieces, and of the same pieces matched at random: running sums and histograms. Of each block of pairs the targets are shuffled, so that both have the same
/// pieces as often.
/// </summary>
/// <param name="source">[V, D].</param>
/// <param name="target">[V', D]; the same tensor where one table is both.</param>
/// <param name="random">Shuffles.</param>
internal sealed class CosineSums(Tensor source, Tensor target, RandomSource random)
{
    /// <summary>Steps of the histograms, from -1 to 1.</summary>
    public const int Steps = 20;

    private const int BlockPairs = 4096;

    private readonly List<(int Source, int Target)> _block = [];

    /// <summary>Pairs that were added.</summary>
    public long Count => Aligned.Count;

    /// <summary>Of aligned pieces.</summary>
    public Moments Aligned { get; } = new();

    /// <summary>Of random pairs.</summary>
    public Moments Random { get; } = new();

    /// <summary>Of aligned pieces that are not the same piece of one table.</summary>
    public Moments AlignedDistinct { get; } = new();

    /// <summary>Of random pairs that are not.</summary>
    public Moments RandomDistinct { get; } = new();

    /// <summary>Adds a pair of ids.</summary>
    public void Add((int Source, int Target) pair)
    {
        _block.Add(pair);
        if (_block.Count == BlockPairs)
            Finish();
    }

    /// <summary>Computes what was added last.</summary>
    public void Finish()
    {
        if (_block.Count == 0)
            return;
        int[] sources = [.. _block.Select(p => p.Source)], targets = [.. _block.Select(p => p.Target)], order = [.. Enumerable.Range(0, targets.Length)];
        random.Shuffle<int>(order);
        float[] x = Rows(source, sources), y = Rows(target, targets);
        int width = source.Shape[1];
        for (int i = 0; i < sources.Length; i++)
        {
            Take(Aligned, AlignedDistinct, i, i);
            Take(Random, RandomDistinct, i, order[i]);
        }

        _block.Clear();

        void Take(Moments all, Moments distinct, int s, int t)
        {
            double cosine = Cosine(x.AsSpan(s * width, width), y.AsSpan(t * width, width));
            all.Add(cosine);
            if (!ReferenceEquals(source, target) || sources[s] != targets[t])
                distinct.Add(cosine);
        }
    }

    /// <summary>The most important of it.</summary>
    public string Headline() => AlignedDistinct.Count == 0
        ? "Every aligned pair is of a piece with itself: there are no two embeddings to compare."
        : FormattableString.Invariant($"Embeddings of aligned pieces have a mean cosine of {AlignedDistinct.Mean:0.000}, of random pairs {RandomDistinct.Mean:0.000}{(ReferenceEquals(source, target) ? ", pairs of one piece with itself left out" : "")}.");

    /// <summary>The part of the page.</summary>
    public AnalysisSection Section()
    {
        double width = 2.0 / Steps;
        Series Of(string name, Moments m) => new(name, [.. m.Histogram.Select((c, i) => (-1 + (width * (i + 0.5)), 100.0 * c / Math.Max(1, m.Count)))]);
        string[] Row(string name, Moments m) => [name, Figure.Shown(m.Count, "N0"), Figure.Shown(m.Mean, "0.0000"), Figure.Shown(m.Deviation, "0.0000")];
        return new AnalysisSection("Aligned pieces", "", [
            new Curves("percent of the pairs", "cosine", [Of("aligned", AlignedDistinct), Of("random", RandomDistinct)]),
            new Table("", ["pairs", "count", "mean cosine", "deviation"], [Row("aligned", Aligned), Row("random", Random), Row("aligned, distinct pieces", AlignedDistinct), Row("random, distinct pieces", RandomDistinct)])]);
    }

    /// <summary>The numbers.</summary>
    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject("cosines");
        foreach (var (name, m) in new[] { ("aligned", Aligned), ("random", Random), ("aligned_distinct", AlignedDistinct), ("random_distinct", RandomDistinct) })
        {
            json.WriteStartObject(name);
            json.WriteNumber("pairs", m.Count);
            json.Number("mean", m.Mean);
            json.Number("deviation", m.Deviation);
            json.Numbers("histogram", m.Histogram.Select(c => (double)c));
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    /// <summary>x . y / (|x| |y|) in double precision; 0 where one is all zeros.</summary>
    public static double Cosine(ReadOnlySpan<float> x, ReadOnlySpan<float> y)
    {
        double xy = 0, xx = 0, yy = 0;
        for (int i = 0; i < x.Length; i++)
        {
            xy += (double)x[i] * y[i];
            xx += (double)x[i] * x[i];
            yy += (double)y[i] * y[i];
        }

        return xx == 0 || yy == 0 ? 0 : xy / Math.Sqrt(xx * yy);
    }

    private static float[] Rows(Tensor table, int[] ids)
    {
        using var scope = TensorScope.Begin();
        using var pause = new NoGrad();
        return Ops.IndexSelect(table, 0, Tensor.From(table.Device, ids)).ToArray();
    }
}

/// <summary>Count, mean, deviation and histogram of numbers in -1 .. 1, one after the other (Welford 1962).</summary>
internal sealed class Moments
{
    private double _squares;

    /// <summary>How many.</summary>
    public long Count { get; private set; }

    /// <summary>Their mean; NaN of none.</summary>
    public double Mean { get; private set; } = double.NaN;

    /// <summary>Their standard deviation, the root of the mean square of the differences from the mean; NaN of none.</summary>
    public double Deviation => Count == 0 ? double.NaN : Math.Sqrt(_squares / Count);

    /// <summary>How many are in each of <see cref="CosineSums.Steps"/> equal parts of -1 .. 1.</summary>
    public long[] Histogram { get; } = new long[CosineSums.Steps];

    /// <summary>Adds one.</summary>
    public void Add(double value)
    {
        Count++;
        double before = Count == 1 ? 0 : Mean, difference = value - before;
        Mean = before + (difference / Count);
        _squares += difference * (value - Mean);
        Histogram[Math.Clamp((int)((value + 1) / 2 * Histogram.Length), 0, Histogram.Length - 1)]++;
    }
}
