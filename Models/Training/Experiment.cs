using System.Text;
using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>The scores of a finished run on its test pairs.</summary>
/// <param name="Bleu">Corpus BLEU.</param>
/// <param name="CheckpointUpdate">The update of the checkpoint that translated.</param>
/// <param name="Translations">What it made of each source line.</param>
public sealed record TestScores(BleuScore Bleu, long CheckpointUpdate, IReadOnlyList<string> Translations);

/// <summary>A recipe made ready to run: its text read, its vocabularies built, its model on a device.</summary>
public sealed class Experiment : IDisposable
{
    private readonly Recipe _recipe;
    private readonly string _dataFolder;
    private readonly RunDirectory _directory;
    private readonly bool _tf32;
    private readonly IDisposable _taken;
    private readonly Distillation? _teacher;

    private Experiment(
        Recipe recipe, string dataFolder, RunDirectory directory, TrainingData data, AutoregressiveModel model, Trainer trainer, Distillation? teacher, bool tf32, IDisposable taken)
    {
        _taken = taken;
        _teacher = teacher;
        _tf32 = tf32;
        _recipe = recipe;
        _dataFolder = dataFolder;
        _directory = directory;
        Data = data;
        Model = model;
        Trainer = trainer;
    }

    /// <summary>What the run learns from.</summary>
    public TrainingData Data { get; }

    /// <summary>The model.</summary>
    public AutoregressiveModel Model { get; }

    /// <summary>What trains it.</summary>
    public Trainer Trainer { get; }

    /// <summary>
    /// Reads the text, learns the vocabularies (or loads them when resuming), builds the model and, when resuming, loads where the run stood.
    /// </summary>
    /// <param name="recipe">The experiment; needs training files. A size of batch that it wants measured is measured when the run begins and holds for all of it.</param>
    /// <param name="dataFolder">The folder that the recipe's files are in.</param>
    /// <param name="device">Where to train; its <see cref="Device.Tf32"/> is the recipe's until the experiment is disposed.</param>
    /// <param name="directory">Where checkpoints, vocabularies and log go.</param>
    /// <param name="resume">Continue the run in <paramref name="directory"/>; otherwise its checkpoints, if there are any, are replaced.</param>
    /// <param name="notes">Facts for the log's first line.</param>
    /// <param name="status">Says in a line each what was read and made.</param>
    /// <param name="cancellation">Stops the preparation.</param>
    /// <exception cref="IOException">A file is missing, or there is nothing to resume.</exception>
    /// <exception cref="InvalidDataException">A text file or a checkpoint is damaged or does not fit.</exception>
    /// <exception cref="InvalidOperationException">The recipe wants the size of a batch measured, and the device is no GPU.</exception>
    /// <exception cref="ArgumentException">The device does not compute as the recipe says.</exception>
    public static Experiment Prepare(
        Recipe recipe,
        string dataFolder,
        Device device,
        RunDirectory directory,
        bool resume = false,
        IReadOnlyDictionary<string, string>? notes = null,
        IProgress<string>? status = null,
        CancellationToken cancellation = default)
    {
        if (resume && !File.Exists(directory.Last))
            throw new FileNotFoundException($"Training: nothing to resume, {directory.Last} does not exist.");
        if (resume)
            recipe = Measured(recipe, directory);
        Precisions.Check(device, recipe.Training.Precision);
        bool tf32 = device.Tf32;
        device.Tf32 = recipe.Training.Tf32;
        IDisposable? taken = null;
        try
        {
            taken = directory.Take();
            return Make(recipe, dataFolder, device, directory, resume, tf32, taken, notes, status, cancellation);
        }
        catch
        {
            taken?.Dispose();
            device.Tf32 = tf32;
            throw;
        }
    }

    /// <summary>The recipe with the size of batch that was measured when the run began, where it wants one measured and the run says which.</summary>
    /// <exception cref="RecipeException">The run's own recipe is damaged.</exception>
    public static Recipe Measured(Recipe recipe, RunDirectory directory)
        => recipe.Training.BatchTokens is null && File.Exists(directory.Recipe)
            ? recipe with { Training = recipe.Training with { BatchTokens = Recipe.Load(directory.Recipe).Training.BatchTokens } }
            : recipe;

    /// <summary>Translates the recipe's test pairs with the best checkpoint and adds the score to the log; null if the recipe has none, or a text.</summary>
    public TestScores? Test(CancellationToken cancellation = default)
    {
        if (_recipe.Data.Test is not { IsText: false } files)
            return null;
        var pairs = ParallelCorpus.Read(Path.Combine(_dataFolder, files.Source), Path.Combine(_dataFolder, files.Target)).ToList();
        var options = Decoding(_recipe);
        using var translator = Translator.Load(_directory.Path, Model.Device, Model.Precision);
        string[] translations = [.. translator.Translate([.. pairs.Select(p => p.Source)], options, cancellation).Select(t => t[0].Text)];
        TestTranslation.Save(_directory.Translations, pairs.Zip(translations, (p, t) => new TestTranslation(p.Source, p.Target, t)));
        var bleu = Bleu.Corpus(translations, [.. pairs.Select(p => p.Target)], RecipeOptions.Bleu(_recipe));
        long update = Checkpoint.ReadHeader(_directory.BestOrLast).State.Update;
        double seconds = TrainingLog.SecondsAt(_directory.Log, long.MaxValue);
        using var log = TrainingLog.Append(_directory.Log);
        log.Write(
            "test",
            Trainer.State.Update,
            seconds,
            ("source", files.Source),
            ("bleu", Math.Round(bleu.Score, 4)),
            ("signature", bleu.Signature),
            ("beam", options.Beam),
            ("length_penalty", options.LengthPenalty),
            ("length_penalty_form", options.LengthPenaltyForm == LengthPenaltyForm.Gnmt ? "gnmt" : "power"),
            ("min_length", options.MinLength),
            ("no_repeat_ngram_size", options.NoRepeatNGramSize),
            ("checkpoint_update", update));
        return new TestScores(bleu, update, translations);
    }

    /// <summary>Scores the recipe's test text with the best checkpoint of a language model and adds the scores to the log; null if the recipe has none, or pairs.</summary>
    public (EvaluationScores Scores, long CheckpointUpdate)? TestText(CancellationToken cancellation = default)
    {
        if (_recipe.Data.Test is not { IsText: true } files)
            return null;
        using var generator = TextGenerator.Load(_directory.Path, Model.Device, Model.Precision);
        var blocks = LanguageModelData.Held(_recipe.Data, Path.Combine(_dataFolder, files.Target), generator.Codec, cancellation);
        var scores = Evaluation.Of(generator.Model, blocks, Math.Max(Evaluation.UsualBatchTokens, _recipe.Data.TokensPerSample), cancellation);
        long update = Checkpoint.ReadHeader(_directory.BestOrLast).State.Update;
        double seconds = TrainingLog.SecondsAt(_directory.Log, long.MaxValue);
        using var log = TrainingLog.Append(_directory.Log);
        log.Write(
            "test",
            Trainer.State.Update,
            seconds,
            ("source", files.Target),
            ("loss", Math.Round(scores.Loss, 5)),
            ("ppl", Math.Round(scores.Perplexity, 4)),
            ("bits_per_character", Math.Round(scores.BitsPerCharacter, 5)),
            ("tokens", scores.Tokens),
            ("unknown", scores.Unknown),
            ("context_window", _recipe.Data.ContextWindow),
            ("checkpoint_update", update));
        return (scores, update);
    }

    /// <summary>Frees the model, the optimiser and the corpus.</summary>
    public void Dispose()
    {
        Trainer.Dispose();
        Model.Dispose();
        _teacher?.Dispose();
        Data.Train.Dispose();
        Model.Device.Tf32 = _tf32;
        _taken.Dispose();
    }

    /// <summary>How a recipe decodes.</summary>
    public static DecodingOptions Decoding(Recipe recipe) => new()
    {
        Beam = recipe.Decoding.Beam,
        LengthPenalty = recipe.Decoding.LengthPenalty,
        LengthPenaltyForm = recipe.Decoding.LengthPenaltyForm,
        MinLength = recipe.Decoding.MinLength,
        NoRepeatNGramSize = recipe.Decoding.NoRepeatNGramSize,
        MaxLengthA = recipe.Decoding.MaxLengthA,
        MaxLengthB = recipe.Decoding.MaxLengthB,
        BatchTokens = recipe.Decoding.BatchTokens,
        Graphs = recipe.Decoding.Graphs,
    };

    private static Experiment Make(
        Recipe recipe,
        string dataFolder,
        Device device,
        RunDirectory directory,
        bool resume,
        bool tf32,
        IDisposable taken,
        IReadOnlyDictionary<string, string>? notes,
        IProgress<string>? status,
        CancellationToken cancellation)
    {
        var train = recipe.Data.Train ?? throw new InvalidDataException($"{recipe.Name}: data.train must name two files.");
        Directory.CreateDirectory(directory.Path);
        if (recipe.Data.Test is { } test)
            CheckTest(test, dataFolder, cancellation);
        var begins = recipe.Training.InitializeFrom.Length > 0 ? new RunDirectory(recipe.Training.InitializeFrom) : null;
        var (source, target) = resume ? directory.LoadCodecs() : begins?.LoadCodecs() ?? Codecs(recipe, train, dataFolder, status, cancellation);
        if (begins is not null && recipe.Model.ShareEmbeddings == EmbeddingSharing.All && source.Vocabulary.Hash != target.Vocabulary.Hash)
            throw new InvalidDataException($"model.share_embeddings all needs one vocabulary, {begins.Path} has two.");
        var data = Read(recipe, train, dataFolder, directory, source, target, status, cancellation);
        AutoregressiveModel? model = null;
        Trainer? trainer = null;
        Distillation? teacher = null;
        try
        {
            CheckPositions(recipe, data, dataFolder, cancellation);
            bool isText = recipe.Task == RecipeTask.LanguageModeling;
            var config = recipe.Model with { SourceVocabulary = isText ? 0 : source.Vocabulary.Count, TargetVocabulary = target.Vocabulary.Count };
            teacher = Distillation.Of(recipe, source, target, device, status);
            if (recipe.Training.BatchTokens is null)
            {
                int least = isText && recipe.Data.SampleBreakMode != SampleBreak.Eos ? recipe.Data.TokensPerSample : recipe.Data.MaxLength + 1;
                int tokens = BatchFit.Measure(config, data.Train, RecipeOptions.Training(recipe, 1, notes) with { Teacher = teacher }, least, device, status, cancellation);
                recipe = recipe with { Training = recipe.Training with { BatchTokens = tokens } };
            }

            var random = new RandomSource(recipe.Training.Seed);
            model = AutoregressiveModel.Create(config, device, random);
            if (begins is not null && !resume)
            {
                InitialParameters.Load(model, begins, recipe.Training.InitializeEncoderLayers, recipe.Training.InitializeDecoderLayers);
                status?.Report($"begins with the parameters and vocabularies of {begins.Path}");
            }

            trainer = new Trainer(model, data, RecipeOptions.Training(recipe, recipe.Training.BatchTokens.Value, notes) with { Teacher = teacher }, random, directory);
            if (resume)
            {
                trainer.Resume();
            }
            else
            {
                // What an earlier run left does not go with the vocabularies that are written now.
                File.Delete(directory.Best);
                File.Delete(directory.Last);
                File.Delete(directory.Translations);
                File.Delete(directory.Report);
                foreach (var (_, path) in directory.Checkpoints())
                    File.Delete(path);
                for (int i = train.Count; File.Exists(directory.TrainCorpus(i)); i++)
                    File.Delete(directory.TrainCorpus(i));
                directory.SaveCodecs(source, target);
                TextFile.WriteWhole(directory.Recipe, stream => stream.Write(Encoding.UTF8.GetBytes(recipe.ToJson())));
            }

            return new Experiment(recipe, dataFolder, directory, data, model, trainer, teacher, tf32, taken);
        }
        catch
        {
            teacher?.Dispose();
            trainer?.Dispose();
            model?.Dispose();
            data.Train.Dispose();
            throw;
        }
    }

    // Read to the end, so that no run finds out after its last update that it cannot be tested.
    private static void CheckTest(CorpusFiles files, string folder, CancellationToken cancellation)
    {
        bool any = false;
        string target = Path.Combine(folder, files.Target);
        foreach (var _ in files.IsText ? TextFile.ReadLines(target).Select(l => (l, l)) : ParallelCorpus.Read(Path.Combine(folder, files.Source), target))
        {
            cancellation.ThrowIfCancellationRequested();
            any = true;
        }

        if (!any)
            throw new InvalidDataException($"{Path.Combine(folder, files.Names.First())}: must have at least one line to test with, got none.");
    }

    // Of training pairs data.max_length leaves out what is longer; the others are all read, the first time in mid-run.
    private static void CheckPositions(Recipe recipe, TrainingData data, string folder, CancellationToken cancellation)
    {
        int most = recipe.Model.MostPositions;
        if (most == int.MaxValue)
            return;
        if (recipe.Data.Valid is { } valid && data.Valid is Corpus pairs)
        {
            for (int i = 0; i < pairs.Count; i++)
            {
                var (source, target) = pairs.Lengths(i);
                Check(source > target ? valid.Source : valid.Target, pairs.LineOf(i), Math.Max(source, target));
            }
        }

        if (recipe.Data.Test is { } test)
        {
            int line = 0;
            foreach (string text in TextFile.ReadLines(Path.Combine(folder, test.Source)))
            {
                cancellation.ThrowIfCancellationRequested();
                Check(test.Source, ++line, data.Source.Encode(text).Length + 1);
            }
        }

        void Check(string file, int number, int tokens)
        {
            if (tokens > most)
                throw new InvalidDataException($"{Path.Combine(folder, file)}: a line must have at most model.max_positions, {most}, tokens, its end included, got {tokens} in line {number}.");
        }
    }

    // Of the text as it is, whatever the weights: with others the run keeps its vocabulary, and two runs can be compared.
    private static (TextCodec Source, TextCodec Target) Codecs(
        Recipe recipe, TrainingFiles corpora, string folder, IProgress<string>? status, CancellationToken cancellation)
    {
        if (corpora[0].Files.IsText)
        {
            var text = Codec(TextFile.ReadLines(Path.Combine(folder, corpora[0].Files.Target)), "text");
            return (text, text);
        }

        var sources = corpora.SelectMany(c => TextFile.ReadLines(Path.Combine(folder, c.Files.Source)));
        var targets = corpora.SelectMany(c => TextFile.ReadLines(Path.Combine(folder, c.Files.Target)));
        if (recipe.Data.Joint)
        {
            var both = Codec(sources.Concat(targets), "joint");
            return (both, both);
        }

        return (Codec(sources, "source"), Codec(targets, "target"));

        TextCodec Codec(IEnumerable<string> text, string side)
        {
            var codec = CodecLearner.Learn(recipe.Data, folder, text, cancellation);
            status?.Report($"{side} vocabulary: {codec.Vocabulary.Count} pieces ({codec.Tokenizer.Name})");
            return codec;
        }
    }

    private static TrainingData Read(
        Recipe recipe, TrainingFiles corpora, string folder, RunDirectory directory, TextCodec source, TextCodec target, IProgress<string>? status, CancellationToken cancellation)
    {
        if (recipe.Task == RecipeTask.LanguageModeling)
            return LanguageModelData.Read(recipe, folder, directory, target, status, cancellation);
        var train = new List<(Corpus Corpus, decimal Weight)>();
        try
        {
            foreach (var (files, weight) in corpora)
            {
                var corpus = CorpusCache.Load(
                    directory.TrainCorpus(train.Count), Path.Combine(folder, files.Source), Path.Combine(folder, files.Target), source, target, recipe.Data.MaxLength, status, cancellation);
                train.Add((corpus, weight));
                Check("train", corpus);
            }

            var mixed = corpora.IsPlain ? train[0].Corpus : Corpus.Mix(train);
            if (recipe.Data.Valid is not { } validFiles)
                return new TrainingData { Source = source, Target = target, Train = mixed };
            string references = Path.Combine(folder, validFiles.Target);
            var valid = Corpus.Load(Path.Combine(folder, validFiles.Source), references, source, target, int.MaxValue, cancellation);
            Check("valid", valid);
            string[] lines = [.. TextFile.ReadLines(references)];
            return new TrainingData
            {
                Source = source,
                Target = target,
                Train = mixed,
                Valid = valid,
                ValidReferences = [.. Enumerable.Range(0, valid.Count).Select(i => lines[valid.LineOf(i) - 1])],
            };
        }
        catch
        {
            foreach (var (corpus, _) in train)
                corpus.Dispose();
            throw;
        }

        void Check(string key, Corpus corpus)
        {
            status?.Report(corpus.Report.ToString());
            if (corpus.Count == 0)
                throw new InvalidDataException($"data.{key}: at least one pair must be left, got none ({corpus.Report}).");
        }
    }
}
