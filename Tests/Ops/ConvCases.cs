using System.Numerics;
using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

/// <summary>The sizes of one convolution under test.</summary>
public sealed record ConvCase(int B, int T, int C, int H, int K, int LeftPadding, bool Softmax = true, float Drop = 0, bool Bias = false)
{
    public const ulong Seed = 77;

    /// <summary>Widths around vector edges and powers of two, three paddings each, with shapes around the edges of vectors, blocks and chunks.</summary>
    public static IEnumerable<ConvCase> Many()
    {
        (int B, int T, int C, int H)[] shapes =
        [
            (1, 1, 1, 1), (2, 5, 6, 3), (1, 17, 16, 1), (2, 33, 32, 2), (1, 9, 48, 3), (1, 70, 64, 1), (2, 3, 129, 1), (1, 37, 96, 2),
            (1, 12, 129, 129), (1, 64, 128, 1), (1, 131, 64, 4), (3, 8, 160, 2), (1, 2, 65, 5), (2, 4, 24, 3), (1, 66, 17, 17), (1, 35, 130, 2),
        ];
        int n = 0;
        foreach (int k in (int[])[1, 2, 3, 4, 7, 8, 15, 31, 33, 63, 127, 255])
        {
            foreach (int padding in new HashSet<int> { 0, k / 2, k - 1 })
            {
                for (int i = 0; i < 3; i++, n++)
                {
                    var (b, t, c, h) = shapes[n * 5 % shapes.Length];
                    yield return new ConvCase(b, t, c, h, k, padding, Softmax: n % 4 != 3, Drop: n % 3 == 1 ? 0.3f : 0, Bias: n % 2 == 0);
                }
            }
        }

        yield return new ConvCase(0, 5, 8, 2, 3, 1);
        yield return new ConvCase(2, 0, 8, 2, 3, 1, Bias: true);
        yield return new ConvCase(3, 259, 128, 2, 31, 30, Drop: 0.1f);
        yield return new ConvCase(2, 260, 64, 1, 7, 3, Bias: true);
        yield return new ConvCase(1, 67, 512, 8, 31, 15, Drop: 0.1f);
        yield return new ConvCase(1, 131, 384, 3, 33, 32, Bias: true);
        yield return new ConvCase(40, 5, 64, 1, 7, 3, Drop: 0.1f, Bias: true);
    }

    /// <summary>x[b, t, c] of zeros outside 0 .. T - 1.</summary>
    public TNumber At<TNumber>(TNumber[] x, int b, int t, int c)
        where TNumber : struct, INumber<TNumber>
        => t >= 0 && t < T ? x[(((b * T) + t) * C) + c] : TNumber.Zero;

    /// <summary>The taps that rows of K logits give: softmax, then DropConnect with the first key of a source seeded <see cref="Seed"/>.</summary>
    public TNumber[] Taps<TNumber>(TNumber[] logits)
        where TNumber : struct, IFloatingPointIeee754<TNumber>
    {
        var taps = (TNumber[])logits.Clone();
        for (int row = 0; row < taps.Length && Softmax; row += K)
        {
            var largest = TNumber.NegativeInfinity;
            for (int k = 0; k < K; k++)
                largest = TNumber.Max(largest, logits[row + k]);
            var sum = TNumber.Zero;
            for (int k = 0; k < K; k++)
                sum += taps[row + k] = TNumber.Exp(logits[row + k] - largest);
            for (int k = 0; k < K; k++)
                taps[row + k] /= sum;
        }

        for (int i = 0; i < taps.Length && Drop > 0; i++)
        {
            bool dropped = Philox.Word(new PhiloxKey(Seed, 0), (ulong)i) < Philox.DropThreshold(Drop);
            taps[i] *= dropped ? TNumber.Zero : TNumber.CreateChecked(1 / (1 - Drop));
        }

        return taps;
    }

    /// <summary>y[b, t, c] = sum over k of tap(b, t, c, k) * x[b, t + k - LeftPadding, c].</summary>
    public TNumber[] Convolve<TNumber>(TNumber[] x, Func<int, int, int, int, TNumber> tap)
        where TNumber : struct, INumber<TNumber>
    {
        var y = new TNumber[x.Length];
        for (int b = 0; b < B; b++)
        {
            for (int t = 0; t < T; t++)
            {
                for (int c = 0; c < C; c++)
                {
                    for (int k = 0; k < K; k++)
                        y[(((b * T) + t) * C) + c] += tap(b, t, c, k) * At(x, b, t + k - LeftPadding, c);
                }
            }
        }

        return y;
    }

    /// <summary>The source of the mask, null where nothing is dropped.</summary>
    public RandomSource? Random() => Drop > 0 ? new RandomSource(Seed) : null;
}
