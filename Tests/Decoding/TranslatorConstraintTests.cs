using System.Text.RegularExpressions;
using CudaSeq.Models;

namespace CudaSeq.Tests;

/// <summary>Phrases of text: translations hold them as whole words, whatever cuts them.</summary>
public sealed class TranslatorConstraintTests
{
    private static readonly string[] Text = ["the house is red .", "the houses are red, her house is not", "us and them: 42 houses, 4 hats", "a hat in the house", "unus et us"];
    private static readonly string[] Phrases = ["house", "us", "the house", "hat", "4", "her", "red", "in the"];

    [Theory, Devices]
    public void TranslationsHoldTheirPhrasesAsWholeWords(string name)
    {
        using var device = TestDevices.Open(name);
        ITokenizer[] tokenizers = [new WordTokenizer(), BytePairEncoding.Learn(Text, 40), SubwordNmt.Learn(Text, 12)];
        int held = 0;
        foreach (var tokenizer in tokenizers)
        {
            var random = new Random(2);
            var codec = new TextCodec(tokenizer, Vocabulary.Build(tokenizer, [.. Text, .. Phrases]));
            var config = TinyModels.Transformer with { SourceVocabulary = codec.Vocabulary.Count, TargetVocabulary = codec.Vocabulary.Count };
            using var translator = new Translator(TinyModels.Create(config, device), codec, codec);
            for (int round = 0; round < (name == TestDevices.Emulated ? 2 : 12); round++)
            {
                var options = new DecodingOptions { Beam = random.Next(1, 6), MaxLengthB = random.Next(16, 20), MinLength = random.Next(12), ConstraintOrder = (ConstraintOrder)random.Next(2) };
                string[][] phrases = [.. Text.Select(_ => Enumerable.Range(0, random.Next(3)).Select(_ => Phrases[random.Next(Phrases.Length)]).ToArray())];
                var results = translator.Translate([.. Text, ""], options, constraints: [.. phrases, ["house"]]);
                Assert.Equal("", Assert.Single(results[^1]).Text);
                for (int i = 0; i < phrases.Length; i++)
                {
                    foreach (var group in phrases[i].GroupBy(p => p))
                    {
                        // A blank may follow a blank; other marks than letters or digits may follow raw pieces.
                        string pattern = $"(?<=^| ){Regex.Escape(group.Key)}(?={(tokenizer is BytePairEncoding ? (char.IsDigit(group.Key[^1]) ? "[^0-9]|$" : "[^a-z]|$") : " |$")})";
                        Assert.True(Regex.Count(results[i][0].Text, pattern) >= group.Count(), $"{tokenizer.Name}: '{results[i][0].Text}' does not hold '{group.Key}' {group.Count()} times");
                        held++;
                    }
                }
            }
        }

        Assert.True(held > (name == TestDevices.Emulated ? 15 : 100), $"only {held} phrases");
    }

    [Theory, Devices]
    public void WhatCannotBeIsSaidWithItsLine(string name)
    {
        using var device = TestDevices.Open(name);
        var words = new TextCodec(new WordTokenizer(), Vocabulary.Build(new WordTokenizer(), Text));
        var subwords = new TextCodec(SubwordNmt.Learn(["@@ @@"], 1), Vocabulary.FromCounts([new("@@", 1), new("a", 1)]));
        using var translator = Of(words);
        using var other = Of(subwords);
        Says("constraints must be made of pieces of the target's vocabulary, got 'the zebra' with the piece 'zebra'.", translator, [["hat"], [" the zebra "]]);
        Says("constraints must fit into the longest output, got 5 tokens of them and at most 4.", translator, [["hat"], ["the house", "is red .", " "]]);
        Says("constraints must fit into the longest output, got 4 tokens of them after a prefix of 1 and at most 4.", translator, [["hat"], ["the house", "is red"]], ["", "a"]);
        Says("constraints must end where a word ends, got '@@' with the piece '@@' at its end.", other, [[], ["@@"]]);
        Assert.Equal(
            "Translator: constraints must be as many as lines, got 1 and 2.", Assert.Throws<ArgumentException>(() => translator.Translate(["a", "a"], constraints: [["hat"]])).Message);

        // White space is no prefix and no phrase.
        Assert.Equal(translator.Translate("a hat"), translator.Translate(["a hat"], prefixes: [" \t"], constraints: [["", "  "]])[0][0].Text);

        Translator Of(TextCodec codec)
            => new(TinyModels.Create(TinyModels.Transformer with { SourceVocabulary = codec.Vocabulary.Count, TargetVocabulary = codec.Vocabulary.Count }, device), codec, codec, new DecodingOptions { MaxLengthB = 4 });

        static void Says(string problem, Translator translator, string[][] constraints, string[]? prefixes = null)
        {
            var error = Assert.Throws<ConstraintException>(() => translator.Translate(["a", "a"], prefixes: prefixes, constraints: constraints));
            Assert.Equal((1, problem, $"Translator: {problem[..^1]} (line 1, from 0)."), (error.Line, error.Problem, error.Message));
        }
    }
}
