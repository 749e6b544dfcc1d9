using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>Which pairs an epoch has, by the weights of the corpora they are of; see <see cref="BatchIterator"/>.</summary>
internal static class EpochPairs
{
    // Keeps the decks apart from the orders of the batches, which are drawn with the same seed.
    private const ulong DeckSalt = 0x6465636b;

    /// <summary>The pairs of an epoch, each as often as it is in it: the whole copies of a corpus in its own order, then its cards, and so for each corpus.</summary>
    /// <param name="parts">The corpora.</param>
    /// <param name="seed">Shuffles the decks.</param>
    /// <param name="epoch">Which epoch, from 0.</param>
    public static int[] Of(IReadOnlyList<CorpusPart> parts, ulong seed, int epoch)
    {
        int total = 0;
        foreach (var part in parts)
            total += ((int)decimal.Floor(part.Weight) * part.Count) + (int)(Card(part, epoch + 1L) - Card(part, epoch));
        int[] pairs = new int[total];
        int at = 0;
        for (int i = 0; i < parts.Count; i++)
        {
            var part = parts[i];
            for (int copy = 0; copy < (int)decimal.Floor(part.Weight); copy++)
            {
                for (int pair = 0; pair < part.Count; pair++)
                    pairs[at++] = part.Start + pair;
            }

            at += Deal(part, i, seed, epoch, pairs.AsSpan(at));
        }

        return pairs;
    }

    /// <summary>How many cards were dealt before an epoch.</summary>
    private static long Card(CorpusPart part, long epoch) => (long)decimal.Ceiling(epoch * (decimal)part.Count * (part.Weight % 1));

    private static int Deal(CorpusPart part, int place, ulong seed, int epoch, Span<int> pairs)
    {
        long first = Card(part, epoch), end = Card(part, epoch + 1L);
        if (first == end)
            return 0;
        int dealt = 0;
        int[] deck = new int[part.Count];
        for (long turn = first / part.Count; turn * part.Count < end; turn++)
        {
            for (int i = 0; i < deck.Length; i++)
                deck[i] = part.Start + i;
            new RandomSource(seed ^ DeckSalt, ((ulong)place << 32) + (ulong)turn).Shuffle<int>(deck);
            long start = turn * part.Count;
            var cards = deck.AsSpan((int)Math.Max(0, first - start)..(int)Math.Min(part.Count, end - start));
            cards.CopyTo(pairs[dealt..]);
            dealt += cards.Length;
        }

        return dealt;
    }
}
