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
/// at the beginning. Memory: 4 bytes a token.
/// </summary>
public sealed class TokenBlocks : ISamples
{
    private readonly int[] _tokens;
    private readonly int[] _ends;
    private readonly int _context;

    private TokenBlocks(string name, int[] tokens, int[] ends, int context, TextMeasures measures, int tooLong)
    {
        Name = name;
        _tokens = tokens;
        _ends = ends;
        _context = context;
        Measures = measures;
        TooLong = tooLong;
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public int Count => _ends.Length;

    /// <inheritdoc/>
    public string Size => FormattableString.Invariant($"{Count} blocks of {Tokens} tokens");

    /// <inheritdoc/>
    public string Fingerprint()
    {
        using var hash = new SamplesFingerprint();
        return hash.Add(_tokens).Add(_ends).Add([_context]).Take();
    }

    /// <summary>Tokens of all blocks, ends of lines included.</summary>
    public long Tokens => _tokens.Length;

    /// <summary>Lines, words and characters of the text that the blocks are made of.</summary>
    public TextMeasures Measures { get; }

    /// <summary>Lines left out because they have too many pieces.</summary>
    public int TooLong { get; }

    /// <summary>Tokens that are <see cref="Vocabulary.Unk"/>.</summary>
    public long Unknown => _tokens.AsSpan().Count(Vocabulary.Unk);

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
        if (breaks == SampleBreak.Eos ? context != 0 : context < 0 || tokensPerSample - context < 1)
            throw new ArgumentOutOfRangeException(null, $"TokenBlocks: the context must be from 0 to tokens_per_sample - 1, and 0 where every line is a sample, got {context} of {tokensPerSample} tokens ({breaks}).");
        var tokens = new List<int>();
        var lineEnds = new List<int>();
        var measures = new TextMeasures(0, 0, 0);
        int tooLong = 0;
        foreach (string line in lines)
        {
            cancellation.ThrowIfCancellationRequested();
            int[] ids = codec.Encode(line);
            if (breaks == SampleBreak.Eos && ids.Length > maxLength)
            {
                tooLong++;
                continue;
            }

            tokens.AddRange(ids);
            tokens.Add(Vocabulary.Eos);
            lineEnds.Add(tokens.Count);
            measures = measures.With(line);
        }

        int size = tokensPerSample - context;
        int[] ends = breaks switch
        {
            SampleBreak.None => [.. Enumerable.Range(1, (int)((tokens.Count + (long)size - 1) / size)).Select(i => (int)Math.Min((long)i * size, tokens.Count))],
            SampleBreak.Complete => Whole(lineEnds, size),
            _ => [.. lineEnds],
        };
        return new TokenBlocks(name, [.. tokens], ends, context, measures, tooLong);
    }

    /// <summary>Reads a file, as <see cref="Encode"/>.</summary>
    /// <param name="path">The file; it gives the text its name.</param>
    /// <param name="codec">Turns a line into ids.</param>
    /// <param name="breaks">Where samples end.</param>
    /// <param name="tokensPerSample">Tokens of a block.</param>
    /// <param name="context">How many of them are read alone.</param>
    /// <param name="maxLength">With <see cref="SampleBreak.Eos"/>, lines with more pieces are left out.</param>
    /// <param name="cancellation">Stops the work between two lines.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">A line is not valid UTF-8.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A block would hold no token.</exception>
    public static TokenBlocks Load(
        string path, TextCodec codec, SampleBreak breaks, int tokensPerSample, int context = 0, int maxLength = int.MaxValue, CancellationToken cancellation = default)
        => Encode(TextFile.ReadLines(path), codec, breaks, tokensPerSample, context, maxLength, path, cancellation);

    /// <summary>The tokens that a block predicts: a view.</summary>
    /// <param name="index">From 0 to <see cref="Count"/> - 1.</param>
    public ReadOnlySpan<int> Block(int index) => _tokens.AsSpan(Start(index).._ends[index]);

    /// <inheritdoc/>
    public IReadOnlyList<CorpusPart> Parts => [new CorpusPart(Name, 0, Count, 1)];

    /// <summary>0, and the tokens that a block reads, those of its context included.</summary>
    /// <param name="index">From 0 to <see cref="Count"/> - 1.</param>
    public (int Source, int Target) Lengths(int index) => (0, _ends[index] - First(index));

    /// <inheritdoc/>
    public Batch Batch(params ReadOnlySpan<int> indices) => Models.Batch.Of(this, indices);

    /// <summary>Nothing: a text is in memory that the runtime frees.</summary>
    public void Dispose()
    {
    }

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

    /// <summary>Writes a block's row of a batch.</summary>
    /// <param name="index">Which block.</param>
    /// <param name="previous">[T], what stands before each token.</param>
    /// <param name="target">[T], the tokens; <see cref="Vocabulary.Pad"/> where a token is context.</param>
    /// <returns>Tokens that count.</returns>
    internal int Fill(int index, Span<int> previous, Span<int> target)
    {
        int first = First(index), start = Start(index), end = _ends[index];
        previous[0] = first == 0 ? Vocabulary.Eos : _tokens[first - 1];
        _tokens.AsSpan(first..(end - 1)).CopyTo(previous[1..]);
        target[..(start - first)].Fill(Vocabulary.Pad);
        _tokens.AsSpan(start..end).CopyTo(target[(start - first)..]);
        return end - start;
    }

    private static int[] Whole(List<int> lineEnds, int size)
    {
        var ends = new List<int>();
        int start = 0;
        for (int i = 0; i < lineEnds.Count; i++)
        {
            if (i + 1 == lineEnds.Count || lineEnds[i + 1] - start > size)
                ends.Add(start = lineEnds[i]);
        }

        return [.. ends];
    }

    private int Start(int index) => index == 0 ? 0 : _ends[index - 1];

    private int First(int index) => Math.Max(0, Start(index) - _context);
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
