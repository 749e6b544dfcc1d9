using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using CudaSeq.Kernels;

namespace CudaSeq.Tensors;

/// <summary>
/// A dense array of numbers on a device, row-major. A tensor made while a <see cref="TensorScope"/> is open belongs to it and dies with it;
/// one made outside belongs to the caller, who disposes it. Views share memory and keep it alive.
/// </summary>
public sealed partial class Tensor : IDisposable
{
    // A hundred bytes and no more: an update of a model makes some hundreds of tensors.
    private readonly DeviceBuffer _buffer;
    private readonly long _offset;
    private Companions? _companions;
    private TensorEnd _end;

    private Tensor(DeviceBuffer buffer, long offset, Shape shape, DType dtype, string origin)
    {
        _buffer = buffer;
        _offset = offset;
        Shape = shape;
        DType = dtype;
        Origin = origin;
        TensorScope.Current?.Adopt(this);
    }

    /// <summary>The sizes of the axes.</summary>
    public Shape Shape { get; }

    /// <summary>The type of the elements.</summary>
    public DType DType { get; }

    /// <summary>Where the elements live.</summary>
    public Device Device => _buffer.Device;

    /// <summary>Whether gradients flow to this tensor: a parameter, or something computed from one.</summary>
    public bool RequiresGrad { get; private set; }

    /// <summary>Whether the elements may still be used.</summary>
    public bool IsAlive => _end == TensorEnd.None && _buffer.IsOpen;

    /// <summary>The op that made this tensor, for error messages.</summary>
    internal string Origin { get; }

    /// <summary>The tape's record of how this tensor was made; null for what the user made.</summary>
    internal TapeNode? Node { get; set; }

    /// <summary>The scope that will free this tensor.</summary>
    internal TensorScope? Scope { get; set; }

    /// <summary>The tensor's place in its scope's list.</summary>
    internal int PlaceInScope { get; set; }

    /// <summary>The elements for a kernel.</summary>
    /// <exception cref="ObjectDisposedException">The tensor is dead.</exception>
    internal DeviceSpan Data
    {
        get
        {
            if (!IsAlive)
                ThrowDead();
            return new DeviceSpan(_buffer, _offset, Shape.Count, DType);
        }
    }

    /// <summary>Whether nobody else shares the memory, so that it may be overwritten.</summary>
    internal bool OwnsMemory => _buffer.References == 1;

    /// <summary>A tensor of zeros.</summary>
    /// <param name="device">Where.</param>
    /// <param name="shape">Sizes of the axes.</param>
    /// <param name="dtype">Element type.</param>
    public static Tensor Zeros(Device device, Shape shape, DType dtype = DType.Float32)
    {
        var tensor = Empty(device, shape, dtype, nameof(Zeros));
        FillKernel.Zero(tensor.Data);
        if (dtype == DType.Int32)
            tensor._buffer.Bounds = new IndexBounds(0, 0);
        return tensor;
    }

    /// <summary>A tensor of one value.</summary>
    /// <param name="device">Where.</param>
    /// <param name="shape">Sizes of the axes.</param>
    /// <param name="value">The value of every element.</param>
    public static Tensor Full(Device device, Shape shape, float value)
    {
        var tensor = Empty(device, shape, DType.Float32, nameof(Full));
        FillKernel.Fill(tensor.Data, value);
        return tensor;
    }

    /// <summary>A float tensor with the given elements.</summary>
    /// <param name="device">Where.</param>
    /// <param name="values">The elements, row-major.</param>
    /// <param name="shape">Sizes of the axes; one axis when omitted.</param>
    /// <exception cref="ArgumentException">The shape holds another number of elements.</exception>
    public static Tensor From(Device device, ReadOnlySpan<float> values, Shape? shape = null)
    {
        var tensor = Empty(device, CheckCount(values.Length, shape), DType.Float32, nameof(From));
        CopyKernel.FromHost(values, tensor.Data);
        return tensor;
    }

    /// <summary>An integer tensor with the given elements: token ids, lengths, indices.</summary>
    /// <inheritdoc cref="From(Device, ReadOnlySpan{float}, Shape?)"/>
    public static Tensor From(Device device, ReadOnlySpan<int> values, Shape? shape = null)
    {
        var tensor = Empty(device, CheckCount(values.Length, shape), DType.Int32, nameof(From));
        tensor.CopyFrom(values);
        return tensor;
    }

    /// <summary>
    /// The same elements under another shape: a free view, gradients flow through it.
    /// </summary>
    /// <param name="shape">As many elements as this tensor has.</param>
    /// <exception cref="ArgumentException">The numbers of elements differ.</exception>
    public Tensor Reshape(Shape shape) => Ops.Reshape(this, shape);

    /// <summary>Rows <paramref name="start"/> .. <paramref name="start"/> + <paramref name="length"/> - 1 of the leading axis: a free view, gradients flow through it.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The rows do not exist.</exception>
    public Tensor Rows(int start, int length) => Ops.Rows(this, start, length);

    /// <summary>The same numbers in another type, rounded to the nearest; gradients flow through it. Training in <see cref="Kernels.DType.BFloat16"/> begins with it.</summary>
    /// <param name="dtype">A type of floats; on the processor there is Float32 alone.</param>
    /// <returns>New, or this tensor where it has the type.</returns>
    /// <exception cref="ArgumentException">One of the types is not of floats, or the device does not have it.</exception>
    public Tensor To(DType dtype) => Ops.Convert(this, dtype);

    /// <summary>The same elements without history: a free view to which no gradient flows.</summary>
    public Tensor Detach() => View(Shape, 0, nameof(Detach));

    /// <summary>Declares a tensor that the user made a parameter: gradients flow to it and accumulate in <see cref="Grad"/>.</summary>
    /// <returns>This tensor.</returns>
    /// <exception cref="InvalidOperationException">The tensor was computed from others or holds integers.</exception>
    public Tensor AsParameter()
    {
        if (Node is not null || DType != DType.Float32)
            throw new InvalidOperationException($"AsParameter: must be a Float32 tensor that was not computed from others, got {this}.");
        RequiresGrad = true;
        return this;
    }

    /// <summary>
    /// Computes the gradient of this single number with respect to every parameter it was computed from, and adds it to their <see cref="Grad"/>.
    /// Activations on the way are freed as soon as they have been used.
    /// </summary>
    /// <param name="retain">Keep the activations, so that they can be read, or another loss on the same tape differentiated, afterwards.</param>
    /// <exception cref="InvalidOperationException">Not a single number, not computed from any parameter, or its tape was already released.</exception>
    public void Backward(bool retain = false)
    {
        if (Shape.Count != 1)
            throw new InvalidOperationException($"Backward: must start from a single number or be given a gradient, got {this}.");
        Tape.Backward(this, null, retain);
    }

    /// <summary>The same from any tensor, given the gradient of some later number with respect to it.</summary>
    /// <param name="gradient">The shape of this tensor, float, on its device.</param>
    /// <param name="retain">Keep the activations.</param>
    /// <exception cref="InvalidOperationException">Another shape or device, not computed from any parameter, or its tape was already released.</exception>
    public void Backward(Tensor gradient, bool retain = false)
    {
        if (gradient.Shape != Shape || gradient.DType != DType || !ReferenceEquals(gradient.Device, Device))
            throw new InvalidOperationException($"Backward: the gradient must be like the tensor, got {gradient} for {this}.");
        Tape.Backward(this, gradient, retain);
    }

    /// <summary>Moves this tensor from its scope to the one outside it, or to the caller when there is none.</summary>
    /// <returns>This tensor.</returns>
    public Tensor Keep()
    {
        _ = Data;
        if (Scope is { } scope)
        {
            scope.Disown(this);
            scope.Outer?.Adopt(this);
        }

        return this;
    }

    /// <summary>The float elements, copied to the host; narrower ones are widened on the way, which is exact.</summary>
    /// <exception cref="InvalidOperationException">The tensor holds integers.</exception>
    public float[] ToArray()
    {
        var values = new float[Shape.Count];
        CopyTo(values);
        return values;
    }

    /// <summary>The integer elements, copied to the host.</summary>
    /// <exception cref="InvalidOperationException">The tensor holds floats.</exception>
    public int[] ToIntArray()
    {
        var values = new int[Shape.Count];
        CopyTo(values);
        return values;
    }

    /// <summary>Copies the float elements to the host; narrower ones are widened on the way, which is exact.</summary>
    public void CopyTo(Span<float> destination)
    {
        CheckTransfer(nameof(CopyTo), DType.IsNarrow() ? DType : DType.Float32, destination.Length);
        if (!DType.IsNarrow())
        {
            CopyKernel.ToHost(Data, destination);
            return;
        }

        using var scratch = new CallScratch(Device, Shape.Count * sizeof(float));
        var wide = scratch.Span(0, Shape.Count);
        CopyKernel.Convert(Data, wide);
        CopyKernel.ToHost(wide, destination);
    }

    /// <summary>Copies the integer elements to the host.</summary>
    public void CopyTo(Span<int> destination)
    {
        CheckTransfer(nameof(CopyTo), DType.Int32, destination.Length);
        CopyKernel.ToHost(Data, destination);
    }

    /// <summary>Overwrites the float elements from the host, in place and outside the tape.</summary>
    public void CopyFrom(ReadOnlySpan<float> source)
    {
        CheckTransfer(nameof(CopyFrom), DType.Float32, source.Length);
        CopyKernel.FromHost(source, Data);
    }

    /// <summary>Overwrites the integer elements from the host, in place.</summary>
    public void CopyFrom(ReadOnlySpan<int> source)
    {
        CheckTransfer(nameof(CopyFrom), DType.Int32, source.Length);
        CopyKernel.FromHost(source, Data);
        NoteBounds(IndexBounds.Of(source));
    }

    /// <summary>Overwrites the elements with those of another tensor, in place and outside the tape; nothing is copied through the host.</summary>
    /// <param name="source">Of the same shape, type and device, in other memory.</param>
    /// <exception cref="InvalidOperationException">The two do not match.</exception>
    public void CopyFrom(Tensor source)
    {
        if (source.Shape != Shape || source.DType != DType || !ReferenceEquals(source.Device, Device))
            throw new InvalidOperationException($"{nameof(CopyFrom)}: the source must be like the tensor, got {source} for {this}.");
        Data.Buffer.Touch();
        CopyKernel.Copy(source.Data, Data);
        NoteBounds(source.Data.Buffer.Bounds);
    }

    /// <summary>The value of a tensor with one float element.</summary>
    /// <exception cref="InvalidOperationException">The tensor has another number of elements or holds integers.</exception>
    public float Item()
    {
        Span<float> value = stackalloc float[1];
        CopyTo(value);
        return value[0];
    }

    /// <summary>Gives the memory back. Harmless when repeated.</summary>
    public void Dispose() => Kill(TensorEnd.Disposed);

    /// <summary>For example <c>LightConv [8, 20, 512] Float32 on cpu</c>.</summary>
    public override string ToString() => $"{Origin} {Shape} {DType} on {Device}";

    /// <summary>An uninitialised tensor for an op to fill.</summary>
    /// <exception cref="ArgumentException">The device does not compute with the type.</exception>
    internal static Tensor Empty(Device device, Shape shape, DType dtype, string origin)
    {
        if (dtype.IsNarrow() && device is CpuDevice)
            throw new ArgumentException($"{origin}: the processor computes in Float32 everywhere, got {dtype} for {shape} on {device}.");
        var buffer = device.Rent(Math.Max(1, shape.Count) * dtype.Size());
        buffer.Label = origin;
        return new Tensor(buffer, 0, shape, dtype, origin);
    }

    /// <summary>An uninitialised tensor of this one's type on its device: a result for an activation, a gradient for any input.</summary>
    internal Tensor NewLike(Shape shape, string origin) => Empty(Device, shape, DType, origin);

    /// <summary>An uninitialised float32 tensor on the device of this one: statistics and losses, which are float32 whatever the activations are.</summary>
    internal Tensor NewFloats(Shape shape, string origin) => Empty(Device, shape, DType.Float32, origin);

    /// <summary>A tensor without history over part of this one's memory.</summary>
    internal Tensor View(Shape shape, long offset, string origin)
    {
        var data = Data;
        data.Buffer.AddReference();
        return new Tensor(data.Buffer, data.Offset + offset, shape, DType, origin);
    }

    internal void AttachNode(TapeNode node)
    {
        Node = node;
        RequiresGrad = true;
    }

    /// <summary>The tape forgot how this tensor was made; if it outlives its scope, it goes on as a constant.</summary>
    internal void DetachNode()
    {
        Node = null;
        RequiresGrad = false;
    }

    /// <summary>A tensor over the same memory that does not keep it, of no scope: whoever holds it must know that the memory is still there.</summary>
    internal Tensor Alias()
    {
        var data = Data;
        var alias = new Tensor(data.Buffer.Alias(), data.Offset, Shape, DType, Origin);
        alias.Scope?.Disown(alias);
        return alias;
    }

    /// <summary>Ends the tensor's life; the error of a later use says how.</summary>
    internal void Kill(TensorEnd how)
    {
        if (_end != TensorEnd.None)
            return;
        Scope?.Disown(this);
        _end = how;
        _buffer.Release();
        ZeroGrad();
        DropCopies();
    }

    private static Shape CheckCount(int count, Shape? shape)
    {
        var result = shape ?? [count];
        if (result.Count != count)
            throw new ArgumentException($"Tensor.From: the shape must hold as many elements as there are values, got {result} and {count} values.");
        return result;
    }

    /// <summary>Notes that these integers come from others: no gate needs to look at them. What a graph repeats may come from other numbers the next time: there a gate must ask.</summary>
    internal void TakeBounds(IndexBounds? bounds)
    {
        if (Device is not CudaDevice { IsCapturing: true })
            _buffer.Bounds = bounds;
    }

    // What a view leaves as it was keeps its bounds, if it has any.
    private void NoteBounds(IndexBounds? bounds)
    {
        bool whole = Shape.Count * sizeof(int) == _buffer.Bytes;
        _buffer.Bounds = whole || bounds is not { } some ? bounds : _buffer.Bounds?.With(some);
    }

    private void CheckTransfer(string name, DType dtype, int length)
    {
        if (DType != dtype || Shape.Count != length)
            throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"{name}: host and tensor must match, got {length} x {dtype} and {this}."));
    }

    [DoesNotReturn]
    private void ThrowDead()
    {
        string how = _end switch
        {
            TensorEnd.Disposed => "was disposed. Keep() moves a tensor to the outer scope.",
            TensorEnd.Scope => "died with its TensorScope. Keep() moves a tensor to the outer scope.",
            TensorEnd.Scratch => "was freed by Backward. Keep() moves a tensor to the outer scope.",
            TensorEnd.Backward => "was freed by Backward (pass retain: true to read activations afterwards). Keep() moves a tensor to the outer scope.",
            _ => "died with its device.",
        };
        throw new ObjectDisposedException(Origin, $"The tensor {Shape} made by {Origin} {how}");
    }
}
