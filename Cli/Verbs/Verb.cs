using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace CudaSeq.Cli;

/// <summary>One verb of the tool: what it takes, what it shows as help, what it does.</summary>
internal abstract class Verb : Command
{
    protected Verb(string name, string description)
        : base(name, description)
        => TreatUnmatchedTokensAsErrors = false;

    /// <summary>Command lines that work, for the help, each with what it does.</summary>
    public abstract IReadOnlyList<(string Line, string What)> Examples { get; }

    /// <summary>What the help says below the options.</summary>
    public virtual string? Notes => null;

    /// <summary>Does it.</summary>
    /// <returns>The exit code.</returns>
    public abstract int Run(ParseResult arguments, Terminal terminal, CancellationToken cancellation);

    protected static Argument<string> Required(string name, string description) => new(name) { Description = description, Arity = ArgumentArity.ExactlyOne };

    protected static Option<string> Text(string name, string value, string description, bool required = false)
        => new(name) { HelpName = value, Description = description, Required = required };

    protected static Option<bool> Flag(string name, string description) => new(name) { Description = description, Arity = ArgumentArity.Zero };

    /// <summary>A whole number from <paramref name="least"/> on; null when it is not given.</summary>
    protected static Option<long?> Whole(string name, string value, string description, long least)
        => new(name) { HelpName = value, Description = description, CustomParser = result => ParseWhole(result, name, least) };

    private static long? ParseWhole(ArgumentResult result, string name, long least)
    {
        string text = result.Tokens[0].Value;
        if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long value) && value >= least && value <= int.MaxValue)
            return value;
        result.AddError(value > int.MaxValue ? $"{name} must be at most {int.MaxValue}, got {text}." : $"{name} must be a whole number of at least {least}, got {text}.");
        return null;
    }
}
