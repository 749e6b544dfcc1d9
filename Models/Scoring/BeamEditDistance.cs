namespace CudaSeq.Models;

/// <summary>How a word of a hypothesis and a word of its reference are aligned.</summary>
internal enum WordEdit : byte
{
    /// <summary>Out of the beam's reach.</summary>
    None,

    /// <summary>The words are equal.</summary>
    Match,

    /// <summary>One stands for the other.</summary>
    Substitution,

    /// <summary>The hypothesis has a word too many.</summary>
    Deletion,

    /// <summary>The hypothesis lacks a word.</summary>
    Insertion,
}

/// <summary>
/// Levenshtein's distance from hypotheses to one reference, every edit of cost 1, searched in a beam of 25 words to each side of the diagonal from the first words
/// to the last, as sacreBLEU does.
/// </summary>
/// <remarks>
/// Hypotheses have the same number of words, because they are shifts of each other: so rows above the first word in which two of them differ are equal, and
/// <see cref="After"/> computes only those below.
/// </remarks>
internal sealed class BeamEditDistance
{
    private const int BeamWidth = 25;

    // Out of the beam: larger than every distance, and one more does not overflow.
    private const int Unreached = int.MaxValue / 2;

    private readonly int[] _reference;
    private readonly int _rows;
    private readonly int _columns;
    private readonly int[] _costs;
    private readonly int[] _scratch;
    private readonly WordEdit[] _edits;
    private int[] _words = [];

    /// <param name="reference">The words of the reference, equal words equal numbers.</param>
    /// <param name="hypothesisLength">The number of words that every hypothesis has.</param>
    public BeamEditDistance(int[] reference, int hypothesisLength)
    {
        _reference = reference;
        (_rows, _columns) = (hypothesisLength + 1, reference.Length + 1);
        _costs = new int[WordGrid.Size("TER", _rows, _columns)];
        _scratch = new int[_costs.Length];
        _edits = new WordEdit[_rows * _columns];
        for (int j = 0; j < _columns; j++)
        {
            _costs[j] = j;
            _edits[j] = WordEdit.Insertion;
        }
    }

    /// <summary>The distance of the hypothesis that others are compared with from now on.</summary>
    public int Of(int[] words)
    {
        _words = words;
        Fill(words, 1, _costs, _edits);
        return _costs[^1];
    }

    /// <summary>The distance of a hypothesis that begins with the same <paramref name="same"/> words as the last one given to <see cref="Of"/>.</summary>
    public int After(int same, int[] words)
    {
        if (same >= _words.Length)
            return _costs[^1];
        Array.Copy(_costs, same * _columns, _scratch, same * _columns, _columns);
        Fill(words, same + 1, _scratch, []);
        return _scratch[^1];
    }

    /// <summary>
    /// The edits that make the hypothesis of <see cref="Of"/> the reference, from the first word to the last: a match or a substitution before a deletion before an
    /// insertion where they cost the same.
    /// </summary>
    public IReadOnlyList<WordEdit> Trace()
    {
        var trace = new List<WordEdit>();
        for (int i = _rows - 1, j = _columns - 1; i > 0 || j > 0;)
        {
            var edit = _edits[(i * _columns) + j];
            trace.Add(edit);
            i -= edit == WordEdit.Insertion ? 0 : 1;
            j -= edit == WordEdit.Deletion ? 0 : 1;
        }

        trace.Reverse();
        return trace;
    }

    private void Fill(int[] words, int first, int[] costs, Span<WordEdit> edits)
    {
        // Where one text is so much longer that the beams of two rows would not touch, the beam is wider.
        double ratio = (double)_reference.Length / Math.Max(words.Length, 1);
        int width = ratio / 2 > BeamWidth ? (int)Math.Ceiling((ratio / 2) + BeamWidth) : BeamWidth;
        for (int i = first; i < _rows; i++)
        {
            int diagonal = (int)Math.Floor(i * ratio), above = (i - 1) * _columns, row = i * _columns;
            int begin = Math.Max(0, diagonal - width), end = i == _rows - 1 ? _columns : Math.Min(_columns, diagonal + width);
            costs.AsSpan(row, _columns).Fill(Unreached);
            for (int j = begin; j < end; j++)
            {
                int cost = Unreached;
                var edit = WordEdit.None;
                if (j > 0)
                {
                    bool equal = words[i - 1] == _reference[j - 1];
                    Consider(costs[above + j - 1] + (equal ? 0 : 1), equal ? WordEdit.Match : WordEdit.Substitution);
                }

                Consider(costs[above + j] + 1, WordEdit.Deletion);
                if (j > 0)
                    Consider(costs[row + j - 1] + 1, WordEdit.Insertion);
                costs[row + j] = cost;
                if (!edits.IsEmpty)
                    edits[row + j] = edit;

                void Consider(int candidate, WordEdit by)
                {
                    if (candidate < cost)
                        (cost, edit) = (candidate, by);
                }
            }
        }
    }
}
