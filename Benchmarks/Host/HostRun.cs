using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Benchmarks;

/// <summary>
/// <c>host [--filter TEXT]</c>: what an op on a GPU costs the host apart from the driver: time and managed memory an op, over a driver whose calls return at once
/// (null_driver.c, which this compiles with cc into the output folder). Nothing is computed; the op's own checks, its memory, its tape and its launch are what is measured.
/// Every sample is 32 ops in a scope of their own; the table shows the median of the samples, and the bytes beyond those of the tensors that the op gives to its caller.
/// </summary>
internal static class HostRun
{
    private const int OpsAScope = 32;
    private const int ScopesASample = 500;
    private const int Samples = 15;

    public static int Run(string[] options)
    {
        var filter = new NameFilter("host", new OptionList("host", options, "--filter TEXT").Text("--filter"));
        string driver = Build();
        foreach (string variable in (string[])[CudaVariables.DriverLibrary, CudaVariables.CublasLibrary, CudaVariables.CublasLtLibrary])
            Environment.SetEnvironmentVariable(variable, driver);
        using var device = new CudaDevice(0);
        using var outer = TensorScope.Begin();
        var cases = filter.Of(HostCases.All(device), c => c.Name);
        int width = cases.Select(c => c.Name.Length).Append("op".Length).Max();
        Console.WriteLine($"{"op".PadRight(width)}  {"time an op",10}  {"launches",8}  {"bytes",6}  {"beyond tensors",14}");
        var (_, perTensor, _) = Measure(device, new HostCase("", () => Tensor.Empty(device, [8], DType.Float32, "")));
        foreach (var c in cases)
        {
            var (seconds, bytes, launches) = Measure(device, c);
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"{c.Name.PadRight(width)}  {seconds * 1e9,7:f0} ns  {launches,8:f1}  {bytes,6:f0}  {bytes - (c.Tensors * perTensor),14:f0}"));
        }

        return 0;
    }

    private static (double Seconds, double Bytes, double Launches) Measure(CudaDevice device, HostCase c)
    {
        var times = new double[Samples];
        double bytes = 0, launches = 0;
        for (int sample = -2; sample < Samples; sample++)
        {
            long launched = device.KernelLaunches, allocated = GC.GetAllocatedBytesForCurrentThread(), start = Stopwatch.GetTimestamp();
            for (int i = 0; i < ScopesASample; i++)
            {
                using var scope = TensorScope.Begin();
                for (int op = 0; op < OpsAScope; op++)
                    c.Op();
            }

            double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            const double Ops = ScopesASample * OpsAScope;
            bytes = (GC.GetAllocatedBytesForCurrentThread() - allocated) / Ops;
            launches = (device.KernelLaunches - launched) / Ops;
            if (sample >= 0)
                times[sample] = seconds / Ops;
        }

        Array.Sort(times);
        return (times[Samples / 2], bytes, launches);
    }

    // The library beside the program, made anew: it takes a tenth of a second.
    private static string Build()
    {
        string folder = Path.Combine(AppContext.BaseDirectory, "Host"), library = Path.Combine(folder, "libcuda.so.1");
        string[] arguments = ["-O2", "-shared", "-fPIC", Path.Combine(folder, "null_driver.c"), "-o", library, "-ldl"];
        try
        {
            using var compiler = Process.Start("cc", arguments);
            compiler.WaitForExit();
            return compiler.ExitCode == 0 ? library : throw new OptionException($"host: cc {string.Join(' ', arguments)} ended with {compiler.ExitCode}.");
        }
        catch (Win32Exception e)
        {
            throw new OptionException($"host: needs a C compiler called cc, got {e.Message}.");
        }
    }
}

/// <summary>An op to measure.</summary>
/// <param name="Name">Op and sizes.</param>
/// <param name="Op">Calls it once.</param>
/// <param name="Tensors">Tensors that it gives to its caller.</param>
internal sealed record HostCase(string Name, Action Op, int Tensors = 1);
