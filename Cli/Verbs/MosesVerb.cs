using System.CommandLine;

namespace CudaSeq.Cli;

/// <summary><c>cudaseq moses</c>: text to tokens and back, equal to Moses's scripts.</summary>
internal sealed class MosesVerb : Verb
{
    public MosesVerb()
        : base("moses", "Normalise, tokenise and detokenise text, as Moses does.")
    {
    }

    public override IReadOnlyList<Verb> Verbs => [new MosesNormalizeVerb(), new MosesTokenizeVerb(), new MosesDetokenizeVerb()];

    public override IReadOnlyList<(string Line, string What)> Examples =>
    [
        ("cudaseq moses normalize --lang en --input train.en --output train.norm.en", "Makes quotation marks and dashes uniform."),
        ("cudaseq moses tokenize --lang en --input train.norm.en --output train.tok.en", "Sets words and punctuation apart."),
        ("cudaseq moses detokenize --lang de < translated.tok.de > translated.de", "Makes a text of them again."),
    ];

    public override string Notes =>
        "Byte for byte what normalize-punctuation.perl, tokenizer.perl and detokenizer.perl make of it, but for rare abbreviations: the lists of them are its own, and --nonbreaking-prefixes takes another. sacremoses normalises alike with perl_parity only.";

    public override int Run(ParseResult arguments, Terminal terminal, CancellationToken cancellation) => throw new UsageException("a verb must be given.");

    /// <summary>The option for the language.</summary>
    public static Option<string> LanguageOption() => Text("--lang", "XX", "The language of the text, for example en.", required: true);

    /// <summary>The language that is given.</summary>
    public static string Language(ParseResult arguments, Option<string> option)
    {
        string language = arguments.GetRequiredValue(option);
        return language.Length is 2 or 3 && language.All(char.IsAsciiLetterLower)
            ? language
            : throw new UsageException($"--lang must be a code of two or three small letters such as en, got {language}.");
    }
}
