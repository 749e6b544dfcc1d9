namespace CudaSeq.Kernels;

internal static partial class LightConvKernel
{
    private static readonly CudaKernelWidths WindowForward = new("light_conv_forward_k", ConvPlan.WindowWidths, KernelTypes.Inference);
    private static readonly CudaKernelWidths WindowBackward = new("light_conv_backward_k", ConvPlan.WindowWidths, KernelTypes.Training);
    private static readonly CudaKernelFamily BandedForward = new("light_conv_forward_banded", KernelTypes.NarrowInference);
    private static readonly CudaKernelWidths BandedBackward = new("light_conv_backward_banded", ConvPlan.BandWidths, KernelTypes.NarrowTraining);
    private static readonly CudaKernel Taps = new("light_conv_taps_f32");
    private static readonly CudaKernelFamily Outputs = new("light_conv_forward", KernelTypes.Inference);
    private static readonly CudaKernelFamily InputGradients = new("light_conv_backward", KernelTypes.Training);
    private static readonly CudaKernelFamily PartialGradients = new("light_conv_partial_gradient", KernelTypes.Training);
    private static readonly CudaKernel WeightGradients = new("light_conv_weight_gradient_f32");
    private static readonly CudaKernelFamily Steps = new("light_conv_step", KernelTypes.Inference);

    private static void ForwardCuda(CudaDevice cuda, ConvSize size, TapRule rule, DeviceSpan x, DeviceSpan weight, DeviceSpan y)
    {
        if (y.Length == 0)
            return;
        var plan = ConvPlan.LightForward(size, x.Type.Size(), x.Address | y.Address, cuda.MaxSharedBytes);
        if (plan.Path == ConvPath.Window)
        {
            cuda.Launch(
                WindowForward[size.K][x.Type], plan.Grid, plan.Block, 0,
                x, weight, y, size.B, size.T, size.C, size.R, size.LeftPadding, plan.Steps,
                rule.Softmax ? 1 : 0, rule.Drop.Key.Seed, rule.Drop.Key.Stream, cuda.StreamShift, rule.Drop.Threshold, rule.Drop.Scale);
            return;
        }

        if (plan.Path == ConvPath.Banded)
        {
            cuda.Launch(
                BandedForward[x.Type], plan.Grid, plan.Block, plan.SharedBytes,
                x, weight, y, size.T, size.C, size.H, size.K, size.LeftPadding,
                rule.Softmax ? 1 : 0, rule.Drop.Key.Seed, rule.Drop.Key.Stream, cuda.StreamShift, rule.Drop.Threshold, rule.Drop.Scale);
            return;
        }

        using var scratch = new CallScratch(cuda, (long)size.H * size.K * sizeof(float));
        var taps = scratch.Span(0, (long)size.H * size.K);
        Prepare(cuda, size, rule, weight, taps);
        cuda.Launch(Outputs[x.Type], plan.Grid, plan.Block, 0, x, taps, y, size.T, size.C, size.R, size.K, size.LeftPadding);
    }

    private static void BackwardCuda(
        CudaDevice cuda, ConvSize size, TapRule rule, DeviceSpan x, DeviceSpan weight, DeviceSpan dy, DeviceSpan? dx, DeviceSpan? dweight)
    {
        // Sums of nothing are zeros, which the softmax's gradient keeps.
        if (dy.Length == 0)
        {
            if (dweight is { } zeros)
                SumParts(cuda, size, rule, zeros, weight, default, zeros);
            return;
        }

        var plan = ConvPlan.LightBackward(size, x.Type.Size(), x.Address | dy.Address | (dx is { } aligned ? aligned.Address : 0), cuda.MaxSharedBytes);
        if (plan.Path == ConvPath.Window)
            BackwardWindow(cuda, plan, size, rule, x, weight, dy, dx, dweight);
        else if (plan.Path == ConvPath.Banded)
            BackwardBanded(cuda, plan, size, rule, x, weight, dy, dx, dweight);
        else
            BackwardGeneric(cuda, plan, size, rule, x, weight, dy, dx, dweight);
    }

    // dx and the partial sums at once.
    private static void BackwardWindow(
        CudaDevice cuda, in ConvPlan plan, ConvSize size, TapRule rule, DeviceSpan x, DeviceSpan weight, DeviceSpan dy, DeviceSpan? dx, DeviceSpan? dweight)
    {
        long sums = (long)plan.Blocks * plan.Heads * size.K;
        using var scratch = new CallScratch(cuda, sums * sizeof(float));
        DeviceSpan? partial = dweight is null ? null : scratch.Span(0, sums);
        cuda.Launch(
            WindowBackward[size.K][x.Type], plan.Grid, plan.Block, 0,
            x, weight, dy, dx, partial, size.B, size.T, size.C, size.R, size.LeftPadding, plan.Steps, plan.Parts, plan.Heads,
            rule.Softmax ? 1 : 0, rule.Drop.Key.Seed, rule.Drop.Key.Stream, cuda.StreamShift, rule.Drop.Threshold, rule.Drop.Scale);
        if (dweight is { } gradient)
            SumParts(cuda, size, rule, partial!.Value, weight, plan, gradient);
    }

    // Likewise, with a partial sum for each piece of 64 channels of a head.
    private static void BackwardBanded(
        CudaDevice cuda, in ConvPlan plan, ConvSize size, TapRule rule, DeviceSpan x, DeviceSpan weight, DeviceSpan dy, DeviceSpan? dx, DeviceSpan? dweight)
    {
        int pieces = (size.R + ConvPlan.BandChannels - 1) / ConvPlan.BandChannels;
        long sums = (long)plan.Parts * size.H * pieces * size.K;
        using var scratch = new CallScratch(cuda, sums * sizeof(float));
        DeviceSpan? partial = dweight is null ? null : scratch.Span(0, sums);
        cuda.Launch(
            BandedBackward[ConvPlan.BandTiles(size.K)][x.Type], plan.Grid, plan.Block, plan.SharedBytes,
            x, weight, dy, dx, partial, size.B, size.T, size.C, size.H, size.K, size.LeftPadding, plan.Parts, plan.Stages,
            rule.Softmax ? 1 : 0, rule.Drop.Key.Seed, rule.Drop.Key.Stream, cuda.StreamShift, rule.Drop.Threshold, rule.Drop.Scale);
        if (dweight is { } gradient)
            SumParts(cuda, size with { C = size.H * pieces }, rule, partial!.Value, weight, plan, gradient);
    }

    private static void BackwardGeneric(
        CudaDevice cuda, in ConvPlan plan, ConvSize size, TapRule rule, DeviceSpan x, DeviceSpan weight, DeviceSpan dy, DeviceSpan? dx, DeviceSpan? dweight)
    {
        var sums = ConvPlan.PartialGradient(size);
        long taps = (long)size.H * size.K, partials = dweight is null ? 0 : (long)sums.Parts * size.C * size.K;
        using var scratch = new CallScratch(cuda, (taps + partials) * sizeof(float));
        if (dx is { } input)
        {
            Prepare(cuda, size, rule, weight, scratch.Span(0, taps));
            cuda.Launch(
                InputGradients[dy.Type], plan.Grid, plan.Block, 0, dy, scratch.Span(0, taps), input, size.T, size.C, size.R, size.K, size.LeftPadding);
        }

        if (dweight is { } gradient)
        {
            var partial = scratch.Span(taps, partials);
            cuda.Launch(
                PartialGradients[x.Type], sums.Grid, sums.Block, 0, x, dy, partial, size.B, size.T, size.C, size.K, size.LeftPadding, sums.Parts);
            SumParts(cuda, size, rule, partial, weight, sums, gradient);
        }
    }

    private static void Prepare(CudaDevice cuda, ConvSize size, TapRule rule, DeviceSpan weight, DeviceSpan taps)
    {
        const int Warp = 32;
        int blocks = (int)((((long)size.H * Warp) + ConvPlan.BlockThreads - 1) / ConvPlan.BlockThreads);
        cuda.Launch(
            Taps, new Dim3(blocks), new Dim3(ConvPlan.BlockThreads), 0, weight, taps, size.H, size.K,
            rule.Softmax ? 1 : 0, rule.Drop.Key.Seed, rule.Drop.Key.Stream, cuda.StreamShift, rule.Drop.Threshold, rule.Drop.Scale);
    }

    // The second pass: all parts in order. `parts` without parts gives the gradient of nothing.
    private static void SumParts(
        CudaDevice cuda, ConvSize size, TapRule rule, DeviceSpan partial, DeviceSpan weight, in ConvPlan parts, DeviceSpan dweight)
    {
        const int Threads = 256;
        cuda.Launch(
            WeightGradients, new Dim3(size.H), new Dim3(Threads), 0,
            partial, weight, dweight, size.C, size.R, size.K, parts.Parts, Math.Max(1, parts.Width), parts.Heads,
            rule.Softmax ? 1 : 0, rule.Drop.Key.Seed, rule.Drop.Key.Stream, cuda.StreamShift, rule.Drop.Threshold, rule.Drop.Scale);
    }

    private static void StepCuda(
        CudaDevice cuda, ConvSize size, TapRule rule, DeviceSpan x, DeviceSpan weight, DeviceSpan window, DeviceSpan positions, DeviceSpan y)
    {
        if (y.Length == 0)
            return;
        var plan = ConvPlan.Step(size, perSequence: false);
        cuda.Launch(
            Steps[x.Type], plan.Grid, plan.Block, plan.SharedBytes,
            x, weight, window, y, size.B, size.C, size.R, size.K, positions, plan.Width, plan.Steps,
            rule.Softmax ? 1 : 0, rule.Drop.Key.Seed, rule.Drop.Key.Stream, cuda.StreamShift, rule.Drop.Threshold, rule.Drop.Scale);
    }
}
