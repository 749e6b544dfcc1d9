namespace CudaSeq.Models;

/// <summary>What may be wrong with a text, with a pair of texts, or between the splits of a corpus. Each counts lines, but <see cref="NoLines"/>.</summary>
public enum CorpusFault
{
    /// <summary>The file has no lines.</summary>
    NoLines,

    /// <summary>The line is not valid UTF-8.</summary>
    InvalidUtf8,

    /// <summary>The file begins with a byte order mark.</summary>
    ByteOrderMark,

    /// <summary>The line ends in CR LF, as all lines of the file.</summary>
    CrLf,

    /// <summary>The line ends in CR LF, while others end in LF.</summary>
    MixedLineEnds,

    /// <summary>The last line has no end.</summary>
    NoFinalLineEnd,

    /// <summary>The line holds NUL.</summary>
    Nul,

    /// <summary>The line holds a control character other than tab, NUL and those of <see cref="LineSeparators"/>.</summary>
    ControlCharacters,

    /// <summary>The line holds a character that some tools take for its end: a lone CR, VT, FF, U+001C to U+001E, U+0085, U+2028 or U+2029.</summary>
    LineSeparators,

    /// <summary>The line holds U+FEFF, which is a byte order mark at the start of a file and nothing visible elsewhere.</summary>
    InnerByteOrderMark,

    /// <summary>The line holds a character without width: U+200B to U+200F, U+202A to U+202E, U+2060 to U+2064, U+2066 to U+2069.</summary>
    ZeroWidth,

    /// <summary>The line holds U+FFFD, which stands where an earlier conversion failed.</summary>
    Replacement,

    /// <summary>The line is not in Unicode's Normalization Form C: what looks alike is spelled in two ways.</summary>
    NotNfc,

    /// <summary>The line is empty or white space.</summary>
    Empty,

    /// <summary>The line has more characters than <see cref="CorpusCheckOptions.LongLine"/>.</summary>
    Long,

    /// <summary>The line stands earlier in the file.</summary>
    RepeatedLine,

    /// <summary>The line has no partner: the other file has fewer.</summary>
    NoPartner,

    /// <summary>One side of the pair is empty and the other is not.</summary>
    OneSideEmpty,

    /// <summary>One side of the pair has more than <see cref="CorpusCheckOptions.Ratio"/> times the words of the other.</summary>
    WordRatio,

    /// <summary>One side of the pair has more than <see cref="CorpusCheckOptions.Ratio"/> times the characters of the other.</summary>
    CharacterRatio,

    /// <summary>The pair stands earlier in the files.</summary>
    RepeatedPair,

    /// <summary>Both sides of the pair are the same.</summary>
    SameSides,

    /// <summary>The line of a text without a pair stands in an earlier split.</summary>
    LeakedLine,

    /// <summary>The pair stands in an earlier split.</summary>
    LeakedPair,

    /// <summary>The source line stands in an earlier split.</summary>
    LeakedSource,

    /// <summary>The target line stands in an earlier split.</summary>
    LeakedTarget,
}

/// <summary>Where something was found.</summary>
/// <param name="Line">The line, from 1.</param>
/// <param name="Byte">The byte in the file, from 0; null where that says nothing.</param>
/// <param name="Other">The earlier line, or the earlier split's, that is the same; null for most.</param>
public sealed record CorpusPlace(long Line, long? Byte = null, long? Other = null);

/// <summary>Something that was found.</summary>
/// <param name="Fault">What.</param>
/// <param name="Count">In how many lines.</param>
/// <param name="First">The first of them.</param>
public sealed record CorpusFinding(CorpusFault Fault, long Count, IReadOnlyList<CorpusPlace> First);

/// <summary>What a text is and what was found in it.</summary>
/// <param name="Path">The file.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Lines">Its lines.</param>
/// <param name="Words">What stands between white space.</param>
/// <param name="Characters">Code points, line ends not counted.</param>
/// <param name="LongestLine">The first of its longest lines; 0 when it has none.</param>
/// <param name="LongestCharacters">The code points of that line.</param>
/// <param name="Findings">What was found, in the order of <see cref="CorpusFault"/>.</param>
public sealed record TextReport(
    string Path, long Bytes, long Lines, long Words, long Characters, long LongestLine, long LongestCharacters, IReadOnlyList<CorpusFinding> Findings);

/// <summary>What was found in two texts side by side.</summary>
/// <param name="Name">What the two are called.</param>
/// <param name="Source">The one file.</param>
/// <param name="Target">The other file.</param>
/// <param name="Pairs">The lines that have a partner.</param>
/// <param name="Findings">What was found.</param>
public sealed record PairReport(string Name, string Source, string Target, long Pairs, IReadOnlyList<CorpusFinding> Findings);

/// <summary>What a split shares with one that is to be learned from, or chosen by, before it.</summary>
/// <param name="Name">The split, as a test set.</param>
/// <param name="Earlier">The split before it, as training.</param>
/// <param name="Findings">Which lines of the first stand in the second.</param>
public sealed record LeakReport(string Name, string Earlier, IReadOnlyList<CorpusFinding> Findings);

/// <summary>What was found in a corpus.</summary>
/// <param name="Texts">File by file.</param>
/// <param name="Pairs">Pair by pair.</param>
/// <param name="Leaks">Split by split; those that share nothing too.</param>
public sealed record CorpusReport(IReadOnlyList<TextReport> Texts, IReadOnlyList<PairReport> Pairs, IReadOnlyList<LeakReport> Leaks)
{
    /// <summary>How many findings there are.</summary>
    public int Findings => Texts.Sum(t => t.Findings.Count) + Pairs.Sum(p => p.Findings.Count) + Leaks.Sum(l => l.Findings.Count);
}

/// <summary>What counts as worth telling.</summary>
public sealed record CorpusCheckOptions
{
    /// <summary>The ratio of two sides' lengths beyond which a pair is told: 3.</summary>
    public double Ratio { get; init; } = 3;

    /// <summary>The characters beyond which a line is told: 1,000.</summary>
    public int LongLine { get; init; } = 1000;

    /// <summary>How many places are named for each finding: 3.</summary>
    public int Examples { get; init; } = 3;
}

/// <summary>What a split of a corpus is for.</summary>
public enum CorpusSplit
{
    /// <summary>To learn from.</summary>
    Train,

    /// <summary>To choose by.</summary>
    Valid,

    /// <summary>To measure with.</summary>
    Test,

    /// <summary>Something else, that is compared with nothing.</summary>
    Other,
}

/// <summary>A part of a corpus: one text, or two of which line n of the one belongs to line n of the other.</summary>
/// <param name="Name">What reports call it.</param>
/// <param name="Split">What it is for.</param>
/// <param name="Family">Parts are compared with each other, training before validation before tests, when their families are the same.</param>
/// <param name="Source">The file, or that of the sources.</param>
/// <param name="Target">The file of the targets; null for one text.</param>
public sealed record CorpusToCheck(string Name, CorpusSplit Split, string Family, string Source, string? Target = null);
