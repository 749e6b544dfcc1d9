namespace CudaSeq.Models;

/// <summary>Sentence pairs side by side, or blocks of a text, which have no sources (S = 0), the short ones filled up on the right with <see cref="Vocabulary.Pad"/>.</summary>
public sealed class Batch
{
    private Batch(int[] indices, int s, int t)
    {
        Indices = indices;
        S = s;
        T = t;
        Source = new int[B * S];
        SourceLengths = new int[B];
        Target = new int[B * T];
        TargetLengths = new int[B];
        PreviousTarget = new int[B * T];
        Source.AsSpan().Fill(Vocabulary.Pad);
        Target.AsSpan().Fill(Vocabulary.Pad);
        PreviousTarget.AsSpan().Fill(Vocabulary.Pad);
    }

    /// <summary>B: how many pairs.</summary>
    public int B => Indices.Length;

    /// <summary>S: ids of the longest source.</summary>
    public int S { get; }

    /// <summary>T: ids of the longest target.</summary>
    public int T { get; }

    /// <summary>Which pairs of the corpus these are.</summary>
    public int[] Indices { get; }

    /// <summary>[B, S]: the source ids, each row ending in <see cref="Vocabulary.Eos"/> before its padding.</summary>
    public int[] Source { get; }

    /// <summary>[B]: ids of each source before the padding.</summary>
    public int[] SourceLengths { get; }

    /// <summary>[B, T]: what the decoder sees at each step: <see cref="Vocabulary.Eos"/>, or what stands before a block, then the target without its last id, as in fairseq.</summary>
    public int[] PreviousTarget { get; }

    /// <summary>[B, T]: what the decoder shall answer at each step, each row ending in <see cref="Vocabulary.Eos"/> before its padding.</summary>
    public int[] Target { get; }

    /// <summary>[B]: ids of each target before the padding.</summary>
    public int[] TargetLengths { get; }

    /// <summary>Source ids that are not padding.</summary>
    public int SourceTokens { get; private set; }

    /// <summary>Target ids that are not padding: what a loss is divided by.</summary>
    public int TargetTokens { get; private set; }

    /// <summary>Puts pairs of a corpus side by side.</summary>
    /// <param name="corpus">Where the pairs are.</param>
    /// <param name="indices">Which pairs, in the order of the rows.</param>
    /// <exception cref="ArgumentException">No pair is asked for.</exception>
    public static Batch Of(Corpus corpus, params ReadOnlySpan<int> indices)
    {
        if (indices.IsEmpty)
            throw new ArgumentException("Batch: must hold at least one pair.");
        int s = 0, t = 0;
        foreach (int index in indices)
        {
            var (source, target) = corpus.Lengths(index);
            s = Math.Max(s, source);
            t = Math.Max(t, target);
        }

        var batch = new Batch([.. indices], s, t);
        for (int b = 0; b < indices.Length; b++)
        {
            var source = corpus.Source(indices[b]);
            var target = corpus.Target(indices[b]);
            source.CopyTo(batch.Source.AsSpan(b * s));
            target.CopyTo(batch.Target.AsSpan(b * t));
            batch.PreviousTarget[b * t] = Vocabulary.Eos;
            target[..^1].CopyTo(batch.PreviousTarget.AsSpan((b * t) + 1));
            batch.SourceLengths[b] = source.Length;
            batch.TargetLengths[b] = target.Length;
            batch.SourceTokens += source.Length;
            batch.TargetTokens += target.Length;
        }

        return batch;
    }

    /// <summary>Puts blocks of a text side by side; rows do not end in <see cref="Vocabulary.Eos"/>, and what is only context is padding in <see cref="Target"/>.</summary>
    /// <param name="blocks">Where the blocks are.</param>
    /// <param name="indices">Which blocks, in the order of the rows.</param>
    /// <exception cref="ArgumentException">No block is asked for.</exception>
    public static Batch Of(TokenBlocks blocks, params ReadOnlySpan<int> indices)
    {
        if (indices.IsEmpty)
            throw new ArgumentException("Batch: must hold at least one block.");
        int t = 0;
        foreach (int index in indices)
            t = Math.Max(t, blocks.Lengths(index).Target);
        var batch = new Batch([.. indices], s: 0, t);
        for (int b = 0; b < indices.Length; b++)
        {
            batch.TargetTokens += blocks.Fill(indices[b], batch.PreviousTarget.AsSpan(b * t), batch.Target.AsSpan(b * t));
            batch.TargetLengths[b] = blocks.Lengths(indices[b]).Target;
        }

        return batch;
    }

    /// <summary>The same pairs with so much more padding that S and T are multiples of a number: batches then come in fewer shapes.</summary>
    /// <param name="multiple">At least 1.</param>
    /// <param name="most">The largest S and T to pad to, a multiple or not: the positions of a model that has learned so many. What is longer stays as long.</param>
    /// <returns>This batch where it already is.</returns>
    public Batch PaddedTo(int multiple, int most = int.MaxValue)
    {
        int s = Padded(S), t = Padded(T);
        if (s == S && t == T)
            return this;
        var batch = new Batch(Indices, s, t) { SourceTokens = SourceTokens, TargetTokens = TargetTokens };
        SourceLengths.CopyTo(batch.SourceLengths.AsSpan());
        TargetLengths.CopyTo(batch.TargetLengths.AsSpan());
        for (int b = 0; b < B; b++)
        {
            Source.AsSpan(b * S, S).CopyTo(batch.Source.AsSpan(b * s));
            Target.AsSpan(b * T, T).CopyTo(batch.Target.AsSpan(b * t));
            PreviousTarget.AsSpan(b * T, T).CopyTo(batch.PreviousTarget.AsSpan(b * t));
        }

        return batch;

        int Padded(int length) => Math.Max(length, Math.Min((length + multiple - 1) / multiple * multiple, most));
    }
}
