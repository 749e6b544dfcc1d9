using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>How expressive embeddings are, and how near those of words are that translate each other.</summary>
internal sealed class EmbeddingsAnalysis : Analysis
{
    private static readonly AnalysisOption Alignments = AnalysisOption.Text("--alignments", "FILE", "Alignments of the pairs' pieces, a line each, as 0-0 2-1 (default: by the attention of the model's last layer).");
    private static readonly AnalysisOption Seed = AnalysisOption.Whole("--seed", "N", "Seed of the random pairs (default: 1).", 0);
    private static readonly AnalysisOption NoPairs = AnalysisOption.Flag("--no-pairs", "Leave out the cosines of aligned pairs; no text is read.");

    public override string Name => "embeddings";

    public override string Summary => "Singular values of the embedding tables, and how near the embeddings of aligned pieces are.";

    public override string Origin
        => "X. Liu, L. Wang, D. F. Wong, L. Ding, L. S. Chao and Z. Tu, \"Understanding and improving encoder layer fusion in sequence-to-sequence learning\", ICLR 2021, its analysis of bilingual embeddings.";

    public override string Reading
        => "Singular values are divided by the largest: the slower they fall, the more directions a table uses. Cosines are of the embedding of a piece of the source and that of the piece of the target which is "
        + "aligned to it; of random pairs the same pieces are matched at random. Where source and target share a table, a piece that is aligned to itself has the cosine 1: means are given with and "
        + "without those. Tables that are not shared have no reason to be near each other before anything like surface fusion ties them.";

    public override AnalysisReads Reads => AnalysisReads.Pairs;

    public override IReadOnlyList<AnalysisOption> Options => [Alignments, Seed, NoPairs];

    public override (string Arguments, string What) Example => ("--model runs/multi30k-transformer --out analyses", "Aligned by the model itself, on the pairs it was tested with.");

    public override string? Obstacle(ModelConfig config)
        => config.AdaptiveInputCutoffs.Count + config.AdaptiveSoftmaxCutoffs.Count > 0 ? "has embeddings or a softmax in bands, which are no one table." : null;

    internal override bool LooksIntoLayers => false;

    internal override AnalysisFinding Run(AnalysisWork work)
    {
        if (work.Run.Config.Architecture == Architecture.Lstm && !work.Settings.Has(NoPairs) && work.Settings.Text(Alignments) is null)
            throw new ArgumentException($"analyze {Name}: --alignments or --no-pairs must be given for an lstm, which pays no attention to align pieces by.");
        var tables = Tables(work.Run);
        var singular = tables.Select(t => (t.Name, Values: SymmetricMatrix.SingularValues(t.Table, rows => work.Report($"rows of {t.Name}", rows)))).ToArray();
        bool pairs = !work.Run.Config.IsLanguageModel && !work.Settings.Has(NoPairs);
        if (!pairs && work.Settings.Text(Alignments) is not null)
            throw new ArgumentException($"analyze {Name}: --alignments is about the pairs of a model that translates{(work.Settings.Has(NoPairs) ? ", --no-pairs must not be given with it" : "")}.");
        if (!pairs && (work.Text.Input ?? work.Text.Reference) is not null)
            throw new ArgumentException($"analyze {Name}: --input and --reference are for cosines of pairs, {(work.Settings.Has(NoPairs) ? "--no-pairs must not be given with them" : "which a language model has none of")}.");
        var cosines = pairs ? Cosines(work, tables) : null;
        var sections = new List<AnalysisSection>
        {
            new("Singular values", "", [
                new Curves("singular value, of the largest", "rank", [.. singular.Select(s => new Series(s.Name, [.. s.Values.Select((v, i) => (i + 1.0, v))]))], Logarithmic: true),
                new Table("", ["rank", .. singular.Select(s => s.Name)], [.. Ranks(singular.Max(s => s.Values.Length)).Select(r => (string[])[FormattableString.Invariant($"{r}"), .. singular.Select(s => r <= s.Values.Length ? Figure.Shown(s.Values[r - 1], "0.0000") : "")])])]),
        };
        if (cosines is not null)
            sections.Add(cosines.Section());
        double half = singular[0].Values[(singular[0].Values.Length - 1) / 2];
        return new AnalysisFinding(
            cosines?.Headline() ?? FormattableString.Invariant($"The middle singular value of {singular[0].Name} is {half:0.000} of the largest."),
            sections,
            json =>
            {
                json.WriteStartObject("singular_values");
                foreach (var (name, values) in singular)
                    json.Numbers(name, values);
                json.WriteEndObject();
                cosines?.Write(json);
            });
    }

    /// <summary>The tables that a model has, under their names.</summary>
    private static (string Name, Tensor Table)[] Tables(AnalysisRun run)
    {
        string[] names = ["encoder.embed_tokens.weight", "decoder.embed_tokens.weight", "decoder.output_projection.weight"];
        return [.. run.Model.NamedParameters().Where(p => names.Contains(p.Name)).Select(p => (p.Name[..^".weight".Length], p.Tensor))];
    }

    private static IEnumerable<int> Ranks(int count)
    {
        var ranks = new SortedSet<int> { 1, count };
        for (int r = 2; r < count; r *= 2)
            ranks.Add(r);
        return ranks;
    }

    private CosineSums Cosines(AnalysisWork work, (string Name, Tensor Table)[] tables)
    {
        var source = tables.First(t => t.Name == "encoder.embed_tokens").Table;
        var target = tables.FirstOrDefault(t => t.Name == "decoder.embed_tokens").Table ?? source;
        if (source.Shape[1] != target.Shape[1])
            throw new ArgumentException($"analyze {Name}: --no-pairs must be given for tables of different widths, whose vectors have no cosine, got {source.Shape[1]} and {target.Shape[1]} channels.");
        var sums = new CosineSums(source, target, new RandomSource((ulong)(work.Settings.Whole(Seed) ?? 1)));
        foreach (var link in work.Settings.Text(Alignments) is { } file ? AlignedPieces.OfFile(work, file) : AlignedPieces.ByAttention(work))
            sums.Add(link);
        sums.Finish();
        return sums.Count > 0 ? sums : throw new InvalidDataException($"analyze {Name}: there must be at least one aligned pair of pieces, got none.");
    }
}
