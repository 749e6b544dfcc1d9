using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>How the values of a <see cref="Parameter"/> start. A value: presets are shared freely.</summary>
public readonly record struct Initializer
{
    private readonly Kind _kind;
    private readonly float _scale;
    private readonly int _zeroRow;

    private Initializer(Kind kind, float scale, int zeroRow = -1)
    {
        _kind = kind;
        _scale = scale;
        _zeroRow = zeroRow;
    }

    private enum Kind
    {
        Constant,
        Uniform,
        Normal,
        Xavier,
    }

    /// <summary>Zeros: biases.</summary>
    public static Initializer Zeros => new(Kind.Constant, 0);

    /// <summary>Ones: the gains of layer norms.</summary>
    public static Initializer Ones => new(Kind.Constant, 1);

    /// <summary>Uniform in [-<paramref name="bound"/>, <paramref name="bound"/>).</summary>
    public static Initializer Uniform(float bound) => new(Kind.Uniform, bound);

    /// <summary>Normal with mean 0.</summary>
    /// <param name="standardDeviation">Its standard deviation.</param>
    /// <param name="zeroRow">A row of the leading axis that starts as zeros, the padding token's; none when omitted.</param>
    public static Initializer Normal(float standardDeviation, int zeroRow = -1) => new(Kind.Normal, standardDeviation, zeroRow);

    /// <summary>
    /// Uniform in [-a, a) with a = gain * sqrt(6 / (O + I)) for a weight [O, I]
    /// (Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks", AISTATS 2010).
    /// </summary>
    public static Initializer XavierUniform(float gain = 1) => new(Kind.Xavier, gain);

    /// <summary>Fills <paramref name="values"/>; draws one stream of <paramref name="random"/> unless the values are constant.</summary>
    /// <param name="values">The elements, row-major.</param>
    /// <param name="shape">Their shape.</param>
    /// <param name="random">The run's randomness.</param>
    internal void Fill(Span<float> values, Shape shape, RandomSource random)
    {
        switch (_kind)
        {
            case Kind.Constant:
                values.Fill(_scale);
                break;
            case Kind.Uniform:
                random.Uniform(values, -_scale, _scale);
                break;
            case Kind.Xavier:
                float bound = _scale * MathF.Sqrt(6f / (shape[0] + shape[1]));
                random.Uniform(values, -bound, bound);
                break;
            default:
                random.Normal(values, 0, _scale);
                break;
        }

        if (_zeroRow >= 0)
            values.Slice(_zeroRow * shape[1], shape[1]).Clear();
    }
}
