using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using CudaSeq.Kernels;

namespace CudaSeq.Benchmarks;

/// <summary>PyTorch, in a Python process of its own that runs torch_rival.py and is asked a line at a time.</summary>
internal sealed class TorchRival : Rival
{
    private static readonly string Script = Path.Combine(AppContext.BaseDirectory, "Compare", "torch_rival.py");

    // A case of a model has thousands of tokens in it.
    private const int MostShown = 200;

    private readonly Process _process;
    private readonly Task<string> _complaint;
    private readonly string _outputs = Path.GetTempFileName();
    private readonly string _python;
    private readonly TorchLibraries? _libraries;

    private TorchRival(Process process, Task<string> complaint, string name, string python, TorchLibraries? libraries)
        => (_process, _complaint, Name, _python, _libraries) = (process, complaint, name, python, libraries);

    /// <inheritdoc/>
    public override string Name { get; }

    /// <summary>Whether that Python has CTranslate2 too.</summary>
    public bool HasCTranslate2 { get; private init; }

    /// <summary>Starts it with the Python of CUDASEQ_PYTHON, or else with the first that has PyTorch: <c>python3</c>, or the system's.</summary>
    /// <param name="device">Ours: it computes on the same GPU, or on as many threads.</param>
    /// <param name="why">Why it cannot be had; empty where it can.</param>
    /// <returns>Null where there is no Python or no PyTorch, or none for the device.</returns>
    public static TorchRival? Start(Device device, out string why)
    {
        var reasons = new List<string>();
        foreach (string python in Environment.GetEnvironmentVariable("CUDASEQ_PYTHON") is { } named ? [named] : new[] { "python3", "/usr/bin/python3" })
        {
            if (Start(python, device, libraries: null, out string reason) is { } rival)
            {
                why = "";
                return rival;
            }

            reasons.Add(reason);
        }

        why = string.Join("; ", reasons);
        return null;
    }

    /// <summary>The same with MKL, which it is fastest with on many processors: where it takes its BLAS from the system and they are installed.</summary>
    /// <param name="device">Ours.</param>
    /// <returns>Null where it computes with MKL already, or cannot.</returns>
    public TorchRival? WithMkl(Device device)
    {
        if (device is not CpuDevice || Name.Contains(TorchLibraries.Mkl, StringComparison.Ordinal) || TorchLibraries.Find() is not { } libraries)
            return null;
        var rival = Start(_python, device, libraries, out _);
        if (rival?.Name.Contains(TorchLibraries.Mkl, StringComparison.Ordinal) ?? false)
            return rival;

        // One that came up all the same owns the libraries.
        ((IDisposable?)rival ?? libraries).Dispose();
        return null;
    }

    /// <inheritdoc/>
    public override float[]? Prepare(JsonObject order)
    {
        var answer = Answer(new JsonObject { ["do"] = "prepare", ["case"] = order.DeepClone(), ["result"] = _outputs });
        return answer.ContainsKey("skip") ? null : MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(_outputs)).ToArray();
    }

    /// <inheritdoc/>
    public override double Sample(int repetitions) => (double)Answer(new JsonObject { ["do"] = "sample", ["repetitions"] = repetitions })["seconds"]!;

    /// <inheritdoc/>
    public override void ResetPeak() => Answer(new JsonObject { ["do"] = "reset" });

    /// <inheritdoc/>
    public override long? PeakBytes() => (long?)Answer(new JsonObject { ["do"] = "peak" })["bytes"];

    /// <inheritdoc/>
    public override void Dispose()
    {
        // The end of its input is the end of its work.
        _process.StandardInput.Close();
        if (!_process.WaitForExit(TimeSpan.FromSeconds(5)))
            _process.Kill();
        _process.Dispose();
        _libraries?.Dispose();
        File.Delete(_outputs);
    }

    private static TorchRival? Start(string python, Device device, TorchLibraries? libraries, out string why)
    {
        int threads = device is CpuDevice cpu ? cpu.Threads : Environment.ProcessorCount;
        var start = new ProcessStartInfo(python, [Script]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string name in (string[])["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"])
            start.Environment[name] = threads.ToString(CultureInfo.InvariantCulture);
        RivalSettings.SetFor(start.Environment);
        libraries?.Choose(start.Environment);
        Process process;
        try
        {
            process = Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            why = $"{python}: {e.Message.TrimEnd('.')}";
            return null;
        }

        // Read while it runs, so that a long complaint stops nobody.
        var complaint = process.StandardError.ReadToEndAsync();
        if (Ask(process, new JsonObject { ["do"] = "hello", ["threads"] = threads, ["device"] = device is CudaDevice ? $"{device}" : "cpu" }) is { } hello)
        {
            why = "";
            return new TorchRival(process, complaint, $"{hello["name"]} {hello["version"]} ({hello["detail"]})", python, libraries) { HasCTranslate2 = (bool)hello["ctranslate2"]! };
        }

        process.WaitForExit();
        why = $"{python}: {LastLine(complaint)}";
        process.Dispose();
        return null;
    }

    private static JsonObject? Ask(Process process, JsonObject question)
    {
        try
        {
            process.StandardInput.WriteLine(question.ToJsonString());
            process.StandardInput.Flush();
        }
        catch (IOException)
        {
            return null;
        }

        return process.StandardOutput.ReadLine() is { } line ? JsonNode.Parse(line)!.AsObject() : null;
    }

    // An exception says what it is in its last line.
    private static string LastLine(Task<string> complaint) => complaint.Result.Split('\n', StringSplitOptions.RemoveEmptyEntries).LastOrDefault()?.Trim() ?? "ended";

    private JsonObject Answer(JsonObject question)
    {
        if (Ask(_process, question) is { } answer)
            return answer;
        string asked = question.ToJsonString();
        throw new InvalidDataException($"{Name}: must answer, it ended ({LastLine(_complaint)}) when asked {(asked.Length > MostShown ? asked[..MostShown] + "..." : asked)}.");
    }
}
