using System.Collections;
using System.Diagnostics.CodeAnalysis;

namespace CudaSeq.Models;

/// <summary>The files of one corpus to learn from.</summary>
/// <param name="Files">Its files.</param>
/// <param name="Weight">How often each of its pairs is seen in an epoch: above 0; see <see cref="BatchIterator"/> for what is no whole number.</param>
public sealed record WeightedFiles(CorpusFiles Files, decimal Weight = 1);

/// <summary>The corpora that a recipe learns from, at least one, in their order. Two lists of equal corpora are equal.</summary>
/// <param name="corpora">The corpora.</param>
public sealed class TrainingFiles(params IReadOnlyList<WeightedFiles> corpora) : IReadOnlyList<WeightedFiles>, IEquatable<TrainingFiles>
{
    private readonly WeightedFiles[] _corpora = corpora.Count > 0 ? [.. corpora] : throw new ArgumentException("TrainingFiles: must name at least one corpus, got none.");

    /// <inheritdoc/>
    public int Count => _corpora.Length;

    /// <summary>Whether there is one corpus, each pair of which is seen once in an epoch.</summary>
    public bool IsPlain => _corpora is [{ Weight: 1 }];

    /// <inheritdoc/>
    public WeightedFiles this[int index] => _corpora[index];

    /// <summary>One corpus of weight 1; null of null.</summary>
    /// <param name="files">Its files.</param>
    [return: NotNullIfNotNull(nameof(files))]
    public static implicit operator TrainingFiles?(CorpusFiles? files) => files is null ? null : new([new WeightedFiles(files)]);

    /// <inheritdoc/>
    public IEnumerator<WeightedFiles> GetEnumerator() => _corpora.AsEnumerable().GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <inheritdoc/>
    public bool Equals(TrainingFiles? other) => other is not null && _corpora.AsSpan().SequenceEqual(other._corpora);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as TrainingFiles);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = default(HashCode);
        foreach (var corpus in _corpora)
            hash.Add(corpus);
        return hash.ToHashCode();
    }
}
