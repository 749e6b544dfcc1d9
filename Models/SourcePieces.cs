namespace CudaSeq.Models;

/// <summary>What lines became when they were cut into pieces of a model's vocabulary; empty lines are left out.</summary>
/// <param name="Count">Pieces of all lines.</param>
/// <param name="Unknown">Those of them that are not in the vocabulary, which a model reads as <see cref="Vocabulary.Unk"/>.</param>
/// <param name="FirstUnknownLine">The first line, from 0, that has one of those; -1 where none has.</param>
/// <param name="Longest">Pieces of the longest line.</param>
/// <param name="LongestLine">The first line, from 0, that is so long; -1 where there is none.</param>
public readonly record struct SourcePieces(long Count, long Unknown, int FirstUnknownLine, int Longest, int LongestLine)
{
    internal SourcePieces With(int line, int[] ids)
    {
        int unknown = ids.Count(id => id == Vocabulary.Unk);
        return new SourcePieces(
            Count + ids.Length, Unknown + unknown, FirstUnknownLine < 0 && unknown > 0 ? line : FirstUnknownLine, Math.Max(Longest, ids.Length), ids.Length > Longest ? line : LongestLine);
    }
}
