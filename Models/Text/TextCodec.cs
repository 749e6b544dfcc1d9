namespace CudaSeq.Models;

/// <summary>Text to ids and back: a tokeniser and the vocabulary that numbers its pieces.</summary>
/// <param name="tokenizer">Cuts and joins text.</param>
/// <param name="vocabulary">Numbers the pieces.</param>
public sealed class TextCodec(ITokenizer tokenizer, Vocabulary vocabulary)
{
    /// <summary>What an unknown piece looks like in text: U+2047, double question mark.</summary>
    public const string UnknownText = "\u2047";

    /// <summary>Cuts and joins text.</summary>
    public ITokenizer Tokenizer { get; } = tokenizer;

    /// <summary>Numbers the pieces.</summary>
    public Vocabulary Vocabulary { get; } = vocabulary;

    /// <summary>The ids of a line's pieces, without <see cref="Vocabulary.Eos"/>; pieces that are not in the vocabulary are <see cref="Vocabulary.Unk"/>.</summary>
    /// <param name="line">Any text, without a line end.</param>
    public int[] Encode(string line) => Array.ConvertAll(Tokenizer.Encode(line), Vocabulary.IndexOf);

    /// <summary>
    /// The text of ids. <see cref="Vocabulary.Bos"/>, <see cref="Vocabulary.Pad"/> and <see cref="Vocabulary.Eos"/> leave no trace;
    /// <see cref="Vocabulary.Unk"/> is shown as <see cref="UnknownText"/>.
    /// </summary>
    /// <param name="ids">Ids of the vocabulary.</param>
    /// <exception cref="ArgumentOutOfRangeException">An id is not in the vocabulary.</exception>
    public string Decode(ReadOnlySpan<int> ids)
    {
        var pieces = new List<string>(ids.Length);
        for (int i = 0; i < ids.Length; i++)
        {
            int id = ids[i];
            if ((uint)id >= (uint)Vocabulary.Count)
                throw new ArgumentOutOfRangeException(null, $"TextCodec: ids must be in 0 .. {Vocabulary.Count - 1}, got {id} at {i}.");
            if (id == Vocabulary.Unk)
                pieces.Add(UnknownText);
            else if (id >= Vocabulary.SpecialCount)
                pieces.Add(Vocabulary[id]);
        }

        return Tokenizer.Decode([.. pieces]);
    }
}
