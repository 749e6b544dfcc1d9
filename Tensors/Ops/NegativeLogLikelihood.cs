using CudaSeq.Kernels;

namespace CudaSeq.Tensors;

public static partial class Ops
{
    /// <summary>
    /// The label-smoothed loss of log probabilities that are there already: the sum over the rows n whose target is no padding of - sum over v of q[v] x[n, v], where q puts most on
    /// the target and spreads <paramref name="smoothing"/> as <paramref name="form"/> says. Sums, in nats, not means. <see cref="CrossEntropy"/> is the same with the projection and
    /// the softmax before it, and cheaper; this is for distributions that no softmax of a projection gives. Rows need not sum to 1. Keeps the targets for backward.
    /// </summary>
    /// <param name="x">[N, V], log probabilities; narrower ones are converted to float32.</param>
    /// <param name="targets">[N] integers in 0 .. V - 1, or <paramref name="paddingIndex"/>.</param>
    /// <param name="smoothing">eps, in 0 .. 1.</param>
    /// <param name="paddingIndex">Rows with this target contribute nothing and get no gradient.</param>
    /// <param name="form">Where eps goes.</param>
    /// <returns>Both of shape [], float32: the loss, through which gradients flow, and the sum of - x[n, target], through which none do. No rows give 0.</returns>
    /// <exception cref="ArgumentException">The shapes do not fit, x holds integers, a target is no class, or <paramref name="smoothing"/> is out of range.</exception>
    public static (Tensor Loss, Tensor NegativeLogLikelihood) NegativeLogLikelihood(
        Tensor x, Tensor targets, float smoothing = 0, int paddingIndex = -1, LabelSmoothing form = LabelSmoothing.OverOthers)
    {
        const string Name = nameof(NegativeLogLikelihood);
        Check.Float(Name, x);
        Check.Int(Name, nameof(targets), x, targets);
        Check.Defined(Name, nameof(form), form);
        if (x.Shape.Rank != 2 || targets.Shape != [x.Shape[0]] || x.Shape[1] == 0)
            throw new ArgumentException($"NegativeLogLikelihood: inputs must be x [N, V], targets [N], V > 0, got x {x.Shape}, targets {targets.Shape}.");
        if (!(smoothing is >= 0 and <= 1))
            throw new ArgumentException(FormattableString.Invariant($"NegativeLogLikelihood: smoothing must be in 0 .. 1, got {smoothing}."));
        int classes = x.Shape[1];
        if (classes == 1 && smoothing > 0 && form == LabelSmoothing.OverOthers)
            throw new ArgumentException($"NegativeLogLikelihood: smoothing over the other classes needs at least two, got x {x.Shape}.");
        long outside = IndexRangeKernel.FirstOutside(targets.Data, classes, allowed: paddingIndex);
        if (outside >= 0)
        {
            throw new ArgumentException(
                $"NegativeLogLikelihood: targets must be in 0 .. {classes - 1} or the padding {paddingIndex}, got {targets.ToIntArray()[outside]} at [n = {outside}].");
        }

        if (x.DType != DType.Float32)
            x = Convert(x, DType.Float32);
        var size = SmoothedSize(x.Shape[0], classes, channels: 0, smoothing, paddingIndex, form);
        Tensor loss = x.NewFloats([], Name), nll = x.NewFloats([], Name);
        NegativeLogLikelihoodKernel.Forward(size, x.Data, targets.Data, loss.Data, nll.Data);
        Tape.Record(
            Name,
            loss,
            [x],
            (size, targets),
            static (dloss, saved) =>
            {
                var dx = dloss.NewFloats([saved.size.N, saved.size.V], nameof(NegativeLogLikelihood));
                NegativeLogLikelihoodKernel.Backward(saved.size, dloss.Data, saved.targets.Data, dx.Data);
                return new Gradients(dx);
            });
        return (loss, nll);
    }

    private static CrossEntropySize SmoothedSize(int rows, int classes, int channels, float smoothing, int paddingIndex, LabelSmoothing form)
    {
        double onEvery = smoothing == 0 ? 0 : (double)smoothing / (form == LabelSmoothing.Uniform ? classes : classes - 1);
        double onTarget = 1.0 - smoothing - (form == LabelSmoothing.Uniform ? 0 : onEvery);
        return new CrossEntropySize(rows, classes, channels, paddingIndex, onEvery, onTarget);
    }
}
