namespace CudaSeq.Kernels;

/// <summary>
/// y = f(x) element by element, and dx = dy f'(x). One more function is two operators in ElementwiseKernel.Cpu.cs, their twins in ElementwiseKernel.cuh with two exports, and an entry here.
/// </summary>
internal abstract partial class ElementwiseKernel
{
    /// <summary>y = e^x.</summary>
    public static readonly ElementwiseKernel Exp = new Function<ExpFunction, ExpSlope>(nameof(Exp), keepsInput: false);

    /// <summary>y = x Phi(x), where Phi is the cumulative normal distribution.</summary>
    public static readonly ElementwiseKernel Gelu = new Function<GeluFunction, GeluSlope>(nameof(Gelu), keepsInput: true);

    /// <summary>y = max(0, x).</summary>
    public static readonly ElementwiseKernel Relu = new Function<ReluFunction, ReluSlope>(nameof(Relu), keepsInput: false);

    /// <summary>y = 1 / (1 + e^-x).</summary>
    public static readonly ElementwiseKernel Sigmoid = new Function<SigmoidFunction, SigmoidSlope>(nameof(Sigmoid), keepsInput: false);

    /// <summary>y = tanh x. Of a y rounded to bfloat16, 1 - y^2 would have no digit right near the ends.</summary>
    public static readonly ElementwiseKernel Tanh = new Function<TanhFunction, TanhSlope>(nameof(Tanh), keepsInput: true);

    private ElementwiseKernel(string name, bool keepsInput)
    {
        Name = name;
        KeepsInput = keepsInput;
    }

    /// <summary>The op.</summary>
    public string Name { get; }

    /// <summary>Whether backward wants x; else it wants y.</summary>
    public bool KeepsInput { get; }

    /// <summary>y = f(x), all [length]; y may be the very span x.</summary>
    public abstract void Forward(DeviceSpan x, DeviceSpan y);

    /// <summary>dx = dy f'(x), all [length]; dx may be the very span of another.</summary>
    /// <param name="kept">x or y, by <see cref="KeepsInput"/>.</param>
    /// <param name="dy">The gradient of y.</param>
    /// <param name="dx">The gradient of x.</param>
    public abstract void Backward(DeviceSpan kept, DeviceSpan dy, DeviceSpan dx);

    private sealed partial class Function<TFunction, TSlope>(string name, bool keepsInput) : ElementwiseKernel(name, keepsInput)
        where TFunction : struct, IUnaryOperator
        where TSlope : struct, IBinaryOperator
    {
        public override void Forward(DeviceSpan x, DeviceSpan y)
        {
            switch (x.Device)
            {
                case CpuDevice cpu: Elementwise.Unary<TFunction>(cpu, x, y); break;
                case CudaDevice cuda: Elementwise.Unary(cuda, _forward, x, y); break;
                default: throw KernelException.NoKernel(Name, x.Device);
            }
        }

        public override void Backward(DeviceSpan kept, DeviceSpan dy, DeviceSpan dx)
        {
            switch (dy.Device)
            {
                case CpuDevice cpu: Elementwise.Binary<TSlope>(cpu, kept, dy, dx); break;
                case CudaDevice cuda: Elementwise.Binary(cuda, _backward, kept, dy, dx); break;
                default: throw KernelException.NoKernel(Name, dy.Device);
            }
        }
    }
}
