using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>
/// The steps of a search: they reorder what is remembered, compute one more position and choose its best tokens. On a GPU each shape of step is captured as a graph when it
/// comes for the second time: tokens, positions, counts and the order of the rows lie in memory.
/// </summary>
internal sealed class DecodingSteps : IDisposable
{
    // A graph of a base model takes some MiB of the host's memory.
    private const int MostShapes = 256;

    private readonly AutoregressiveModel _model;
    private readonly int _beam;
    private readonly StepMemory _memory;
    private readonly FixedMemory? _fixed;
    private readonly Dictionary<(DecodingLayout Layout, bool Reorders, int Candidates), ShapeStep> _shapes = [];
    private readonly Dictionary<int, StepInputs> _inputs = [];
    private readonly float _temperature;
    private readonly ExitRule? _exit;
    private long _clock;
    private int _moves;

    /// <summary>Prepares steps.</summary>
    /// <param name="model">The model.</param>
    /// <param name="beam">Hypotheses of each sentence.</param>
    /// <param name="graphs">Whether a GPU captures them. No bit changes by it.</param>
    /// <param name="temperature">What logits are divided by.</param>
    /// <param name="exit">When positions leave the decoder; null for never.</param>
    public DecodingSteps(AutoregressiveModel model, int beam, bool graphs, float temperature, ExitRule? exit = null)
    {
        _exit = exit;
        ExitCounts = new long[exit is null ? 0 : model.Config.DecoderDepth];
        _model = model;
        _beam = beam;
        _memory = new StepMemory(model.Device);
        Sizes = _memory.Captures && exit is null ? DecodingSizes.Rounded : DecodingSizes.Exact;
        _fixed = graphs && exit is null && _memory.Captures ? new FixedMemory(_memory) : null;
        _temperature = temperature;
    }

    /// <summary>How many positions left after each layer; empty where none leaves early.</summary>
    public long[] ExitCounts { get; }

    /// <summary>How sizes are rounded.</summary>
    public DecodingSizes Sizes { get; }

    /// <summary>Shapes that were captured, those included that have made room for others since.</summary>
    public int Captured { get; private set; }

    /// <summary>Why a shape could not be captured; null when none has failed.</summary>
    public string? Obstacle { get; private set; }

    /// <summary>Begins a search; the state before it must have been disposed.</summary>
    /// <param name="sources">Token ids, each ending in end-of-sentence.</param>
    /// <param name="maxLength">The most steps.</param>
    public IncrementalState Begin(IReadOnlyList<int[]> sources, int maxLength)
    {
        var state = _model.Begin(sources, _beam, maxLength, Sizes, _fixed, _exit);
        state.ExitCounts = ExitCounts;
        return state;
    }

    /// <summary>Takes a step.</summary>
    /// <param name="state">The search.</param>
    /// <param name="tokens">[N], the last token of each hypothesis.</param>
    /// <param name="rows">[N], the hypothesis each row goes on from, of the same sentence; null where each goes on itself.</param>
    /// <param name="candidates">The likeliest tokens asked for of each row; no more than the vocabulary are given.</param>
    /// <param name="asked">Tokens whose scores are asked for.</param>
    /// <param name="all">Whether all scores are.</param>
    public StepScores Take(IncrementalState state, int[] tokens, int[]? rows, int candidates, int[] asked, bool all)
    {
        using var scope = TensorScope.Begin();
        var inputs = Inputs(state.Hypotheses);
        inputs.Tokens.CopyFrom(tokens);
        if (rows is not null && _beam > Ops.MostBeamRows)
        {
            state.Reorder(rows);
            rows = null;
        }

        if (rows is not null)
        {
            inputs.Parents.CopyFrom([.. rows.Select(r => r % _beam)]);
            state.Follow(rows);
        }

        state.Prepare();
        int k = Math.Min(candidates, _model.Config.TargetVocabulary);
        var repeated = _fixed is null ? null : Repeated(state, rows is not null, k);
        bool before = repeated is { IsCaptured: true };
        var outputs = repeated is null ? Work() : repeated.Run(Work);
        if (repeated is { IsCaptured: true } && !before)
            Captured++;
        Obstacle ??= repeated?.Obstacle;
        float[] best = outputs[0].ToArray();
        int[] indices = outputs[1].ToIntArray();
        float[] askedScores = asked.Length > 0 && !all ? Ops.IndexSelect(outputs[2], 1, Tensor.From(_model.Device, asked)).ToArray() : [];
        float[] allScores = all ? outputs[2].ToArray() : [];
        state.Advance();
        return new StepScores(k, best, indices, asked, askedScores, allScores, tokens.Length);

        Tensor[] Work()
        {
            if (rows is not null)
                state.Reorder(inputs.Parents);
            var logits = _model.StepLogits(_model.Features(inputs.Tokens, state), state);
            var logProbabilities = _model.GivesLogProbabilities && _temperature == 1 ? logits : Ops.LogSoftmax(_temperature == 1 ? logits : Ops.Scale(logits, 1 / _temperature));
            var (values, indices) = Ops.TopK(logProbabilities, k);
            return [values, indices, logProbabilities];
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Forget();
        foreach (var inputs in _inputs.Values)
            inputs.Dispose();
        _fixed?.Dispose();
        _memory.Dispose();
    }

    private RepeatedStep Repeated(IncrementalState state, bool reorders, int candidates)
    {
        if (_moves != _fixed!.Moves)
        {
            Forget();
            _moves = _fixed.Moves;
        }

        var key = (state.Layout, reorders, candidates);
        if (!_shapes.TryGetValue(key, out var shape))
        {
            if (_shapes.Count == MostShapes)
            {
                var oldest = _shapes.MinBy(s => s.Value.LastUse);
                oldest.Value.Step.Dispose();
                _shapes.Remove(oldest.Key);
            }

            _shapes.Add(key, shape = new ShapeStep(new RepeatedStep(_memory, [])));
        }

        shape.LastUse = ++_clock;
        return shape.Step;
    }

    private StepInputs Inputs(int rows)
    {
        if (!_inputs.TryGetValue(rows, out var inputs))
            _inputs.Add(rows, inputs = new StepInputs(_model.Device, rows));
        return inputs;
    }

    private void Forget()
    {
        foreach (var shape in _shapes.Values)
            shape.Step.Dispose();
        _shapes.Clear();
    }

    private sealed record ShapeStep(RepeatedStep Step)
    {
        public long LastUse { get; set; }
    }

    /// <summary>[N] tokens, and [N] rows within their beams.</summary>
    private sealed class StepInputs(Device device, int rows) : IDisposable
    {
        public Tensor Tokens { get; } = Scopes.Leave(Tensor.Zeros(device, [rows], DType.Int32));

        public Tensor Parents { get; } = Scopes.Leave(Tensor.Zeros(device, [rows], DType.Int32));

        public void Dispose()
        {
            Tokens.Dispose();
            Parents.Dispose();
        }
    }
}
