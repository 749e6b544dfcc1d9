namespace CudaSeq.Models;

/// <summary>
/// Keys of bytes with a number each, walked byte by byte. The nodes of one depth lie side by side, the children of a node in the order of their bytes.
/// Memory: ten bytes or so for each node, of which there are at most as many as bytes in the keys.
/// </summary>
internal sealed class PieceTrie
{
    /// <summary>Where every walk begins.</summary>
    public const int Root = 0;

    /// <summary>There is no such node, or no key ends at it.</summary>
    public const int None = -1;

    private readonly List<byte> _labels = [0];
    private readonly List<int> _values = [None];
    private readonly List<int> _children = [];

    /// <summary>Builds a trie.</summary>
    /// <param name="keys">Keys, none empty and no two the same, with numbers from 0 on.</param>
    public PieceTrie(IEnumerable<(byte[] Key, int Value)> keys)
    {
        (byte[] Key, int Value)[] sorted = [.. keys];
        Array.Sort(sorted, static (a, b) => a.Key.AsSpan().SequenceCompareTo(b.Key));
        var waiting = new Queue<(int From, int To, int Depth)>([(0, sorted.Length, 0)]);
        while (waiting.TryDequeue(out var node))
        {
            _children.Add(_labels.Count);
            for (int i = node.From, end; i < node.To; i = end)
            {
                byte label = sorted[i].Key[node.Depth];
                for (end = i + 1; end < node.To && sorted[end].Key[node.Depth] == label;)
                    end++;
                bool ends = sorted[i].Key.Length == node.Depth + 1;
                _labels.Add(label);
                _values.Add(ends ? sorted[i].Value : None);
                waiting.Enqueue((ends ? i + 1 : i, end, node.Depth + 1));
            }
        }

        _children.Add(_labels.Count);
    }

    /// <summary>The child of a node for a byte.</summary>
    public int Child(int node, byte label)
    {
        int low = _children[node], high = _children[node + 1];
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (_labels[middle] < label)
                low = middle + 1;
            else
                high = middle;
        }

        return low < _children[node + 1] && _labels[low] == label ? low : None;
    }

    /// <summary>The number of the key that ends at a node.</summary>
    public int ValueAt(int node) => _values[node];

    /// <summary>The number of a key.</summary>
    public int Find(ReadOnlySpan<byte> key)
    {
        int node = Root;
        for (int i = 0; i < key.Length && node != None; i++)
            node = Child(node, key[i]);
        return node == None ? None : _values[node];
    }

    /// <summary>The length of the longest key that a text begins with; 0 where none does.</summary>
    public int LongestPrefix(ReadOnlySpan<byte> text)
    {
        int longest = 0;
        for (int i = 0, node = Root; i < text.Length && (node = Child(node, text[i])) != None; i++)
        {
            if (_values[node] != None)
                longest = i + 1;
        }

        return longest;
    }
}
