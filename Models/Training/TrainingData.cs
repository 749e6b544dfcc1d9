namespace CudaSeq.Models;

/// <summary>What a run trains on and validates with.</summary>
public sealed record TrainingData
{
    /// <summary>Source text to ids and back; <see cref="Target"/> itself for a language model.</summary>
    public required TextCodec Source { get; init; }

    /// <summary>Target text to ids and back; may be <see cref="Source"/> itself.</summary>
    public required TextCodec Target { get; init; }

    /// <summary>The pairs to learn from: a <see cref="Corpus"/>, or <see cref="TokenBlocks"/> for a language model.</summary>
    public required ISamples Train { get; init; }

    /// <summary>The pairs that choose the best checkpoint; null to do without validation.</summary>
    public ISamples? Valid { get; init; }

    /// <summary>The target lines of <see cref="Valid"/> as they stand in the file, one for each of its pairs, for BLEU.</summary>
    public IReadOnlyList<string> ValidReferences { get; init; } = [];

    /// <summary>SHA-256 of all that validation depends on; null without it.</summary>
    internal string? ValidFingerprint()
    {
        if (Valid is null)
            return null;
        using var hash = new SamplesFingerprint();
        hash.Add(Valid.Fingerprint());
        foreach (string line in ValidReferences)
            hash.Add(line);
        return hash.Take();
    }
}
