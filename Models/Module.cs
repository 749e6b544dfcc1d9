using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>
/// A part of a model: parameters of its own and smaller modules, each under a name. Building a module declares its parameters;
/// <see cref="Initialize"/> gives them memory and first values. A module owns its parameters and is disposed by its user.
/// </summary>
public abstract class Module : IDisposable
{
    private readonly List<(string Name, Parameter? Parameter, Module? Module)> _members = [];
    private Device? _device;

    /// <summary>Where the parameters live.</summary>
    /// <exception cref="InvalidOperationException">The module was not initialised.</exception>
    public Device Device => _device ?? throw new InvalidOperationException($"{GetType().Name}: must be initialised before use; call Initialize.");

    /// <summary>The type of the activations, float32 at first. Parameters stay float32.</summary>
    public DType Precision { get; private set; }

    /// <summary>The number of learned values; shared ones count once. Known before the module is initialised.</summary>
    public long ParameterCount => Declared().Sum(p => p.Parameter.Shape.Count);

    /// <summary>The parameters in order of declaration; a shared one appears once.</summary>
    /// <exception cref="InvalidOperationException">The module was not initialised.</exception>
    public IEnumerable<Tensor> Parameters => Declared().Select(p => p.Parameter.Tensor);

    /// <summary>
    /// The parameters with their full names, for example <c>decoder.layers.0.conv.weight</c>, in order of declaration; a shared one appears once,
    /// under the name of the module that declared it.
    /// </summary>
    /// <exception cref="InvalidOperationException">The module was not initialised.</exception>
    public IEnumerable<(string Name, Tensor Tensor)> NamedParameters() => Declared().Select(p => (p.Name, p.Parameter.Tensor));

    /// <summary>Names and shapes of the parameters in the order of <see cref="NamedParameters"/>; known before the module is initialised.</summary>
    public IEnumerable<(string Name, Shape Shape)> ParameterShapes() => Declared().Select(p => (p.Name, p.Parameter.Shape));

    /// <summary>
    /// Gives every parameter memory on a device and its first values. The same seed gives the same bits on every device. Parameters belong to the module,
    /// whatever scope is open.
    /// </summary>
    /// <param name="device">Where the parameters will live.</param>
    /// <param name="random">Draws one stream for each parameter that starts at random, in order of declaration.</param>
    public void Initialize(Device device, RandomSource random)
    {
        foreach (var (_, parameter) in Declared())
            parameter.Initialize(device, random);
        Settle(device);
    }

    /// <summary>Chooses the type of the activations from now on, for this module and its parts. No file remembers it.</summary>
    /// <param name="precision">Float32; on a GPU also BFloat16, or Float16 where nothing is trained.</param>
    /// <exception cref="ArgumentException">The device does not compute in it.</exception>
    /// <exception cref="InvalidOperationException">The module was not initialised.</exception>
    public void ComputeIn(DType precision)
    {
        Precisions.Check(Device, precision);
        Choose(precision);
    }

    /// <summary>
    /// From now on linear layers, the one over the vocabulary included, multiply in integers of 8 bits, as <see cref="Ops.QuantizedLinear"/> says. For inference: gradients are
    /// refused. The parameters stay float32, and no file remembers it.
    /// </summary>
    /// <exception cref="InvalidOperationException">The module was not initialised.</exception>
    public void Quantize()
    {
        foreach (var parameter in Parameters)
            parameter.IsQuantized = true;
    }

    /// <summary>
    /// Overwrites all parameters with the tensors of a file. fairseq's names are understood, past ones too: filters as [H, 1, K], queries, keys and values in one
    /// matrix, shared tables stored several times, version counters. Tensors called <c>optimizer.</c> are passed over. Shapes are checked before anything is changed.
    /// </summary>
    /// <param name="file">An open file; the caller disposes it.</param>
    /// <exception cref="InvalidDataException">
    /// One line for each parameter that is missing, unknown or of another shape, for example
    /// <c>model.safetensors: decoder.layers.3.conv.weight is [16, 31], the model wants [16, 15].</c>
    /// </exception>
    /// <exception cref="InvalidOperationException">The module was not initialised.</exception>
    public void LoadParameters(SafetensorsFile file) => ParameterLoader.Load(
        this, Path.GetFileName(file.FilePath), file.Names.ToDictionary(n => n, n => new ParameterLoader.Entry(file.ShapeOf(n), () => file.ReadFloats(n))));

    /// <summary>Overwrites all parameters with given tensors.</summary>
    /// <param name="source">Where the tensors come from, for error messages.</param>
    /// <param name="tensors">Float tensors by name, on any device.</param>
    /// <inheritdoc cref="LoadParameters(SafetensorsFile)"/>
    public void LoadParameters(string source, IReadOnlyDictionary<string, Tensor> tensors)
        => ParameterLoader.Load(this, source, tensors.ToDictionary(t => t.Key, t => new ParameterLoader.Entry(t.Value.Shape, t.Value.ToArray)));

    /// <summary>Frees the parameters.</summary>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Every parameter with its full name.</summary>
    internal IEnumerable<(string Name, Parameter Parameter)> Declared(string prefix = "")
    {
        foreach (var (name, parameter, module) in _members)
        {
            if (parameter is not null)
            {
                yield return (prefix + name, parameter);
                continue;
            }

            foreach (var inner in module!.Declared(name.Length == 0 ? prefix : $"{prefix}{name}."))
                yield return inner;
        }
    }

    /// <summary>Declares a parameter.</summary>
    /// <param name="name">Its name within this module.</param>
    /// <param name="shape">Sizes of the axes.</param>
    /// <param name="initializer">How it starts.</param>
    protected Parameter Declare(string name, Shape shape, Initializer initializer)
    {
        var parameter = new Parameter(shape, initializer);
        _members.Add((name, parameter, null));
        return parameter;
    }

    /// <summary>Makes a module part of this one, which will initialise and dispose it.</summary>
    /// <param name="name">Its name within this module; empty where its parameters are to appear as this module's own.</param>
    /// <param name="module">The part; it must be part of nothing else.</param>
    /// <returns><paramref name="module"/>.</returns>
    protected TModule Add<TModule>(string name, TModule module)
        where TModule : Module
    {
        _members.Add((name, null, module));
        return module;
    }

    /// <summary>Frees what the module owns.</summary>
    /// <param name="disposing">Always true.</param>
    protected virtual void Dispose(bool disposing)
    {
        foreach (var (_, parameter, module) in _members)
        {
            parameter?.Free();
            module?.Dispose();
        }
    }

    private void Choose(DType precision)
    {
        Precision = precision;
        foreach (var (_, _, module) in _members)
            module?.Choose(precision);
    }

    private void Settle(Device device)
    {
        _device = device;
        foreach (var (_, _, module) in _members)
            module?.Settle(device);
    }
}
