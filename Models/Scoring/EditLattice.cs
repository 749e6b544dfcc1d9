namespace CudaSeq.Models;

/// <summary>
/// All shortest ways to make a hypothesis of a source word by word, and the phrases that several of their steps make (Dahlmeier and Ng, "Better evaluation for
/// grammatical error correction", NAACL 2012, section 3): an edge from (i, j) to (k, l) replaces the source's words i to k - 1 by the hypothesis' words j to l - 1.
/// </summary>
/// <remarks>
/// As in m2scorer, the shortest ways are those in which a substitution costs 1 and those in which it costs 2, and an edge that is in both has double the small cost of
/// an edit that is not gold; which of two equally good ways is found depends on such costs and on the order of the edges.
/// </remarks>
internal sealed class EditLattice
{
    private const double EditCost = 0.001;

    // Pairs of them are searched: of two sentences without a common word, some ninety words each.
    private const int MostVertices = 8192;
    private const int ShownLetters = 40;

    private readonly string[] _source;
    private readonly string[] _hypothesis;
    private readonly (int I, int J)[] _vertices;

    // An edge of both kinds of shortest ways stands here twice.
    private readonly List<Edge> _edges = [];
    private readonly Dictionary<(int Start, int End), Edge[]> _places;
    private int _count;

    /// <param name="source">The words that are corrected.</param>
    /// <param name="hypothesis">The words of the correction.</param>
    /// <param name="maxUnchanged">How many words that stay as they are a phrase may hold.</param>
    /// <param name="cancellation">Asks to stop: the phrases of two long texts that have little in common are many.</param>
    /// <exception cref="OperationCanceledException">It was asked to stop.</exception>
    public EditLattice(string[] source, string[] hypothesis, int maxUnchanged, CancellationToken cancellation)
    {
        (_source, _hypothesis) = (source, hypothesis);
        var steps = Steps(1).Concat(Steps(2)).ToList();
        _vertices = [.. steps.SelectMany(step => new[] { step.From, step.To }).Append((0, 0)).Distinct().Order()];
        var numbers = _vertices.Index().ToDictionary(v => v.Item, v => v.Index);
        foreach (var (from, to) in steps.OrderBy(step => step))
        {
            var (first, last) = (numbers[from], numbers[to]);
            bool noop = to.I > from.I && to.J > from.J && source[from.I] == hypothesis[from.J];
            _edges.Add(_edges.Count > 0 && (_edges[^1].From, _edges[^1].To) == (first, last) ? _edges[^1] : new Edge(_count++, first, last, 1, noop ? 1 : 0, noop));
        }

        AddPhrases(maxUnchanged, cancellation);
        RemoveUnchangedPhrases();
        _places = _edges.GroupBy(edge => (_vertices[edge.From].I, _vertices[edge.To].I)).ToDictionary(g => g.Key, g => g.OrderBy(e => (e.From, e.To)).ToArray());
    }

    /// <summary>How many edits the way that matches most of an annotator's edits has, and how many of those match.</summary>
    public (int Proposed, int Correct) Match(IReadOnlyList<M2Edit> gold)
    {
        var way = BestWay(EditWeights.Of(this, gold));
        int correct = 0, from = 0;
        foreach (var edge in way)
        {
            // Equal edits of an annotator all match, as in m2scorer.
            for (int g = from; g < gold.Count; g++)
            {
                if (!Matches(edge, gold[g]))
                    continue;
                correct++;
                from = g + 1;
            }
        }

        return (way.Count, correct);
    }

    /// <summary>Whether an edge is an annotator's edit.</summary>
    private bool Matches(Edge edge, M2Edit gold)
        => gold.Start == _vertices[edge.From].I && gold.End == _vertices[edge.To].I
            && gold.Corrections.Contains(string.Join(' ', _hypothesis[_vertices[edge.From].J.._vertices[edge.To].J]));

    // The steps of all shortest ways where a substitution costs so much.
    private IEnumerable<((int I, int J) From, (int I, int J) To)> Steps(int substitution)
    {
        int rows = _source.Length + 1, columns = _hypothesis.Length + 1;
        var costs = new int[rows, columns];
        for (int i = 0; i < rows; i++)
        {
            for (int j = 0; j < columns; j++)
                costs[i, j] = i == 0 || j == 0 ? i + j : Math.Min(Diagonal(i, j), Math.Min(costs[i - 1, j], costs[i, j - 1]) + 1);
        }

        var reached = new bool[rows, columns];
        reached[rows - 1, columns - 1] = true;
        for (int i = rows - 1; i >= 0; i--)
        {
            for (int j = columns - 1; j >= 0; j--)
            {
                if (!reached[i, j])
                    continue;
                if (i > 0 && j > 0 && costs[i, j] == Diagonal(i, j))
                    yield return Step(i, j, i - 1, j - 1);
                if (i > 0 && costs[i, j] == costs[i - 1, j] + 1)
                    yield return Step(i, j, i - 1, j);
                if (j > 0 && costs[i, j] == costs[i, j - 1] + 1)
                    yield return Step(i, j, i, j - 1);
            }
        }

        ((int, int) From, (int, int) To) Step(int i, int j, int fromI, int fromJ)
        {
            reached[fromI, fromJ] = true;
            return ((fromI, fromJ), (i, j));
        }

        int Diagonal(int i, int j) => costs[i - 1, j - 1] + (_source[i - 1] == _hypothesis[j - 1] ? 0 : substitution);
    }

    // Joins two edges to a phrase wherever there is no edge, or one of more steps, between their ends (Floyd and Warshall).
    private void AddPhrases(int maxUnchanged, CancellationToken cancellation)
    {
        // [first][last - first]: every edge goes to a later vertex.
        if (_vertices.Length > MostVertices)
            throw new InvalidDataException(FormattableString.Invariant($"M2: a sentence and its correction must have more in common: there are {_vertices.Length:N0} places where their edits can meet, at most {MostVertices:N0} are searched, in \"{HtmlText.Short(string.Join(' ', _source), ShownLetters)}\"."));
        var between = new Edge?[_vertices.Length][];
        for (int v = 0; v < _vertices.Length; v++)
            between[v] = new Edge?[_vertices.Length - v];
        foreach (var edge in _edges)
            between[edge.From][edge.To - edge.From] = edge;
        for (int middle = 0; middle < _vertices.Length; middle++)
        {
            cancellation.ThrowIfCancellationRequested();
            Edge[] after = [.. between[middle].OfType<Edge>()];
            for (int first = 0; first < middle; first++)
            {
                if (between[first][middle - first] is not { } before)
                    continue;
                foreach (var next in after)
                {
                    int steps = before.Steps + next.Steps, unchanged = before.Unchanged + next.Unchanged;
                    ref var known = ref between[first][next.To - first];
                    if (unchanged > maxUnchanged || (known is not null && known.Steps <= steps))
                        continue;
                    _edges.Add(known = new Edge(_count++, first, next.To, steps, unchanged, before.IsNoop && next.IsNoop));
                }
            }
        }

        // An edge that a shorter one has replaced is that one.
        for (int e = 0; e < _edges.Count; e++)
            _edges[e] = between[_edges[e].From][_edges[e].To - _edges[e].From]!;
    }

    // m2scorer removes them from the list that it walks along, and so misses one that follows another.
    private void RemoveUnchangedPhrases()
    {
        for (int e = 0; e < _edges.Count; e++)
        {
            if (_edges[e] is { IsNoop: true, Steps: > 1 })
                _edges.RemoveAt(e);
        }
    }

    // The edits of the shortest way (Bellman and Ford), from the first to the last.
    private List<Edge> BestWay(double[] weights)
    {
        var (lengths, before) = (new double[_vertices.Length], new Edge?[_vertices.Length]);
        Array.Fill(lengths, double.PositiveInfinity);
        lengths[0] = 0;
        bool changed = true;
        for (int round = 1; round < _vertices.Length && changed; round++)
        {
            changed = false;
            foreach (var edge in _edges)
            {
                double length = lengths[edge.From] + weights[edge.Number];
                if (length >= lengths[edge.To])
                    continue;
                (lengths[edge.To], before[edge.To], changed) = (length, edge, true);
            }
        }

        var way = new List<Edge>();
        for (var edge = before[^1]; edge is not null; edge = before[edge.From])
        {
            if (!edge.IsNoop)
                way.Add(edge);
        }

        way.Reverse();
        return way;
    }

    /// <summary>A step or phrase between two vertices, given by their numbers.</summary>
    private sealed record Edge(int Number, int From, int To, int Steps, int Unchanged, bool IsNoop);

    /// <summary>The weights of the edges for one annotator: a step 1, an edit a little more, an edit of the annotator so little that no way is better without it.</summary>
    private sealed class EditWeights
    {
        private readonly EditLattice _lattice;
        private readonly double[] _weights;
        private readonly double _goldWeight;

        private EditWeights(EditLattice lattice)
        {
            _lattice = lattice;
            _goldWeight = -lattice._edges.Count;
            _weights = new double[lattice._count];
            foreach (var edge in lattice._edges)
                _weights[edge.Number] = edge.Steps;
        }

        /// <summary>The weights by the edges' numbers.</summary>
        public static double[] Of(EditLattice lattice, IReadOnlyList<M2Edit> gold)
        {
            var weights = new EditWeights(lattice);
            foreach (var (place, edges) in lattice._places)
            {
                M2Edit[] here = [.. gold.Where(g => g.Start == place.Start && g.End == place.End)];
                if (place.Start == place.End)
                    weights.WeighInsertions(edges, here);
                else
                    weights.Weigh(edges, here);
            }

            return weights._weights;
        }

        // Any order will do: parallel edges of an edit exclude each other.
        private void Weigh(Edge[] edges, M2Edit[] gold)
        {
            foreach (var edge in edges)
            {
                if (gold.Any(g => _lattice.Matches(edge, g)))
                    _weights[edge.Number] = _goldWeight;
                else if (!edge.IsNoop)
                    Raise(edge);
            }
        }

        // Insertions at one place follow each other, and so must those of the annotator: they are paired from both ends by turns.
        private void WeighInsertions(Edge[] edges, M2Edit[] gold)
        {
            int left = 0, right = edges.Length - 1, current = 0, goldLeft = 0, goldRight = gold.Length - 1;
            while (left <= right)
            {
                var edge = edges[current];
                bool fromLeft = current == left;
                int match = fromLeft
                    ? Array.FindIndex(gold, goldLeft, Math.Max(0, goldRight + 1 - goldLeft), g => _lattice.Matches(edge, g))
                    : goldRight < goldLeft ? -1 : Array.FindLastIndex(gold, goldRight, goldRight + 1 - goldLeft, g => _lattice.Matches(edge, g));
                if (match < 0)
                {
                    Raise(edge);
                    (left, right) = fromLeft ? (left + 1, right) : (left, right - 1);
                    current = fromLeft ? right : left;
                    continue;
                }

                _weights[edge.Number] = _goldWeight;
                if (fromLeft)
                {
                    goldLeft = match + 1;
                    for (left++; left < edges.Length && edges[left].From != edge.To; left++)
                        Raise(edges[left]);
                    current = left;
                }
                else
                {
                    goldRight = match - 1;
                    for (right--; right >= 0 && edges[right].To != edge.From; right--)
                        Raise(edges[right]);
                    current = right;
                }
            }
        }

        private void Raise(Edge edge) => _weights[edge.Number] += EditCost;
    }
}
