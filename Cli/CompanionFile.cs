using System.Globalization;
using CudaSeq.Models;

namespace CudaSeq.Cli;

/// <summary>A file with a line for each line of the input, read as they are needed.</summary>
/// <param name="path">Where it is.</param>
internal sealed class CompanionFile(string path) : IDisposable
{
    private readonly IEnumerator<string> _lines = TextFile.ReadLines(path).GetEnumerator();

    /// <summary>Lines read so far.</summary>
    public long Read { get; private set; }

    /// <summary>The next lines.</summary>
    /// <exception cref="InvalidDataException">There are not so many.</exception>
    public List<string> Next(int count)
    {
        var lines = new List<string>(count);
        for (; lines.Count < count; Read++)
        {
            if (!_lines.MoveNext())
                throw Wrong("and more than that");
            lines.Add(_lines.Current);
        }

        return lines;
    }

    /// <summary>Refuses lines that nothing was asked for.</summary>
    /// <exception cref="InvalidDataException">There are some.</exception>
    public void CheckEnd()
    {
        if (_lines.MoveNext())
            throw Wrong("lines of input and more in this file");
    }

    /// <summary>A mistake in a line.</summary>
    /// <param name="number">The line, from 1.</param>
    /// <param name="problem">What is wrong.</param>
    public InvalidDataException Wrong(long number, string problem) => new(string.Create(CultureInfo.InvariantCulture, $"{path}: line {number}: {problem}"));

    public void Dispose() => _lines.Dispose();

    private InvalidDataException Wrong(string got) => new(string.Create(CultureInfo.InvariantCulture, $"{path}: must have a line for each line of the input, got {Read} {got}."));
}
