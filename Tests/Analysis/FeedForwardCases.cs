using CudaSeq.Kernels;
using CudaSeq.Models;

namespace CudaSeq.Tests;

/// <summary>Tiny models with their texts, and all their feed-forward blocks at every prefix, by the equations.</summary>
internal sealed class FeedForwardCases : IDisposable
{
    /// <summary>w4 .. w59.</summary>
    public const int Words = 56;

    private readonly IReadOnlyList<ReferenceBlock>[][] _blocks;

    /// <param name="config">Of a tiny model; its vocabulary becomes the words w4 .. w59.</param>
    /// <param name="device">Where the model lives.</param>
    /// <param name="sentences">Words of each.</param>
    /// <param name="seed">Of the parameters.</param>
    public FeedForwardCases(ModelConfig config, Device device, int[][] sentences, ulong seed = 1)
    {
        Sentences = sentences;
        config = config with { TargetVocabulary = Words + 4, SourceVocabulary = config.IsLanguageModel ? 0 : Words + 4 };
        (Model, Text) = config.IsLanguageModel
            ? ((AutoregressiveModel)TinyModels.CreateLanguageModel(config, device, seed), (ISamples)LinesOf(sentences))
            : (TinyModels.Create(config, device, seed), Corpus.Encode(sentences.Select((s, i) => (Line(SourceOf(i)), Line(s))), Codec, Codec));
        Reference = new ReferenceModel(config, Model.NamedParameters().ToDictionary(p => p.Name, p => Array.ConvertAll(p.Tensor.ToArray(), v => (double)v)));
        _blocks = new IReadOnlyList<ReferenceBlock>[sentences.Length][];
    }

    /// <summary>w4 has the id 4 and so on.</summary>
    public static TextCodec Codec { get; } = new(new WordTokenizer(), Vocabulary.FromCounts(Enumerable.Range(4, Words).Select(i => KeyValuePair.Create($"w{i}", 100L - i))));

    public int[][] Sentences { get; }

    public AutoregressiveModel Model { get; }

    public ISamples Text { get; }

    public ReferenceModel Reference { get; }

    /// <summary>Language models of every kind.</summary>
    public static IEnumerable<ModelConfig> LanguageModels =>
    [
        TinyModels.Transformer.AsLanguageModel() with { PreNorm = true },
        TinyModels.Transformer.AsLanguageModel() with { PreNorm = true, ShareEmbeddings = EmbeddingSharing.None, DecoderPath = [2, 1, 2] },
        TinyModels.Conv(Architecture.LightConv).AsLanguageModel() with { PreNorm = true },
        TinyModels.Conv(Architecture.DynamicConv).AsLanguageModel() with { PreNorm = true, DecoderGlu = true, ShareEmbeddings = EmbeddingSharing.None },
        TinyModels.Adaptive(Architecture.Transformer, 20, 40) with { PreNorm = true, TieAdaptiveWeights = true, TieAdaptiveProjections = true },
    ];

    /// <summary>One that translates with every way of sharing.</summary>
    public static IEnumerable<ModelConfig> TranslationModels =>
    [
        TinyModels.Transformer with { PreNorm = true },
        TinyModels.Conv(Architecture.LightConv) with { PreNorm = true, ShareEmbeddings = EmbeddingSharing.None },
    ];

    /// <summary>
    /// Lines of words, the first blank, so that indices and order differ. Each begins with another word: equal prefixes have coefficients that are equal but for rounding.
    /// </summary>
    public static int[][] Random(int count, int longest, int seed = 7)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(i => Enumerable.Range(0, i == 0 ? 0 : random.Next(1, longest + 1)).Select(t => t == 0 ? 3 + i : random.Next(4, 14)).ToArray())];
    }

    public static TokenBlocks LinesOf(IEnumerable<int[]> sentences, SampleBreak breaks = SampleBreak.Eos) => TokenBlocks.Encode(sentences.Select(Line), Codec, breaks, tokensPerSample: 8);

    public static string Line(IEnumerable<int> words) => string.Join(' ', words.Select(w => $"w{w}"));

    /// <summary>The blocks at the last position of the first tokens of a sentence, each prefix computed as if nothing followed it.</summary>
    public IReadOnlyList<ReferenceBlock> Blocks(int sentence, int length)
    {
        var own = _blocks[sentence] ??= new IReadOnlyList<ReferenceBlock>[Sentences[sentence].Length + 1];
        return own[length] ??= Blocks(Sentences[sentence][..length], sentence);
    }

    /// <summary>The same of any words in place of a sentence.</summary>
    public IReadOnlyList<ReferenceBlock> Blocks(int[] words, int sentence)
        => [.. Reference.Blocks([Vocabulary.Eos, .. words], Model.Config.IsLanguageModel ? null : Reference.Encode([.. SourceOf(sentence), Vocabulary.Eos]))
            .Select(b => new ReferenceBlock([b.R[^1]], [b.Z[^1]], [b.Y[^1]], [b.O[^1]]))];

    public void Dispose()
    {
        Model.Dispose();
        Text.Dispose();
    }

    private static int[] SourceOf(int sentence) => [.. Enumerable.Range(0, 1 + (sentence % 3)).Select(i => 4 + ((sentence + i) % 7))];
}
