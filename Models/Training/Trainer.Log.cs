using System.Text.Json.Nodes;

namespace CudaSeq.Models;

/// <content>What a run writes into its log.</content>
public sealed partial class Trainer
{
    private TrainingLog? OpenLog(out double spent)
    {
        spent = 0;
        if (_directory is null)
            return null;
        Directory.CreateDirectory(_directory.Path);
        if (State.Update == 0)
        {
            var log = TrainingLog.Create(_directory.Log);
            WriteRun(log);
            return log;
        }

        spent = TrainingLog.SecondsAt(_directory.Log, State.Update);
        return TrainingLog.Continue(_directory.Log, State.Update);
    }

    // A run that was killed between its last validation and its end validates again, but has said so already.
    private bool WasValidated() => _directory is not null && TrainingLog.Read(_directory.Log)
        .Any(e => (string?)e["event"] == "validation" && (long?)e["update"] == State.Update);

    private string Samples => _model.Config.IsLanguageModel ? "blocks" : "pairs";

    private void WriteRun(TrainingLog log) => log.Write(
        "run",
        0,
        0,
        [
            ("architecture", _model.Config.Architecture.ToString()),
            ("parameters", _model.ParameterCount),
            ($"train_{Samples}", _data.Train.Count),
            ($"valid_{Samples}", _data.Valid?.Count ?? 0),
            ("batch_tokens", _options.BatchTokens),
            ("seed", State.Seed),
            ("version", BuildInfo.Version),
            ("commit", BuildInfo.Commit),
            ("runtime", Environment.Version.ToString()),
            ("processors", Environment.ProcessorCount),
            ("device", _model.Device.ToString()),
            ("precision", Precisions.Name(_model.Precision)),
            ("tf32", _model.Device.Tf32),
            .. _model.Config.SurfaceFusion == SurfaceFusion.Hard ? ((string, JsonNode?)[])[("surface_fusion", "hard")] : [],
            .. Budget(),
            .. _options.Notes.Select(n => (n.Key, (JsonNode?)n.Value)),
        ]);

    // What the run may spend; null is no limit.
    private IEnumerable<(string Key, JsonNode? Value)> Budget()
    {
        if (_options.MaxUpdates is { } updates)
            yield return ("max_updates", updates);
        if (_options.MaxTime is { } time)
            yield return ("max_minutes", Math.Round(time.TotalMinutes, 2));
    }

    private void WriteUpdate(TrainingLog? log, TrainingProgress report) => log?.Write(
        "update",
        report.Update,
        report.Elapsed.TotalSeconds,
        ("epoch", report.Epoch),
        ("loss", Math.Round(report.Loss, 5)),
        ("ppl", Math.Round(report.Perplexity, 4)),
        ("lr", report.LearningRate),
        ("gradient_norm", Math.Round(report.GradientNorm, 5)),
        ("tokens", report.Tokens),
        ("tokens_per_second", Math.Round(report.TokensPerSecond, 1)),
        ("memory", _model.Device.HeldBytes));

    // What is not captured costs time and changes nothing: it is said once, when it happens.
    private void WarnOfObstacles(TrainingLog? log, RunClock clock)
    {
        Warn("training.graphs", _steps.Obstacle);
        Warn("decoding.graphs", _validator?.GraphObstacle);

        void Warn(string key, string? obstacle)
        {
            if (obstacle is not null && _warned.Add(key))
                log?.Write("warning", State.Update, clock.Elapsed.TotalSeconds, ("key", key), ("not_captured", obstacle));
        }
    }

    // Whoever asked for graphs shall see what became of them.
    private Dictionary<string, JsonNode?> Graphs()
    {
        var facts = new Dictionary<string, JsonNode?>();
        if (_steps.Captured > 0)
            facts.Add("graphs", _steps.Captured);
        if (_steps.Obstacle is { } obstacle)
            facts.Add("graphs_not_captured", obstacle);
        return facts;
    }
}
