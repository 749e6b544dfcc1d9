using CudaSeq.Models;

namespace CudaSeq.Tests;

/// <summary>Searches for outputs that hold phrases.</summary>
public sealed class ConstraintTests
{
    private static readonly DecodingOptions Wide = new() { Beam = 128, NBest = 128, MaxLengthB = 4, MinLength = 2, LengthPenalty = 0.6f };

    /// <summary>A beam wider than there are outputs finds all that hold their phrases, and so the best of them.</summary>
    [Theory, Devices]
    public void AWideBeamFindsAllThatHoldTheirPhrases(string name)
    {
        using var device = TestDevices.Open(name);
        using var model = TinyModels.Create(TinyModels.Transformer with { SourceVocabulary = 5, TargetVocabulary = 5 }, device);
        int[] source = [4, 3, 4, Vocabulary.Eos];
        (int[][] Phrases, bool Shares)[] cases = [([[3]], false), ([[3], [3]], false), ([[4, 4]], false), ([[0, 3], [4]], false), ([[4], [3], [0]], false), ([[3, 4, 0]], false), ([[3, 4], [4, 3]], true), ([[4], [4, 3]], true)];
        var wide = name == TestDevices.Emulated ? Wide with { Beam = 40, NBest = 40, MaxLengthB = 3 } : Wide;
        foreach (var options in (DecodingOptions[])[wide, wide with { ConstraintOrder = ConstraintOrder.Ordered, MinLength = wide.MaxLengthB }, wide with { LengthPenaltyForm = LengthPenaltyForm.Gnmt, Temperature = 2 }])
        {
            foreach (int[] prefix in (int[][])[[], [4]])
            {
                var all = PlainSearch.Outputs(model, source, options, prefix);
                foreach (var (phrases, shares) in cases)
                {
                    var constraints = PlainConstraints.Of(phrases);
                    if (options.ConstraintProblem(source.Length, prefix, constraints) is not null)
                        continue;
                    var expected = all.Where(o => PlainConstraints.Hold(o.Tokens, constraints, options.ConstraintOrder)).OrderByDescending(o => o.Score).ToArray();
                    var got = Generate(model, [source], options, [prefix], [constraints])[0];
                    Assert.NotEmpty(expected);
                    string[] found = [.. got.Select(h => string.Join(' ', h.Tokens)).Order()];
                    if (shares && options.ConstraintOrder == ConstraintOrder.Unordered)
                    {
                        // Room is kept for phrases one after the other.
                        Assert.Subset(expected.Select(o => string.Join(' ', o.Tokens)).ToHashSet(), found.ToHashSet());
                        continue;
                    }

                    Assert.Equal(expected.Select(o => string.Join(' ', o.Tokens)).Order(), found);
                    Assert.All(expected.Zip(got), p => Assert.Equal(p.First.Score, p.Second.Score, 1e-4));
                }
            }
        }
    }

    /// <summary>Phrases, prefixes, lengths, beams and rules as they come: whatever is found holds its phrases.</summary>
    [Theory, Devices]
    public void EveryOutputHoldsItsPhrases(string name)
    {
        using var device = TestDevices.Open(name);
        var random = new Random(5);
        int held = 0, sentences = name == TestDevices.Emulated ? 4 : 12;
        foreach (var config in (ModelConfig[])[TinyModels.Transformer, TinyModels.Conv(Architecture.DynamicConv)])
        {
            using var model = TinyModels.Create(config, device, seed: 3);
            for (int round = 0; round < (name == TestDevices.Emulated ? 4 : 25); round++)
            {
                var options = new DecodingOptions
                {
                    Beam = random.Next(1, 8),
                    MaxLengthA = random.Next(2),
                    MaxLengthB = random.Next(5, 12),
                    MinLength = random.Next(0, 6),
                    NoRepeatNGramSize = random.Next(4),
                    LengthPenalty = random.NextSingle(),
                    BatchTokens = random.Next(1, 60),
                    ConstraintOrder = (ConstraintOrder)random.Next(2),
                    Alignments = random.Next(4) == 0,
                };
                options = options with { NBest = random.Next(1, options.Beam + 1) };
                int[][] sources = TinyModels.Sentences(random, 11, [.. Enumerable.Range(0, sentences).Select(_ => random.Next(1, 10))]);
                int[][] prefixes = [.. sources.Select(_ => Tokens(random.Next(2) * random.Next(1, 4)))];
                bool bounded = random.Next(2) == 0;
                LexicalConstraint[][] constraints = [.. sources.Zip(prefixes, (source, prefix) => Phrases(options, source, prefix, bounded))];
                var results = Generate(model, sources, options, prefixes, constraints);
                for (int i = 0; i < sources.Length; i++)
                {
                    Assert.NotEmpty(results[i]);
                    Assert.Equal(results[i].Count, results[i].Select(h => string.Join(' ', h.Tokens)).Distinct().Count());
                    foreach (var hypothesis in results[i])
                    {
                        Assert.True(PlainConstraints.Hold(hypothesis.Tokens, constraints[i], options.ConstraintOrder), $"round {round}, sentence {i}: {string.Join(' ', hypothesis.Tokens)}");
                        Assert.Equal(prefixes[i], hypothesis.Tokens.Take(prefixes[i].Length));
                        Assert.InRange(hypothesis.Tokens.Length, 0, options.LongestFor(sources[i].Length));
                        Assert.True(float.IsFinite(hypothesis.Score));
                        held += constraints[i].Length;
                    }
                }
            }
        }

        Assert.True(held > (name == TestDevices.Emulated ? 40 : 1000), $"only {held} phrases");

        int[] Tokens(int count) => [.. Enumerable.Range(0, count).Select(_ => random.Next(Vocabulary.Unk, 11))];

        // As many as fit; where words have bounds, tokens 9 and 10 do not end one.
        LexicalConstraint[] Phrases(DecodingOptions options, int[] source, int[] prefix, bool bounded)
        {
            List<LexicalConstraint> phrases = [];
            for (int n = random.Next(0, 5); n > 0; n--)
            {
                var phrase = new LexicalConstraint([.. Tokens(random.Next(0, 3)), bounded ? random.Next(Vocabulary.Unk, 9) : random.Next(Vocabulary.Unk, 11)]) { Before = bounded ? t => t < 9 : null };
                if (options.ConstraintProblem(source.Length, prefix, [.. phrases, phrase]) is null)
                    phrases.Add(phrase);
            }

            return [.. phrases];
        }
    }

    /// <summary>Raw pieces: a word that is said must not go on, though the model would have it so.</summary>
    [Theory, Devices]
    public void WhatFollowsAPhraseDoesNotGoOnWithItsLastWord(string name)
    {
        using var device = TestDevices.Open(name);
        using var model = TinyModels.Create(TinyModels.Transformer, device);
        int[][] sources = TinyModels.Sentences(new Random(3), 11, 6, 3, 9, 2, 5);
        foreach (int next in (int[])[3, 6, 9])
        {
            LexicalConstraint[] constraints = [new([4, next]) { After = t => t < 6 }, new([5]) { After = t => t < 6 }];
            foreach (var options in (DecodingOptions[])[Wide with { Beam = 5, NBest = 5 }, Wide with { Beam = 3, NBest = 1, MaxLengthB = 9, MinLength = 8 }, Wide with { Beam = 1, NBest = 1, MaxLengthB = 3 }])
            {
                foreach (var result in Generate(model, sources, options, [.. sources.Select(_ => Array.Empty<int>())], [.. sources.Select(_ => constraints)]))
                    Assert.All(result, h => Assert.True(PlainConstraints.Hold(h.Tokens, constraints, ConstraintOrder.Unordered), string.Join(' ', h.Tokens)));
            }
        }
    }

    [Theory, Devices]
    public void WithoutPhrasesNothingChanges(string name)
    {
        using var device = TestDevices.Open(name);
        using var model = TinyModels.Create(TinyModels.Transformer, device);
        int[][] sources = TinyModels.Sentences(new Random(3), 11, 6, 3, 9, 2, 5, 7);
        int[][] prefixes = [[], [4], [], [5, 6], [], []];
        var options = new DecodingOptions { Beam = 4, NBest = 4, MaxLengthB = 9, NoRepeatNGramSize = 2 };
        var plain = new SequenceGenerator(model).Generate(sources, options, prefixes: prefixes);
        Same(plain, Generate(model, sources, options, prefixes, [.. sources.Select(_ => Array.Empty<LexicalConstraint>())]), exact: true);

        // Nor for those beside a sentence that has some, beyond rounding.
        LexicalConstraint[][] some = [[], PlainConstraints.Of([8, 9]), [], [], PlainConstraints.Of([4], [5]), []];
        var mixed = Generate(model, sources, options, prefixes, some);
        int[] free = [0, 2, 3, 5];
        Same([.. free.Select(i => plain[i])], [.. free.Select(i => mixed[i])], exact: false);

        static void Same(IReadOnlyList<IReadOnlyList<Hypothesis>> expected, IReadOnlyList<IReadOnlyList<Hypothesis>> got, bool exact)
        {
            foreach (var (e, g) in expected.SelectMany(r => r).Zip(got.SelectMany(r => r)))
            {
                Assert.Equal(e.Tokens, g.Tokens);
                Assert.Equal(e.Score, g.Score, exact ? 0 : 1e-4f);
            }
        }
    }

    [Theory, Devices]
    public void WhatCannotBeIsRefused(string name)
    {
        using var device = TestDevices.Open(name);
        using var model = TinyModels.Create(TinyModels.Transformer, device);
        var options = new DecodingOptions { MaxLengthB = 4 };
        Says("SequenceGenerator: constraints must be as many as sources, got 1 and 2.", options, [[]]);
        foreach (int token in (int[])[1, 2, 11, -1])
            Says($"SequenceGenerator: tokens of a constraint must be in 0 .. 10 and neither padding (1) nor end-of-sentence (2), got {token} at 1 of constraints 1.", options, [[], PlainConstraints.Of([4, token])]);
        Says("SequenceGenerator: tokens of a constraint must be in 0 .. 10 and neither padding (1) nor end-of-sentence (2), got none of constraints 1.", options, [[], [new LexicalConstraint([])]]);
        Says("SequenceGenerator: constraints must fit into the longest output, got 5 tokens of them and at most 4 for source 1.", options, [[], PlainConstraints.Of([4, 5, 6], [7, 8])]);
        Says("SequenceGenerator: constraints must fit into the longest output, got 3 tokens of them after a prefix of 2 and at most 4 for source 1.", options, [[], PlainConstraints.Of([4, 5, 6], [7])], [[], [9, 4]]);
        Says("SequenceGenerator: constraints need plain beam search, got sampling for source 0.", options with { Sampling = true }, [PlainConstraints.Of([4]), []]);
        Says("SequenceGenerator: constraints need plain beam search, got 5 diverse beam groups for source 0.", options with { DiverseBeamGroups = 5 }, [PlainConstraints.Of([4]), []]);
        Says("SequenceGenerator: constraints need outputs that end-of-sentence ends, got outputs that go on after it for source 0.", options with { StopsAtEndOfSentence = false }, [PlainConstraints.Of([4]), []]);

        void Says(string message, DecodingOptions options, LexicalConstraint[][] constraints, int[][]? prefixes = null)
            => Assert.Equal(message, Assert.Throws<ArgumentException>(() => new SequenceGenerator(model).Generate([[4, 2], [5, 2]], options, default, prefixes, constraints)).Message);
    }

    private static IReadOnlyList<IReadOnlyList<Hypothesis>> Generate(Seq2SeqModel model, int[][] sources, DecodingOptions options, int[][] prefixes, LexicalConstraint[][] constraints)
        => new SequenceGenerator(model).Generate(sources, options, default, prefixes, constraints);
}
