using System.Diagnostics;

namespace CudaSeq.Tests;

/// <summary>eng/get-cuda-compiler.sh says in one line why it cannot, each reason with an exit code of its own. No test reaches for the network.</summary>
public sealed class CompilerScriptTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public CompilerScriptTests() => Assert.SkipUnless(OperatingSystem.IsLinux() && File.Exists("/bin/bash"), "needs bash on Linux");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void ACompleteFolderIsLeftAlone()
    {
        string[] libraries = ["libnvrtc.so.12", "libnvrtc-builtins.so.12.4", "libnvfatbin.so.12"];
        Directory.CreateDirectory(_folder.PathOf("compiler"));
        foreach (string library in libraries)
            _folder.File($"compiler/{library}", "");
        Assert.Equal((0, ""), Run("", _folder.PathOf("compiler")));
        Assert.Equal(libraries.Order(StringComparer.Ordinal), Directory.EnumerateFiles(_folder.PathOf("compiler")).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void OneFolderIsAllItTakes()
        => Assert.Equal((2, "get-cuda-compiler.sh: usage: eng/get-cuda-compiler.sh [FOLDER]\n"), Run("", "one", "two"));

    [Fact]
    public void AMachineWithoutAptIsTold()
        => Assert.Equal((3, "get-cuda-compiler.sh: needs apt-get, which only Debian and its relatives have\n"), Run(_folder.PathOf(""), _folder.PathOf("compiler")));

    [Fact]
    public void AMachineWithoutADebianMirrorIsTold()
    {
        Pretend("echo 'https://example.org/apt/ stable-tools main'; echo 'https://example.org/debian/ bookworm contrib'");
        Assert.Equal((4, "get-cuda-compiler.sh: apt's configuration names no Debian mirror\n"), Run($"{_folder.PathOf("")}:{Usual}", _folder.PathOf("compiler")));
    }

    [Fact]
    public void AMachineWithoutANetworkIsTold()
    {
        Pretend("if [ \"$1\" = indextargets ]; then echo 'https://example.org/debian/ bookworm main'; else echo 'W: late'; echo 'E: cannot resolve'; exit 100; fi");
        Assert.Equal(
            (5, "get-cuda-compiler.sh: cannot get libnvrtc12 libnvrtc-builtins12.4 libnvfatbin12 of trixie from this machine's Debian mirror: E: cannot resolve\n"),
            Run($"{_folder.PathOf("")}:{Usual}", _folder.PathOf("compiler")));
        Assert.False(Directory.Exists(_folder.PathOf("compiler")));
    }

    private static string Usual => Environment.GetEnvironmentVariable("PATH") ?? "";

    // An apt-get of our own, found before the machine's; dpkg-deb is there in any case.
    private void Pretend(string script)
    {
        foreach (var (name, text) in ((string, string)[])[("apt-get", script), ("dpkg-deb", "exit 1"), ("dpkg", "echo amd64")])
        {
            string file = _folder.File(name, $"#!/bin/sh\n{text}\n");
            if (!OperatingSystem.IsWindows())
                File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        }
    }

    private static (int Code, string Said) Run(string path, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("/bin/bash", [Repository.File("eng/get-cuda-compiler.sh"), .. arguments])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            Environment = { ["PATH"] = path.Length > 0 ? path : Usual },
        })!;
        string said = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, said);
    }
}
