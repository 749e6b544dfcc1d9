using System.Globalization;
using System.Reflection;

namespace CudaSeq.Kernels;

/// <summary>Compiled kernels, ready to be loaded into a device.</summary>
/// <param name="Bytes">A cubin, a fatbin or PTX, or what the emulator loads in their place, with a 0 behind it.</param>
/// <param name="Origin">Where they come from, in words.</param>
/// <param name="IsEmbedded">Whether they lay in the assembly, where they are for the chips that were known when it was built.</param>
internal sealed record KernelImage(byte[] Bytes, string Origin, bool IsEmbedded)
{
    /// <summary>The compiled kernels in the assembly, where it was built with a CUDA compiler.</summary>
    public const string Resource = "NativeKernels.fatbin";

    /// <summary>
    /// What a device can be given, in the order in which it should be tried: the file that the user names and nothing else, the kernels in the assembly, its source
    /// compiled here and now. A later one is only made when an earlier one has nothing for the device.
    /// </summary>
    /// <param name="computeCapability">90 for 9.0.</param>
    /// <exception cref="CudaException">There is none.</exception>
    public static IEnumerable<KernelImage> Candidates(int computeCapability)
    {
        if (Environment.GetEnvironmentVariable(CudaVariables.KernelImage) is { Length: > 0 } file)
        {
            yield return new(Terminated(ReadFile(file)), file, IsEmbedded: false);
            yield break;
        }

        // Code for GPUs is of no use to the emulator, which brings what was compiled for this processor.
        if (CudaDriver.IsEmulated)
        {
            string image = CudaDriver.EmulatorImage()
                ?? throw new CudaException($"CUDA: the emulator must have its kernels beside it, or {CudaVariables.KernelImage} must name them.");
            yield return new(Terminated(ReadFile(image)), image, IsEmbedded: false);
            yield break;
        }

        if (ReadResource() is { } embedded)
            yield return new(Terminated(embedded), $"the assembly, {Size(embedded.Length)}", IsEmbedded: true);
        if (KernelSource.Read() is not { } source)
            throw new CudaException($"CUDA: this build of CudaSeq has no kernels for compute capability {computeCapability / 10}.{computeCapability % 10}.");
        yield return Compile(source, computeCapability);
    }

    /// <summary>What there is before a device is asked, for people.</summary>
    public static string State()
    {
        if (Environment.GetEnvironmentVariable(CudaVariables.KernelImage) is { Length: > 0 } file)
            return $"{file} ({CudaVariables.KernelImage}){(File.Exists(file) ? "" : ": there is no such file")}";
        if (CudaDriver.IsEmulated)
            return CudaDriver.EmulatorImage() ?? "none beside the emulator";
        var parts = new List<string>();
        if (ReadResource() is { } embedded)
            parts.Add($"compiled when the assembly was built, {Size(embedded.Length)}");
        if (KernelSource.Read() is not null)
            parts.Add($"{(parts.Count > 0 ? "source for other chips" : "source")}, compiled at first use and kept in {Cache().Folder ?? "no folder, for the user has none"}");
        return parts.Count > 0 ? string.Join("; ", parts) : "none in this build";
    }

    private static KernelImage Compile(string source, int computeCapability)
    {
        var compiler = new NvrtcCompiler(CudaPresence.OfProcess.Require(CudaLibrary.Nvrtc));
        string architecture = NvrtcCompiler.Architecture(computeCapability, compiler.Supported, compiler.Version);
        var cache = Cache();
        string key = KernelCache.Key(source, NvrtcCompiler.Options, architecture, compiler.Version), origin = $"source, by NVRTC {compiler.Version} for {architecture}";
        if (cache.Read(key) is { } kept)
            return new(Terminated(kept), $"{origin}, kept in {cache.Folder}", IsEmbedded: false);
        byte[] made = compiler.Compile(source, KernelSource.Unit, architecture);
        string? failure = cache.Write(key, made);
        return new(Terminated(made), $"{origin}, compiled now, {(failure is null ? $"kept in {cache.Folder}" : $"not kept: {failure}")}", IsEmbedded: false);
    }

    private static KernelCache Cache() => new(KernelCache.FolderOfUser(Environment.GetEnvironmentVariable, OperatingSystem.IsWindows()));

    private static byte[] ReadFile(string file)
        => File.Exists(file) ? File.ReadAllBytes(file) : throw new CudaException($"CUDA: {CudaVariables.KernelImage} must be a file, {file} is not there.");

    private static byte[]? ReadResource()
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(Resource);
        if (stream is null)
            return null;
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }

    // PTX is text, and the driver looks for its end.
    private static byte[] Terminated(byte[] bytes)
    {
        Array.Resize(ref bytes, bytes.Length + 1);
        return bytes;
    }

    private static string Size(int bytes) => string.Create(CultureInfo.InvariantCulture, $"{(bytes + 1023) / 1024:N0} KiB");
}
