using System.Globalization;

namespace CudaSeq.Models;

/// <summary>The files of a training run, and all that translating with it needs.</summary>
/// <param name="path">The directory; made when something is first written.</param>
public sealed class RunDirectory(string path)
{
    private const string CheckpointPrefix = "checkpoint-";
    private const string CheckpointSuffix = ".safetensors";

    /// <summary>The directory.</summary>
    public string Path { get; } = path;

    /// <summary>The parameters of the best validation.</summary>
    public string Best => File("best.safetensors");

    /// <summary>Everything needed to resume.</summary>
    public string Last => File("last.safetensors");

    /// <summary>The resolved recipe.</summary>
    public string Recipe => File("recipe.json");

    /// <summary>How source text becomes pieces.</summary>
    public string SourceTokenizer => File("source.tokenizer.json");

    /// <summary>How target text becomes pieces.</summary>
    public string TargetTokenizer => File("target.tokenizer.json");

    /// <summary>The source vocabulary, one piece a line.</summary>
    public string SourceVocabulary => File("source.vocabulary.txt");

    /// <summary>The target vocabulary, one piece a line.</summary>
    public string TargetVocabulary => File("target.vocabulary.txt");

    /// <summary>The training text in ids, as <see cref="CorpusCache"/> writes it; it can be deleted and is then made again.</summary>
    /// <param name="index">Which corpus of the recipe, from 0.</param>
    public string TrainCorpus(int index) => File(index == 0 ? "train.corpus" : string.Create(CultureInfo.InvariantCulture, $"train-{index + 1}.corpus"));

    /// <summary>The run's history.</summary>
    public string Log => File("log.jsonl");

    /// <summary>What the run made of its test pairs, as <see cref="TestTranslation"/> writes it.</summary>
    public string Translations => File("test.translations.jsonl");

    /// <summary>The run as a page: <see cref="HtmlReport"/>.</summary>
    public string Report => File("report.html");

    /// <summary>Whether the directory is a run's and a file of this name in it is part of that, so that it must not be written over; its page is not.</summary>
    /// <param name="name">The name of a file.</param>
    internal bool Needs(string name)
    {
        if (!System.IO.File.Exists(Log) && !System.IO.File.Exists(Best) && !System.IO.File.Exists(Last))
            return false;
        string path = File(name);
        return ((string[])[Best, Last, Recipe, SourceTokenizer, TargetTokenizer, SourceVocabulary, TargetVocabulary, Log, Translations]).Contains(path)
            || name.EndsWith(CheckpointSuffix, StringComparison.Ordinal) || name.EndsWith(".corpus", StringComparison.Ordinal);
    }

    /// <summary>Takes the directory for one session of training, until the result is disposed or the process ends.</summary>
    /// <exception cref="IOException">Another process trains there.</exception>
    internal IDisposable Take()
    {
        if (System.IO.File.Exists(Path))
            throw new IOException($"{Path}: must be a folder, is a file.");
        Directory.CreateDirectory(Path);
        try
        {
            return new FileStream(File("train.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 1, FileOptions.DeleteOnClose);
        }
        catch (IOException e) when (e is not DirectoryNotFoundException and not PathTooLongException && System.IO.File.Exists(File("train.lock")))
        {
            throw new IOException($"{Path}: another training is at work there.", e);
        }
    }

    /// <summary>The best checkpoint, or the last while no validation has happened.</summary>
    /// <exception cref="FileNotFoundException">The directory holds neither.</exception>
    public string BestOrLast
        => System.IO.File.Exists(Best) ? Best
        : System.IO.File.Exists(Last) ? Last
        : throw new FileNotFoundException($"{Path}: holds no model; a run directory has best.safetensors or last.safetensors.");

    /// <summary>A checkpoint that is kept besides the best and the last.</summary>
    /// <param name="update">The updates it was made after.</param>
    public string CheckpointOf(long update) => File(string.Create(CultureInfo.InvariantCulture, $"{CheckpointPrefix}{update}{CheckpointSuffix}"));

    /// <summary>The checkpoints that are kept besides the best and the last, oldest first.</summary>
    public IReadOnlyList<(long Update, string Path)> Checkpoints()
    {
        var found = new List<(long Update, string Path)>();
        if (!Directory.Exists(Path))
            return found;
        foreach (string path in Directory.EnumerateFiles(Path, $"{CheckpointPrefix}*{CheckpointSuffix}"))
        {
            string name = System.IO.Path.GetFileName(path);
            if (long.TryParse(name.AsSpan(CheckpointPrefix.Length, name.Length - CheckpointPrefix.Length - CheckpointSuffix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out long update))
                found.Add((update, path));
        }

        found.Sort();
        return found;
    }

    /// <summary>Writes the tokenisers and vocabularies.</summary>
    public void SaveCodecs(TextCodec source, TextCodec target)
    {
        Directory.CreateDirectory(Path);
        TokenizerFile.Save(SourceTokenizer, source.Tokenizer);
        TokenizerFile.Save(TargetTokenizer, target.Tokenizer);
        source.Vocabulary.Save(SourceVocabulary);
        target.Vocabulary.Save(TargetVocabulary);
    }

    /// <summary>Reads the tokenisers and vocabularies.</summary>
    /// <exception cref="FileNotFoundException">One is missing.</exception>
    /// <exception cref="InvalidDataException">One is damaged.</exception>
    public (TextCodec Source, TextCodec Target) LoadCodecs() => (
        new TextCodec(TokenizerFile.Load(SourceTokenizer), Vocabulary.Load(SourceVocabulary)),
        new TextCodec(TokenizerFile.Load(TargetTokenizer), Vocabulary.Load(TargetVocabulary)));

    /// <summary>How the run's recipe searches; fairseq's defaults where the directory has no recipe.</summary>
    /// <exception cref="RecipeException">The recipe is damaged.</exception>
    public DecodingOptions Decoding() => System.IO.File.Exists(Recipe) ? Experiment.Decoding(Models.Recipe.Load(Recipe)) : new DecodingOptions();

    private string File(string name) => System.IO.Path.Combine(Path, name);
}
