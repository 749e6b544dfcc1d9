using CudaSeq.Models;

namespace CudaSeq.Cli;

/// <summary>The metrics that a command line asks for, in its order, with their variants and what they compare with.</summary>
/// <param name="Names">Names of <see cref="All"/>.</param>
internal sealed record ScoreMetrics(IReadOnlyList<string> Names)
{
    public const string BleuName = "bleu", ChrfName = "chrf", ChrfPlusPlusName = "chrf++", TerName = "ter", RougeName = "rouge", GleuName = "gleu", M2Name = "m2";

    public static readonly string[] All = [BleuName, ChrfName, ChrfPlusPlusName, TerName, RougeName, GleuName, M2Name];

    public BleuOptions Bleu { get; init; } = new();

    public ChrfOptions Chrf { get; init; } = new();

    public TerOptions Ter { get; init; } = new();

    public IReadOnlyList<RougeOptions> Rouge { get; init; } = [];

    public GleuOptions Gleu { get; init; } = new();

    /// <summary>[sets][lines]; empty where no metric has references.</summary>
    public string[][] References { get; init; } = [];

    /// <summary>[lines]: what was corrected; empty where it is not asked for.</summary>
    public string[] Source { get; init; } = [];

    /// <summary>[lines]: annotated sentences; empty where they are not asked for.</summary>
    public IReadOnlyList<M2Sentence> Gold { get; init; } = [];

    /// <summary>The scores of a whole file.</summary>
    public IReadOnlyList<IMetricScore> Corpus(string[] hypotheses, CancellationToken cancellation) => [.. Names.SelectMany(name => Corpus(name, hypotheses, cancellation))];

    /// <summary>The scores of one line.</summary>
    public IReadOnlyList<IMetricScore> Sentence(string[] hypotheses, int line)
    {
        var one = this with { References = [.. References.Select(set => new[] { set[line] })], Gold = Gold.Count == 0 ? [] : [Gold[line]] };
        return [.. Names.SelectMany(name => name == GleuName
            ? [Models.Gleu.Sentence(hypotheses[line], Source[line], [.. References.Select(set => set[line])], Gleu)]
            : one.Corpus(name, [hypotheses[line]], CancellationToken.None))];
    }

    /// <summary>What the scores of a whole file are computed from.</summary>
    public IReadOnlyList<CorpusStatistics> Statistics(string[] hypotheses, CancellationToken cancellation)
        => [.. Names.SelectMany(name => Statistics(name, hypotheses, cancellation))];

    private IEnumerable<CorpusStatistics> Statistics(string name, string[] hypotheses, CancellationToken cancellation) => name switch
    {
        BleuName => [Models.Bleu.Statistics(hypotheses, References, Bleu, cancellation)],
        ChrfName => [Models.Chrf.Statistics(hypotheses, References, Chrf, cancellation)],
        ChrfPlusPlusName => [Models.Chrf.Statistics(hypotheses, References, PlusPlus, cancellation)],
        TerName => [Models.Ter.Statistics(hypotheses, References, Ter, cancellation)],
        RougeName => Rouge.Select(variant => Models.Rouge.Statistics(hypotheses, References, variant, cancellation)),
        GleuName => [Models.Gleu.Statistics(hypotheses, Source, References, Gleu, cancellation)],
        _ => [MaxMatch.Statistics(hypotheses, Gold, cancellation: cancellation)],
    };

    private IEnumerable<IMetricScore> Corpus(string name, string[] hypotheses, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        return name switch
        {
            BleuName => [Models.Bleu.Corpus(hypotheses, References, Bleu)],
            ChrfName => [Models.Chrf.Corpus(hypotheses, References, Chrf)],
            ChrfPlusPlusName => [Models.Chrf.Corpus(hypotheses, References, PlusPlus)],
            TerName => [Models.Ter.Corpus(hypotheses, References, Ter, cancellation)],
            RougeName => Rouge.Select(variant => Models.Rouge.Corpus(hypotheses, References, variant, cancellation)),
            GleuName => [Models.Gleu.Corpus(hypotheses, Source, References, Gleu, cancellation)],
            _ => [MaxMatch.Corpus(hypotheses, Gold, cancellation: cancellation)],
        };
    }

    private ChrfOptions PlusPlus => Chrf with { WordOrder = ChrfOptions.PlusPlus.WordOrder };
}
