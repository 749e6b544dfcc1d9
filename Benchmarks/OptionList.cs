using System.Globalization;
using CudaSeq.Kernels;

namespace CudaSeq.Benchmarks;

/// <summary>What follows a verb on the command line: names, each with a value.</summary>
internal sealed class OptionList
{
    private readonly Dictionary<string, string> _values = [];
    private readonly string _verb;

    /// <summary>Reads the options.</summary>
    /// <param name="verb">What they follow.</param>
    /// <param name="arguments">Names and values in turns.</param>
    /// <param name="known">The names, each with what its value is called: <c>--filter TEXT</c>.</param>
    /// <exception cref="OptionException">An option is unknown, is given twice or lacks its value.</exception>
    /// <exception cref="HelpException">The options are asked for.</exception>
    public OptionList(string verb, string[] arguments, params string[] known)
    {
        _verb = verb;
        if (arguments.Any(a => a is "--help" or "-h"))
            throw new HelpException($"{verb} [{string.Join("] [", known)}]");
        for (int i = 0; i < arguments.Length; i += 2)
        {
            if (i + 1 == arguments.Length || !known.Any(k => k.StartsWith(arguments[i] + " ", StringComparison.Ordinal)))
                throw new OptionException($"{verb}: unknown or incomplete option {arguments[i]}; options are {string.Join(", ", known)}.");
            if (!_values.TryAdd(arguments[i], arguments[i + 1]))
                throw new OptionException($"{verb}: {arguments[i]} must be given once.");
        }
    }

    /// <summary>The value as it stands; null where the option is not given.</summary>
    public string? Text(string name) => _values.GetValueOrDefault(name);

    /// <summary>A whole number from 1 on.</summary>
    public int? Whole(string name) => Text(name) is not { } text ? null
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value > 0 ? value
        : throw new OptionException($"{_verb}: {name} must be a whole number of at least 1, got {text}.");

    /// <summary>One of the values of an enumeration, in any case of letters.</summary>
    public T? Choice<T>(string name, params IReadOnlyList<T> choices)
        where T : struct, Enum
    {
        if (Text(name) is not { } text)
            return null;
        choices = choices.Count > 0 ? choices : Enum.GetValues<T>();
        return Enum.TryParse(text, ignoreCase: true, out T value) && choices.Contains(value)
            ? value
            : throw new OptionException($"{_verb}: {name} must be one of {string.Join(", ", choices).ToLowerInvariant()}, got {text}.");
    }

    /// <summary>A device by its name, <see cref="CpuDevice"/> where none is named.</summary>
    /// <exception cref="CudaException">It is a GPU and cannot be had.</exception>
    public Device OpenDevice(string name)
    {
        try
        {
            return Device.Open(Text(name) ?? "cpu");
        }
        catch (ArgumentException e)
        {
            throw new OptionException($"{_verb}: {e.Message}");
        }
    }
}
