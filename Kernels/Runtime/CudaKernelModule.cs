namespace CudaSeq.Kernels;

/// <summary>
/// The kernels as a GPU holds them. Loading takes some tenths of a second and every device of a process on one GPU has the same context, so they share it: the first
/// loads, the last to go unloads.
/// </summary>
internal sealed class CudaKernelModule : IDisposable
{
    private static readonly Lock Guard = new();
    private static readonly Dictionary<nint, CudaKernelModule> ByContext = [];

    private readonly CudaContext _context;
    private readonly CudaModule _module;
    private int _users;

    private CudaKernelModule(CudaContext context, CudaModule module, string origin)
    {
        _context = context;
        _module = module;
        Origin = origin;
    }

    /// <summary>What CUDA calls it.</summary>
    public nint Value => _module.Value;

    /// <summary>Where the kernels come from, in words.</summary>
    public string Origin { get; }

    /// <summary>The kernels of a context; disposed by each who asked.</summary>
    /// <param name="context">Current, and retained as long as the module is used.</param>
    /// <param name="computeCapability">90 for 9.0.</param>
    /// <param name="where">The device, for messages.</param>
    /// <exception cref="CudaException">They cannot be had.</exception>
    public static CudaKernelModule Rent(CudaContext context, int computeCapability, string where)
    {
        lock (Guard)
        {
            if (!ByContext.TryGetValue(context.Value, out var shared))
                ByContext.Add(context.Value, shared = Load(context, computeCapability, where));
            shared._users++;
            return shared;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (Guard)
        {
            if (--_users > 0)
                return;
            ByContext.Remove(_context.Value);
            _module.Dispose();
        }
    }

    // The assembly's image may have nothing for a chip newer than the assembly, or PTX too new for the driver: then the source is compiled.
    private static CudaKernelModule Load(CudaContext context, int computeCapability, string where)
    {
        string refusal = "";
        foreach (var image in KernelImage.Candidates(computeCapability))
        {
            var result = CudaModule.TryLoad(context, image.Bytes, out var module, out string log);
            if (result == CudaResult.Success)
                return new(context, module!, image.Origin + refusal);
            string message = result.Describe($"cuModuleLoadDataEx of the kernels from {image.Origin}", where) + (log.Length > 0 ? $" {log}" : "");
            if (!image.IsEmbedded || result is not (CudaResult.NoBinaryForGpu or CudaResult.UnsupportedPtxVersion or CudaResult.InvalidPtx or CudaResult.InvalidImage))
                throw new CudaException(message, (int)result);
            refusal = $" ({message})";
        }

        throw new CudaException($"CUDA: there are no kernels for {where}.");
    }
}
