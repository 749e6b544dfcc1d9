namespace CudaSeq.Models;

/// <summary>A line cannot be translated by this model.</summary>
/// <param name="line">The line, from 0.</param>
/// <param name="problem">What is wrong, one sentence.</param>
public sealed class SourceException(int line, string problem) : ArgumentException($"Translator: {problem[..^1]} (line {line}, from 0).")
{
    /// <summary>The line, from 0.</summary>
    public int Line { get; } = line;

    /// <summary>What is wrong, one sentence.</summary>
    public string Problem { get; } = problem;
}
