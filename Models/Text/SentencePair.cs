namespace CudaSeq.Models;

/// <summary>A source sentence and its translation in ids, both ending in <see cref="Vocabulary.Eos"/>.</summary>
/// <param name="Source">The source ids.</param>
/// <param name="Target">The target ids.</param>
public sealed record SentencePair(int[] Source, int[] Target);
