using System.Text;

namespace CudaSeq.Models;

/// <summary>
/// Sets tokens as a text again, byte for byte as Moses's script <c>detokenizer.perl</c> (Koehn et al., "Moses: open source toolkit for statistical machine
/// translation", ACL 2007): takes the tokeniser's entities back, joins punctuation and contractions to their words, and quotation marks to what they enclose, the
/// first of a pair to the right, the second to the left.
/// </summary>
/// <remarks>
/// What the tokeniser has lost does not come back: <c>and/or</c> is <c>and / or</c>, <c>8:15</c> is <c>8: 15</c>. There are rules of their own for en (<c>don 't</c>),
/// fr and it (<c>l' eau</c>) and cs (numbers, <c>e-mail</c>, quotation marks); Chinese, Japanese and, but for ko, Korean characters are joined in every language.
/// May be used by several threads at once.
/// </remarks>
public sealed class MosesDetokenizer
{
    private readonly string _language;

    /// <summary>A detokeniser for a language.</summary>
    /// <param name="language">Its code: two or three small letters, for example en.</param>
    /// <exception cref="ArgumentException"><paramref name="language"/> is no such code, or fi, the one language whose rules of Moses's are not here.</exception>
    public MosesDetokenizer(string language)
    {
        _language = MosesPrefixes.CheckLanguage(nameof(MosesDetokenizer), language);
        if (language == "fi")
            throw new ArgumentException("MosesDetokenizer: the language must be another than fi, whose endings behind a colon have no rules here.");
    }

    /// <summary>Joins tokens to a text.</summary>
    /// <param name="line">Tokens with blanks between them, without the line's end.</param>
    /// <returns>The text; a line of white space alone, or that begins with &lt; and ends with &gt;, as it is.</returns>
    public string Detokenize(string line)
    {
        if (Keeps(line))
            return line;
        string[] words = MosesEscapes.Undo($" {line} ".Replace(" @-@ ", "-", StringComparison.Ordinal)).TrimEnd(' ').Split(' ');
        var text = new StringBuilder(line.Length);
        var quotes = new Dictionary<string, int>(StringComparer.Ordinal);
        bool joined = false;
        for (int i = 0; i < words.Length; i++)
        {
            var (left, right) = Joins(words, i, quotes);
            if (IsSpacedPoint(words[i]) || !(left || joined))
                Space(text);
            text.Append(words[i]);
            if (right && IsCzechDash(words, i))
                text.Append(words[++i]);
            joined = right;
        }

        return text.ToString().Trim(' ');
    }

    /// <summary>Whether a line stays as it is: white space alone, or markup.</summary>
    internal static bool Keeps(string line) => line.AsSpan().IsWhiteSpace() || line is ['<', _, .., '>'];

    /// <summary>Whether a word is joined to what is before it, and the next one to it.</summary>
    private (bool Left, bool Right) Joins(string[] words, int i, Dictionary<string, int> quotes)
    {
        string word = words[i], before = i > 0 ? words[i - 1] : "", next = i + 1 < words.Length ? words[i + 1] : "";
        if (word.Length == 0)
            return (false, false);
        if (MosesCharacters.IsCjk(MosesCharacters.First(word)))
            return (_language != "ko" && before.Length > 0 && MosesCharacters.IsCjk(MosesCharacters.Last(before)), false);
        if (MosesCharacters.Of(word).TrueForAll(c => c is '(' or '[' or '{' or '\u00BF' or '\u00A1' || MosesCharacters.IsCurrency(c)))
            return (false, true);
        if (word.AsSpan().IndexOfAnyExcept(",.?!:;\\%}])") < 0)
            return (true, false);
        if (_language == "en" && word is ['\'', _, ..] && IsLetterAt(word, 1) && before.Length > 0 && MosesCharacters.IsAlphanumeric(MosesCharacters.Last(before)))
            return (true, false);
        if (_language == "cs" && i > 1 && before is "." or "," && IsDigits(words[i - 2]) && IsDigits(word))
            return (true, false);
        if (_language is "fr" or "it" && word is [.., _, '\''] && MosesCharacters.IsAlphabetic(MosesCharacters.Last(word.AsSpan(..^1))) && IsLetterAt(next, 0))
            return (false, true);
        if (IsCzechDash(words, i))
            return (false, true);
        return word.AsSpan().IndexOfAnyExcept("'\"\u201E\u201C`") < 0 ? JoinsOfQuote(word, before, quotes) : (false, false);
    }

    /// <summary>The first quotation mark of a kind belongs to what follows, the second to what is before it; in English one alone behind an s is the possessive's.</summary>
    private (bool Left, bool Right) JoinsOfQuote(string word, string before, Dictionary<string, int> quotes)
    {
        string kind = word.AsSpan().IndexOfAnyExcept('\u201E', '\u201C') < 0 ? "\"" : word;
        int seen = quotes.GetValueOrDefault(kind);
        if (_language == "cs" && word is "\u201E" or "\u201C")
            seen = word == "\u201E" ? 0 : 1;
        bool opens = seen % 2 == 0;
        if (opens && _language == "en" && word == "'" && before.EndsWith('s'))
            return (true, false);
        quotes[kind] = seen + 1;
        return (!opens, opens);
    }

    /// <summary>Czech: a word, a dash and li or mail, which are one word.</summary>
    private bool IsCzechDash(string[] words, int i)
        => _language == "cs" && i + 3 < words.Length && words[i].Length > 0 && MosesCharacters.IsAlphabetic(MosesCharacters.Last(words[i])) && words[i + 1] is "-" or "\u2013"
            && (words[i + 2].Equals("li", StringComparison.OrdinalIgnoreCase) || words[i + 2].StartsWith("mail", StringComparison.OrdinalIgnoreCase));

    private bool IsSpacedPoint(string word) => _language == "fr" && word is "?" or "!" or ":" or ";" or "\\" or "%";

    private static bool IsLetterAt(string word, int i) => word.Length > i && MosesCharacters.IsAlphabetic(MosesCharacters.First(word.AsSpan(i)));

    private static bool IsDigits(string word) => word.Length > 0 && word.All(char.IsAsciiDigit);

    private static void Space(StringBuilder text)
    {
        if (text.Length > 0 && text[^1] != ' ')
            text.Append(' ');
    }
}
