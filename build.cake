// dotnet tool restore && dotnet cake [--target=NAME] [--configuration=Debug]; dotnet cake --description lists the targets.

var target = Argument("target", "Default");
var configuration = Argument("configuration", "Release");

const int NoCompiler = 3; // what eng/CompileKernels exits with where there is none

void Run(string program, string arguments)
{
    int code = StartProcess(program, arguments);
    if (code != 0)
        throw new CakeException(code, $"{program} {arguments} exited with {code}.");
}

bool Has(string program) => Context.Tools.Resolve(program) is not null;

Task("Format")
    .Description("Formats C# with dotnet format and device code with clang-format where there is one; with --check only says what it would change.")
    .Does(() =>
{
    bool check = HasArgument("check");
    Run("dotnet", $"format whitespace{(check ? " --verify-no-changes" : "")}");
    if (!Has("clang-format"))
    {
        Warning("Device code is left as it is: there is no clang-format.");
        return;
    }

    var sources = GetFiles("./**/*.cu") + GetFiles("./**/*.cuh") + GetFiles("./Tests/Emulator/**/*.cpp") + GetFiles("./Tests/Emulator/**/*.h");
    var committed = sources.Select(f => Context.Environment.WorkingDirectory.GetRelativePath(f).FullPath).Where(f => !f.StartsWith("artifacts/"));
    Run("clang-format", $"{(check ? "--dry-run -Werror" : "-i")} {string.Join(' ', committed)}");
});

Task("Kernels")
    .Description("Compiles NativeKernels.cu into artifacts/kernels, with nvcc >= 12 or with an NVRTC that it fetches; a hot kernel that spills is an error.")
    .Does(() =>
{
    const string Compile = "run --project eng/CompileKernels -c Release --";
    int code = StartProcess("dotnet", Compile);
    if (code == NoCompiler && IsRunningOnLinux() && StartProcess("bash", "eng/get-cuda-compiler.sh") == 0)
        code = StartProcess("dotnet", Compile);
    if (code == NoCompiler)
        Warning("Goes on without compiled kernels: a GPU will compile them at first use.");
    else if (code != 0)
        throw new CakeException(code, "The kernels were not compiled.");
});

Task("Emulator")
    .Description("Builds the CUDA emulator into artifacts/emulator where there is a C++ compiler.")
    .Does(() =>
{
    if (IsRunningOnWindows() || !Has(EnvironmentVariable("CXX", "g++")))
        Warning("Goes on without the emulator, and its tests are skipped: there is no C++ compiler.");
    else
        Run("bash", "Tests/Emulator/build.sh");
});

Task("Build")
    .Description("Builds everything; embeds the compiled kernels where they are current.")
    .Does(() => Run("dotnet", $"build -c {configuration}"));

Task("Test")
    .Description("Runs all tests, those of CUDA on the GPU where there is one and else on the emulator.")
    .IsDependentOn("Build")
    .Does(() => Run("dotnet", $"test -c {configuration} --no-build"));

Task("TestCuda")
    .Description("Runs all tests, those of CUDA on a real GPU; fails where there is none.")
    .IsDependentOn("Kernels")
    .IsDependentOn("Build")
    .Does(() =>
{
    string test = $"test -c {configuration} --no-build -e CUDASEQ_TEST_GPU=1";
    // Without a GPU these few fail, so that the others need not.
    Run("dotnet", $"{test} --filter FullyQualifiedName~CudaDeviceTests");
    Run("dotnet", test);
});

Task("Bench")
    .Description("Measures the ops that cost time beside the machine's own ceilings.")
    .IsDependentOn("Kernels")
    .Does(() => Run("dotnet", "run -c Release --project Benchmarks -- quick"));

Task("Pack")
    .Description("Packs the three libraries and the tool into artifacts/packages.")
    .IsDependentOn("Kernels")
    .Does(() =>
{
    foreach (string project in new[] { "Kernels", "Tensors", "Models", "Cli" })
        Run("dotnet", $"pack {project} -c Release -o artifacts/packages");
});

Task("GpuBundle")
    .Description("Packs tests, benchmarks and compiled kernels for a machine with a GPU and no SDK: artifacts/cudaseq-gpu.tar.xz.")
    .IsDependentOn("Kernels")
    .Does(() => Run("bash", "eng/gpu-bundle.sh"));

Task("Default")
    .Description("Kernels, Emulator, Build, Test.")
    .IsDependentOn("Kernels")
    .IsDependentOn("Emulator")
    .IsDependentOn("Build")
    .IsDependentOn("Test");

RunTarget(target);
