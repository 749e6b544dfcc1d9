namespace CudaSeq.Models;

/// <summary>Where an entity is spoken of.</summary>
/// <param name="Start">Its first token.</param>
/// <param name="End">Its last token.</param>
/// <param name="Entity">Which entity: 0 for a mention that is padding, 1 for one that is not known, from 2 on the entities.</param>
public readonly record struct Mention(int Start, int End, int Entity);

/// <summary>A piece of a long document, with the question before it.</summary>
/// <param name="Document">Which document; blocks of one document share a number. 0 for a block that is padding.</param>
/// <param name="Position">The block's place in its document, from 0.</param>
/// <param name="Tokens">The first stands for the whole block ([CLS]); then the question, then the text.</param>
/// <param name="Prefix">The number of tokens before the text: no answer lies there.</param>
/// <param name="Mentions">Entities in the block.</param>
/// <param name="Answers">First and last tokens of the right answers in this block, if any.</param>
public sealed record ReadBlock(
    int Document, int Position, IReadOnlyList<int> Tokens, int Prefix, IReadOnlyList<Mention> Mentions, IReadOnlyList<(int Start, int End)> Answers)
{
    /// <summary>Cuts a document into blocks that overlap, each with the question before it.</summary>
    /// <param name="document">The document's number, from 1.</param>
    /// <param name="first">The token that stands for a block.</param>
    /// <param name="question">The question's tokens.</param>
    /// <param name="text">The document's tokens.</param>
    /// <param name="mentions">In the tokens of <paramref name="text"/>; one that does not lie within a block is not in it.</param>
    /// <param name="answers">In the tokens of <paramref name="text"/>.</param>
    /// <param name="length">L, tokens of a block with the prefix.</param>
    /// <param name="overlap">Tokens that a block shares with the one before it.</param>
    /// <exception cref="ArgumentException">Prefix and overlap leave no room for text.</exception>
    public static IReadOnlyList<ReadBlock> Cut(
        int document, int first, IReadOnlyList<int> question, IReadOnlyList<int> text, IReadOnlyList<Mention> mentions, IReadOnlyList<(int Start, int End)> answers, int length, int overlap)
    {
        int prefix = question.Count + 1, room = length - prefix;
        if (overlap < 0 || room <= overlap)
            throw new ArgumentException($"ReadBlock: a block must have room for more text than the overlap, got length = {length}, prefix = {prefix}, overlap = {overlap}.");
        var blocks = new List<ReadBlock>();
        for (int start = 0; start == 0 || start + overlap < text.Count; start += room - overlap)
        {
            int end = Math.Min(text.Count, start + room), shift = prefix - start;
            blocks.Add(new ReadBlock(
                document,
                blocks.Count,
                [first, .. question, .. text.Skip(start).Take(end - start)],
                prefix,
                [.. mentions.Where(m => m.Start >= start && m.End < end).Select(m => new Mention(m.Start + shift, m.End + shift, m.Entity))],
                [.. answers.Where(a => a.Start >= start && a.End < end).Select(a => (a.Start + shift, a.End + shift))]));
        }

        return blocks;
    }
}
