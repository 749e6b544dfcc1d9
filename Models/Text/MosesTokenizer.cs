using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;

namespace CudaSeq.Models;

/// <summary>
/// Cuts text into words and punctuation with blanks between them, byte for byte as Moses's script <c>tokenizer.perl</c> (Koehn et al., "Moses: open source toolkit for
/// statistical machine translation", ACL 2007), of which sacremoses is a port. <see cref="MosesDetokenizer"/> is the way back, as far as there is one.
/// </summary>
/// <remarks>
/// <para>All characters but letters, digits, <c>. , ' ` -</c> become tokens; several full stops stay one token; a comma stays between digits; apostrophes are cut as the
/// language cuts them (en: <c>do n't</c> is <c>don 't</c>; fr, it, ga, ca: <c>l' eau</c>); in fi and sv a colon stays inside a word.
/// A full stop at the end of a word is a token unless the word has another and a letter, is one of <see cref="MosesPrefixes"/>, or a small letter follows; at the end
/// of the line it always is one.</para>
/// <para>Two differences to the script, neither in any text that is one: the words that it puts in the place of protected text and of full stops (THISISPROTECTED000 and
/// the like) mean nothing here; and what is a letter is said by .NET's version of Unicode.</para>
/// <para>May be used by several threads at once.</para>
/// </remarks>
public sealed partial class MosesTokenizer
{
    // Beyond Unicode: what stands in the text for n full stops and for the protected text i. They are surrounded by blanks or the text's ends.
    private const int Dots = 0x1000_0000;
    private const int Protected = 0x2000_0000;

    private readonly string _language;
    private readonly MosesTokenizerOptions _options;
    private readonly MosesPrefixes _prefixes;
    private readonly Regex[] _patterns;

    /// <summary>A tokeniser for a language.</summary>
    /// <param name="language">Its code: two or three small letters, for example en.</param>
    /// <param name="options">How it departs from the usual; null: not at all.</param>
    /// <exception cref="ArgumentException">
    /// <paramref name="language"/> is no such code, or one that has no list of abbreviations and the options have none; or a protected pattern is no regular expression.
    /// </exception>
    public MosesTokenizer(string language, MosesTokenizerOptions? options = null)
    {
        _language = MosesPrefixes.CheckLanguage(nameof(MosesTokenizer), language);
        _options = options ?? new MosesTokenizerOptions();
        _prefixes = _options.Prefixes ?? MosesPrefixes.Of(language) ?? throw new ArgumentException(
            $"MosesTokenizer: the language must be one of {string.Join(", ", MosesPrefixes.Languages)} unless nonbreaking prefixes are given, got {language}.");
        _patterns = [.. _options.ProtectedPatterns.Select((pattern, i) => Pattern(pattern, i + 1))];
    }

    /// <summary>Cuts a line.</summary>
    /// <param name="line">A line without its end.</param>
    /// <returns>Tokens with one blank between them; a line of white space alone as it is. As in Moses, a line whose last word ends in <c>.'</c> ends in a blank.</returns>
    public string Tokenize(string line)
    {
        if (line.AsSpan().IsWhiteSpace())
            return line;
        var kept = new List<string>();
        var text = Trimmed(Protect(Cleaned(line), kept));
        text = SeparateSymbols(text);
        if (_options.AggressiveDashSplits)
            text = SplitDashes(text);
        text = SeparateCommas(GatherDots(text));
        text = Trimmed(SplitFullStops(SplitApostrophes(text)));
        if (text is [.., '.', '\''])
        {
            text.RemoveRange(text.Count - 2, 2);
            text.AddRange([' ', '.', ' ', '\'', ' ']);
        }

        var result = new StringBuilder(text.Count);
        foreach (int c in text)
        {
            if (c >= Protected)
                result.Append(kept[c - Protected]);
            else if (c >= Dots)
                result.Append('.', c - Dots);
            else
                MosesCharacters.Append(result, c);
        }

        return _options.Escape ? MosesEscapes.Escape(result.ToString()) : result.ToString();
    }

    /// <summary>The line between two blanks, stretches of white space as one blank, without control characters.</summary>
    private static List<int> Cleaned(string line)
    {
        var result = new List<int>(line.Length + 2) { ' ' };
        bool afterSpace = true;
        foreach (int c in MosesCharacters.Of(line))
        {
            bool space = MosesCharacters.IsSpace(c);
            if (space && !afterSpace)
                result.Add(' ');
            else if (!space && c >= ' ')
                result.Add(c);
            afterSpace = space;
        }

        if (!afterSpace)
            result.Add(' ');
        return result;
    }

    private List<int> Protect(List<int> text, List<string> kept)
    {
        if (_patterns.Length == 0)
            return text;
        string whole = AsString(CollectionsMarshal.AsSpan(text));
        foreach (var pattern in _patterns)
        {
            // Each time in what is left, so that ^ means its start.
            for (string rest = whole; pattern.Match(rest) is { Success: true } match;)
            {
                if (match.Length > 0)
                    kept.Add(match.Value);
                int end = match.Index + Math.Max(match.Length, 1);
                if (end >= rest.Length)
                    break;
                rest = rest[end..];
            }
        }

        for (int i = 0; i < kept.Count; i++)
            text = ReplaceAll(text, MosesCharacters.Of(kept[i]), Protected + i);
        return text;
    }

    private static List<int> ReplaceAll(List<int> text, List<int> part, int by)
    {
        var result = new List<int>(text.Count);
        var rest = CollectionsMarshal.AsSpan(text);
        for (var sought = CollectionsMarshal.AsSpan(part); rest.IndexOf(sought) is >= 0 and var at; rest = rest[(at + sought.Length)..])
        {
            result.AddRange(rest[..at]);
            AddSpaced(result, by);
        }

        result.AddRange(rest);
        return result;
    }

    private List<int> SeparateSymbols(List<int> text)
    {
        bool colonInWords = _language is "fi" or "sv", dotInWords = _language == "ca";
        var result = new List<int>(2 * text.Count);
        for (int i = 0; i < text.Count; i++)
        {
            int c = text[i];
            bool stays = c is ' ' or '.' or '\'' or '`' or ',' or '-' || c >= Dots || MosesCharacters.IsAlphanumeric(c) || (c == 0xB7 && dotInWords);
            if ((c == ':' && colonInWords) || (c == '\'' && _language == "tdt"))
                stays = i + 1 < text.Count && text[i + 1] < Dots && MosesCharacters.IsLowercaseLetter(text[i + 1]);
            if (stays)
                result.Add(c);
            else
                AddSpaced(result, c);
        }

        return result;
    }

    private static List<int> SplitDashes(List<int> text)
    {
        var result = new List<int>(2 * text.Count);
        for (int i = 0; i < text.Count; i++)
        {
            bool inside = text[i] == '-' && i > 0 && i + 1 < text.Count && IsAlphanumeric(text[i - 1]) && IsAlphanumeric(text[i + 1]);
            if (inside)
                result.AddRange([' ', '@', '-', '@', ' ']);
            else
                result.Add(text[i]);
        }

        return result;
    }

    /// <summary>Makes several full stops in a row one mark.</summary>
    private static List<int> GatherDots(List<int> text)
    {
        var result = new List<int>(text.Count);
        for (int i = 0, n; i < text.Count; i += n)
        {
            for (n = 1; text[i] == '.' && i + n < text.Count && text[i + n] == '.';)
                n++;
            if (n == 1)
                result.Add(text[i]);
            else if (i + n < text.Count)
                AddSpaced(result, Dots + n);
            else
                result.AddRange([' ', Dots + n]);
        }

        return result;
    }

    /// <summary>
    /// Makes commas tokens, but not between digits. Twice along the text, first by what is before a comma, then by what is after it; what one step has used up, the
    /// next does not see, which matters where several commas follow each other.
    /// </summary>
    private static List<int> SeparateCommas(List<int> text)
    {
        var before = new List<int>(2 * text.Count);
        for (int i = 0; i < text.Count; i++)
        {
            before.Add(text[i]);
            if (i + 1 < text.Count && text[i + 1] == ',' && !IsNumber(text[i]))
            {
                AddSpaced(before, ',');
                i++;
            }
        }

        var after = new List<int>(2 * before.Count);
        for (int i = 0; i < before.Count; i++)
        {
            if (before[i] != ',' || i + 1 == before.Count || IsNumber(before[i + 1]))
            {
                after.Add(before[i]);
                continue;
            }

            AddSpaced(after, ',');
            after.Add(before[++i]);
        }

        if (after is [.., var last, ','] && IsNumber(last))
            after.Insert(after.Count - 1, ' ');
        return after;
    }

    private List<int> SplitApostrophes(List<int> text)
    {
        switch (_language)
        {
            case "en":
                text = SplitApostrophes(text, static c => !IsLetter(c), static c => !IsLetter(c), before: true, after: true);
                text = SplitApostrophes(text, static c => !IsLetter(c) && !IsNumber(c), IsLetter, before: true, after: true);
                text = SplitApostrophes(text, IsLetter, static c => !IsLetter(c), before: true, after: true);
                text = SplitApostrophes(text, IsLetter, IsLetter, before: true, after: false);
                return SplitApostrophes(text, IsNumber, static c => c == 's', before: true, after: false);
            case "fr" or "it" or "ga" or "ca" or "so" or "tdt":
                text = SplitApostrophes(text, static c => !IsLetter(c), static c => !IsLetter(c), before: true, after: true);
                text = SplitApostrophes(text, static c => !IsLetter(c), IsLetter, before: true, after: true);
                text = SplitApostrophes(text, IsLetter, static c => !IsLetter(c), before: true, after: true);

                // In Somali and Tetum it is a letter.
                return _language is "so" or "tdt" ? text : SplitApostrophes(text, IsLetter, IsLetter, before: false, after: true);
            default:
                return ReplaceAll(text, ['\''], '\'');
        }
    }

    /// <summary>Sets blanks around apostrophes between such characters; the character after one is not the one before the next.</summary>
    private static List<int> SplitApostrophes(List<int> text, Func<int, bool> left, Func<int, bool> right, bool before, bool after)
    {
        var result = new List<int>(text.Count + 8);
        for (int i = 0; i < text.Count; i++)
        {
            result.Add(text[i]);
            if (i + 2 >= text.Count || text[i + 1] != '\'' || !left(text[i]) || !right(text[i + 2]))
                continue;
            if (before)
                result.Add(' ');
            result.Add('\'');
            if (after)
                result.Add(' ');
            result.Add(text[i + 2]);
            i += 2;
        }

        return result;
    }

    /// <summary>Makes the full stop at the end of a word a token where it ends a sentence. Two blanks have a word without characters between them: nothing follows.</summary>
    private List<int> SplitFullStops(List<int> text)
    {
        var result = new List<int>(text.Count + 8);
        var all = CollectionsMarshal.AsSpan(text).TrimEnd(' ');
        for (int start = 0; start < all.Length;)
        {
            int length = all[start..].IndexOf(' ');
            bool last = length < 0;
            var word = last ? all[start..] : all.Slice(start, length);
            start += word.Length + 1;
            bool ends = word is [_, .., '.'] && (last || !Keeps(word[..^1], all[start]));
            result.AddRange(ends ? word[..^1] : word);
            result.Add(' ');
            if (ends)
                result.AddRange(['.', ' ']);
        }

        return result;
    }

    private bool Keeps(ReadOnlySpan<int> word, int next)
    {
        bool letter = false;
        foreach (int c in word)
            letter |= IsLetter(c);
        if ((letter && word.Contains('.')) || (next < Dots && MosesCharacters.IsLowercase(next)))
            return true;
        string text = AsString(word);
        return _prefixes.Keeps(text) || (_prefixes.KeepsBeforeNumber(text) && next is >= '0' and <= '9');
    }

    private static void AddSpaced(List<int> text, int c)
    {
        text.Add(' ');
        text.Add(c);
        text.Add(' ');
    }

    /// <summary>One blank for several, none at the ends.</summary>
    private static List<int> Trimmed(List<int> text)
    {
        var result = new List<int>(text.Count);
        foreach (int c in CollectionsMarshal.AsSpan(text).Trim(' '))
        {
            if (c != ' ' || result[^1] != ' ')
                result.Add(c);
        }

        return result;
    }

    private static string AsString(ReadOnlySpan<int> text)
    {
        var result = new StringBuilder(text.Length);
        foreach (int c in text)
            MosesCharacters.Append(result, c);
        return result.ToString();
    }

    // A mark is no character that has a class.
    private static bool IsLetter(int c) => c < Dots && MosesCharacters.IsAlphabetic(c);

    private static bool IsAlphanumeric(int c) => c < Dots && MosesCharacters.IsAlphanumeric(c);

    private static bool IsNumber(int c) => c < Dots && MosesCharacters.IsNumber(c);

    private static Regex Pattern(string pattern, int number)
    {
        try
        {
            return new Regex(EscapedUnderscore().Replace(pattern, "$1_"), RegexOptions.CultureInvariant);
        }
        catch (RegexParseException e)
        {
            throw new ArgumentException($"MosesTokenizer: protected pattern {number} must be a regular expression, got '{pattern}' ({e.Error} at {e.Offset}).", e);
        }
    }

    // Moses's own patterns have it; .NET knows no such escape.
    [GeneratedRegex(@"(?<!\\)((?:\\\\)*)\\_")]
    private static partial Regex EscapedUnderscore();
}
