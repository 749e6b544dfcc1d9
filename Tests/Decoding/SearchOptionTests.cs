using System.Globalization;
using System.Text.Json;
using CudaSeq.Models;

namespace CudaSeq.Tests;

/// <summary>Every option of a search against a search over the whole vocabulary.</summary>
public sealed class SearchOptionTests
{
    private static readonly DecodingOptions Base = new() { Beam = 4, NBest = 4, MaxLengthA = 0.5, MaxLengthB = 7, MinLength = 2, LengthPenalty = 0.7f };

    private static Dictionary<string, DecodingOptions> Options { get; } = new()
    {
        ["gnmt"] = Base with { LengthPenaltyForm = LengthPenaltyForm.Gnmt, LengthPenalty = 1.5f },
        ["temperature"] = Base with { Temperature = 0.6f },
        ["unigrams"] = Base with { NoRepeatNGramSize = 1, MaxLengthB = 12, MinLength = 6 },
        ["bigrams"] = Base with { NoRepeatNGramSize = 2, Beam = 2, NBest = 2, MaxLengthB = 16, MinLength = 10 },
        ["trigrams"] = Base with { NoRepeatNGramSize = 3, MaxLengthB = 12, MinLength = 9 },
        ["groups"] = Base with { DiverseBeamGroups = 2, DiverseBeamStrength = 0.8f },
        ["groups of one"] = Base with { DiverseBeamGroups = 4, DiverseBeamStrength = 2 },
        ["groups without bigrams"] = Base with { Beam = 6, NBest = 6, DiverseBeamGroups = 3, DiverseBeamStrength = 0.4f, NoRepeatNGramSize = 2, MinLength = 5 },
    };

    /// <summary>A recipe's factor is the number that is written, in double precision: in single precision 1.3 times 10 is below 13.</summary>
    [Fact]
    public void TheLongestOutputOfARecipeIsThatOfTheOption()
    {
        var key = RecipeKeys.All.Single(k => k.Path == "decoding.max_length_a");
        foreach (var (factor, longest) in (Dictionary<double, int>)new() { [1.3] = 13, [0.7] = 7, [2.1] = 21, [1] = 10 })
        {
            string text = factor.ToString(CultureInfo.InvariantCulture);
            var recipe = key.Read(new Recipe { Decoding = new RecipeDecoding { MaxLengthB = 0 } }, JsonDocument.Parse(text).RootElement)!;
            Assert.Equal(text, key.Show(recipe));
            Assert.Equal(longest, Experiment.Decoding(recipe).LongestFor(10));
            Assert.Equal(longest, (new DecodingOptions { MaxLengthA = factor, MaxLengthB = 0 }).LongestFor(10));
        }
    }

    [Theory, Devices]
    public void EveryOptionFindsWhatAPlainSearchFinds(string name)
    {
        using var device = TestDevices.Open(name);
        foreach (var (option, options) in Options)
        {
            int searched = 0, compared = 0;
            foreach (var config in Configs(name))
            {
                using var model = TinyModels.Create(config, device);
                int[][] sources = TinyModels.Sentences(new Random(7), config.SourceVocabulary, 6, 3, 9, 1);
                var results = new SequenceGenerator(model).Generate(sources, options);
                for (int i = 0; i < sources.Length; i++)
                {
                    var (plain, closest) = PlainSearch.Beam(model, sources[i], options);
                    Assert.NotEmpty(results[i]);
                    if (closest > PlainSearch.Tie)
                        PlainSearch.Same(plain, results[i]);
                    searched++;
                    compared += closest > PlainSearch.Tie ? 1 : 0;
                }
            }

            Assert.True(2 * compared >= searched, $"{option}: only {compared} of {searched} searches had no ties");
        }
    }

    /// <summary>A beam wider than there are outputs finds all that the rules allow.</summary>
    [Theory, Devices]
    public void AWideBeamFindsAllThatTheRulesAllow(string name)
    {
        using var device = TestDevices.Open(name);
        using var model = TinyModels.Create(TinyModels.Transformer with { SourceVocabulary = 5, TargetVocabulary = 5 }, device);
        int[] source = [4, 3, 4, Vocabulary.Eos];
        foreach (int size in (int[])[0, 1, 2])
        {
            foreach (int[] prefix in (int[][])[[], [4], [4, 4]])
            {
                var options = new DecodingOptions
                {
                    Beam = 64,
                    NBest = 64,
                    MaxLengthB = 3,
                    MinLength = 2,
                    LengthPenalty = 0.6f,
                    LengthPenaltyForm = LengthPenaltyForm.Gnmt,
                    NoRepeatNGramSize = size,
                };
                var expected = PlainSearch.Outputs(model, source, options, prefix).OrderByDescending(o => o.Score).ToArray();
                var got = new SequenceGenerator(model).Generate([source], options, prefixes: [prefix])[0];
                Assert.Equal(expected.Length, got.Count);
                Assert.Equal(expected.Select(o => string.Join(' ', o.Tokens)).Order(), got.Select(h => string.Join(' ', h.Tokens)).Order());
                Assert.All(expected.Zip(got), p => Assert.Equal(p.First.Score, p.Second.Score, 1e-4));
            }
        }
    }

    [Theory, Devices]
    public void OutputsBeginWithTheirPrefixesAndCountThem(string name)
    {
        using var device = TestDevices.Open(name);
        foreach (var config in Configs(name))
        {
            using var model = TinyModels.Create(config, device);
            int[][] sources = TinyModels.Sentences(new Random(3), config.SourceVocabulary, 6, 3, 9, 2, 5);
            int[][] prefixes = [[4, 5], [], [6, 6, 6, 7], [5], [4, 5, 6, 7, 8, 9, 10, 4, 5, 6, 7, 8, 9, 10]];
            foreach (var options in (DecodingOptions[])[Base, Base with { NoRepeatNGramSize = 2 }, Base with { DiverseBeamGroups = 2 }])
            {
                var results = new SequenceGenerator(model).Generate(sources, options, prefixes: prefixes);
                for (int i = 0; i < sources.Length; i++)
                {
                    var (plain, closest) = PlainSearch.Beam(model, sources[i], options, prefixes[i]);
                    Assert.All(results[i], h => Assert.Equal(prefixes[i].Take(h.Tokens.Length), h.Tokens.Take(prefixes[i].Length)));
                    if (closest > PlainSearch.Tie)
                        PlainSearch.Same(plain, results[i]);
                }

                Assert.Equal(9, results[4][0].Tokens.Length);
            }
        }
    }

    [Theory, Devices]
    public void GroupsWithoutStrengthAreTheSameSearchAndWithMuchOfItPart(string name)
    {
        using var device = TestDevices.Open(name);
        using var model = TinyModels.Create(TinyModels.Transformer, device);
        int[][] sources = TinyModels.Sentences(new Random(3), 11, 6, 3);
        var alone = new SequenceGenerator(model).Generate(sources, Base with { Beam = 2, NBest = 2 });
        var twice = new SequenceGenerator(model).Generate(sources, Base with { DiverseBeamGroups = 2, DiverseBeamStrength = 0 });
        var apart = new SequenceGenerator(model).Generate(sources, Base with { DiverseBeamGroups = 4, DiverseBeamStrength = 100 });
        for (int i = 0; i < sources.Length; i++)
        {
            Assert.Equal(alone[i].SelectMany(h => new[] { h.Tokens, h.Tokens }), twice[i].Select(h => h.Tokens));
            Assert.Equal(4, apart[i].Select(h => h.Tokens[0]).Distinct().Count());
        }
    }

    [Fact]
    public void ProblemsAreSaid()
    {
        Says(
            """
            no_repeat_ngram_size must be at least 0, got -1.
            diverse_beam_groups must be at least 1, got 0.
            temperature must be a finite number of at least 0.000001, got 0.
            sampling_topp must be above 0 and at most 1, got 1.5.
            sampling_topk must be 0 without sampling, got 3.
            sampling_topp must be 1 without sampling, got 1.5.
            diverse_beam_strength must be a finite number of at least 0, got -0.5.
            """,
            new DecodingOptions { NoRepeatNGramSize = -1, Temperature = 0, SamplingTopK = 3, SamplingTopP = 1.5f, DiverseBeamGroups = 0, DiverseBeamStrength = -0.5f });
        Says("diverse_beam_groups must divide beam, got 2 and 5.", new DecodingOptions { DiverseBeamGroups = 2 });
        Says(
            """
            sampling_topk must be at least 0, got -1.
            diverse_beam_groups must be 1 with sampling, got 2.
            """,
            new DecodingOptions { Sampling = true, NBest = 9, SamplingTopK = -1, DiverseBeamGroups = 2 });
        Assert.Empty(new DecodingOptions { Sampling = true, NBest = 9, SamplingTopK = 3, SamplingTopP = 0.9f }.Validate());
        Assert.Empty(new DecodingOptions { Sampling = true, NBest = 9, SamplingTopK = 3, DiverseBeamGroups = 2 }.Greedy().Validate());

        static void Says(string problems, DecodingOptions options) => Assert.Equal(problems, string.Join('\n', options.Validate()));
    }

    [Theory, Devices]
    public void WrongPrefixesAreRefused(string name)
    {
        using var device = TestDevices.Open(name);
        using var model = TinyModels.Create(TinyModels.Transformer, device);
        Says("SequenceGenerator: prefixes must be as many as sources, got 1 and 2.", [[4]]);
        foreach (int token in (int[])[1, 2, 11, -1])
            Says($"SequenceGenerator: tokens of a prefix must be in 0 .. 10 and neither padding (1) nor end-of-sentence (2), got {token} at 1 of prefix 1.", [[], [4, token]]);
        var whole = Base with { StopsAtEndOfSentence = false };
        Says("SequenceGenerator: tokens of a prefix must be in 0 .. 10 and not padding (1), got 1 at 2 of prefix 0.", [[4, 2, 1], []], whole);

        void Says(string message, int[][] prefixes, DecodingOptions? options = null)
            => Assert.Equal(message, Assert.Throws<ArgumentException>(() => new SequenceGenerator(model).Generate([[4, 2], [5, 2]], options ?? Base, prefixes: prefixes)).Message);
    }

    private static IEnumerable<ModelConfig> Configs(string name)
        => name == TestDevices.Emulated ? [TinyModels.Transformer] : [TinyModels.Transformer, TinyModels.Conv(Architecture.LightConv), TinyModels.Conv(Architecture.DynamicConv)];
}
