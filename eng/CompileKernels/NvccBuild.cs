using System.Diagnostics;
using System.Text.RegularExpressions;
using CudaSeq.Kernels;

namespace CudaSeq.CompileKernels;

/// <summary>nvcc of a CUDA toolkit, and the fatbinary beside it.</summary>
internal sealed partial class NvccBuild : IKernelCompiler
{
    private const int OldestMajor = 12;

    // What -default-device is to NVRTC: functions that are constexpr may run on the device.
    private static readonly string[] Options = [.. NvrtcCompiler.Options.Where(o => o != "-default-device"), "--expt-relaxed-constexpr", "-Xptxas", "-v"];

    private readonly string _nvcc;
    private readonly string _source;

    private NvccBuild(string nvcc, Version version, string source)
    {
        _nvcc = nvcc;
        _source = source;
        Name = $"nvcc {version}";
    }

    public string Name { get; }

    /// <summary>The first nvcc that is new enough: on PATH, in a toolkit that the environment names, in the usual folder.</summary>
    /// <param name="source">The file of all kernels.</param>
    public static NvccBuild? Find(string source)
    {
        string[] folders =
        [
            .. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries),
            .. ((string[])["CUDA_PATH", "CUDA_HOME"]).Select(Environment.GetEnvironmentVariable).Where(f => !string.IsNullOrEmpty(f)).Select(f => Path.Join(f, "bin")),
            "/usr/local/cuda/bin",
        ];
        foreach (string nvcc in folders.Select(f => Executable(f, "nvcc")).Where(File.Exists))
        {
            var (status, text) = Run(nvcc, ["--version"]);
            if (status == 0 && Release().Match(text) is { Success: true } release && Version.Parse(release.Groups["version"].Value) is var version && version.Major >= OldestMajor)
                return new(nvcc, version, source);
        }

        return null;
    }

    public CompiledKernels Compile(string architecture)
    {
        using var output = new TemporaryFile();
        string kind = architecture.StartsWith("sm_", StringComparison.Ordinal) ? "--cubin" : "--ptx";
        var (status, messages) = Run(_nvcc, [kind, $"--gpu-architecture={architecture}", .. Options, "--output-file", output.Path, _source]);
        return status == 0
            ? new(architecture, File.ReadAllBytes(output.Path), messages)
            : throw new BuildException($"{Name}: {KernelSource.Unit} must compile for {architecture}, got:\n{messages.TrimEnd()}");
    }

    public byte[] Pack(IReadOnlyList<CompiledKernels> parts)
    {
        using var image = new TemporaryFile();
        var files = new List<TemporaryFile>();
        try
        {
            var arguments = new List<string> { $"--create={image.Path}", "-64", "--compress-all" };
            foreach (var part in parts)
            {
                var file = new TemporaryFile();
                files.Add(file);
                File.WriteAllBytes(file.Path, part.Code);
                arguments.Add($"--image3=kind={(part.IsPtx ? "ptx" : "elf")},sm={part.Number},file={file.Path}");
            }

            var (status, messages) = Run(Fatbinary(), arguments);
            return status == 0 ? File.ReadAllBytes(image.Path) : throw new BuildException($"fatbinary must pack the kernels, got:\n{messages.TrimEnd()}");
        }
        finally
        {
            files.ForEach(f => f.Dispose());
        }
    }

    // Beside nvcc, which on PATH may be a link into the toolkit.
    private string Fatbinary()
    {
        string[] places = [_nvcc, File.ResolveLinkTarget(_nvcc, returnFinalTarget: true)?.FullName ?? _nvcc];
        return places.Select(p => Executable(Path.GetDirectoryName(p)!, "fatbinary")).FirstOrDefault(File.Exists)
            ?? throw new BuildException($"there is no fatbinary beside {_nvcc}");
    }

    private static string Executable(string folder, string name) => Path.Join(folder, OperatingSystem.IsWindows() ? $"{name}.exe" : name);

    // Both streams in one text: nvcc puts ptxas's account on either.
    private static (int Status, string Text) Run(string program, IEnumerable<string> arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output + errors.Result);
    }

    [GeneratedRegex(@"release (?<version>\d+\.\d+)")]
    private static partial Regex Release();

    private sealed class TemporaryFile : IDisposable
    {
        public string Path { get; } = System.IO.Path.GetTempFileName();

        public void Dispose() => File.Delete(Path);
    }
}
