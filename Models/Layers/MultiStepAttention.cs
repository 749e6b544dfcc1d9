using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>What the attentions of a ConvS2S decoder have in common of a source.</summary>
/// <param name="Keys">z, [M, S, F].</param>
/// <param name="Values">[M, S, F]: z with the embeddings.</param>
/// <param name="Mask">[M, 1, S], see <see cref="SourceMask"/>.</param>
/// <param name="Roots">[M, 1, 1]: the root of the length.</param>
internal sealed record AttendedSource(Tensor Keys, Tensor Values, Tensor Mask, Tensor Roots)
{
    /// <summary>Prepares a source.</summary>
    /// <param name="encoded">The encoder's.</param>
    public static AttendedSource Of(EncoderOutput encoded)
    {
        var mask = SourceMask.Of(encoded.States, encoded.Lengths);

        // Softmax gives each of m words 1 / m, of which only the first is looked at.
        var even = Ops.Slice(Ops.LogSoftmax(Ops.Convert(mask, DType.Float32)), 2, 0, 1);
        var roots = Ops.Exp(Ops.Scale(even, -0.5f));
        return new AttendedSource(encoded.States, encoded.Values!, mask, Ops.Convert(roots, encoded.States.DType));
    }
}

/// <summary>
/// The attention of one layer of a ConvS2S decoder (Gehring et al. 2017, section 3.3). Of what its convolution gave, h, and the embedding of the previous word g,
/// <code>d = (W_d h + b_d + g) sqrt(0.5),   c = sqrt(m) sum_j softmax(d . z)_j v_j over the m tokens of the source,   y = (W_o c + b_o + h) sqrt(0.5).</code>
/// Scores are not divided by anything. Parameters: <c>in_projection</c> [F, C] and <c>out_projection</c> [C, F], both with weight normalisation.
/// </summary>
internal sealed class MultiStepAttention : Module
{
    private static readonly float Half = MathF.Sqrt(0.5f);

    private readonly NormedLinear _in;
    private readonly NormedLinear _out;

    /// <summary>Declares the parameters.</summary>
    /// <param name="channels">C, of the convolution.</param>
    /// <param name="width">F, of embeddings and source.</param>
    public MultiStepAttention(int channels, int width)
    {
        _in = Add("in_projection", new NormedLinear(channels, width));
        _out = Add("out_projection", new NormedLinear(width, channels));
    }

    /// <summary>Attends from whole sequences.</summary>
    /// <param name="x">[B, T, C], what the convolution gave.</param>
    /// <param name="embedded">[B, T, F], g.</param>
    /// <param name="source">The source.</param>
    /// <returns>[B, T, C], and the probabilities [B, T, S]; new.</returns>
    public (Tensor Output, Tensor Probabilities) Forward(Tensor x, Tensor embedded, AttendedSource source)
    {
        var (context, probabilities) = Attend(Ops.Scale(Ops.Add(_in.Forward(x), embedded), Half), source);
        return (Ops.Scale(Ops.Add(_out.Forward(context), x), Half), probabilities);
    }

    /// <summary>Attends from one more position.</summary>
    /// <param name="x">[N, C].</param>
    /// <param name="embedded">[N, F].</param>
    /// <param name="source">Of M sentences, each with N / M rows.</param>
    /// <returns>[N, C], new.</returns>
    public Tensor Step(Tensor x, Tensor embedded, AttendedSource source)
    {
        int rows = x.Shape[0], sentences = source.Keys.Shape[0], width = source.Keys.Shape[2];
        var query = Ops.Scale(Ops.Add(_in.Forward(x), embedded), Half);
        var context = Attend(query.Reshape([sentences, rows / sentences, width]), source).Context;
        return Ops.Scale(Ops.Add(_out.Forward(context.Reshape([rows, width])), x), Half);
    }

    private static (Tensor Context, Tensor Probabilities) Attend(Tensor query, AttendedSource source)
    {
        var scores = Ops.MatMul(query, source.Keys, transposeB: true);
        var probabilities = Ops.Softmax(Ops.Add(scores, source.Mask));
        return (Ops.Multiply(Ops.MatMul(probabilities, source.Values), source.Roots), probabilities);
    }
}
