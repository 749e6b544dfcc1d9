using System.Runtime.CompilerServices;

namespace CudaSeq.Kernels;

internal static unsafe partial class DropoutAddLayerNormKernel
{
    // Factors made at a time; they never leave the first-level cache.
    private const int FactorElements = 1024;

    private static void ForwardCpu(
        CpuDevice cpu, LayerNormSize size, DropMask mask, DeviceSpan x, DeviceSpan residual, DeviceSpan gain, DeviceSpan bias, DeviceSpan y,
        DeviceSpan? sum, DeviceSpan? mean, DeviceSpan? r)
    {
        var norm = new LayerNormKernel.RowNorm(size, gain.Floats, bias.Floats, mean.FloatsOrNull(), r.FloatsOrNull());
        var body = new ForwardBody(mask, x.Floats, residual.Floats, (sum ?? y).Floats, y.Floats, norm);
        cpu.For(size.N, CpuDevice.Grain(5 + ((mask.Active ? 2 : 0.5) * size.C)), body);
    }

    private static void BackwardCpu(
        CpuDevice cpu, LayerNormSize size, DropMask mask, DeviceSpan sum, DeviceSpan gain, DeviceSpan mean, DeviceSpan r, DeviceSpan dy,
        DeviceSpan? dx, DeviceSpan? dresidual, DeviceSpan? dgain, DeviceSpan? dbias)
    {
        // Masked in place where nobody wants what it was before.
        LayerNormKernel.Backward(size, sum, gain, mean, r, dy, dresidual ?? dx, dgain, dbias);
        if (dx is not { } own)
            return;
        if (mask.Active)
            DropoutKernel.Forward(mask, dresidual ?? own, own);
        else if (dresidual is { } same)
            CopyKernel.Copy(same, own);
    }

    // Item = row, added up where it is then normalised.
    private readonly struct ForwardBody(DropMask mask, float* x, float* residual, float* sum, float* y, LayerNormKernel.RowNorm norm) : IKernelBody
    {
        private readonly DropMask _mask = mask;
        private readonly float* _x = x;
        private readonly float* _residual = residual;
        private readonly float* _sum = sum;
        private readonly float* _y = y;
        private readonly LayerNormKernel.RowNorm _norm = norm;

        public void Invoke<TVector>(int begin, int end)
            where TVector : struct, IFloatVector<TVector>
        {
            float* factors = stackalloc float[FactorElements];
            for (int n = begin; n < end; n++)
            {
                long row = (long)n * _norm.Width;
                for (int c = 0; c < _norm.Width; c += FactorElements)
                {
                    int count = Math.Min(FactorElements, _norm.Width - c);
                    if (_mask.Active)
                        _mask.Fill<TVector>((ulong)(row + c), count, factors);
                    Add<TVector>(row + c, count, factors);
                }

                _norm.Normalize<TVector>(n, _sum + row, _y + row);
            }
        }

        private void Add<TVector>(long start, int count, float* factors)
            where TVector : struct, IFloatVector<TVector>
        {
            float* x = _x + start, residual = _residual + start, sum = _sum + start;
            int i = 0;
            for (; i <= count - TVector.Count; i += TVector.Count)
                (TVector.Load(residual + i) + Kept(TVector.Load(x + i), TVector.Load(factors + i))).Store(sum + i);
            int rest = count - i;
            if (rest > 0)
            {
                var kept = Kept(TVector.LoadPartial(x + i, rest), TVector.LoadPartial(factors + i, rest));
                (TVector.LoadPartial(residual + i, rest) + kept).StorePartial(sum + i, rest);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private TVector Kept<TVector>(TVector x, TVector factor)
            where TVector : struct, IFloatVector<TVector>
            => _mask.Active ? DropoutKernel.Masked(factor, x) : x;
    }
}
