namespace CudaSeq.Models;

/// <summary>
/// Cuts a text into the pieces whose probabilities have the greatest product, by one pass over the places a piece may end at (Kudo, "Subword regularization:
/// improving neural network translation models with multiple subword candidates", ACL 2018; Viterbi).
/// </summary>
/// <remarks>
/// Sums are SentencePiece's: a path's is kept in single precision and made longer in double precision, so that ties and near ties fall alike. Of equal paths the one
/// whose last piece begins first wins. A character that no piece is costs ten more than the least probable piece. Time: length times that of the longest piece.
/// </remarks>
internal sealed class UnigramSegmenter
{
    private const float UnknownPenalty = 10;

    // Takes off so little that a symbol of the user's wins over any pieces of its length.
    private const double UserDefinedPenalty = 0.1;

    private readonly IReadOnlyList<SentencePiece> _pieces;
    private readonly PieceTrie _trie;
    private readonly int _unknown;
    private readonly float _unknownScore;
    private readonly float _greatest;

    /// <summary>A segmenter.</summary>
    /// <param name="pieces">All pieces of the model.</param>
    /// <param name="trie">Those that text is made of.</param>
    /// <param name="unknown">The id of the unknown piece.</param>
    public UnigramSegmenter(IReadOnlyList<SentencePiece> pieces, PieceTrie trie, int unknown)
    {
        // The least positive normal float: where all scores are negative, as they are, the greatest is this.
        const float leastNormal = 1.17549435e-38f;
        _pieces = pieces;
        _trie = trie;
        _unknown = unknown;
        var scores = pieces.Where(p => p.Type == SentencePieceType.Normal).Select(p => p.Score);
        _unknownScore = scores.Append(float.MaxValue).Min() - UnknownPenalty;
        _greatest = scores.Append(leastNormal).Max();
    }

    /// <summary>Cuts a text.</summary>
    /// <param name="text">Normalised UTF-8.</param>
    /// <param name="segments">Gets start, length and id of each piece.</param>
    public void Segment(ReadOnlySpan<byte> text, List<(int Start, int Length, int Id)> segments)
    {
        var best = new (int Id, int Start, float Score)[text.Length + 1];
        best.AsSpan().Fill((PieceTrie.None, PieceTrie.None, 0));
        for (int start = 0, character; start < text.Length; start += character)
        {
            float score = best[start].Score;
            character = Math.Min(Utf8Length.Of(text[start]), text.Length - start);
            bool single = false;
            int node = PieceTrie.Root;
            for (int end = start; end < text.Length && (node = _trie.Child(node, text[end])) != PieceTrie.None;)
            {
                end++;
                int id = _trie.ValueAt(node);
                if (id == PieceTrie.None || _pieces[id].Type == SentencePieceType.Unused)
                    continue;
                double sum = Score(id, end - start) + score;
                if (best[end].Start < 0 || sum > best[end].Score)
                    best[end] = (id, start, (float)sum);
                single |= end - start == character;
            }

            float unknown = _unknownScore + score;
            if (!single && (best[start + character].Start < 0 || unknown > best[start + character].Score))
                best[start + character] = (_unknown, start, unknown);
        }

        int first = segments.Count;
        for (int end = text.Length; end > 0; end = best[end].Start)
            segments.Add((best[end].Start, end - best[end].Start, best[end].Id));
        segments.Reverse(first, segments.Count - first);
    }

    private double Score(int id, int length)
        => _pieces[id].Type == SentencePieceType.UserDefined ? (length * _greatest) - UserDefinedPenalty : _pieces[id].Score;
}
