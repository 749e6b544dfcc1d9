namespace CudaSeq.Models;

/// <summary>
/// Cuts a text into pieces as SentencePiece's models of the BPE type do: beginning with its characters, the two neighbours that together are the piece of the highest
/// score become one, of equals the first in the text, until no two are a piece (Sennrich, Haddow and Birch, ACL 2016; Kudo and Richardson, "SentencePiece", EMNLP 2018).
/// </summary>
/// <remarks>
/// Symbols of the user's are never merged. A piece that is not used is taken apart again into the two it was merged from. Time: n log n in the text's length.
/// </remarks>
/// <param name="pieces">All pieces of the model.</param>
/// <param name="trie">Those that text is made of.</param>
/// <param name="userDefined">Those of them that are the user's.</param>
/// <param name="idOf">The id of a piece, that of the unknown one where it is none.</param>
internal sealed class MergeSegmenter(IReadOnlyList<SentencePiece> pieces, PieceTrie trie, PieceTrie userDefined, MergeSegmenter.IdOf idOf)
{
    private static readonly Comparer<(float Score, int Left)> BestFirst =
        Comparer<(float Score, int Left)>.Create(static (a, b) => a.Score != b.Score ? b.Score.CompareTo(a.Score) : a.Left.CompareTo(b.Left));

    /// <summary>The id of a piece.</summary>
    public delegate int IdOf(ReadOnlySpan<byte> piece);

    private record struct Symbol(int Start, int Length, int Previous, int Next, bool Frozen);

    private record struct Pair(int Left, int Right, int Length);

    /// <summary>Cuts a text.</summary>
    /// <param name="text">Normalised UTF-8.</param>
    /// <param name="segments">Gets start, length and id of each piece.</param>
    public void Segment(ReadOnlySpan<byte> text, List<(int Start, int Length, int Id)> segments)
    {
        var symbols = Symbols(text);
        var queue = new PriorityQueue<Pair, (float Score, int Left)>(BestFirst);

        // The length of the left part of each merged piece that is not used.
        var parts = new Dictionary<int, int>();
        for (int i = 0; i + 1 < symbols.Length; i++)
            Offer(text, symbols, i, i + 1, queue, parts);
        while (queue.TryDequeue(out var pair, out _))
        {
            ref var left = ref symbols[pair.Left];
            ref var right = ref symbols[pair.Right];
            if (left.Length == 0 || right.Length == 0 || left.Length + right.Length != pair.Length)
                continue;
            left.Length = pair.Length;
            left.Next = right.Next;
            if (right.Next >= 0)
                symbols[right.Next].Previous = pair.Left;
            right.Length = 0;
            Offer(text, symbols, left.Previous, pair.Left, queue, parts);
            Offer(text, symbols, pair.Left, left.Next, queue, parts);
        }

        for (int i = symbols.Length > 0 ? 0 : -1; i >= 0; i = symbols[i].Next)
            Emit(text, symbols[i], parts, segments);
    }

    private Symbol[] Symbols(ReadOnlySpan<byte> text)
    {
        var symbols = new List<Symbol>(text.Length);
        for (int at = 0, length; at < text.Length; at += length)
        {
            length = userDefined.LongestPrefix(text[at..]);
            bool frozen = length > 0;
            if (!frozen)
                length = Math.Min(Utf8Length.Of(text[at]), text.Length - at);
            symbols.Add(new Symbol(at, length, symbols.Count - 1, at + length < text.Length ? symbols.Count + 1 : -1, frozen));
        }

        return [.. symbols];
    }

    private void Offer(ReadOnlySpan<byte> text, Symbol[] symbols, int left, int right, PriorityQueue<Pair, (float Score, int Left)> queue, Dictionary<int, int> parts)
    {
        if (left < 0 || right < 0 || symbols[left].Frozen || symbols[right].Frozen)
            return;
        int length = symbols[left].Length + symbols[right].Length, id = trie.Find(text.Slice(symbols[left].Start, length));
        if (id == PieceTrie.None)
            return;
        queue.Enqueue(new Pair(left, right, length), (pieces[id].Score, left));
        if (pieces[id].Type == SentencePieceType.Unused)
            parts[id] = symbols[left].Length;
    }

    private void Emit(ReadOnlySpan<byte> text, Symbol symbol, Dictionary<int, int> parts, List<(int Start, int Length, int Id)> segments)
    {
        var waiting = new Stack<(int Start, int Length)>([(symbol.Start, symbol.Length)]);
        while (waiting.TryPop(out var part))
        {
            int id = idOf(text.Slice(part.Start, part.Length));
            if (pieces[id].Type == SentencePieceType.Unused && parts.TryGetValue(id, out int left))
            {
                waiting.Push((part.Start + left, part.Length - left));
                waiting.Push((part.Start, left));
            }
            else
            {
                segments.Add((part.Start, part.Length, id));
            }
        }
    }
}
