using CudaSeq.Kernels;

namespace CudaSeq.Tensors;

public static partial class Ops
{
    /// <summary>
    /// Label-smoothed cross-entropy, fused with the projection onto the vocabulary: with p = softmax(x weight^T + bias), the sum over the rows n whose target is no padding
    /// of - sum over v of q[v] ln p[n, v], where q puts most on the target and spreads <paramref name="smoothing"/> as <paramref name="form"/> says. Sums, in nats, not means.
    /// The logits exist for one block of rows at a time, never all [N, V], and rows of padding cost nothing. Costs 2 N V C operations, three times that when it records:
    /// then the gradients are computed here, while a block of logits is at hand, and saved (the sizes of x, weight and bias); backward only scales them.
    /// Logits and losses are float32 whatever x is; the gradient of the logits has the type of x.
    /// </summary>
    /// <param name="x">[N, C], features.</param>
    /// <param name="weight">[V, C], the output embedding, float32; a narrower x is multiplied with a copy of its type.</param>
    /// <param name="targets">[N] integers in 0 .. V - 1, or <paramref name="paddingIndex"/>.</param>
    /// <param name="smoothing">eps, in 0 .. 1; 0 gives the plain cross-entropy.</param>
    /// <param name="paddingIndex">Rows with this target contribute nothing and get no gradient.</param>
    /// <param name="form">Where eps goes.</param>
    /// <param name="bias">[V]; no bias when omitted.</param>
    /// <returns>Both of shape [], float32: the loss, through which gradients flow, and the sum of - ln p[n, target], through which none do. No rows give 0.</returns>
    /// <exception cref="ArgumentException">The shapes do not fit, a target is no class, or <paramref name="smoothing"/> is out of range.</exception>
    public static (Tensor Loss, Tensor NegativeLogLikelihood) CrossEntropy(
        Tensor x,
        Tensor weight,
        Tensor targets,
        float smoothing = 0,
        int paddingIndex = -1,
        LabelSmoothing form = LabelSmoothing.OverOthers,
        Tensor? bias = null)
    {
        const string Name = nameof(CrossEntropy);
        Check.Float(Name, x);
        Check.Parameters(Name, x, weight, bias);
        Check.Int(Name, nameof(targets), x, targets);
        Check.Defined(Name, nameof(form), form);
        if (x.Shape.Rank != 2 || weight.Shape.Rank != 2 || x.Shape[1] != weight.Shape[1] || targets.Shape != [x.Shape[0]] || weight.Shape[0] == 0)
        {
            throw new ArgumentException(
                $"CrossEntropy: inputs must be x [N, C], weight [V, C], targets [N], V > 0, got x {x.Shape}, weight {weight.Shape}, targets {targets.Shape}.");
        }

        if (bias is not null && bias.Shape != [weight.Shape[0]])
            throw new ArgumentException($"CrossEntropy: bias must be [V], got bias {bias.Shape}, weight {weight.Shape}.");
        if (!(smoothing is >= 0 and <= 1))
            throw new ArgumentException(FormattableString.Invariant($"CrossEntropy: smoothing must be in 0 .. 1, got {smoothing}."));
        if (weight.Shape[0] == 1 && smoothing > 0 && form == LabelSmoothing.OverOthers)
            throw new ArgumentException($"CrossEntropy: smoothing over the other classes needs at least two, got weight {weight.Shape}.");

        int classes = weight.Shape[0];
        long outside = IndexRangeKernel.FirstOutside(targets.Data, classes, allowed: paddingIndex);
        if (outside >= 0)
        {
            throw new ArgumentException(
                $"CrossEntropy: targets must be in 0 .. {classes - 1} or the padding {paddingIndex}, got {targets.ToIntArray()[outside]} at [n = {outside}].");
        }

        var size = SmoothedSize(x.Shape[0], classes, x.Shape[1], smoothing, paddingIndex, form);
        var loss = x.NewFloats([], Name);
        var nll = x.NewFloats([], Name);
        bool records = Tape.Records(x, weight, bias);
        var dx = records && x.RequiresGrad ? x.NewLike(x.Shape, Name) : null;
        var dw = records && weight.RequiresGrad ? weight.NewLike(weight.Shape, Name) : null;
        var db = records && bias is { RequiresGrad: true } ? bias.NewLike(bias.Shape, Name) : null;
        CrossEntropyKernel.Forward(
            size, x.Data, weight.As(x.DType), bias?.Data, targets.Data, loss.Data, nll.Data, new CrossEntropyGradients(dx?.Data, dw?.Data, db?.Data));
        if (!records)
            return (loss, nll);
        Tensor[] scratch = [.. new[] { dx, dw, db }.OfType<Tensor>()];
        ReadOnlySpan<Tensor> inputs = bias is null ? [x, weight] : [x, weight, bias];
        Tape.Record(
            Name,
            loss,
            inputs,
            (dx, dw, db),
            static (dloss, saved) => new Gradients(Scaled(dloss, saved.dx), Scaled(dloss, saved.dw), Scaled(dloss, saved.db)),
            scratch);
        return (loss, nll);

        static Tensor? Scaled(Tensor dloss, Tensor? gradient)
        {
            if (gradient is null)
                return null;
            var scaled = gradient.NewLike(gradient.Shape, Name);
            CrossEntropyKernel.Backward(dloss.Data, gradient.Data, scaled.Data);
            return scaled;
        }
    }
}
