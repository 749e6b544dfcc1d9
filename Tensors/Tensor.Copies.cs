using CudaSeq.Kernels;

namespace CudaSeq.Tensors;

// Parameters stay float32; where a matrix product wants them in the activations' type, it gets a copy that is made once and renewed when they have changed.
public sealed partial class Tensor
{
    private static readonly Lock Copying = new();

    private NarrowCopy? _bfloat16;
    private NarrowCopy? _float16;
    private IntegerCopy? _integers;
    private NarrowCopy? _panels;

    /// <summary>
    /// Whether <see cref="Ops.Linear"/> multiplies by this weight in integers of 8 bits, as <see cref="Ops.QuantizedLinear"/> says. For inference: what would have to be
    /// differentiated is refused. Everything else reads the floats, which stay as they are.
    /// </summary>
    public bool IsQuantized { get; set; }

    /// <summary>
    /// The elements in a type of floats: those of this tensor itself, or of a copy that is kept until they change. Overwritten by nobody but an optimiser. What a capture has made has a copy
    /// that the graph makes; what was there before must have been given one before.
    /// </summary>
    internal DeviceSpan As(DType dtype)
    {
        var data = Data;
        if (dtype == DType)
            return data;
        lock (Copying)
        {
            ref var copy = ref dtype == DType.BFloat16 ? ref _bfloat16 : ref _float16;
            if (copy is null && data.Device is CudaDevice { IsCapturing: true } capturing && !capturing.HasCaptured(data.Buffer))
                throw new CudaException($"{this}: its copy in {dtype} must be made before a capture.");
            copy ??= new NarrowCopy(OutsideOfScopes(Empty(Device, Shape, dtype, Origin)));
            Renew(copy, data);
            return copy.Tensor.Data;
        }
    }

    /// <summary>The integers and scales of a weight [O, I], kept until the weight changes; <see cref="QuantizedLinearKernel"/> says how they lie.</summary>
    internal (DeviceSpan Words, DeviceSpan Scales) AsIntegers()
    {
        var data = Data;
        var size = new QuantizedLinearSize(0, Shape[1], Shape[0], Activation.None);
        lock (Copying)
        {
            if (_integers is null || _integers.Version != data.Buffer.Version)
            {
                if (data.Device is CudaDevice { IsCapturing: true })
                    throw new CudaException($"{this}: its integers must be made before a capture.");
                _integers ??= new IntegerCopy(
                    OutsideOfScopes(Empty(Device, [size.PaddedOutputs * size.Groups], DType.Int32, Origin)), OutsideOfScopes(Empty(Device, [size.PaddedOutputs], DType.Float32, Origin)));
                QuantizedLinearKernel.Quantize(size, data, _integers.Words.Data, _integers.Scales.Data);
                _integers.Version = data.Buffer.Version;
            }

            return (_integers.Words.Data, _integers.Scales.Data);
        }
    }

    /// <summary>
    /// The panels of a weight [O, I] for products with so many rows, kept until it changes; null on a GPU, for other numbers of rows, and of what is no parameter: that is used once.
    /// </summary>
    internal DeviceSpan? Panels(int rows)
    {
        var data = Data;
        if (data.Device is not CpuDevice cpu || Node is not null || !RequiresGrad || !MatMulKernel.TakesPanels(rows))
            return null;
        lock (Copying)
        {
            long floats = MatMulKernel.PanelFloats(cpu, Shape[0], Shape[1]);
            _panels ??= new NarrowCopy(OutsideOfScopes(Empty(Device, [checked((int)floats)], DType.Float32, Origin)));
            if (_panels.Version != data.Buffer.Version)
            {
                unsafe
                {
                    MatMulKernel.PackPanels(cpu, Shape[0], Shape[1], data.Floats, _panels.Tensor.Data.Floats);
                }

                _panels.Version = data.Buffer.Version;
            }

            return _panels.Tensor.Data;
        }
    }

    /// <summary>Renews the copies that are there and no longer current: before work that reads them without asking, such as a captured graph.</summary>
    internal void RenewCopies()
    {
        lock (Copying)
        {
            if (_bfloat16 is { } bfloat16)
                Renew(bfloat16, Data);
            if (_float16 is { } float16)
                Renew(float16, Data);
        }
    }

    /// <summary>The copy that an optimiser may renew while it changes the elements; null where there is none that is current.</summary>
    internal DeviceSpan? CurrentCopy(DType dtype)
    {
        lock (Copying)
            return (dtype == DType.BFloat16 ? _bfloat16 : _float16) is { } copy && copy.Version == _data.Buffer.Version ? copy.Tensor.Data : null;
    }

    /// <summary>Says that the elements were overwritten in place, and with them the copy of a type.</summary>
    internal void Overwritten(DType withCopy)
    {
        lock (Copying)
        {
            var copy = withCopy == DType.BFloat16 ? _bfloat16 : _float16;
            bool renewed = copy is not null && copy.Version == _data.Buffer.Version;
            _data.Buffer.Touch();
            if (renewed)
                copy!.Version = _data.Buffer.Version;
        }
    }

    private static void Renew(NarrowCopy copy, DeviceSpan data)
    {
        if (copy.Version == data.Buffer.Version)
            return;
        CopyKernel.Convert(data, copy.Tensor.Data);

        // What a graph captures has not happened yet.
        if (data.Device is not CudaDevice { IsCapturing: true })
            copy.Version = data.Buffer.Version;
    }

    private static Tensor OutsideOfScopes(Tensor tensor)
    {
        tensor.Scope?.Disown(tensor);
        return tensor;
    }

    private void DropCopies()
    {
        _bfloat16?.Tensor.Dispose();
        _float16?.Tensor.Dispose();
        _panels?.Tensor.Dispose();
        _integers?.Words.Dispose();
        _integers?.Scales.Dispose();
        (_bfloat16, _float16, _integers, _panels) = (null, null, null, null);
    }

    private sealed class NarrowCopy(Tensor tensor)
    {
        public Tensor Tensor { get; } = tensor;

        /// <summary>The version of the elements that it was made of.</summary>
        public long Version { get; set; } = -1;
    }

    private sealed class IntegerCopy(Tensor words, Tensor scales)
    {
        public Tensor Words { get; } = words;

        public Tensor Scales { get; } = scales;

        /// <inheritdoc cref="NarrowCopy.Version"/>
        public long Version { get; set; } = -1;
    }
}
