using System.Diagnostics;
using System.Globalization;
using CudaSeq.Kernels;

namespace CudaSeq.CompileKernels;

/// <summary>
/// Compiles NativeKernels.cu to artifacts/kernels/NativeKernels.fatbin, which the next build of Kernels embeds, and writes what each kernel takes to resources.txt
/// beside it; and NativeKernels.archive.fatbin, the same for fewer chips. A hot kernel that spills is an error, and leaves no image behind.
/// </summary>
internal static class Program
{
    private const string Usage = "usage: CompileKernels [--compiler nvcc|nvrtc]";
    private const int Failure = 1;
    private const int WrongUsage = 2;
    private const int NoCompiler = 3;

    // Machine code of another minor version runs too, but is slower; newer chips than these compile the PTX when it is loaded.
    private static readonly string[] Architectures = ["sm_80", "sm_86", "sm_89", "sm_90", "sm_90a", "compute_90"];

    // Those of a second, smaller image for eng/gpu-bundle.sh: every chip runs one of them.
    private static readonly string[] ArchiveArchitectures = ["sm_80", "sm_90a", "compute_90"];

    /// <summary>Exit code: 0 the image is made or was current, 1 the kernels cannot be built, 2 usage, 3 there is no CUDA compiler.</summary>
    public static int Main(string[] arguments)
    {
        string? chosen = arguments is ["--compiler", "nvcc" or "nvrtc"] ? arguments[1] : null;
        if (arguments.Length > 0 && chosen is null)
            return Fail(WrongUsage, Usage);
        try
        {
            string root = Root(), image = Path.Join(root, "artifacts/kernels/NativeKernels.fatbin"), table = Path.Join(root, "artifacts/kernels/resources.txt");
            if (IsCurrent(image, root))
            {
                Console.WriteLine($"{Shown(root, image)} is current");
                return 0;
            }

            IKernelCompiler? nvcc = chosen == "nvrtc" ? null : NvccBuild.Find(Path.Join(root, KernelSource.Unit));
            var compiler = nvcc ?? (chosen == "nvcc" ? null : NvrtcBuild.Find(Path.Join(root, "artifacts/cuda-compiler"), Source(root)));
            return compiler is null
                ? Fail(NoCompiler, "there is no nvcc >= 12 on PATH, in CUDA_PATH or in /usr/local/cuda, and no NVRTC in artifacts/cuda-compiler, where eng/get-cuda-compiler.sh puts it")
                : Build(compiler, root, image, table);
        }
        catch (BuildException e)
        {
            return Fail(Failure, e.Message);
        }
    }

    private static int Build(IKernelCompiler compiler, string root, string image, string table)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(image)!);
        File.Delete(image);
        File.Delete(Archive(image));
        var clock = Stopwatch.StartNew();
        var parts = new CompiledKernels[Architectures.Length];
        int done = 0;
        Say($"{compiler.Name} compiles {KernelSource.Unit} for {parts.Length} architectures, two at a time: some minutes");
        try
        {
            Parallel.For(0, parts.Length, new ParallelOptions { MaxDegreeOfParallelism = 2 }, i =>
            {
                parts[i] = compiler.Compile(Architectures[i]);
                Say($"{Interlocked.Increment(ref done)}/{parts.Length}  {Architectures[i]}  after {clock.Elapsed.TotalSeconds:F0} s");
            });
        }
        catch (AggregateException e)
        {
            // The same mistake for every architecture: once is enough.
            throw e.InnerExceptions[0];
        }

        foreach (string remark in parts.SelectMany(p => KernelResources.Remarks(p.Messages)).Distinct())
            Console.WriteLine(remark);
        KernelResources[] resources = [.. parts.SelectMany(p => KernelResources.Parse(p.Messages))];
        if (Silent(parts, resources) is { } silent)
            return Fail(Failure, $"{compiler.Name} must say what each kernel takes, it does not for {silent}");
        var hot = HotKernels.Parse(File.ReadAllText(Path.Join(root, HotKernels.File)));
        File.WriteAllText(table, ResourceTable.Write(compiler.Name, resources, hot));
        string[] problems = [.. hot.Problems(resources)];
        foreach (string problem in problems)
            Fail(Failure, problem);
        if (problems.Length > 0)
            return Failure;

        Replace(Archive(image), compiler.Pack([.. parts.Where(p => ArchiveArchitectures.Contains(p.Architecture))]));
        byte[] packed = compiler.Pack(parts);
        Replace(image, packed);
        int kernels = resources.DistinctBy(r => r.Kernel).Count(), spilling = resources.Where(r => r.Spills).DistinctBy(r => r.Kernel).Count();
        Say($"{compiler.Name}: {kernels} kernels for {string.Join(", ", Architectures)} in {clock.Elapsed.TotalSeconds:F1} s");
        Say($"{Shown(root, image)}: {(packed.Length + 1023) / 1024:N0} KiB");
        Say($"{Shown(root, table)}: {(spilling == 0 ? "no kernel spills" : $"{spilling} kernels spill, none of them hot")}");
        return 0;
    }

    // Whole or not at all.
    private static void Replace(string path, byte[] bytes)
    {
        File.WriteAllBytes($"{path}.new", bytes);
        File.Move($"{path}.new", path, overwrite: true);
    }

    // An architecture with fewer kernels in the account than another, which would hide a spill; sm_90a may have kernels of its own.
    private static string? Silent(IEnumerable<CompiledKernels> parts, IReadOnlyList<KernelResources> resources)
    {
        int Count(string architecture) => resources.Count(r => r.Architecture == architecture);
        int most = resources.Select(r => r.Architecture).Where(a => !a.EndsWith('a')).Distinct().Select(Count).DefaultIfEmpty(1).Max();
        return parts.Where(p => !p.IsPtx).Select(p => p.Architecture).FirstOrDefault(a => Count(a) < most);
    }

    // Whatever the image is made of is older: the kernels, the list and this program.
    private static bool IsCurrent(string image, string root)
        => File.Exists(image) && File.Exists(Archive(image))
            && Directory.EnumerateFiles(Path.Join(root, "Kernels"), "*.cuh", SearchOption.AllDirectories)
                .Append(Path.Join(root, KernelSource.Unit)).Append(Path.Join(root, HotKernels.File)).Append(typeof(Program).Assembly.Location)
                .All(f => File.GetLastWriteTimeUtc(f) < File.GetLastWriteTimeUtc(image));

    private static string Archive(string image) => Path.ChangeExtension(image, ".archive.fatbin");

    private static string Source(string root)
    {
        string? Read(string name) => Path.Join(root, name) is var path && File.Exists(path) ? File.ReadAllText(path) : null;
        return KernelSource.Flatten(KernelSource.Unit, File.ReadAllText(Path.Join(root, KernelSource.Unit)), Read);
    }

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Join(folder.FullName, KernelSource.Unit)))
            folder = folder.Parent ?? throw new BuildException($"no folder above {AppContext.BaseDirectory} holds {KernelSource.Unit}");
        return folder.FullName;
    }

    private static string Shown(string root, string path) => Path.GetRelativePath(root, path);

    private static void Say(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));

    private static int Fail(int code, string reason)
    {
        Console.Error.WriteLine($"CompileKernels: {reason}");
        return code;
    }
}
