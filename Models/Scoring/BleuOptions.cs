using System.Globalization;

namespace CudaSeq.Models;

/// <summary>How BLEU cuts text into words.</summary>
public enum BleuTokenization
{
    /// <summary>As mteval-v13a.pl of NIST and WMT does; sacreBLEU's default, for detokenised text of European languages.</summary>
    Mteval13a,

    /// <summary>At blanks only, for text that is tokenised already.</summary>
    None,

    /// <summary>Every character that is not blank is a word, whatever the language.</summary>
    Character,

    /// <summary>As mteval-v14.pl --international-tokenization does: at all punctuation and symbols of Unicode.</summary>
    International,
}

/// <summary>What BLEU makes of an n-gram order without matches (Chen and Cherry, "A systematic comparison of smoothing techniques for sentence-level BLEU", WMT 2014).</summary>
public enum BleuSmoothing
{
    /// <summary>The k-th order without matches counts as 2^-k of a match (NIST; sacreBLEU's default).</summary>
    Exponential,

    /// <summary>One order without matches makes the score 0.</summary>
    None,

    /// <summary>An order without matches counts as <see cref="BleuOptions.SmoothingValue"/> of a match, 0.1 where none is given.</summary>
    Floor,

    /// <summary><see cref="BleuOptions.SmoothingValue"/>, 1 where none is given, is added to the matches and n-grams of each order from the second on.</summary>
    AddK,
}

/// <summary>A variant of BLEU; scores are comparable only within one.</summary>
public sealed record BleuOptions
{
    /// <summary>How text is cut into words.</summary>
    public BleuTokenization Tokenization { get; init; } = BleuTokenization.Mteval13a;

    /// <summary>What an n-gram order without matches counts.</summary>
    public BleuSmoothing Smoothing { get; init; } = BleuSmoothing.Exponential;

    /// <summary>The value of <see cref="BleuSmoothing.Floor"/> and <see cref="BleuSmoothing.AddK"/>, at least 0; null is their default.</summary>
    public double? SmoothingValue { get; init; }

    /// <summary>Whether upper and lower case are the same.</summary>
    public bool Lowercase { get; init; }

    /// <summary>Whether orders for which the hypotheses are too short are left out of the mean: for scores of single sentences.</summary>
    public bool EffectiveOrder { get; init; }

    /// <summary>
    /// Whether the words that tokenisation gives are split at hyphens, <c>a-b</c> into <c>a ##AT##-##AT## b</c>: English-German papers score tokenised text so (Vaswani et al. 2017). Scores are higher, and comparable with
    /// their like alone. The signature has <c>compounds:split</c> then.
    /// </summary>
    public bool SplitCompounds { get; init; }

    /// <summary>The longest n-grams counted. The signature names it where it is not 4, which sacreBLEU's does not.</summary>
    public int Order { get; init; } = Bleu.Order;

    /// <summary>The tokenisation as the signature and the command line call it.</summary>
    internal string TokenizationName => Tokenization switch
    {
        BleuTokenization.Mteval13a => "13a",
        BleuTokenization.None => "none",
        BleuTokenization.Character => "char",
        _ => "intl",
    };

    /// <summary>The smoothing as the signature and the command line call it.</summary>
    internal string SmoothingName => Smoothing switch
    {
        BleuSmoothing.Exponential => "exp",
        BleuSmoothing.None => "none",
        BleuSmoothing.Floor => "floor",
        _ => "add-k",
    };

    /// <summary>The value that smoothing uses; null where it has none.</summary>
    internal double? EffectiveSmoothingValue => Smoothing switch
    {
        BleuSmoothing.Floor => SmoothingValue ?? 0.1,
        BleuSmoothing.AddK => SmoothingValue ?? 1,
        _ => null,
    };

    /// <summary>What BLEU's signature says of this variant.</summary>
    internal string Signature(int leastReferences, int mostReferences)
    {
        string value = EffectiveSmoothingValue is { } v ? $"[{ScoreText.Fixed(v, 2)}]" : "";
        string order = Order == Bleu.Order ? "" : $"|order:{ScoreText.Number(Order)}";
        return $"{ScoreText.References(leastReferences, mostReferences, Lowercase)}|eff:{ScoreText.YesNo(EffectiveOrder)}|tok:{TokenizationName}"
            + $"|smooth:{SmoothingName}{value}{order}{(SplitCompounds ? "|compounds:split" : "")}|{ScoreText.Version}";
    }

    /// <summary>Refuses what is no variant of BLEU.</summary>
    internal void Check()
    {
        if (Order < 1)
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"Bleu: Order must be at least 1, got {Order}."));
        if (SmoothingValue is not { } value)
            return;
        if (EffectiveSmoothingValue is null)
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"Bleu: SmoothingValue is for the smoothings floor and add-k, got {value} for {SmoothingName}."));
        if (!double.IsFinite(value) || value < 0)
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"Bleu: SmoothingValue must be a number of at least 0, got {value}."));
    }
}
