using System.Text.Json;
using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>Where in a model words are translated: probes of every layer of a frozen encoder and decoder.</summary>
internal sealed class WordTranslationAnalysis : Analysis
{
    private const int UsualUpdates = 1000;
    private const float UsualRate = 1e-3f;
    private const int BlockLines = 1024;

    // Pairs that an order is drawn for at once, 12 bytes each.
    private const int DealtPairs = 1 << 16;

    private static readonly AnalysisOption TrainInput = AnalysisOption.Text("--train-input", "FILE", "Sources to train the probes on, one a line (default: the run's own training pairs).");
    private static readonly AnalysisOption TrainReference = AnalysisOption.Text("--train-reference", "FILE", "What the lines of --train-input become.");
    private static readonly AnalysisOption Updates = AnalysisOption.Whole("--updates", "N", "Updates of each probe; 0 measures them untrained (default: 1000).", 0);
    private static readonly AnalysisOption Rate = AnalysisOption.Number("--learning-rate", "R", "Highest learning rate of Adam, reached after a tenth of the updates, then falling with the root of their number (default: 0.001).", 1e-12, 10);
    private static readonly AnalysisOption SideOption = AnalysisOption.Text("--side", "NAME", "encoder, decoder or both (the default).");
    private static readonly AnalysisOption Variants = AnalysisOption.Flag("--variants", "Also probe decoders whose last layer lacks self-attention, or attention to the source.");
    private static readonly AnalysisOption Ahead = AnalysisOption.Flag("--ahead", "Also ask the decoder's layers for the token behind the one that they predict.");
    private static readonly AnalysisOption Words = AnalysisOption.Flag("--bleu", "Also score what each layer of the encoder makes of the source word by word, beside the whole model's translations.");
    private static readonly AnalysisOption Seed = AnalysisOption.Whole("--seed", "N", "Seed of the probes and of the order of the pairs (default: 1).", 0);

    public override string Name => "word-translation";

    public override string Summary => "What each layer knows of the words of a translation: the accuracy of probes.";

    public override string Origin
        => "H. Xu, J. van Genabith, Q. Liu and D. Xiong, \"Probing word translations in the transformer and trading decoder for encoder layers\", NAACL 2021.";

    public override string Reading
        => "Percent of the references' tokens that a probe gives the highest probability, ends of sentences included and left out. A probe is one matrix before the model's own projection to the vocabulary; one of "
        + "the encoder also learns one weight for each layer and head of the decoder's attention, which brings the source into the target's order and has seen the reference before each token: an upper bound. "
        + "Layer 0 are the embeddings with positions. One token further on, a layer is asked for the token behind the next: how soon it plans. Parts that are left out count as zero.";

    public override AnalysisReads Reads => AnalysisReads.Pairs;

    public override bool TakesPaths => true;

    public override IReadOnlyList<AnalysisOption> Options => [TrainInput, TrainReference, Updates, Rate, SideOption, Variants, Ahead, Words, Seed];

    public override (string Arguments, string What) Example => ("--model runs/multi30k-transformer --updates 2000 --variants --bleu --out analyses", "Trains on the run's own pairs, measures on those it was tested with.");

    public override string? Obstacle(ModelConfig config) => NeedsSource(config) ?? NeedsPlainSteps(config)
        ?? (config.SurfaceFusion != SurfaceFusion.None ? "has surface_fusion; a probe needs one stream of states before the projection." : null)
        ?? (config.OutputLinear ? "has output_linear, a linear layer before the projection: what a probe puts there." : null)
        ?? (config is { PreNorm: true, EncoderFusion: not EncoderFusion.None } ? "has encoder_fusion and norms before the sub-layers: no norm follows its encoder, which a probe of a layer's states would need." : null);

    internal override AnalysisFinding Run(AnalysisWork work)
    {
        var run = work.Run;
        if (run.Model.Precision != DType.Float32)
            throw new ArgumentException($"analyze {Name}: probes are trained in float32, --precision must not be {run.Model.Precision}.");
        string side = work.Settings.Text(SideOption) ?? "both";
        if (side is not ("encoder" or "decoder" or "both"))
            throw new ArgumentException($"analyze {Name}: --side must be encoder, decoder or both, got {side}.");
        if (side != "decoder" && run.Config.WidthOfEncoder != run.Config.ModelWidth)
            throw new ArgumentException($"analyze {Name}: --side must be decoder for a model with an encoder_width, whose encoder's states do not fit the projection to the vocabulary, got {run.Config.WidthOfEncoder} and {run.Config.ModelWidth} channels.");
        if (work.Settings.Text(TrainInput) is null != work.Settings.Text(TrainReference) is null)
            throw new ArgumentException($"analyze {Name}: --train-input and --train-reference must be given together.");
        if (side == "decoder" && work.Settings.Has(Words))
            throw new ArgumentException($"analyze {Name}: --bleu is about the encoder's layers, --side must not be decoder.");
        if (side == "encoder" && work.Settings.Has(Variants))
            throw new ArgumentException($"analyze {Name}: --variants is about the decoder's layers, --side must not be encoder.");
        if (side == "encoder" && work.Settings.Has(Ahead))
            throw new ArgumentException($"analyze {Name}: --ahead is about the decoder's layers, --side must not be encoder.");
        var random = new RandomSource((ulong)(work.Settings.Whole(Seed) ?? 1));
        var probes = new List<WordProbe>();
        try
        {
            foreach (var (kind, depth) in Kinds(run.Config, side, work.Settings.Has(Variants), work.Settings.Has(Ahead)))
                probes.Add(new WordProbe(run, kind, depth, random));
            Train(work, probes, random);
            return Measure(work, probes);
        }
        finally
        {
            foreach (var probe in probes)
                probe.Dispose();
        }
    }

    private static IEnumerable<(ProbeKind Kind, int Depth)> Kinds(ModelConfig config, string side, bool variants, bool ahead)
    {
        for (int n = 0; n <= config.EncoderDepth && side != "decoder"; n++)
            yield return (ProbeKind.Encoder, n);
        for (int n = 0; n <= config.DecoderDepth && side != "encoder"; n++)
            yield return (ProbeKind.Decoder, n);
        foreach (var kind in (ProbeKind[])[ProbeKind.DecoderWithoutSelf, ProbeKind.DecoderWithoutSource])
        {
            for (int n = 1; n <= config.DecoderDepth && variants; n++)
                yield return (kind, n);
        }

        for (int n = 0; n <= config.DecoderDepth && ahead; n++)
            yield return (ProbeKind.DecoderAhead, n);
    }

    // All probes see the same batches: the model computes each once.
    private void Train(AnalysisWork work, List<WordProbe> probes, RandomSource random)
    {
        long updates = work.Settings.Whole(Updates) ?? UsualUpdates, update = 0;
        if (updates == 0)
            return;
        var schedule = new InverseSquareRootSchedule((float)(work.Settings.Number(Rate) ?? UsualRate), Math.Max(1, updates / 10), 0);
        foreach (var batch in Training(work))
        {
            work.Report("updates", update, updates);
            using (TensorScope.Begin())
            {
                var frozen = new FrozenBatch(work.Run, batch);
                foreach (var probe in probes)
                    probe.Train(frozen, schedule.At(update + 1), random);
            }

            if (++update == updates)
                return;
        }
    }

    private IEnumerable<Batch> Training(AnalysisWork work)
    {
        ulong seed = (ulong)(work.Settings.Whole(Seed) ?? 1);
        if (work.Settings.Text(TrainInput) is { } input)
        {
            for (ulong epoch = 0; ; epoch++)
            {
                var text = new AnalysisText { Input = input, Reference = work.Settings.Text(TrainReference), BatchTokens = work.Text.BatchTokens, MaxLength = work.Text.MaxLength, ShuffleSeed = seed + epoch };
                foreach (var batch in text.Batches(work.Run, work.Run, progress: null, work.Cancellation))
                    yield return batch;
            }
        }

        string path = work.Run.Directory.TrainCorpus(0), why = "is not there";
        var store = File.Exists(path) ? MappedCorpus.Open(path, out why) : null;
        if (store is null || store.Count == 0)
        {
            store?.Dispose();
            throw new InvalidDataException($"analyze {Name}: --train-input FILE and --train-reference FILE must be given, {path} {why}.");
        }

        using var whole = store;
        if (store.Damage(work.Cancellation) is { } damage)
            throw new InvalidDataException($"{path} {damage}");

        // A large corpus in parts, each of them spread over all of it.
        int parts = ((store.Count - 1) / DealtPairs) + 1;
        for (int epoch = 0; ; epoch++)
        {
            bool any = false;
            for (int part = 0; part < parts; part++)
            {
                var corpus = new Corpus(new SpreadCorpus(store, part, parts), store.Head.Report);
                foreach (var batch in new BatchIterator(corpus, work.Text.BatchTokens, seed).Epoch(epoch))
                {
                    // The run's own limit may be above this one; ends of sentences do not count.
                    int[] kept = [.. batch.Indices.Where(i => corpus.Lengths(i) is var (source, target) && Math.Max(source, target) <= work.Text.MaxLength + 1L)];
                    if (kept.Length > 0)
                        yield return kept.Length == batch.B ? batch : Batch.Of(corpus, kept);
                    any |= kept.Length > 0;
                }
            }

            if (!any)
                throw new InvalidDataException(FormattableString.Invariant($"analyze {Name}: there must be at least one pair of at most {work.Text.MaxLength} pieces to train on, got none."));
        }
    }

    private static AnalysisFinding Measure(AnalysisWork work, List<WordProbe> probes)
    {
        var run = work.Run;
        WordProbe[] encoder = [.. probes.Where(p => p.Kind == ProbeKind.Encoder)];
        var scores = work.Settings.Has(Words) ? new WordScores(run, encoder) : null;
        long tokens = 0, ends = 0;
        LoadReport? report = null;
        foreach (var block in AnalysisText.OfPairs(work.Text.Pairs(run), BlockLines))
        {
            var corpus = Corpus.Encode(block, run.Source, run.Target, work.Text.MaxLength, work.Text.Input ?? run.Folder, work.Cancellation);
            report = report?.Plus(corpus.Report) ?? corpus.Report;
            if (corpus.Count == 0)
                continue;
            foreach (var batch in new BatchIterator(corpus, work.Text.BatchTokens, shuffle: false).Epoch(0))
            {
                work.Report("tokens measured", tokens);
                using var scope = TensorScope.Begin();
                var frozen = new FrozenBatch(run, batch);
                foreach (var probe in probes)
                    probe.Measure(frozen);
                scores?.Add(frozen, [.. batch.Indices.Select(i => block[corpus.LineOf(i) - 1].Target)]);
                tokens += batch.TargetTokens;
                ends += batch.B;
            }

            scores?.AddWhole([.. Enumerable.Range(0, corpus.Count).Select(i => block[corpus.LineOf(i) - 1])], work.Cancellation);
        }

        work.Text.Report = report;
        if (tokens == 0)
            throw work.Text.Nothing("pair without an empty side");
        return Found([.. probes.Select(p => ProbeScore.Of(p, run.Config.AttentionHeads))], tokens, ends, scores);
    }

    private static AnalysisFinding Found(ProbeScore[] probes, long tokens, long ends, WordScores? scores)
    {
        var groups = probes.GroupBy(p => p.Kind).ToArray();
        var curves = new Curves("percent of the tokens, ends included", "layer", [.. groups.Select(g => new Series(Title(g.Key), [.. g.Select(p => ((double)p.Depth, 100 * p.Accuracy))]))]);
        var table = new Table("", ["probe of", "layer", "accuracy %", "without ends %", "last loss"], [.. probes.Select(p => (string[])[Title(p.Kind), FormattableString.Invariant($"{p.Depth}"), Figure.Shown(100 * p.Accuracy, "0.00"), Figure.Shown(100 * p.WithoutEnds, "0.00"), Figure.Shown(p.Loss, "0.000")])]);
        var sections = new List<AnalysisSection> { new("Accuracy", FormattableString.Invariant($"{tokens:N0} tokens, {ends:N0} ends of sentences among them."), [curves, table]) };
        if (probes.LastOrDefault(p => p.Kind == ProbeKind.Encoder) is { Alignment: { } heads })
        {
            sections.Add(new AnalysisSection("What brings the last layer of the encoder into the target's order", "The learned weight of each layer and head of the decoder's attention; they sum to 1.", [
                new HeatMap("weight", "layer", "head", [.. heads.Select((_, m) => FormattableString.Invariant($"{m + 1}"))], [.. heads[0].Select((_, h) => FormattableString.Invariant($"{h + 1}"))], heads)]));
        }

        if (scores is not null)
            sections.Add(scores.Section());
        return new AnalysisFinding(
            $"Of the tokens {string.Join("; ", groups.Select(g => FormattableString.Invariant($"{100 * g.First().Accuracy:0.0} % are known in layer {g.First().Depth} and {100 * g.Last().Accuracy:0.0} % in layer {g.Last().Depth} of the {Title(g.Key)}")))}.",
            sections,
            json => Write(json, probes, tokens, ends, scores));
    }

    private static void Write(Utf8JsonWriter json, ProbeScore[] probes, long tokens, long ends, WordScores? scores)
    {
        json.WriteNumber("tokens", tokens);
        json.WriteNumber("ends", ends);
        json.WriteStartArray("probes");
        foreach (var probe in probes)
        {
            json.WriteStartObject();
            json.WriteString("of", probe.Kind switch { ProbeKind.Encoder => "encoder", ProbeKind.Decoder => "decoder", ProbeKind.DecoderWithoutSelf => "decoder_without_self", ProbeKind.DecoderWithoutSource => "decoder_without_source", _ => "decoder_ahead" });
            json.WriteNumber("layer", probe.Depth);
            json.Number("accuracy", probe.Accuracy);
            json.Number("accuracy_without_ends", probe.WithoutEnds);
            json.Number("loss", probe.Loss);
            if (probe.Kind == ProbeKind.Encoder)
                json.Table("alignment", probe.Alignment);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        scores?.Write(json);
    }

    private static string Title(ProbeKind kind) => kind switch
    {
        ProbeKind.Encoder => "encoder",
        ProbeKind.Decoder => "decoder",
        ProbeKind.DecoderWithoutSelf => "decoder without self-attention",
        ProbeKind.DecoderWithoutSource => "decoder without the source",
        _ => "decoder, one token further on",
    };

    /// <summary>What a probe came to.</summary>
    /// <param name="Kind">What it looked at.</param>
    /// <param name="Depth">After so many layers.</param>
    /// <param name="Accuracy">Share of the tokens it predicts, ends included.</param>
    /// <param name="WithoutEnds">The same without ends.</param>
    /// <param name="Loss">Of its last update.</param>
    /// <param name="Alignment">[M][H], of the encoder's.</param>
    private sealed record ProbeScore(ProbeKind Kind, int Depth, double Accuracy, double WithoutEnds, double Loss, double[][] Alignment)
    {
        public static ProbeScore Of(WordProbe probe, int heads) => new(
            probe.Kind, probe.Depth, (double)probe.Right / probe.Tokens, (double)(probe.Right - probe.RightEnds) / (probe.Tokens - probe.Ends), probe.Loss, [.. probe.Alignment().Chunk(heads)]);
    }
}
