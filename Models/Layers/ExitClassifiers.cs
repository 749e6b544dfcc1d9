using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>Whether all depths of a decoder predict by one projection.</summary>
public enum ExitClassifierKind
{
    /// <summary>One projection, and for pre-norm models one last layer norm.</summary>
    Shared,

    /// <summary>Each depth has its own.</summary>
    Separate,
}

/// <summary>
/// What turns the states of each depth n of a decoder into probabilities: p(y | h^n) = softmax(W_n LN_n(h^n)), where only pre-norm models have LN_n (Elbayad et al. 2020, section 2: the classifiers of its IWSLT models are
/// separate). The last depth's are the decoder's own; so are those of the others where they are shared. Parameters of separate ones, for depth n = 1 .. N - 1: <c>{n - 1}.output_projection.weight</c> [V, C], normal with
/// standard deviation C^-0.5, and <c>{n - 1}.layer_norm</c>.
/// </summary>
public sealed class ExitClassifiers : Module
{
    private readonly LayerNorm? _norm;
    private readonly OutputHead _head;
    private readonly (LayerNorm? Norm, OutputHead Head)[] _own = [];

    /// <summary>Declares the parameters.</summary>
    /// <param name="config">Width, depth, vocabulary, and which kind.</param>
    /// <param name="norm">The decoder's last layer norm, which it declares; null where it has none.</param>
    /// <param name="head">The decoder's head, which it declares.</param>
    internal ExitClassifiers(ModelConfig config, LayerNorm? norm, OutputHead head)
    {
        (_norm, _head) = (norm, head);
        if (config.ExitClassifiers == ExitClassifierKind.Shared)
            return;
        _own = new (LayerNorm?, OutputHead)[config.DecoderDepth - 1];
        for (int i = 0; i < _own.Length; i++)
        {
            var own = norm is null ? null : Add($"{i}.layer_norm", new LayerNorm(config.ModelWidth));
            var projection = Add($"{i}.output_projection", Projection(config));
            _own[i] = (own, Add($"{i}.head", new ProjectionHead(() => projection.Weight)));
        }
    }

    /// <summary>A projection to the vocabulary as it starts.</summary>
    internal static Linear Projection(ModelConfig config)
        => new(config.ModelWidth, config.TargetVocabulary, bias: false, Initializer.Normal(MathF.Pow(config.ModelWidth, -0.5f)));

    /// <summary>What gives the probabilities at a depth.</summary>
    /// <param name="depth">n, from 1.</param>
    public OutputHead Head(int depth) => depth <= _own.Length ? _own[depth - 1].Head : _head;

    /// <summary>States of one depth behind its layer norm.</summary>
    /// <param name="x">[..., C].</param>
    /// <param name="depth">n, from 1.</param>
    /// <returns>[..., C]; <paramref name="x"/> itself where there is no norm.</returns>
    internal Tensor Normalized(Tensor x, int depth) => (depth <= _own.Length ? _own[depth - 1].Norm : _norm)?.Forward(x) ?? x;

    /// <summary>The same of rows that left at depths of their own.</summary>
    /// <param name="x">[N, C].</param>
    /// <param name="depths">[N], from 1.</param>
    internal Tensor Normalized(Tensor x, ReadOnlySpan<int> depths)
        => _norm is null ? x : _own.Length == 0 ? _norm.Forward(x) : ByDepth(x, depths, Normalized);

    /// <summary>Scores of all tokens of rows that left at depths of their own, before their softmax.</summary>
    /// <param name="features">[N, F].</param>
    /// <param name="depths">[N], from 1; null where all passed through all layers.</param>
    /// <returns>[N, V], new, float32 in every precision. Each row is projected once.</returns>
    internal Tensor Logits(Tensor features, int[]? depths)
        => depths is null || _own.Length == 0 ? _head.Logits(features) : ByDepth(features, depths, (rows, n) => Head(n).Logits(rows));

    /// <summary>Both sums of the loss of rows that left at depths of their own.</summary>
    /// <param name="features">[N, F].</param>
    /// <param name="wanted">What is wanted of the N tokens.</param>
    /// <param name="depths">[N], from 1.</param>
    /// <returns>Two single numbers; gradients flow from the first alone, to the classifiers of the depths that there are.</returns>
    internal (Tensor Loss, Tensor NegativeLogLikelihood) Loss(Tensor features, TokenLoss wanted, int[] depths)
    {
        if (_own.Length == 0)
            return wanted.Of(_head, features);
        Tensor? loss = null, likelihood = null;
        foreach (var (depth, rows) in Groups(depths))
        {
            var index = Tensor.From(features.Device, rows);
            var (own, nll) = wanted.Rows(index).Of(Head(depth), Ops.IndexSelect(features, 0, index));
            loss = loss is null ? own : Ops.Add(loss, own);
            likelihood = likelihood is null ? nll : Ops.Add(likelihood, nll);
        }

        return (loss!, likelihood!);
    }

    // Rows of one depth are computed together, and go back to their places.
    private static Tensor ByDepth(Tensor x, ReadOnlySpan<int> depths, Func<Tensor, int, Tensor> apply)
    {
        var groups = Groups(depths);
        if (groups.Count == 1)
            return apply(x, groups[0].Depth);
        var places = new int[depths.Length];
        var parts = new Tensor[groups.Count];
        int at = 0;
        for (int i = 0; i < parts.Length; i++)
        {
            var (depth, rows) = groups[i];
            parts[i] = apply(Ops.IndexSelect(x, 0, Tensor.From(x.Device, rows)), depth);
            foreach (int row in rows)
                places[row] = at++;
        }

        return Ops.IndexSelect(Ops.Concat(0, parts), 0, Tensor.From(x.Device, places));
    }

    private static List<(int Depth, int[] Rows)> Groups(ReadOnlySpan<int> depths)
    {
        int[] all = depths.ToArray();
        return [.. Enumerable.Range(0, all.Length).GroupBy(i => all[i]).OrderBy(g => g.Key).Select(g => (g.Key, g.ToArray()))];
    }
}
