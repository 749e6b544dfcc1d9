using CudaSeq.Models;

namespace CudaSeq.Tests;

/// <summary>The MaxMatch score: the expectations are what m2scorer 3.2 computes.</summary>
public sealed class MaxMatchTests : IDisposable
{
    // The example of m2scorer's README.
    private const string Example = """
        S The cat sat at mat .
        A 3 4|||Prep|||on|||REQUIRED|||-NONE-|||0
        A 4 4|||ArtOrDet|||the||a|||REQUIRED|||-NONE-|||0

        S The dog .
        A 1 2|||NN|||dogs|||REQUIRED|||-NONE-|||0
        A -1 -1|||noop|||-NONE-|||-NONE-|||-NONE-|||1

        S Giant otters is an apex predator .
        A 2 3|||SVA|||are|||REQUIRED|||-NONE-|||0
        A 3 4|||ArtOrDet|||-NONE-|||REQUIRED|||-NONE-|||0
        A 5 6|||NN|||predators|||REQUIRED|||-NONE-|||0
        A 1 2|||NN|||otter|||REQUIRED|||-NONE-|||1

        """;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    // Each word may become each other: the places where edits can meet are all of 91 x 91.
    [Fact]
    public void SentencesThatHaveNothingInCommonAreRefusedWhereTheyAreLong()
    {
        string[] Words(char letter) => [.. Enumerable.Range(0, 91).Select(i => $"{letter}{i}")];
        string path = _folder.File("long.m2", $"S {string.Join(' ', Words('a'))}\n\n");
        Assert.Equal(
            "M2: a sentence and its correction must have more in common: there are 8,464 places where their edits can meet, at most 8,192 are searched, in \"a0 a1 a2 a3 a4 a5 a6 a7 a8 a9 a10 a11 a…\".",
            Assert.Throws<InvalidDataException>(() => MaxMatch.Sentence(string.Join(' ', Words('b')), M2File.Read(path).Sentences[0])).Message);
    }

    [Fact]
    public void TheExampleOfTheScorer()
    {
        var gold = Read(Example).Sentences;
        var score = MaxMatch.Corpus(["A cat sat on the mat .", "The dog .", "Giant otters are apex predator ."], gold);
        Assert.Equal((4, 5, 5), (score.Correct, score.Proposed, score.Gold));
        Assert.Equal(80, score.Score, 1e-9);
        Assert.Equal((80, 80), (score.Precision, score.Recall));
        Assert.StartsWith("F0.5|nrefs:var|case:mixed|tok:none|edits:m2|unchanged:2|version:cudaseq-", score.ToString());
        Assert.EndsWith(" = 80.00 (P = 80.00 R = 80.00)", score.ToString());
        score = MaxMatch.Corpus(["A cat sat on mat .", "The dog .", "Giant otters are apex predator ."], gold);
        Assert.Equal((3, 4, 5), (score.Correct, score.Proposed, score.Gold));
        Assert.Equal(71.42857142857143, score.Score, 1e-9);
    }

    [Theory]
    [InlineData("dev.src", 0, 0, 2072, 0)]
    [InlineData("dev.spellchecked.src", 337, 546, 2200, 0.38435218978102187)]
    [InlineData("dev.ref0", 3045, 3258, 3219, 0.9368654236662359)]
    [InlineData("dev.ref1", 3233, 3448, 3441, 0.9380258805779608)]
    [InlineData("dev.ref2", 2693, 2872, 2992, 0.929903314917127)]
    [InlineData("dev.ref3", 2315, 2504, 2618, 0.9161785657748932)]
    public void EqualsTheScorerOnJfleg(string hypotheses, long correct, long proposed, long gold, double f)
    {
        var file = M2File.Read(TestData.Require("jfleg/dev.ref.m2"));
        Assert.Equal((754, 19), (file.Sentences.Count, file.LeftOut));
        var score = MaxMatch.Corpus([.. TextFile.ReadLines(TestData.Require($"jfleg/{hypotheses}"))], file.Sentences);
        Assert.Equal((correct, proposed, gold), (score.Correct, score.Proposed, score.Gold));
        Assert.Equal(f, score.Score / 100, 1e-12);
    }

    [Fact]
    public void PhrasesHoldUnchangedWordsWhereAnAnnotatorsEditDoes()
    {
        var gold = Read("S a b c d\nA 0 3|||x|||x b y|||REQUIRED|||-NONE-|||0\n").Sentences;
        Assert.Equal((1, 1, 1), Counts(MaxMatch.Sentence("x b y d", gold[0])));
        Assert.Equal((0, 2, 1), Counts(MaxMatch.Sentence("x b y d", gold[0], new MaxMatchOptions { MaxUnchangedWords = 0 })));
        Assert.Equal((0, 0, 1), Counts(MaxMatch.Sentence("a b c d", gold[0])));

        static (long, long, long) Counts(MaxMatchScore score) => (score.Correct, score.Proposed, score.Gold);
    }

    [Fact]
    public void EdgesOfTheScore()
    {
        var nothing = Read("S a b\n").Sentences[0];
        Assert.Equal((100, 100, 100), Figures(MaxMatch.Sentence("a b", nothing)));
        Assert.Equal((0, 0, 100), Figures(MaxMatch.Sentence("a c", nothing)));
        Assert.Equal((0, 0, 100), Figures(MaxMatch.Sentence("", nothing)));
        Assert.Equal((100, 100, 100), Figures(MaxMatch.Sentence("", new M2Sentence("", [[]]))));
        var missed = Read("S a b\nA 0 1|||x||||||REQUIRED|||-NONE-|||0\n").Sentences[0];
        Assert.Equal((0, 100, 0), Figures(MaxMatch.Sentence("a b", missed)));
        Assert.Equal((100, 100, 100), Figures(MaxMatch.Sentence("b", missed)));
        Assert.Equal("F1.0", MaxMatch.Sentence("b", missed, new MaxMatchOptions { Beta = 1 }).Name);

        static (double, double, double) Figures(MaxMatchScore score) => (score.Score, score.Precision, score.Recall);
    }

    [Fact]
    public void AnnotatorsCountByTheirNumbersAndEditsBeyondTheSentenceDoNot()
    {
        var file = Read("S a b c \r\nI note\nA 1 2|||x|||y|||REQUIRED|||-NONE-|||2\nA 0 1|||x|||-NONE-||z z |||REQUIRED|||-NONE-|||1\nA 4 4|||x|||w|||REQUIRED|||-NONE-|||1\n\n\n\nS d\n");
        Assert.Equal((2, 1), (file.Sentences.Count, file.LeftOut));
        Assert.Equal("a b c", file.Sentences[0].Source);
        Assert.Equal([1, 1], file.Sentences[0].Annotations.Select(a => a.Count));
        Assert.Equal(["", "z z"], file.Sentences[0].Annotations[0][0].Corrections);
        Assert.Equal((1, 2), (file.Sentences[0].Annotations[1][0].Start, file.Sentences[0].Annotations[1][0].End));
        Assert.Empty(Assert.Single(file.Sentences[1].Annotations));
    }

    [Theory]
    [InlineData("", "{0}: must have at least one sentence, got none.")]
    [InlineData("S a\nS b\n", "{0}: line 2: a block must have one sentence, got a second S b.")]
    [InlineData("A 0 1|||x|||y|||R|||-|||0\n", "{0}: line 1: a block must begin with S and a sentence, got A 0 1|||x|||y|||R|||-|||0.")]
    [InlineData("S a\nX b\n", "{0}: line 2: must begin with S, A or I, got X b.")]
    [InlineData("S a\nA 0 1|||x|||y|||R|||-\n", "{0}: line 2: an edit must be A start end|||type|||correction|||required|||comment|||annotator, got A 0 1|||x|||y|||R|||-.")]
    [InlineData("S a\nA 0 x|||x|||y|||R|||-|||0\n", "{0}: line 2: an edit must be A start end|||type|||correction|||required|||comment|||annotator, got A 0 x|||x|||y|||R|||-|||0.")]
    [InlineData("S a\nA 1 0|||x|||y|||R|||-|||0\n", "{0}: line 2: an edit must not end before it starts, got A 1 0|||x|||y|||R|||-|||0.")]
    public void RefusesWhatIsNoM2File(string text, string message)
    {
        string path = _folder.File("a.m2", text);
        Assert.Equal(message.Replace("{0}", path, StringComparison.Ordinal), Assert.Throws<InvalidDataException>(() => M2File.Read(path)).Message);
    }

    [Fact]
    public void RefusesWhatCannotBeScored()
    {
        var gold = Read("S a\n").Sentences;
        Assert.Equal("MaxMatch: hypotheses and annotated sentences must be as many as each other, got 2 and 1.", Message(() => MaxMatch.Corpus(["a", "b"], gold)));
        Assert.Equal("MaxMatch: must be given at least one line, got none.", Message(() => MaxMatch.Corpus([], [])));
        Assert.Equal("MaxMatch: Beta must be a number above 0, got 0.", Message(() => MaxMatch.Corpus(["a"], gold, new MaxMatchOptions { Beta = 0 })));
        Assert.Equal("MaxMatch: MaxUnchangedWords must be at least 0, got -1.", Message(() => MaxMatch.Corpus(["a"], gold, new MaxMatchOptions { MaxUnchangedWords = -1 })));
    }

    private M2File Read(string text) => M2File.Read(_folder.File("gold.m2", text));

    private static string Message(Action call) => Assert.Throws<ArgumentException>(call).Message;
}
