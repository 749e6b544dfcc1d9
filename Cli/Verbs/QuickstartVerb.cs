using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using CudaSeq.Kernels;
using CudaSeq.Models;
using CudaSeq.Tensors;

namespace CudaSeq.Cli;

/// <summary><c>cudaseq quickstart</c>: three kinds of models learn to read numbers aloud.</summary>
internal sealed class QuickstartVerb : Verb
{
    private const ulong Seed = 1;

    private readonly Option<bool> _smoke = Flag("--smoke", "Only show that everything works: a few updates, nothing is learned.");

    public QuickstartVerb()
        : base("quickstart", "Train three small models on numbers and compare them; needs no data.")
        => Add(_smoke);

    public override IReadOnlyList<(string Line, string What)> Examples =>
    [
        ("cudaseq quickstart", "Self-attention, LightConv and DynamicConv learn to write 1207 as one thousand two hundred seven."),
        ("cudaseq quickstart --smoke", "The same in seconds, without the learning."),
    ];

    public override string Notes =>
        "Every number of the test is unseen in training. The models have equally many parameters, training and decoding run on the processor, and the same seed gives the same models on any number of threads.";

    public override int Run(ParseResult arguments, Terminal terminal, CancellationToken cancellation)
    {
        var plan = arguments.GetValue(_smoke) ? NumberPlan.Smoke : NumberPlan.Full;
        var clock = Stopwatch.StartNew();
        var numbers = NumberCorpus.Generate(Seed, plan.TrainPairs, plan.TestPairs, validPairs: 0);
        var (source, target) = (Codec(numbers.Train.Select(p => p.Source)), Codec(numbers.Train.Select(p => p.Target)));
        var data = new TrainingData
        {
            Source = source,
            Target = target,
            Train = Corpus.Encode(numbers.Train, source, target, name: "numbers", cancellation: cancellation),
        };
        Introduce(terminal, numbers);
        var results = new List<NumberResult>();
        foreach (var config in NumberPlan.Models(source.Vocabulary.Count, target.Vocabulary.Count))
        {
            results.Add(Train(terminal, plan, config, data, numbers.Test, cancellation));
            if (cancellation.IsCancellationRequested)
                throw new OperationCanceledException(cancellation);
        }

        terminal.Out.WriteLine();
        Compare(terminal, results, numbers.Test.Count);
        terminal.Out.WriteLine();
        ShowTranslations(terminal, results, numbers.Test);
        terminal.Out.WriteLine();
        terminal.Out.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{(plan == NumberPlan.Smoke ? "A smoke run: nothing was learned. " : "")}Took {clock.Elapsed.TotalSeconds:f0} s. Next, on real text: cudaseq data get multi30k, then cudaseq train recipes/multi30k-dynamicconv.json"));
        return CommandLine.Success;
    }

    private static TextCodec Codec(IEnumerable<string> lines)
    {
        var tokenizer = new WordTokenizer();
        return new TextCodec(tokenizer, Vocabulary.Build(tokenizer, lines));
    }

    private static void Introduce(Terminal terminal, CorpusSplits numbers)
    {
        var (digits, words) = numbers.Train[0];
        terminal.Out.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{numbers.Train.Count:N0} numbers in digits and in words to learn from, {numbers.Test.Count:N0} others to test with; for example"));
        terminal.Out.WriteLine($"{digits.Replace(" ", "", StringComparison.Ordinal)} = {words}");
        terminal.Out.WriteLine();
        terminal.Out.Flush();
    }

    private static NumberResult Train(
        Terminal terminal,
        NumberPlan plan,
        ModelConfig config,
        TrainingData data,
        IReadOnlyList<(string Source, string Target)> test,
        CancellationToken cancellation)
    {
        // A device of its own, so that the peak of its memory is this model's.
        using var device = Device.Open(Devices.Default);
        var random = new RandomSource(Seed);
        using var model = SequenceModel.Create(config, device, random);
        using var trainer = new Trainer(model, data, plan.Training with { Seed = Seed }, random);
        string name = Devices.NameOf(config.Architecture);
        var display = new TrainingDisplay(terminal, terminal.Bold(name.PadRight(NumberPlan.LongestName)) + "  ", NumberPlan.LongestName + 2);
        var training = trainer.Run(display, cancellation);
        display.Finish();
        cancellation.ThrowIfCancellationRequested();

        using var translator = new Translator(model, data.Source, data.Target);
        var options = new DecodingOptions { Beam = 1, MaxLengthB = 30, BatchTokens = 4096 };
        var clock = Stopwatch.StartNew();
        string[] written = [.. translator.Translate([.. test.Select(p => p.Source)], options, cancellation).Select(t => t[0].Text)];
        double seconds = clock.Elapsed.TotalSeconds;
        long tokens = written.Sum(w => (long)w.Split(' ').Length + 1);
        return new NumberResult(
            name,
            model.ParameterCount,
            written,
            written.Where((w, i) => w == test[i].Target).Count(),
            training.State.Tokens / Math.Max(1e-9, training.Elapsed.TotalSeconds),
            tokens / Math.Max(1e-9, seconds),
            device.HeldBytes);
    }

    private static void Compare(Terminal terminal, List<NumberResult> results, int count)
    {
        var table = new TextTable("model", "parameters", "exact match", "train tok/s", "decode tok/s", "memory");
        foreach (var r in results)
        {
            table.Add(
                r.Name,
                Number(r.Parameters),
                string.Create(CultureInfo.InvariantCulture, $"{100.0 * r.Right / count:f1} %"),
                Number((long)r.TrainingTokensPerSecond),
                Number((long)r.DecodingTokensPerSecond),
                Machine.Bytes(r.PeakBytes));
        }

        table.Write(terminal);
    }

    private static void ShowTranslations(Terminal terminal, List<NumberResult> results, IReadOnlyList<(string Source, string Target)> test)
    {
        const int Shown = 3;
        int width = NumberPlan.LongestName;
        foreach (int i in test.Select((p, i) => (p.Source.Length, i)).OrderByDescending(p => p.Length).ThenBy(p => p.i).Take(Shown).Select(p => p.i))
        {
            terminal.Out.WriteLine(terminal.Bold(test[i].Source.Replace(" ", "", StringComparison.Ordinal)));
            foreach (var r in results)
                terminal.Out.WriteLine($"  {r.Name.PadRight(width)}  {(r.Written[i] == test[i].Target ? "right" : "wrong")}  {r.Written[i]}");
        }
    }

    private static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    private sealed record NumberResult(
        string Name,
        long Parameters,
        IReadOnlyList<string> Written,
        int Right,
        double TrainingTokensPerSecond,
        double DecodingTokensPerSecond,
        long PeakBytes);
}
