using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>
/// A tensor that a module learns. It is declared with its shape and its initial distribution when the module is built, and gets memory when the module is
/// initialised: so a model's parameters can be listed and counted without allocating any.
/// </summary>
public sealed class Parameter
{
    private Tensor? _tensor;

    internal Parameter(Shape shape, Initializer initializer)
    {
        Shape = shape;
        Initializer = initializer;
    }

    /// <summary>The sizes of the axes.</summary>
    public Shape Shape { get; }

    /// <summary>How the values start.</summary>
    public Initializer Initializer { get; }

    /// <summary>Whether the parameter has memory.</summary>
    public bool IsInitialized => _tensor is not null;

    /// <summary>The values.</summary>
    /// <exception cref="InvalidOperationException">The module was not initialised.</exception>
    public Tensor Tensor => _tensor ?? throw new InvalidOperationException($"Parameter: {Shape} must be initialised before use; call Module.Initialize.");

    internal void Initialize(Device device, RandomSource random)
    {
        var values = new float[Shape.Count];
        Initializer.Fill(values, Shape, random);
        _tensor?.Dispose();
        _tensor = Scopes.Leave(Tensor.From(device, values, Shape)).AsParameter();
    }

    internal void Free()
    {
        _tensor?.Dispose();
        _tensor = null;
    }
}
