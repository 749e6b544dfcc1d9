using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>
/// Self-attention that knows real distances, the attention of <see cref="DaTransformer2021"/>: per head h of D = C / H channels
/// <code>
/// R_h[t, s] = w_h |t - s|,   f(R; v) = (1 + e^v) / (1 + e^(v - R)),
/// A_h = softmax(relu(q_h k_h^T) f(R_h; v_h) / sqrt(D)),   y = [A_h v_h for each head h] W_out^T + b_out.
/// </code>
/// f(0) = 1; w below 0 draws f towards 0 with the distance, so that the head looks near; w above 0 lets it grow to 1 + e^v. A score below 0 counts as 0, which is not no attention: its
/// key still gets e^0. Padding is hidden after the product, where the score of minus infinity stays what it is. f is computed as exp(log s(R - v) - log s(-v)), s the sigmoid, which
/// loses nothing for large v; it is infinite only where 1 + e^v is.
/// Parameters: those of <see cref="MultiHeadAttention"/>, the scalars <c>distance_weight</c> w [H], which starts normal with standard deviation 0.01, so that f starts near 1, and
/// <c>distance_slope</c> v [H], which starts at 0. The paper's first values are not known. Composed of other ops: memory and time grow with T^2.
/// </summary>
public sealed class DistanceAttention : Module
{
    private readonly int _heads;
    private readonly float _dropout;
    private readonly Linear _key;
    private readonly Linear _value;
    private readonly Linear _query;
    private readonly Linear _output;
    private readonly Parameter _weight;
    private readonly Parameter _slope;

    /// <summary>Declares the parameters.</summary>
    /// <param name="width">C, channels.</param>
    /// <param name="heads">H; divides C.</param>
    /// <param name="dropout">Probability of dropping an attention weight while training.</param>
    /// <exception cref="ArgumentException">The heads do not divide the channels.</exception>
    public DistanceAttention(int width, int heads, float dropout = 0)
    {
        if (heads < 1 || width % heads != 0)
            throw new ArgumentException($"DistanceAttention: heads must divide width, got {heads} and {width}.");
        _heads = heads;
        _dropout = dropout;
        var initializer = Initializer.XavierUniform(1 / MathF.Sqrt(2));
        _key = Add("k_proj", new Linear(width, width, initializer: initializer));
        _value = Add("v_proj", new Linear(width, width, initializer: initializer));
        _query = Add("q_proj", new Linear(width, width, initializer: initializer));
        _output = Add("out_proj", new Linear(width, width));
        _weight = Declare("distance_weight", [heads], Initializer.Normal(0.01f));
        _slope = Declare("distance_slope", [heads], Initializer.Zeros);
    }

    /// <summary>Attends from every position to every other.</summary>
    /// <param name="x">[B, T, C].</param>
    /// <param name="padding">[B, T] integers, not 0 at padding; null if there is none. Each sequence has a position that is none.</param>
    /// <param name="causal">Whether position t sees only positions up to t.</param>
    /// <param name="random">Draws the dropout mask; null for evaluation.</param>
    /// <returns>[B, T, C], new.</returns>
    public Tensor Forward(Tensor x, Tensor? padding = null, bool causal = false, RandomSource? random = null)
    {
        var weights = Ops.Dropout(Probabilities(x, padding, causal), _dropout, random);
        var heads = Ops.Transpose(Ops.MatMul(weights, Heads(_value.Forward(x))), 0, 2, 1, 3);
        return _output.Forward(heads.Reshape(x.Shape));
    }

    /// <summary>The weights A with which the values are averaged.</summary>
    /// <inheritdoc cref="Forward"/>
    /// <returns>[B, H, T, T], new; rows sum to 1.</returns>
    public Tensor Probabilities(Tensor x, Tensor? padding = null, bool causal = false)
    {
        if (x.Shape.Rank != 3)
            throw new ArgumentException($"DistanceAttention: x must be [B, T, C], got {x.Shape}.");
        int batch = x.Shape[0], length = x.Shape[1];
        if (padding is not null && padding.Shape != [batch, length])
            throw new ArgumentException($"DistanceAttention: padding must be [B, T], got padding {padding.Shape}, x {x.Shape}.");
        var q = Ops.Scale(Heads(_query.Forward(x)), 1 / MathF.Sqrt(x.Shape[2] / _heads));
        var scores = Ops.Relu(Ops.MatMul(q, Heads(_key.Forward(x)), transposeB: true));
        scores = Ops.Multiply(scores, Factor(length).To(scores.DType));
        if (padding is not null)
            scores = Ops.MaskedFill(scores, padding.Reshape([batch, 1, 1, length]), float.NegativeInfinity);
        if (causal)
            scores = Ops.MaskedFill(scores, Future(length), float.NegativeInfinity);
        return Ops.Softmax(scores);
    }

    /// <summary>f(w |t - s|; v).</summary>
    /// <param name="length">T.</param>
    /// <returns>[H, T, T], float32, new.</returns>
    public Tensor Factor(int length)
    {
        var positions = Tensor.From(Device, [.. Enumerable.Range(0, length).Select(t => (float)t)], [length, 1]);
        var difference = Ops.Subtract(positions, positions.Reshape([1, length]));
        var distance = Ops.Add(Ops.Relu(difference), Ops.Relu(Ops.Scale(difference, -1)));
        var real = Ops.Multiply(distance.Reshape([1, length, length]), _weight.Tensor.Reshape([_heads, 1, 1]));
        var slope = _slope.Tensor.Reshape([_heads, 1, 1]);
        return Ops.Exp(Ops.Subtract(LogSigmoid(Ops.Subtract(real, slope)), LogSigmoid(Ops.Scale(slope, -1))));
    }

    // log softmax of (x, 0), whose first entry it is.
    private static Tensor LogSigmoid(Tensor x)
    {
        var column = x.Reshape([(int)x.Shape.Count, 1]);
        return Ops.Slice(Ops.LogSoftmax(Ops.Concat(1, column, Tensor.Zeros(x.Device, column.Shape))), 1, 0, 1).Reshape(x.Shape);
    }

    private Tensor Heads(Tensor x)
        => Ops.Transpose(x.Reshape([x.Shape[0], x.Shape[1], _heads, x.Shape[2] / _heads]), 0, 2, 1, 3);

    private Tensor Future(int length)
    {
        int[] hidden = new int[length * length];
        for (int i = 0; i < hidden.Length; i++)
            hidden[i] = i % length > i / length ? 1 : 0;
        return Tensor.From(Device, hidden, [length, length]);
    }
}
