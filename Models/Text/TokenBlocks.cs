namespace CudaSeq.Models;

/// <summary>Where one sample of a text ends and the next begins: fairseq's sample break modes of these names.</summary>
public enum SampleBreak
{
    /// <summary>After every so many tokens, wherever a line ends; the last block is what is left.</summary>
    None,

    /// <summary>At the end of a line: blocks of as many whole lines as fit. A longer line is a block of its own.</summary>
    Complete,

    /// <summary>At the end of every line.</summary>
    Eos,
}

/// <summary>
/// A text as a language model reads it: the ids of all its lines one after the other, each line's followed by <see cref="Vocabulary.Eos"/>, a blank line's too, cut into blocks.
/// Each token is the target of exactly one block. What a block's first token is predicted from is the token before it in the text, as in fairseq, <see cref="Vocabulary.Eos"/>
/// at the beginning. The ids are in memory, 4 bytes a token and 4 a line, or in a file that is mapped into memory (<see cref="CorpusCache.LoadText"/>), where there may be more than
/// 2^31 of them; besides, blocks of whole lines take 8 bytes each.
/// </summary>
/// <remarks>A mapped text must be disposed to give its file free; the views it gave end with it. Of one in memory nothing needs to be disposed.</remarks>
public sealed class TokenBlocks : ISamples
{
    // Ids that are hashed at once.
    private const int PieceLength = 1 << 16;

    private readonly ITextStore _text;
    private readonly LoadReport _report;
    private readonly SampleBreak _breaks;
    private readonly int _size;
    private readonly int _context;
    private readonly long[] _ends = [];

    /// <param name="name">What the text is called.</param>
    /// <param name="text">Its ids; disposed with the blocks.</param>
    /// <param name="report">What became of its lines.</param>
    /// <param name="measures">How long those are that were kept.</param>
    /// <param name="breaks">Where samples end.</param>
    /// <param name="tokensPerSample">Tokens of a block.</param>
    /// <param name="context">How many of them are read alone; <see cref="CheckSize"/> has looked at it.</param>
    /// <exception cref="InvalidDataException">There are more blocks than an index can say.</exception>
    internal TokenBlocks(string name, ITextStore text, LoadReport report, TextMeasures measures, SampleBreak breaks, int tokensPerSample, int context)
    {
        (Name, _text, _report, Measures, _breaks, _size, _context) = (name, text, report, measures, breaks, tokensPerSample - context, context);
        long count = breaks switch
        {
            SampleBreak.None => (text.Tokens + _size - 1) / _size,
            SampleBreak.Complete => WholeLines(text, _size).LongCount(),
            _ => text.Lines,
        };
        if (count > Array.MaxLength)
            throw new InvalidDataException($"{name}: must have at most {Array.MaxLength} blocks, got {count}; longer blocks are fewer.");
        Count = (int)count;
        if (breaks != SampleBreak.Complete)
            return;
        _ends = new long[Count];
        int next = 0;
        foreach (long end in WholeLines(text, _size))
            _ends[next++] = end;
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public int Count { get; }

    /// <inheritdoc/>
    public string Size => FormattableString.Invariant($"{Count} blocks of {Tokens} tokens");

    /// <summary>Tokens of all blocks, ends of lines included.</summary>
    public long Tokens => _text.Tokens;

    /// <summary>Lines, words and characters of the text that the blocks are made of.</summary>
    public TextMeasures Measures { get; }

    /// <summary>Lines left out because they have too many pieces.</summary>
    public int TooLong => (int)_report.TooLong;

    /// <summary>Tokens that are <see cref="Vocabulary.Unk"/>.</summary>
    public long Unknown => _report.TargetUnknown;

    /// <inheritdoc/>
    public IReadOnlyList<CorpusPart> Parts => [new CorpusPart(Name, 0, Count, 1)];

    /// <summary>Turns lines into ids and cuts them.</summary>
    /// <param name="lines">The text.</param>
    /// <param name="codec">Turns a line into ids.</param>
    /// <param name="breaks">Where samples end.</param>
    /// <param name="tokensPerSample">Tokens of a block, at least 1; nothing with <see cref="SampleBreak.Eos"/>.</param>
    /// <param name="context">
    /// So many tokens of a block's <paramref name="tokensPerSample"/> are tokens before it that it reads and does not predict, for evaluating (fairseq's --context-window); fewer
    /// at the beginning of the text. 0 with <see cref="SampleBreak.Eos"/>.
    /// </param>
    /// <param name="maxLength">With <see cref="SampleBreak.Eos"/>, lines with more pieces are left out.</param>
    /// <param name="name">What the text is called.</param>
    /// <param name="cancellation">Stops the work between two lines.</param>
    /// <exception cref="ArgumentOutOfRangeException">A block would hold no token, or the context is negative or with <see cref="SampleBreak.Eos"/>.</exception>
    /// <exception cref="InvalidDataException">The text has more tokens than an array can have.</exception>
    public static TokenBlocks Encode(
        IEnumerable<string> lines,
        TextCodec codec,
        SampleBreak breaks,
        int tokensPerSample,
        int context = 0,
        int maxLength = int.MaxValue,
        string name = "text",
        CancellationToken cancellation = default)
    {
        CheckSize(breaks, tokensPerSample, context);
        var text = new MemoryText(name, Array.MaxLength);
        var (report, measures) = CorpusEncoder.Run(lines, codec, LongestLine(breaks, maxLength), name, text, cancellation);
        text.Trim();
        return new TokenBlocks(name, text, report, measures, breaks, tokensPerSample, context);
    }

    /// <summary>Reads a file into memory, as <see cref="Encode"/>.</summary>
    /// <param name="path">The file; it gives the text its name.</param>
    /// <param name="codec">Turns a line into ids.</param>
    /// <param name="breaks">Where samples end.</param>
    /// <param name="tokensPerSample">Tokens of a block.</param>
    /// <param name="context">How many of them are read alone.</param>
    /// <param name="maxLength">With <see cref="SampleBreak.Eos"/>, lines with more pieces are left out.</param>
    /// <param name="cancellation">Stops the work between two lines.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">A line is not valid UTF-8, or the text has more tokens than an array can have.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A block would hold no token.</exception>
    public static TokenBlocks Load(
        string path, TextCodec codec, SampleBreak breaks, int tokensPerSample, int context = 0, int maxLength = int.MaxValue, CancellationToken cancellation = default)
        => Encode(TextFile.ReadLines(path), codec, breaks, tokensPerSample, context, maxLength, path, cancellation);

    /// <summary>The tokens that a block predicts: a view.</summary>
    /// <param name="index">From 0 to <see cref="Count"/> - 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such block.</exception>
    /// <exception cref="ObjectDisposedException">The text was mapped and is disposed.</exception>
    public ReadOnlySpan<int> Block(int index)
    {
        var (start, end) = Place(index);
        return _text.Ids(start, checked((int)(end - start)));
    }

    /// <summary>0, and the tokens that a block reads, those of its context included.</summary>
    /// <param name="index">From 0 to <see cref="Count"/> - 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such block.</exception>
    /// <exception cref="ObjectDisposedException">The text was mapped and is disposed.</exception>
    public (int Source, int Target) Lengths(int index)
    {
        var (start, end) = Place(index);
        return (0, checked((int)(end - First(start))));
    }

    /// <inheritdoc/>
    public Batch Batch(params ReadOnlySpan<int> indices) => Models.Batch.Of(this, indices);

    /// <inheritdoc/>
    public string Fingerprint()
    {
        using var hash = new SamplesFingerprint();
        hash.Begin(Tokens);
        for (long start = 0; start < Tokens; start += PieceLength)
            hash.Append(_text.Ids(start, (int)Math.Min(PieceLength, Tokens - start)));
        return hash.Add(Count, Tokens, index => Place(index).End).Add([_context]).Take();
    }

    /// <summary>Gives a mapped file free.</summary>
    public void Dispose() => _text.Dispose();

    /// <summary>The text in one line for people.</summary>
    public override string ToString()
    {
        var parts = new List<string> { FormattableString.Invariant($"{Name}: {Measures.Lines} lines") };
        if (TooLong > 0)
            parts.Add(FormattableString.Invariant($"{TooLong} left out with more pieces than data.max_length"));
        parts.Add(FormattableString.Invariant($"{Tokens} tokens in {Count} blocks"));
        long unknown = Unknown;
        if (unknown > 0)
            parts.Add(FormattableString.Invariant($"{100.0 * unknown / Tokens:0.00} % unknown"));
        return string.Join(", ", parts);
    }

    /// <summary>Refuses blocks that hold nothing.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A block would hold no token, or the context is negative or with <see cref="SampleBreak.Eos"/>.</exception>
    internal static void CheckSize(SampleBreak breaks, int tokensPerSample, int context)
    {
        if (breaks == SampleBreak.Eos ? context != 0 : context < 0 || tokensPerSample - context < 1)
            throw new ArgumentOutOfRangeException(null, $"TokenBlocks: the context must be from 0 to tokens_per_sample - 1, and 0 where every line is a sample, got {context} of {tokensPerSample} tokens ({breaks}).");
    }

    /// <summary>Only where a line is a sample can it be too long.</summary>
    internal static int LongestLine(SampleBreak breaks, int maxLength) => breaks == SampleBreak.Eos ? maxLength : int.MaxValue;

    /// <summary>Writes a block's row of a batch.</summary>
    /// <param name="index">Which block.</param>
    /// <param name="previous">[T], what stands before each token.</param>
    /// <param name="target">[T], the tokens; <see cref="Vocabulary.Pad"/> where a token is context.</param>
    /// <returns>Tokens that count.</returns>
    internal int Fill(int index, Span<int> previous, Span<int> target)
    {
        var (start, end) = Place(index);
        long first = First(start);
        int context = (int)(start - first), tokens = checked((int)(end - start));
        previous[0] = first == 0 ? Vocabulary.Eos : _text.Ids(first - 1, 1)[0];
        _text.Ids(first, checked(context + tokens - 1)).CopyTo(previous[1..]);
        target[..context].Fill(Vocabulary.Pad);
        _text.Ids(start, tokens).CopyTo(target[context..]);
        return tokens;
    }

    /// <summary>Where blocks of as many whole lines as fit end.</summary>
    private static IEnumerable<long> WholeLines(ITextStore text, int size)
    {
        long start = 0;
        for (int i = 0; i < text.Lines; i++)
        {
            long end = text.EndOf(i);
            if (i + 1 == text.Lines || text.EndOf(i + 1) - start > size)
                yield return start = end;
        }
    }

    /// <summary>Where, in ids from the first of the text, what a block predicts begins and ends.</summary>
    private (long Start, long End) Place(int index)
    {
        if ((uint)index >= (uint)Count)
            throw new ArgumentOutOfRangeException(null, $"TokenBlocks: blocks must be in 0 .. {Count - 1}, got {index}.");
        return (index == 0 ? 0 : End(index - 1), End(index));
    }

    private long End(int index) => _breaks switch
    {
        SampleBreak.None => Math.Min((index + 1L) * _size, Tokens),
        SampleBreak.Complete => _ends[index],
        _ => _text.EndOf(index),
    };

    private long First(long start) => Math.Max(0, start - _context);
}

/// <summary>How long a text is, whatever pieces it is cut into. A line's end counts as one word and as one character: as it is one token.</summary>
/// <param name="Lines">Lines.</param>
/// <param name="Words">What stands between blanks, and an end for each line.</param>
/// <param name="Characters">Unicode scalar values, and an end for each line.</param>
public readonly record struct TextMeasures(long Lines, long Words, long Characters)
{
    private static readonly WordTokenizer Blanks = new();

    /// <summary>One line more.</summary>
    public TextMeasures With(string line) => new(Lines + 1, Words + Blanks.Encode(line).Length + 1, Characters + line.EnumerateRunes().Count() + 1);
}
