using System.Globalization;
using CudaSeq.Models;

namespace CudaSeq.Cli;

/// <summary>What of an input a model was not made for: pieces that its vocabulary has not, lines that are longer than any it learned from.</summary>
/// <param name="learned">The most pieces of a line that it learned from; null where nobody knows.</param>
internal sealed class InputPieces(int? learned)
{
    private long _count;
    private long _unknown;
    private long _firstUnknown;
    private int _longest;
    private long _longestLine;

    /// <summary>Adds a block of lines.</summary>
    /// <param name="pieces">Of its lines.</param>
    /// <param name="first">The number of its first line.</param>
    public void Add(SourcePieces pieces, long first)
    {
        _count += pieces.Count;
        _unknown += pieces.Unknown;
        if (_firstUnknown == 0 && pieces.FirstUnknownLine >= 0)
            _firstUnknown = first + pieces.FirstUnknownLine;
        if (pieces.Longest > _longest)
            (_longest, _longestLine) = (pieces.Longest, first + pieces.LongestLine);
    }

    /// <summary>A sentence each for what there was.</summary>
    public IEnumerable<string> Warnings()
    {
        if (_unknown > 0)
            yield return string.Create(CultureInfo.InvariantCulture, $"{_unknown:N0} of {_count:N0} pieces that were read are not in the model's vocabulary and were read as unknown, the first in line {_firstUnknown:N0}");
        if (learned is { } most && _longest > most)
            yield return string.Create(CultureInfo.InvariantCulture, $"line {_longestLine:N0} has {_longest:N0} pieces, the model has learned from lines of at most {most:N0} (data.max_length)");
    }
}
