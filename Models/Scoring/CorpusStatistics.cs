using System.Numerics;
using System.Runtime.InteropServices;

namespace CudaSeq.Models;

/// <summary>The score, in percent, that statistics of lines, added up, amount to.</summary>
internal delegate double ScoreOfSum(ReadOnlySpan<double> sum);

/// <summary>
/// What a metric's score of a corpus is computed from, line by line (its sufficient statistics): the score of any choice of lines is that of the sum of their
/// statistics, so that tests of significance can score thousands of choices.
/// </summary>
public sealed class CorpusStatistics
{
    private const int LeastForVectors = 64;

    private readonly double[] _values;
    private readonly ScoreOfSum _score;

    /// <param name="name">The metric.</param>
    /// <param name="signature">Its variant.</param>
    /// <param name="lines">[lines][width].</param>
    /// <param name="score">The score of a sum of lines.</param>
    internal CorpusStatistics(string name, string signature, double[][] lines, ScoreOfSum score)
    {
        (Name, Signature, Count, Width) = (name, signature, lines.Length, lines[0].Length);
        if ((long)Count * Width > Array.MaxLength)
            throw new InvalidDataException(FormattableString.Invariant($"{name}: there must be at most {Array.MaxLength / Width:N0} lines, as each has {Width:N0} numbers here, got {Count:N0}."));
        _values = new double[Count * Width];
        for (int i = 0; i < Count; i++)
            lines[i].CopyTo(_values, i * Width);
        _score = score;
        Score = score(Sum());
    }

    /// <summary>The metric, as its scores are called.</summary>
    public string Name { get; }

    /// <summary>The variant of the metric.</summary>
    public string Signature { get; }

    /// <summary>The number of lines, at least one.</summary>
    public int Count { get; }

    /// <summary>The score of all lines in percent.</summary>
    public double Score { get; }

    /// <summary>Statistics of each line.</summary>
    internal int Width { get; }

    /// <summary>The sum of all lines.</summary>
    internal double[] Sum()
    {
        var sum = new double[Width];
        for (int i = 0; i < Count; i++)
            Add(i, sum);
        return sum;
    }

    /// <summary>Adds a line to a sum.</summary>
    internal void Add(int line, Span<double> sum)
    {
        int start = line * Width, done = 0;
        if (Width >= LeastForVectors)
        {
            var vectors = MemoryMarshal.Cast<double, Vector<double>>(sum);
            var values = MemoryMarshal.Cast<double, Vector<double>>(_values.AsSpan(start, Width));
            for (int i = 0; i < vectors.Length; i++)
                vectors[i] += values[i];
            done = vectors.Length * Vector<double>.Count;
        }

        for (int i = done; i < sum.Length; i++)
            sum[i] += _values[start + i];
    }

    /// <summary>The score of a sum of lines in percent.</summary>
    internal double ScoreOf(ReadOnlySpan<double> sum) => _score(sum);
}
