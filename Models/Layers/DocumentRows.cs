using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>The positions of a document's blocks as one row: what a softmax over a whole document needs.</summary>
internal sealed class DocumentRows
{
    private readonly IReadOnlyList<ReadBlock> _blocks;
    private readonly int _length;
    private readonly int[][] _documents;
    private readonly int _most;

    /// <summary>Groups blocks by document; those of document 0 are padding.</summary>
    /// <param name="blocks">All blocks of some documents, in any order.</param>
    /// <param name="length">L, tokens of a block.</param>
    /// <exception cref="ArgumentException">There is no document.</exception>
    public DocumentRows(IReadOnlyList<ReadBlock> blocks, int length)
    {
        (_blocks, _length) = (blocks, length);
        _documents = [.. Enumerable.Range(0, blocks.Count).Where(b => blocks[b].Document != 0).GroupBy(b => blocks[b].Document).Select(g => g.ToArray())];
        if (_documents.Length == 0)
            throw new ArgumentException("ReadTwice2021: a batch must have a block of a document, got none.");
        _most = _documents.Max(d => d.Length);
    }

    /// <summary>G, documents.</summary>
    public int Count => _documents.Length;

    /// <summary>The log probabilities of all positions of a document.</summary>
    /// <param name="logits">[B, L].</param>
    /// <returns>[G, W], W = L times the most blocks of a document; minus infinity where a document has fewer; new.</returns>
    public Tensor LogProbabilities(Tensor logits)
    {
        var absent = Tensor.Full(logits.Device, [1, _length], float.NegativeInfinity).To(logits.DType);
        int[] rows = [.. _documents.SelectMany(d => d.Concat(Enumerable.Repeat(_blocks.Count, _most - d.Length)))];
        var all = Ops.IndexSelect(Ops.Concat(0, logits, absent), 0, Tensor.From(logits.Device, rows));
        return Ops.LogSoftmax(all.Reshape([Count, _most * _length]));
    }

    /// <summary>The sum over documents with an answer of - log(epsilon + the sum of the probabilities of the right positions).</summary>
    /// <param name="logs">[G, W].</param>
    /// <param name="position">The token of an answer that is asked for.</param>
    /// <param name="logEpsilon">log epsilon.</param>
    /// <returns>[], new.</returns>
    public Tensor NegativeLogOfSum(Tensor logs, Func<(int Start, int End), int> position, float logEpsilon)
    {
        int width = _most * _length;
        int[] wrong = new int[Count * width], unanswered = new int[Count];
        Array.Fill(wrong, 1);
        for (int g = 0; g < Count; g++)
        {
            unanswered[g] = 1;
            for (int i = 0; i < _documents[g].Length; i++)
            {
                foreach (var answer in _blocks[_documents[g][i]].Answers)
                {
                    wrong[(g * width) + (i * _length) + Checked(_blocks[_documents[g][i]], answer, position)] = 0;
                    unanswered[g] = 0;
                }
            }
        }

        // log sum exp of (log epsilon, right ones) is its first entry less that entry's log softmax.
        var right = Ops.MaskedFill(logs, Tensor.From(logs.Device, wrong, [Count, width]), float.NegativeInfinity);
        var terms = Ops.Concat(1, Tensor.Full(logs.Device, [Count, 1], logEpsilon), right);
        var losses = Ops.Subtract(Ops.Slice(Ops.LogSoftmax(terms), 1, 0, 1), Tensor.Full(logs.Device, [1, 1], logEpsilon));
        return Ops.Sum(Ops.MaskedFill(losses, Tensor.From(logs.Device, unanswered, [Count, 1]), 0));
    }

    /// <summary>The best answer of each document.</summary>
    /// <param name="starts">[G, W], log probabilities.</param>
    /// <param name="ends">[G, W], log probabilities.</param>
    /// <param name="candidates">Starts and ends of a block that are looked at.</param>
    /// <param name="longest">The most tokens of an answer.</param>
    public IReadOnlyDictionary<int, IReadOnlyList<int>> Answers(float[] starts, float[] ends, int candidates, int longest)
    {
        var answers = new Dictionary<int, IReadOnlyList<int>>();
        for (int g = 0; g < Count; g++)
        {
            (IReadOnlyList<int> Tokens, double Log) best = ([], double.NegativeInfinity);
            for (int i = 0; i < _documents[g].Length; i++)
            {
                int offset = ((g * _most) + i) * _length;
                var block = _blocks[_documents[g][i]];
                foreach (int end in Best(ends, offset, block, candidates))
                {
                    foreach (int start in Best(starts, offset, block, candidates))
                    {
                        double log = (double)starts[offset + start] + ends[offset + end];
                        if (start <= end && end - start < longest && log > best.Log)
                            best = ([.. block.Tokens.Skip(start).Take(end - start + 1)], log);
                    }
                }
            }

            answers[_blocks[_documents[g][0]].Document] = best.Tokens;
        }

        return answers;
    }

    private static IEnumerable<int> Best(float[] logs, int offset, ReadBlock block, int candidates)
        => Enumerable.Range(block.Prefix, Math.Max(0, block.Tokens.Count - block.Prefix)).OrderByDescending(t => logs[offset + t]).Take(candidates);

    private static int Checked(ReadBlock block, (int Start, int End) answer, Func<(int Start, int End), int> position)
        => answer.Start >= block.Prefix && answer.End >= answer.Start && answer.End < block.Tokens.Count
            ? position(answer)
            : throw new ArgumentException($"ReadTwice2021: an answer must lie in its block behind the question, got {answer.Start} .. {answer.End} of {block.Prefix} .. {block.Tokens.Count - 1}.");
}
