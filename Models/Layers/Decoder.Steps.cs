using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <content>Position after position, with a memory, and out of the layers before the last.</content>
public sealed partial class Decoder
{
    // Computed before the first step: while a step is captured nothing can be copied to the device.
    private const int MostReserved = 1 << 16;

    // Where a decoding remembers the source itself: no place of the path.
    private const int SourceDepth = -1;

    /// <summary>Prepares a decoding.</summary>
    /// <param name="state">Its memory.</param>
    /// <param name="encoded">The source; null for a language model.</param>
    public void Begin(IncrementalState state, EncoderOutput? encoded)
    {
        _positions.Reserve(Math.Min(state.MaxLength, MostReserved));
        _adaptiveTokens?.Reserve();
        _steps?.Reserve();
        var seen = encoded is null ? null : Seen(encoded, random: null);

        // Where positions leave early, a layer sees the source when somebody comes to it first.
        bool late = state.Exit is not null && seen is not null;
        if (late)
        {
            state.Depth = SourceDepth;
            state.AddPerSentence(this, [.. seen!.Select(s => s.States).Distinct().Select(s => s.Detach())]);
        }

        for (state.Depth = 0; state.Depth < _layers.Path.Count; state.Depth++)
            _layers.Path[state.Depth].Begin(state, late ? null : seen?[state.Depth]);
        _surface?.Begin(state, encoded!);
        if (Exits is { Kind: ExitPredictor.Sequence })
            state.AddPerSentence(this, ExitHead.Mean(encoded!));
    }

    /// <summary>The features of one more position.</summary>
    /// <param name="tokens">[N] integers, the token at position <see cref="IncrementalState.Step"/> of each hypothesis.</param>
    /// <param name="state">The decoding's memory.</param>
    /// <returns>[N, C], new.</returns>
    public Tensor Step(Tensor tokens, IncrementalState state)
    {
        var x = Tokens(tokens);
        var positions = _positions.At(state.Positions, state.Step + 1);
        if (_steps is null)
            x = Ops.Add(x, positions);
        if (state.Exit is { } rule)
            return StepOut(x, positions, state, rule);
        var halting = _halting?.Begin(tokens.Shape);
        var query = _config.SurfaceLayer > 0 ? x : null;
        for (state.Depth = 0; state.Depth < _layers.Path.Count; state.Depth++)
        {
            var y = _layers.Path[state.Depth].Step(Signalled(x, state.Depth, positions), state);
            x = halting?.Advance(x, y, last: state.Depth == _layers.Path.Count - 1) ?? y;
            if (state.Depth < _config.SurfaceLayer)
                query = x;
        }

        state.ExitDepths = null;
        x = halting?.Mean ?? x;
        return FinishedStep(query ?? x, _norm?.Forward(x) ?? x, state);
    }

    // A layer that nobody visits still remembers its keys and values of everybody, unless nobody will ever come to it.
    private Tensor StepOut(Tensor x, Tensor positions, IncrementalState state, ExitRule rule)
    {
        int last = _layers.Path.Count;
        var rows = new StepRows(state, [.. Enumerable.Range(0, state.Hypotheses)]);
        int[] predicted = [], depths = new int[state.Hypotheses];
        Tensor? query = null;
        for (state.Depth = 0; state.Depth < last; state.Depth++)
        {
            if (rows.Active.Count == 0 && rule.IsOneDepth(Exits?.Kind ?? ExitPredictor.None))
            {
                state.Depth = last;
                break;
            }

            if (rows.Active.Count > 0 && _layers.Path[state.Depth].IsBlind(state))
                See(state);
            var y = _layers.Path[state.Depth].Step(Signalled(x, state.Depth, positions), state, rows);
            int depth = state.Depth + 1;
            if (rows.Active.Count == 0)
                continue;

            // What has left stays without the signal.
            x = _steps is null ? y : rows.Join(x, rows.Of(y));
            if (depth <= _config.SurfaceLayer)
                query = x;
            bool[] leaves = depth == last ? [.. rows.Active.Select(_ => true)] : rule.Leaves(depth, rows.Active, new ExitEvidence(
                Exits?.Kind ?? ExitPredictor.None, () => Confidence(x, query ?? x, state, rows), () => Exits!.Halting(rows.Of(x)), Predicted, () => [.. rows.Active.Select(state.LayersTaken)],
                () => [.. rows.Of(x).ToArray().Chunk(x.Shape[x.Shape.Rank - 1])], last));
            int left = leaves.Count(l => l);
            if (state.ExitCounts is { } counts)
                counts[depth - 1] += left;
            for (int i = 0; i < leaves.Length; i++)
            {
                if (leaves[i])
                    depths[rows.Active[i]] = depth;
            }

            if (left > 0)
                rows = new StepRows(state, [.. rows.Active.Where((_, i) => !leaves[i])]);
        }

        state.Took(depths);
        return FinishedStep(query ?? x, Classifiers.Normalized(x, depths), state);

        // One for all layers of a step: what the first of them gave decides, or the source.
        int[] Predicted()
        {
            if (predicted.Length == 0)
                predicted = Exits!.Kind == ExitPredictor.Multinomial ? Exits.Depths(x) : OfSentences(state);
            return [.. rows.Active.Select(n => predicted[n])];
        }
    }

    // One source for all layers, or one each.
    private void See(IncrementalState state)
    {
        int depth = state.Depth;
        state.Depth = SourceDepth;
        var sources = state.Of(this);
        state.Depth = depth;
        _layers.Path[depth].See(state, sources[Math.Min(depth, sources.Count - 1)].Value);
    }

    private int[] OfSentences(IncrementalState state)
    {
        int depth = state.Depth;
        state.Depth = _layers.Path.Count;
        int[] depths = Exits!.Depths(state.Of(this)[0].Value);
        state.Depth = depth;
        return [.. Enumerable.Range(0, state.Hypotheses).Select(n => depths[n / state.Beam])];
    }

    private float[] Confidence(Tensor x, Tensor query, IncrementalState state, StepRows rows)
    {
        int depth = state.Depth;
        Tensor features;
        if (_surface is null)
        {
            features = Classifiers.Normalized(rows.Of(x), depth + 1);
        }
        else
        {
            // Its memory is behind the layers'.
            state.Depth = _layers.Path.Count;
            features = rows.Of(FinishedStep(query, _norm?.Forward(x) ?? x, state));
            state.Depth = depth;
        }

        var logits = Classifiers.Head(depth + 1).Logits(features);
        var (best, _) = Ops.TopK(Head.GivesLogProbabilities ? logits : Ops.LogSoftmax(logits), 1);
        return Array.ConvertAll(best.ToArray(), MathF.Exp);
    }

    private Tensor FinishedStep(Tensor x, Tensor states, IncrementalState state) => _surface?.Step(x, states, state) ?? states;
}
