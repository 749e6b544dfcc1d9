using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>The three parts of a corpus; no pair is in two of them.</summary>
/// <param name="Train">Pairs to learn from.</param>
/// <param name="Valid">Pairs to choose a checkpoint by.</param>
/// <param name="Test">Pairs to judge by.</param>
public sealed record CorpusSplits(
    IReadOnlyList<(string Source, string Target)> Train, IReadOnlyList<(string Source, string Target)> Valid, IReadOnlyList<(string Source, string Target)> Test);

/// <summary>
/// A corpus that needs no download: the numbers 0 to 999,999 as digits (<c>1 2 3 0 0 4</c>) and in English words (<c>one hundred twenty three thousand four</c>),
/// words without hyphens and without "and". Both sides are for the <see cref="WordTokenizer"/>.
/// </summary>
public static class NumberCorpus
{
    /// <summary>The largest number.</summary>
    public const int Largest = 999_999;

    /// <summary>The most training pairs.</summary>
    public const int MostTrainPairs = 50_000;

    /// <summary>The most validation pairs and the most test pairs: a tenth of the numbers of every length, rounded down.</summary>
    public const int MostHeldOutPairs = 100_000;

    private const int MostDigits = 6;

    private static readonly string[] Ones =
    [
        "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen",
        "seventeen", "eighteen", "nineteen",
    ];

    private static readonly string[] Tens = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];

    /// <summary>
    /// Draws the corpus. Digit lengths 1 to 6 are equally frequent: in training exactly, the few short numbers repeated equally often; among the held-out numbers,
    /// which are all different, as far as there are short ones: at most a tenth of a length's numbers, rounded down, goes to the test set and as many to the validation set.
    /// 0 is always left to training, since no other number has the word "zero".
    /// </summary>
    /// <param name="seed">The same seed gives the same corpus.</param>
    /// <param name="trainPairs">From 1 to <see cref="MostTrainPairs"/>.</param>
    /// <param name="testPairs">From 0 to <see cref="MostHeldOutPairs"/>, none of them in training.</param>
    /// <param name="validPairs">From 0 to <see cref="MostHeldOutPairs"/>, none of them in training or test.</param>
    /// <exception cref="ArgumentOutOfRangeException">A count is outside its range.</exception>
    public static CorpusSplits Generate(ulong seed, int trainPairs = MostTrainPairs, int testPairs = 1000, int validPairs = 500)
    {
        Check(nameof(trainPairs), trainPairs, 1, MostTrainPairs);
        Check(nameof(testPairs), testPairs, 0, MostHeldOutPairs);
        Check(nameof(validPairs), validPairs, 0, MostHeldOutPairs);
        var random = new RandomSource(seed);
        var train = new List<int>(trainPairs);
        var valid = new List<int>(validPairs);
        var test = new List<int>(testPairs);
        for (int digits = 1; digits <= MostDigits; digits++)
        {
            int first = digits == 1 ? 1 : Power(digits - 1), count = Power(digits) - first;
            int[] numbers = [.. Enumerable.Range(first, count)];
            random.Shuffle<int>(numbers);
            int most = Power(digits) / 10 - (digits == 1 ? 0 : Power(digits - 1) / 10);
            int held = Share(testPairs - test.Count, digits, most);
            test.AddRange(numbers.AsSpan(0, held));
            int heldForValid = Share(validPairs - valid.Count, digits, most);
            valid.AddRange(numbers.AsSpan(held, heldForValid));
            int[] pool = [.. digits == 1 ? [0] : Array.Empty<int>(), .. numbers.AsSpan(held + heldForValid)];
            int wanted = Share(trainPairs - train.Count, digits, int.MaxValue);
            for (int i = 0; i < wanted; i++)
                train.Add(pool[i % pool.Length]);
        }

        return new CorpusSplits(Pairs(train, random), Pairs(valid, random), Pairs(test, random));
    }

    /// <summary>A number's digits with blanks between them.</summary>
    /// <param name="number">From 0 to <see cref="Largest"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number is outside that range.</exception>
    public static string Digits(int number)
    {
        Check(nameof(number), number, 0, Largest);
        return string.Join(' ', number.ToString(System.Globalization.CultureInfo.InvariantCulture).AsEnumerable());
    }

    /// <summary>A number in English words: without hyphens, without "and".</summary>
    /// <param name="number">From 0 to <see cref="Largest"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number is outside that range.</exception>
    public static string Words(int number)
    {
        Check(nameof(number), number, 0, Largest);
        if (number == 0)
            return Ones[0];
        var words = new List<string>();
        if (number >= 1000)
        {
            AddBelowThousand(words, number / 1000);
            words.Add("thousand");
        }

        AddBelowThousand(words, number % 1000);
        return string.Join(' ', words);
    }

    private static void AddBelowThousand(List<string> words, int number)
    {
        if (number >= 100)
            words.AddRange(Ones[number / 100], "hundred");
        number %= 100;
        if (number >= 20)
        {
            words.Add(Tens[(number / 10) - 2]);
            number %= 10;
        }

        if (number > 0)
            words.Add(Ones[number]);
    }

    private static int Power(int digits) => (int)Math.Pow(10, digits);

    /// <summary>An equal share of what is left for this length and the longer ones.</summary>
    private static int Share(int left, int digits, int most) => Math.Min(most, left / (MostDigits - digits + 1));

    private static (string Source, string Target)[] Pairs(List<int> numbers, RandomSource random)
    {
        int[] order = [.. numbers];
        random.Shuffle<int>(order);
        return Array.ConvertAll(order, number => (Digits(number), Words(number)));
    }

    private static void Check(string name, int value, int low, int high)
    {
        if (value < low || value > high)
            throw new ArgumentOutOfRangeException(null, $"NumberCorpus: {name} must be in {low} .. {high}, got {value}.");
    }
}
