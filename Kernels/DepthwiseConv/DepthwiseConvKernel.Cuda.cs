namespace CudaSeq.Kernels;

internal static partial class DepthwiseConvKernel
{
    private static readonly CudaKernelWidths WindowForward = new("depthwise_conv_forward_k", ConvPlan.WindowWidths, KernelTypes.Inference);
    private static readonly CudaKernelWidths WindowBackward = new("depthwise_conv_backward_k", ConvPlan.WindowWidths, KernelTypes.Training);
    private static readonly CudaKernelFamily Outputs = new("depthwise_conv_forward", KernelTypes.Inference);
    private static readonly CudaKernelFamily InputGradients = new("depthwise_conv_backward", KernelTypes.Training);
    private static readonly CudaKernelFamily PartialGradients = new("depthwise_conv_partial_gradient", KernelTypes.Training);
    private static readonly CudaKernel ParameterGradients = new("depthwise_conv_parameter_gradient_f32");

    private static void ForwardCuda(CudaDevice cuda, ConvSize size, DeviceSpan x, DeviceSpan weight, DeviceSpan? bias, DeviceSpan y)
    {
        if (y.Length == 0)
            return;
        var plan = ConvPlan.DepthwiseForward(size, x.Type.Size(), x.Address | y.Address);
        if (plan.Path == ConvPath.Window)
        {
            cuda.Launch(
                WindowForward[size.K][x.Type], plan.Grid, plan.Block, 0,
                x, weight, bias, y, size.B, size.T, size.C, size.LeftPadding, plan.Steps);
            return;
        }

        cuda.Launch(Outputs[x.Type], plan.Grid, plan.Block, 0, x, weight, bias, y, size.T, size.C, size.K, size.LeftPadding);
    }

    private static void BackwardCuda(
        CudaDevice cuda, ConvSize size, DeviceSpan x, DeviceSpan weight, DeviceSpan dy, DeviceSpan? dx, DeviceSpan? dweight, DeviceSpan? dbias)
    {
        if (size.C == 0)
            return;
        bool parameters = dweight is { } || dbias is { };
        if (dy.Length == 0)
        {
            if (parameters)
                SumParts(cuda, size, dweight ?? dbias!.Value, 0, dweight, dbias);
            return;
        }

        var plan = ConvPlan.DepthwiseBackward(size, x.Type.Size(), x.Address | dy.Address | (dx is { } aligned ? aligned.Address : 0));
        var sums = plan.Path == ConvPath.Window ? plan : ConvPlan.PartialGradient(size);
        long partials = (long)sums.Parts * size.C * (size.K + 1);
        using var scratch = new CallScratch(cuda, partials * sizeof(float));
        DeviceSpan? partial = parameters ? scratch.Span(0, partials) : null;
        if (plan.Path == ConvPath.Window)
        {
            cuda.Launch(
                WindowBackward[size.K][x.Type], plan.Grid, plan.Block, 0,
                x, weight, dy, dx, partial, size.B, size.T, size.C, size.LeftPadding, plan.Steps, plan.Parts);
        }
        else
        {
            if (dx is { } input)
                cuda.Launch(InputGradients[dy.Type], plan.Grid, plan.Block, 0, dy, weight, input, size.T, size.C, size.K, size.LeftPadding);
            if (parameters)
            {
                cuda.Launch(
                    PartialGradients[x.Type], sums.Grid, sums.Block, 0, x, dy, partial, size.B, size.T, size.C, size.K, size.LeftPadding, sums.Parts);
            }
        }

        if (parameters)
            SumParts(cuda, size, partial!.Value, sums.Parts, dweight, dbias);
    }

    // The second pass: all parts in order. No parts are a gradient of zeros.
    private static void SumParts(CudaDevice cuda, ConvSize size, DeviceSpan partial, int parts, DeviceSpan? dweight, DeviceSpan? dbias)
    {
        const int Threads = 256;
        int blocks = (int)((((long)size.C * (size.K + 1)) + Threads - 1) / Threads);
        cuda.Launch(ParameterGradients, new Dim3(blocks), new Dim3(Threads), 0, partial, dweight, dbias, size.C, size.K, parts);
    }
}
