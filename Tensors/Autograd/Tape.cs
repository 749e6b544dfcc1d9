using System.Runtime.InteropServices;
using CudaSeq.Kernels;

namespace CudaSeq.Tensors;

/// <summary>
/// The record of this thread's differentiable ops, in order. Backward walks it in reverse; every node gives one gradient per input,
/// and the tape adds the gradients of shared inputs. Accumulation is the tape's job alone: kernels overwrite.
/// </summary>
internal static class Tape
{
    [ThreadStatic]
    private static List<TapeNode>? _nodes;

    [ThreadStatic]
    private static int _pauses;

    // The pauses of the rehearsal under way; 0 where there is none.
    [ThreadStatic]
    private static int _rehearsal;

    /// <summary>Number of nodes recorded so far.</summary>
    public static int Mark => _nodes?.Count ?? 0;

    /// <summary>
    /// Whether what is computed now, unrecorded, will be computed again and recorded: what gives other bits to whoever records has to wait. What is not recorded then either, within a pause of its
    /// own, is no part of it.
    /// </summary>
    public static bool Rehearses => _rehearsal > 0 && _rehearsal == _pauses;

    /// <summary>Whether an op over <paramref name="inputs"/> will be recorded: ask before saving anything for backward.</summary>
    public static bool Records(params ReadOnlySpan<Tensor?> inputs)
    {
        if (_pauses > 0)
            return false;
        foreach (var input in inputs)
        {
            if (input is { RequiresGrad: true })
                return true;
        }

        return false;
    }

    /// <summary>
    /// Records how <paramref name="output"/> was made, if any input needs a gradient and recording is not paused.
    /// </summary>
    /// <param name="name">The op.</param>
    /// <param name="output">What it made.</param>
    /// <param name="inputs">What gradients may flow to.</param>
    /// <param name="saved">What backward needs; a tuple, so that the page shows exactly what is kept alive.</param>
    /// <param name="backward">A static lambda from the output's gradient to one gradient per input. It runs unrecorded; what it makes and does not give lives until it ends.</param>
    /// <param name="scratch">Tensors among <paramref name="saved"/> that the op made for backward alone; freed once it has used them.</param>
    /// <returns><paramref name="output"/>.</returns>
    public static Tensor Record<TSaved>(
        string name,
        Tensor output,
        ReadOnlySpan<Tensor> inputs,
        TSaved saved,
        Func<Tensor, TSaved, Gradients> backward,
        params ReadOnlySpan<Tensor> scratch)
    {
        if (!Records(inputs!))
            return output;
        var node = TapeNode<TSaved>.Of(name, output, inputs, scratch, saved, backward);
        (_nodes ??= []).Add(node);
        output.AttachNode(node);
        NonFiniteWatch.Observe(name, output, inputs);
        return output;
    }

    /// <summary>Drops the nodes recorded after <paramref name="mark"/>.</summary>
    public static void Forget(int mark)
    {
        if (_nodes is null || _nodes.Count <= mark)
            return;
        foreach (var node in CollectionsMarshal.AsSpan(_nodes)[mark..])
            node.Forget();
        _nodes.RemoveRange(mark, _nodes.Count - mark);
    }

    public static void Pause() => _pauses++;

    public static void Resume() => _pauses--;

    public static void Backward(Tensor loss, Tensor? seed, bool retain)
    {
        if (loss.Node is not { Released: false } last || _nodes is null)
        {
            throw new InvalidOperationException(
                $"Backward: the loss must be computed from a parameter, in a scope that is still open and not differentiated before, got {loss}.");
        }

        int start = _nodes.LastIndexOf(last);
        if (start < 0)
            throw new InvalidOperationException($"Backward: must run on the thread that computed the loss, got {loss}.");
        using var scope = TensorScope.Begin();
        using var pause = new NoGrad();
        last.Gradient = seed is null ? Tensor.Full(loss.Device, loss.Shape, 1).To(loss.DType) : seed.View(seed.Shape, 0, "gradient");
        try
        {
            Walk(_nodes, start, 0, retain);
        }
        finally
        {
            // After a failure: what had reached the nodes in front must not count in another pass.
            for (int i = start; i >= 0; i--)
                _nodes[i].Gradient = null;

            // Where no scope is open, none will ever forget them.
            if (scope.Outer is null)
                _nodes.RemoveAll(static node => node.Released);
        }
    }

    /// <summary>Computes, unrecorded, what <see cref="Replay"/> will compute again.</summary>
    /// <param name="work">What is computed.</param>
    public static Tensor Rehearse(Func<Tensor> work)
    {
        int before = _rehearsal;
        Pause();
        _rehearsal = _pauses;
        try
        {
            return work();
        }
        finally
        {
            _rehearsal = before;
            Resume();
        }
    }

    /// <summary>
    /// Within a node's backward: computes what it made anew, recorded, and differentiates that. Gradients of what is older go to its nodes, and parameters' to them, one by one, as if it had
    /// been recorded in the first place.
    /// </summary>
    /// <param name="work">What is computed.</param>
    /// <param name="gradient">That of its result.</param>
    public static void Replay(Func<Tensor> work, Tensor gradient)
    {
        int mark = Mark, pauses = _pauses;
        try
        {
            Tensor result;
            _pauses = 0;
            try
            {
                result = work();
            }
            finally
            {
                _pauses = pauses;
            }

            int start = result.Node is { } last ? _nodes!.LastIndexOf(last) : -1;
            if (start >= mark)
            {
                result.Node!.Gradient = gradient.View(gradient.Shape, 0, "gradient");
                Walk(_nodes!, start, mark, retain: false);
            }
            else if (result.Node is { } older)
            {
                Add(older, gradient);
            }
            else if (result.RequiresGrad)
            {
                result.AccumulateGrad(gradient);
            }

            // They were given in the scope of this backward, and outlive it.
            foreach (var node in CollectionsMarshal.AsSpan(_nodes)[..mark])
            {
                if (node.Gradient is { } given && given.Scope is not null && given.Scope == TensorScope.Current)
                    given.Keep();
            }
        }
        finally
        {
            Forget(mark);
        }
    }

    private static void Walk(List<TapeNode> nodes, int start, int end, bool retain)
    {
        using var scope = TensorScope.Begin();
        for (int i = start; i >= end; i--)
        {
            var node = nodes[i];
            if (node.Gradient is not { } gradient)
                continue;
            Step(node, gradient);
            scope.Clear();
            node.Gradient = null;
            gradient.Dispose();
            if (!retain)
                node.Release(keepOutput: i == start);
        }
    }

    private static void Step(TapeNode node, Tensor gradient)
    {
        var gradients = node.Backward(gradient);
        for (int i = 0; i < node.Inputs.Count; i++)
        {
            if (gradients[i] is not { } given || !node.Inputs[i].RequiresGrad)
                continue;
            var input = node.Inputs[i];
            if (given.Shape != input.Shape)
                throw new InvalidOperationException($"{node.Name}: the gradient of input {i} must be {input.Shape}, got {given.Shape}.");
            if (given.DType != input.DType)
                throw new InvalidOperationException($"{node.Name}: the gradient of input {i} must be {input.DType}, got {given.DType}.");
            if (!input.IsAlive && input.Node is null)
                throw new InvalidOperationException($"{node.Name}: input {i}, {input}, must be alive until Backward has passed it.");
            if (input.Node is not { } source)
                input.AccumulateGrad(given);
            else if (source.Thread != node.Thread)
                throw new InvalidOperationException($"{node.Name}: input {i}, {input}, must be computed on the thread that runs Backward.");
            else if (source.Released)
                throw new InvalidOperationException($"Backward: {source.Name} was differentiated before; pass retain: true to the first Backward.");
            else
                Add(source, given);
        }
    }

    private static void Add(TapeNode source, Tensor given)
    {
        if (source.Gradient is not { } sum)
            source.Gradient = Hand(given);
        else if (sum.OwnsMemory)
            AddKernel.Accumulate(sum.Data, given.Data);
        else
            source.Gradient = Hand(Added(sum, given));
    }

    // What the giver made goes over as it is; what was given before, or was given to the giver, as a view, so that it is seen to be shared. Either way the giver's scope can close.
    private static Tensor Hand(Tensor gradient)
        => (gradient.Scope is { } scope && scope == TensorScope.Current ? gradient : gradient.View(gradient.Shape, 0, "gradient")).Keep();

    private static Tensor Added(Tensor a, Tensor b)
    {
        var sum = a.NewLike(a.Shape, "gradient");
        CopyKernel.Copy(a.Data, sum.Data);
        AddKernel.Accumulate(sum.Data, b.Data);
        a.Dispose();
        return sum;
    }
}

/// <summary>While open, nothing on this thread is recorded for backward: inference, metrics, optimiser steps.</summary>
public sealed class NoGrad : IDisposable
{
    private readonly int _thread = Environment.CurrentManagedThreadId;
    private bool _closed;

    /// <summary>Pauses recording on this thread; pauses nest.</summary>
    public NoGrad() => Tape.Pause();

    /// <summary>Resumes recording.</summary>
    /// <exception cref="InvalidOperationException">Another thread paused it.</exception>
    public void Dispose()
    {
        if (_closed)
            return;
        if (_thread != Environment.CurrentManagedThreadId)
            throw new InvalidOperationException("NoGrad: must be closed on the thread that opened it.");
        _closed = true;
        Tape.Resume();
    }
}
