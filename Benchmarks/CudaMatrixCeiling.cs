using System.Runtime.InteropServices;
using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Benchmarks;

/// <summary>What a GPU multiplies matrices of.</summary>
public enum MatrixKind
{
    /// <summary>float32 throughout.</summary>
    Float32,

    /// <summary>float32 inputs rounded to TF32 for the tensor cores.</summary>
    Tf32,

    /// <summary>bfloat16 inputs, float32 sums.</summary>
    BFloat16,
}

/// <summary>How fast a GPU multiplies large square matrices of normal numbers through cuBLAS: what arithmetic is measured against.</summary>
internal sealed class CudaMatrixCeiling : IDisposable
{
    // The second is how a linear layer reads its weight.
    private static readonly bool[] Transpositions = [false, true];

    private readonly CudaDevice _cuda;
    private readonly CudaTimer _timer;
    private readonly MatrixKind _kind;
    private readonly int _size;
    private readonly DeviceBuffer _a;
    private readonly DeviceBuffer _b;
    private readonly DeviceBuffer _c;
    private readonly bool _transposed;

    /// <summary>Makes the matrices and finds the faster of two layouts.</summary>
    public CudaMatrixCeiling(CudaDevice cuda, CudaTimer timer, MatrixKind kind, Sizes sizes)
    {
        _cuda = cuda;
        _timer = timer;
        _kind = kind;

        // Long enough to fill the chip, short enough to be measured again beside each case.
        _size = sizes != Sizes.Gpu ? 64 : kind == MatrixKind.Float32 ? 4096 : 8192;
        _a = Matrix(1);
        _b = Matrix(2);
        _c = Matrix(3);
        var seconds = Array.ConvertAll(Transpositions, t => Enumerable.Range(0, 4).Min(_ => Seconds(t)));
        _transposed = seconds[1] < seconds[0];
    }

    /// <summary>For example <c>8192 x 8192 x 8192</c>.</summary>
    public string Shape => $"{_size} x {_size} x {_size}";

    /// <summary>Operations a second of one product, measured now.</summary>
    public double Flops() => 2.0 * _size * _size * _size / Seconds(_transposed);

    /// <inheritdoc/>
    public void Dispose()
    {
        _a.Release();
        _b.Release();
        _c.Release();
    }

    private double Seconds(bool transposed) => _timer.Seconds(() =>
    {
        var type = _kind == MatrixKind.BFloat16 ? CublasType.BFloat16 : CublasType.Float32;
        var compute = _kind == MatrixKind.Tf32 ? CublasCompute.Tf32 : CublasCompute.Float32;
        Cublas.Gemm(
            _cuda.Blas.Value, transposed, false, _size, _size, _size, 1, Operand(_a), Operand(_b), 0, Operand(_c), 1, compute)
            .Check("cublasGemmStridedBatchedEx", _cuda.Description);

        CublasMatrix Operand(DeviceBuffer buffer) => new(new DeviceSpan(buffer, 0, 0).Address, type, _size, 0);
    });

    private DeviceBuffer Matrix(ulong seed)
    {
        int bytes = _kind == MatrixKind.BFloat16 ? sizeof(ushort) : sizeof(float);

        // One row after another of the same numbers would be one row's rank: each begins elsewhere among the numbers drawn.
        var values = new float[_size + 4096 + _size];
        new RandomSource(seed).Normal(values, 0, 1);
        var buffer = _cuda.Rent((long)_size * _size * bytes);
        for (int row = 0; row < _size; row++)
        {
            var numbers = values.AsSpan((int)(row * 2654435761L % (4096 + _size)), _size);
            var span = new DeviceSpan(buffer, (long)row * _size * bytes / sizeof(float), (long)_size * bytes / sizeof(float));
            if (_kind == MatrixKind.BFloat16)
                _cuda.CopyFromHost(MemoryMarshal.AsBytes<ushort>(Array.ConvertAll(numbers.ToArray(), ToBFloat16)), span);
            else
                _cuda.CopyFromHost(MemoryMarshal.AsBytes(numbers), span);
        }

        return buffer;
    }

    // The upper half, rounded to the nearest; none of these is infinite or NaN.
    private static ushort ToBFloat16(float value) => (ushort)((BitConverter.SingleToUInt32Bits(value) + 0x8000) >> 16);
}
