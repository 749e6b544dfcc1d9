namespace CudaSeq.Kernels;

internal static partial class DynamicConvKernel
{
    private static readonly CudaKernelWidths WindowForward = new("dynamic_conv_forward_k", ConvPlan.WindowWidths, KernelTypes.Inference);
    private static readonly CudaKernelWidths WindowBackward = new("dynamic_conv_backward_k", ConvPlan.WindowWidths, KernelTypes.Training);
    private static readonly CudaKernelFamily BandedForward = new("dynamic_conv_forward_banded", KernelTypes.NarrowInference);
    private static readonly CudaKernelWidths BandedBackward = new("dynamic_conv_backward_banded", ConvPlan.BandWidths, KernelTypes.NarrowTraining);
    private static readonly CudaKernelFamily Outputs = new("dynamic_conv_forward", KernelTypes.Inference);
    private static readonly CudaKernelFamily TapGradients = new("dynamic_conv_tap_gradient", KernelTypes.Training);
    private static readonly CudaKernelFamily InputGradients = new("dynamic_conv_backward", KernelTypes.Training);
    private static readonly CudaKernelFamily Steps = new("dynamic_conv_step", KernelTypes.Inference);

    private static void ForwardCuda(CudaDevice cuda, ConvSize size, TapRule rule, DeviceSpan x, DeviceSpan logits, DeviceSpan y)
    {
        if (y.Length == 0)
            return;
        var plan = ConvPlan.DynamicForward(size, x.Type.Size(), x.Address | y.Address, cuda.MaxSharedBytes);
        if (plan.Path == ConvPath.Window)
        {
            cuda.Launch(
                WindowForward[size.K][x.Type], plan.Grid, plan.Block, plan.SharedBytes,
                x, logits, y, size.T, size.C, size.H, size.LeftPadding, plan.Steps,
                rule.Softmax ? 1 : 0, rule.Drop.Key.Seed, rule.Drop.Key.Stream, cuda.StreamShift, rule.Drop.Threshold, rule.Drop.Scale);
            return;
        }

        if (plan.Path == ConvPath.Banded)
        {
            cuda.Launch(
                BandedForward[x.Type], plan.Grid, plan.Block, plan.SharedBytes,
                x, logits, y, size.T, size.C, size.H, size.K, size.LeftPadding,
                rule.Softmax ? 1 : 0, rule.Drop.Key.Seed, rule.Drop.Key.Stream, cuda.StreamShift, rule.Drop.Threshold, rule.Drop.Scale);
            return;
        }

        cuda.Launch(
            Outputs[x.Type], plan.Grid, plan.Block, plan.SharedBytes,
            x, logits, y, size.T, size.C, size.H, size.K, size.LeftPadding, plan.Heads,
            rule.Softmax ? 1 : 0, rule.Drop.Key.Seed, rule.Drop.Key.Stream, cuda.StreamShift, rule.Drop.Threshold, rule.Drop.Scale);
    }

    private static void BackwardCuda(
        CudaDevice cuda, ConvSize size, TapRule rule, DeviceSpan x, DeviceSpan logits, DeviceSpan dy, DeviceSpan? dx, DeviceSpan? dlogits)
    {
        if (size.B == 0 || size.T == 0 || (dx is null && dlogits is null))
            return;
        var plan = ConvPlan.DynamicBackward(size, x.Type.Size(), x.Address | dy.Address | (dx is { } aligned ? aligned.Address : 0), cuda.MaxSharedBytes);
        if (plan.Path == ConvPath.Window)
        {
            cuda.Launch(
                WindowBackward[size.K][x.Type], plan.Grid, plan.Block, plan.SharedBytes,
                x, logits, dy, dx, dlogits, size.T, size.C, size.H, size.LeftPadding, plan.Steps,
                rule.Softmax ? 1 : 0, rule.Drop.Key.Seed, rule.Drop.Key.Stream, cuda.StreamShift, rule.Drop.Threshold, rule.Drop.Scale);
            return;
        }

        if (plan.Path == ConvPath.Banded)
        {
            cuda.Launch(
                BandedBackward[ConvPlan.BandTiles(size.K)][x.Type], plan.Grid, plan.Block, plan.SharedBytes,
                x, logits, dy, dx, dlogits, size.T, size.C, size.H, size.K, size.LeftPadding,
                rule.Softmax ? 1 : 0, rule.Drop.Key.Seed, rule.Drop.Key.Stream, cuda.StreamShift, rule.Drop.Threshold, rule.Drop.Scale);
            return;
        }

        // dx needs the softmax of all steps that met its rows: their maxima and scales come from the first kernel.
        long rows = 2L * size.B * size.T * size.H;
        bool statistics = rule.Softmax && dx is { } && size.C > 0;
        using var scratch = new CallScratch(cuda, rows * sizeof(float));
        DeviceSpan? rowStatistics = statistics ? scratch.Span(0, rows) : null;
        if (statistics || dlogits is { })
        {
            var taps = ConvPlan.TapGradient(size);
            cuda.Launch(
                TapGradients[x.Type], taps.Grid, taps.Block, taps.SharedBytes,
                x, logits, dy, dlogits, rowStatistics, size.T, size.C, size.H, size.K, size.LeftPadding, taps.Steps / ConvPlan.GenericSteps,
                rule.Softmax ? 1 : 0, rule.Drop.Key.Seed, rule.Drop.Key.Stream, cuda.StreamShift, rule.Drop.Threshold, rule.Drop.Scale);
        }

        if (dx is { Length: > 0 } input)
        {
            cuda.Launch(
                InputGradients[dy.Type], plan.Grid, plan.Block, plan.SharedBytes,
                logits, dy, rowStatistics, input, size.T, size.C, size.H, size.K, size.LeftPadding, plan.Heads,
                rule.Softmax ? 1 : 0, rule.Drop.Key.Seed, rule.Drop.Key.Stream, cuda.StreamShift, rule.Drop.Threshold, rule.Drop.Scale);
        }
    }

    private static void StepCuda(
        CudaDevice cuda, ConvSize size, TapRule rule, DeviceSpan x, DeviceSpan logits, DeviceSpan window, DeviceSpan positions, DeviceSpan y)
    {
        if (y.Length == 0)
            return;
        var plan = ConvPlan.Step(size, perSequence: true);
        cuda.Launch(
            Steps[x.Type], plan.Grid, plan.Block, plan.SharedBytes,
            x, logits, window, y, size.B, size.C, size.R, size.K, positions, plan.Width, plan.Steps,
            rule.Softmax ? 1 : 0, rule.Drop.Key.Seed, rule.Drop.Key.Stream, cuda.StreamShift, rule.Drop.Threshold, rule.Drop.Scale);
    }
}
