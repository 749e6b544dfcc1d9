namespace CudaSeq.Models;

/// <summary>What can be dealt out in batches: sentence pairs (<see cref="Corpus"/>), or blocks of a text (<see cref="TokenBlocks"/>).</summary>
public interface ISamples : IDisposable
{
    /// <summary>What messages call it, as a rule its file.</summary>
    string Name { get; }

    /// <summary>How much there is, in words.</summary>
    string Size { get; }

    /// <summary>How many samples there are.</summary>
    int Count { get; }

    /// <summary>The corpora that these samples are of, and how often an epoch of <see cref="BatchIterator"/> has each of them.</summary>
    IReadOnlyList<CorpusPart> Parts { get; }

    /// <summary>SHA-256, in hexadecimal digits, of every id of every sample and of how often an epoch has each: by it a resumed run knows its data again. Reads all samples.</summary>
    string Fingerprint();

    /// <summary>Ids of a sample's source, 0 where samples have none, and of its target.</summary>
    /// <param name="index">From 0 to <see cref="Count"/> - 1.</param>
    (int Source, int Target) Lengths(int index);

    /// <summary>Puts samples side by side.</summary>
    /// <param name="indices">Which samples, in the order of the rows; at least one.</param>
    Batch Batch(params ReadOnlySpan<int> indices);
}
