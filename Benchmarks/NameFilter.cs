namespace CudaSeq.Benchmarks;

/// <summary>What <c>--filter</c> lets through: names that hold its parts, which stand between asterisks, in their order and in any case of letters.</summary>
/// <param name="verb">For messages.</param>
/// <param name="text">What was given; null lets all through.</param>
internal sealed class NameFilter(string verb, string? text)
{
    private const int Shown = 3;

    private readonly string[] _parts = (text ?? "").Split('*', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Those it lets through.</summary>
    /// <param name="all">What there is.</param>
    /// <param name="nameOf">Of each.</param>
    /// <exception cref="OptionException">There is none; the message names some that there are.</exception>
    public T[] Of<T>(IEnumerable<T> all, Func<T, string> nameOf)
    {
        T[] cases = [.. all], passed = [.. cases.Where(c => Passes(nameOf(c)))];
        return passed.Length > 0 ? passed
            : throw new OptionException($"{verb}: no case matches \"{text}\"; there are {cases.Length}, for example {string.Join("; ", cases.Take(Shown).Select(nameOf))}.");
    }

    private bool Passes(string name)
    {
        int from = 0;
        foreach (string part in _parts)
        {
            int at = name.IndexOf(part, from, StringComparison.OrdinalIgnoreCase);
            if (at < 0)
                return false;
            from = at + part.Length;
        }

        return true;
    }
}
