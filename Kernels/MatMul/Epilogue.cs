using System.Runtime.CompilerServices;

namespace CudaSeq.Kernels;

/// <summary>
/// What becomes of the sums of a product in the last store: z = alpha * sum + bias, C = activation(z) + residual.
/// </summary>
/// <param name="alpha">The factor of the sums.</param>
/// <param name="bias">[N], or null.</param>
/// <param name="activation">Applied after the bias.</param>
/// <param name="preactivation">Receives z, laid out like C; or null.</param>
/// <param name="residual">Added last, laid out like C, may be C itself; or null.</param>
internal readonly unsafe struct Epilogue(
    float alpha, float* bias = null, Activation activation = Activation.None, float* preactivation = null, float* residual = null)
{
    private readonly float _alpha = alpha;
    private readonly float* _bias = bias;
    private readonly Activation _activation = activation;
    private readonly float* _preactivation = preactivation;
    private readonly float* _residual = residual;

    /// <summary>The sums as they are.</summary>
    public static Epilogue None => new(1);

    /// <summary>Whether C is nothing but the sums.</summary>
    public bool IsNone => _alpha == 1 && _bias == null && _activation == Activation.None && _preactivation == null && _residual == null;

    /// <summary>The epilogue of a part of C that begins at column <paramref name="column"/> and element <paramref name="offset"/>.</summary>
    public Epilogue At(int column, long offset) => new(
        _alpha,
        _bias == null ? null : _bias + column,
        _activation,
        _preactivation == null ? null : _preactivation + offset,
        _residual == null ? null : _residual + offset);

    /// <summary>Finishes a tile of sums and stores it; reads and writes exactly rows x columns of C.</summary>
    public void Store<TVector>(float* sums, int strideSums, int rows, int columns, float* c, long strideC)
        where TVector : struct, IFloatVector<TVector>
    {
        switch (_activation)
        {
            case Activation.Relu: Store<TVector, ReluFunction>(sums, strideSums, rows, columns, c, strideC); break;
            case Activation.Gelu: Store<TVector, GeluFunction>(sums, strideSums, rows, columns, c, strideC); break;
            default: Store<TVector, Identity>(sums, strideSums, rows, columns, c, strideC); break;
        }
    }

    private void Store<TVector, TActivation>(float* sums, int strideSums, int rows, int columns, float* c, long strideC)
        where TVector : struct, IFloatVector<TVector>
        where TActivation : struct, IUnaryOperator
    {
        var alpha = TVector.Broadcast(_alpha);
        for (int j = 0; j < columns; j += TVector.Count)
        {
            int rest = columns - j;
            var bias = _bias == null ? TVector.Zero : TVector.LoadPartial(_bias + j, Math.Min(rest, TVector.Count));
            for (int i = 0; i < rows; i++)
            {
                long at = (i * strideC) + j;
                var z = TVector.MultiplyAdd(TVector.Load(sums + (i * strideSums) + j), alpha, bias);
                var y = TActivation.Apply(z);
                if (rest >= TVector.Count)
                {
                    if (_preactivation != null)
                        z.Store(_preactivation + at);
                    if (_residual != null)
                        y += TVector.Load(_residual + at);
                    y.Store(c + at);
                }
                else
                {
                    if (_preactivation != null)
                        z.StorePartial(_preactivation + at, rest);
                    if (_residual != null)
                        y += TVector.LoadPartial(_residual + at, rest);
                    y.StorePartial(c + at, rest);
                }
            }
        }
    }

    private readonly struct Identity : IUnaryOperator
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static TVector Apply<TVector>(TVector x)
            where TVector : struct, IFloatVector<TVector>
            => x;
    }
}
