namespace CudaSeq.Models;

/// <summary>
/// The stemmer of Porter ("An algorithm for suffix stripping", Program 14, 1980) for lower-cased English words, with the extensions of NLTK, whose stemmer
/// Google's <c>rouge_score</c> uses: a table of irregular words, short words in -ies and -ied, y after consonants only, and the suffixes -bli, -fulli and -logi.
/// </summary>
internal static class PorterStemmer
{
    // A suffix, and what takes its place where a syllable is left before it.
    private static readonly (string Suffix, string Replacement)[] SecondStep =
    [
        ("ational", "ate"), ("tional", "tion"), ("enci", "ence"), ("anci", "ance"), ("izer", "ize"), ("bli", "ble"), ("alli", "al"), ("entli", "ent"), ("eli", "e"),
        ("ousli", "ous"), ("ization", "ize"), ("ation", "ate"), ("ator", "ate"), ("alism", "al"), ("iveness", "ive"), ("fulness", "ful"), ("ousness", "ous"),
        ("aliti", "al"), ("iviti", "ive"), ("biliti", "ble"), ("fulli", "ful"),
    ];

    private static readonly (string Suffix, string Replacement)[] ThirdStep =
        [("icate", "ic"), ("ative", ""), ("alize", "al"), ("iciti", "ic"), ("ical", "ic"), ("ful", ""), ("ness", "")];

    private static readonly string[] FourthStep =
        ["al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent", "ion", "ou", "ism", "ate", "iti", "ous", "ive", "ize"];

    /// <summary>The stem of a lower-cased word; words of one or two letters are their own.</summary>
    public static string Stem(string word) => Irregular(word) ?? (word.Length <= 2 ? word : Last(Fourth(Third(Second(FinalY(PastAndProgressive(Plural(word))))))));

    private static string? Irregular(string word) => word switch
    {
        "sky" or "skies" => "sky",
        "dying" => "die",
        "lying" => "lie",
        "tying" => "tie",
        "news" => "news",
        "innings" or "inning" => "inning",
        "outings" or "outing" => "outing",
        "cannings" or "canning" => "canning",
        "howe" or "proceed" or "exceed" or "succeed" => word,
        _ => null,
    };

    private static string Plural(string word)
    {
        if (Ends(word, "sses"))
            return word[..^2];
        if (Ends(word, "ies"))
            return word.Length == 4 ? word[..^1] : word[..^2];
        return Ends(word, "s") && !Ends(word, "ss") ? word[..^1] : word;
    }

    private static string PastAndProgressive(string word)
    {
        if (Ends(word, "ied"))
            return word.Length == 4 ? word[..^1] : word[..^2];
        if (Ends(word, "eed"))
            return Measure(word.AsSpan(..^3)) > 0 ? word[..^1] : word;
        string stem = Ends(word, "ed") ? word[..^2] : Ends(word, "ing") ? word[..^3] : "";
        if (!HasVowel(stem))
            return word;
        if (Ends(stem, "at") || Ends(stem, "bl") || Ends(stem, "iz"))
            return stem + "e";
        if (EndsInDoubleConsonant(stem))
            return stem[^1] is 'l' or 's' or 'z' ? stem : stem[..^1];
        return Measure(stem) == 1 && EndsShort(stem) ? stem + "e" : stem;
    }

    private static string FinalY(string word)
        => word.Length > 2 && word[^1] == 'y' && IsConsonant(word, word.Length - 2) ? word[..^1] + "i" : word;

    private static string Second(string word)
    {
        // Before -bli is looked for, and then all again: -ationalli.
        if (Ends(word, "alli") && Measure(word.AsSpan(..^4)) > 0)
            return Second(word[..^2]);
        if (Ends(word, "logi"))
            return Measure(word.AsSpan(..^3)) > 0 ? word[..^1] : word;
        return Replace(word, SecondStep);
    }

    private static string Third(string word) => Replace(word, ThirdStep);

    private static string Fourth(string word)
    {
        foreach (string suffix in FourthStep)
        {
            if (!Ends(word, suffix))
                continue;
            string stem = word[..^suffix.Length];
            return Measure(stem) > 1 && (suffix != "ion" || stem[^1] is 's' or 't') ? stem : word;
        }

        return word;
    }

    private static string Last(string word)
    {
        if (Ends(word, "e"))
        {
            string stem = word[..^1];
            int measure = Measure(stem);
            if (measure > 1 || (measure == 1 && !EndsShort(stem)))
                word = stem;
        }

        return Ends(word, "ll") && Measure(word.AsSpan(..^1)) > 1 ? word[..^1] : word;
    }

    // The first suffix that the word has decides, whether what is left is long enough or not.
    private static string Replace(string word, (string Suffix, string Replacement)[] rules)
    {
        foreach (var (suffix, replacement) in rules)
        {
            if (Ends(word, suffix))
                return Measure(word.AsSpan(..^suffix.Length)) > 0 ? word[..^suffix.Length] + replacement : word;
        }

        return word;
    }

    private static bool Ends(string word, string suffix) => word.EndsWith(suffix, StringComparison.Ordinal);

    // A y after a consonant is a vowel, so that a row of them alternates; what is no letter is a consonant.
    private static bool IsConsonant(ReadOnlySpan<char> word, int at)
    {
        if (word[at] != 'y')
            return !IsVowel(word[at]);
        int first = at;
        while (first > 0 && word[first - 1] == 'y')
            first--;
        bool begins = first == 0 || IsVowel(word[first - 1]);
        return begins == ((at - first) % 2 == 0);
    }

    private static bool IsVowel(char letter) => letter is 'a' or 'e' or 'i' or 'o' or 'u';

    // How often consonants follow vowels: the m of [C](VC)^m[V].
    private static int Measure(ReadOnlySpan<char> stem)
    {
        int measure = 0;
        for (int i = 1; i < stem.Length; i++)
            measure += IsConsonant(stem, i) && !IsConsonant(stem, i - 1) ? 1 : 0;
        return measure;
    }

    private static bool HasVowel(ReadOnlySpan<char> stem)
    {
        for (int i = 0; i < stem.Length; i++)
        {
            if (!IsConsonant(stem, i))
                return true;
        }

        return false;
    }

    private static bool EndsInDoubleConsonant(string stem) => stem.Length >= 2 && stem[^1] == stem[^2] && IsConsonant(stem, stem.Length - 1);

    // Consonant, vowel, consonant that is no w, x or y; or a word of a vowel and a consonant.
    private static bool EndsShort(string stem)
    {
        int last = stem.Length - 1;
        if (last < 1 || !IsConsonant(stem, last) || IsConsonant(stem, last - 1))
            return false;
        return last == 1 || (IsConsonant(stem, last - 2) && stem[last] is not ('w' or 'x' or 'y'));
    }
}
