namespace CudaSeq.Tests;

/// <summary>Small models of SentencePiece in which many ways to cut a text are equally good, and texts for them.</summary>
internal static class RandomSentencePiece
{
    private const int Normal = 1;
    private const int Unknown = 2;
    private const int Control = 3;
    private const int UserDefined = 4;
    private const int Unused = 5;
    private const int Byte = 6;

    private static readonly string[] Letters = ["a", "b", "\u2581", "\u00E9", "\U0001F642"];

    /// <summary>The bytes of a model file; even seeds are unigram models, odd ones BPE.</summary>
    public static byte[] Model(int seed)
    {
        var random = new Random(seed);
        bool bytes = random.Next(2) == 0;
        var model = new WireWriter();
        foreach (string piece in (string[])["<unk>", "<s>", "</s>"])
            Add(model, piece, 0, piece == "<unk>" ? Unknown : Control);
        if (bytes)
        {
            for (int b = 0; b < 256; b++)
                Add(model, $"<0x{b:X2}>", 0, Byte);
        }

        var seen = new HashSet<string>();
        for (int i = 0; i < 60; i++)
        {
            string piece = string.Concat(Enumerable.Range(0, 1 + random.Next(4)).Select(_ => Letters[random.Next(Letters.Length - 1 + random.Next(2))]));
            int type = random.Next(12) switch { 0 => UserDefined, 1 or 2 => Unused, _ => Normal };
            if (seen.Add(piece))
                Add(model, piece, seed % 2 == 0 ? -random.Next(1, 9) / 2f : -i / 3, type);
        }

        model.Message(2, new WireWriter().Number(3, seed % 2 == 0 ? 1u : 2u).Number(24, (ulong)random.Next(4) / 3).Number(35, bytes ? 1u : 0u).Text(44, random.Next(2) == 0 ? " \u2047 " : "?"));
        model.Message(3, new WireWriter().Number(3, (ulong)random.Next(2)).Number(4, (ulong)random.Next(2)).Number(5, random.Next(5) == 0 ? 0u : 1u));
        return model.Done;
    }

    /// <summary>Lines of the letters, of spaces, and of some that no model has.</summary>
    public static string[] Lines(int seed, int count)
    {
        string[] letters = [.. Letters, "a", "b", " ", " ", "  ", "c", "\u4E2D", "<s>", "<0x41>"];
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => string.Concat(Enumerable.Range(0, random.Next(25)).Select(_ => letters[random.Next(letters.Length)])))];
    }

    /// <summary>A message of one piece.</summary>
    public static WireWriter Piece(string piece, float score, int type) => new WireWriter().Text(1, piece).Float(2, score).Number(3, (ulong)type);

    private static void Add(WireWriter model, string piece, float score, int type) => model.Message(1, Piece(piece, score, type));
}
