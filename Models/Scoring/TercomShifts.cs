namespace CudaSeq.Models;

/// <summary>
/// The edits of TER: words inserted, deleted and substituted, and sequences of words shifted, found greedily with the rules and limits of Tercom (Snover, Dorr,
/// Schwartz, Micciulla and Makhoul, "A study of translation edit rate with targeted human annotation", AMTA 2006, section 3).
/// </summary>
internal sealed class TercomShifts
{
    private const int LongestShift = 10, FarthestShift = 50, MostCandidates = 1000;

    private readonly int[] _reference;
    private readonly BeamEditDistance _distance;
    private int _candidates;

    private TercomShifts(int[] reference, int hypothesisLength)
    {
        _reference = reference;
        _distance = new BeamEditDistance(reference, hypothesisLength);
    }

    /// <summary>The least edits found that make a hypothesis its reference.</summary>
    /// <param name="hypothesis">Its words.</param>
    /// <param name="reference">The reference's words.</param>
    public static int Edits(string[] hypothesis, string[] reference)
    {
        if (reference.Length == 0)
            return hypothesis.Length;
        var grams = new NGramCounts();
        int[] wanted = grams.Symbols(reference), words = grams.Symbols(hypothesis);
        return new TercomShifts(wanted, words.Length).Edits(words);
    }

    private int Edits(int[] words)
    {
        int shifts = 0;
        while (true)
        {
            int before = _distance.Of(words);
            var (gain, shifted) = BestShift(words, before);
            if (gain <= 0 || _candidates >= MostCandidates)
                return shifts + before;
            words = shifted;
            shifts++;
        }
    }

    // The shift that gains most; of equals the longest, then that of the earliest words, then the one to the earliest place.
    private (int Gain, int[] Words) BestShift(int[] words, int before)
    {
        var (aligned, hypothesisErrors, referenceErrors) = Align(words.Length);
        var best = (Gain: int.MinValue, Length: 0, Start: 0, Target: 0);
        int[] bestWords = words;
        foreach (var (start, referenceStart, length) in EqualSequences(words))
        {
            // Only what is wrong here and missing there is shifted, and not into itself.
            if (!Any(hypothesisErrors, start, length) || !Any(referenceErrors, referenceStart, length))
                continue;
            if (aligned[referenceStart] >= start && aligned[referenceStart] < start + length)
                continue;
            int last = -1;
            for (int offset = -1; offset < length; offset++)
            {
                int at = referenceStart + offset, target = at < 0 ? 0 : aligned[at] + 1;
                if (target == last)
                    continue;
                last = target;
                int[] shifted = Shift(words, start, length, target);
                var candidate = (Gain: before - _distance.After(Math.Min(start, target), shifted), Length: length, Start: -start, Target: -target);
                _candidates++;
                if (candidate.CompareTo(best) > 0)
                    (best, bestWords) = (candidate, shifted);
            }

            if (_candidates >= MostCandidates)
                break;
        }

        return (best.Gain, bestWords);
    }

    // For each word of the reference the hypothesis' word aligned with it, or the one before where it has none (-1 before the first); and which words are not matched.
    private (int[] Aligned, bool[] HypothesisErrors, bool[] ReferenceErrors) Align(int words)
    {
        var aligned = new int[_reference.Length];
        var (hypothesisErrors, referenceErrors) = (new bool[words], new bool[_reference.Length]);
        int i = -1, j = -1;
        foreach (var edit in _distance.Trace())
        {
            if (edit != WordEdit.Insertion)
                hypothesisErrors[++i] = edit != WordEdit.Match;
            if (edit == WordEdit.Deletion)
                continue;
            referenceErrors[++j] = edit != WordEdit.Match;
            aligned[j] = i;
        }

        return (aligned, hypothesisErrors, referenceErrors);
    }

    private IEnumerable<(int Start, int ReferenceStart, int Length)> EqualSequences(int[] words)
    {
        for (int start = 0; start < words.Length; start++)
        {
            int from = Math.Max(0, start - FarthestShift), to = Math.Min(_reference.Length - 1, start + FarthestShift);
            for (int at = from; at <= to; at++)
            {
                int longest = Math.Min(LongestShift, Math.Min(words.Length - start, _reference.Length - at));
                for (int length = 1; length <= longest && words[start + length - 1] == _reference[at + length - 1]; length++)
                    yield return (start, at, length);
            }
        }
    }

    private static bool Any(bool[] errors, int start, int length) => errors.AsSpan(start, length).Contains(true);

    // A target within the sequence, or behind it, counts from where the sequence was taken out.
    private static int[] Shift(int[] words, int start, int length, int target)
    {
        int[] sequence = words[start..(start + length)], rest = [.. words[..start], .. words[(start + length)..]];
        int place = target <= start ? target : target > start + length ? target - length : Math.Min(target, rest.Length);
        return [.. rest[..place], .. sequence, .. rest[place..]];
    }
}
