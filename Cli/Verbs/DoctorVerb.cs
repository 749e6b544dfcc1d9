using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using CudaSeq.Kernels;
using CudaSeq.Models;
using CudaSeq.Tensors;

namespace CudaSeq.Cli;

/// <summary><c>cudaseq doctor</c>: what CudaSeq finds on this machine, and whether it computes rightly.</summary>
internal sealed class DoctorVerb : Verb
{
    private const int Size = 192;

    private static readonly TimeSpan MeasuringTime = TimeSpan.FromMilliseconds(300);

    private readonly Option<bool> _places = Flag("--places", "List where each missing library of CUDA was looked for, also where there is no driver.");

    public DoctorVerb()
        : base("doctor", "Show what CudaSeq finds on this machine and check that it computes rightly.")
        => Add(_places);

    public override IReadOnlyList<(string Line, string What)> Examples =>
    [
        ("cudaseq doctor", "Takes about a second; exit code 1 when a check fails."),
        ("DOTNET_EnableAVX512=0 cudaseq doctor", "Checks the next lower instruction set."),
    ];

    public override int Run(ParseResult arguments, Terminal terminal, CancellationToken cancellation)
    {
        // What the machine's memory holds is known from the last collection on.
        GC.Collect();
        var memory = GC.GetGCMemoryInfo();
        using var cpu = new CpuDevice();
        var tiers = Enum.GetValues<InstructionTier>().Where(t => t <= cpu.Tier).Reverse().ToArray();
        TextTable.WriteFacts(
            terminal,
            [
                ("cudaseq", $"{BuildInfo.Version} ({BuildInfo.Commit})"),
                ("system", Machine.System()),
                ("runtime", $"{RuntimeInformation.FrameworkDescription}, {RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant()}"),
                ("processor", Machine.Processor()),
                ("logical processors", Environment.ProcessorCount.ToString(CultureInfo.InvariantCulture)),
                ("memory", $"{Machine.Bytes(memory.TotalAvailableMemoryBytes)}, {Machine.Bytes(Math.Max(0, memory.TotalAvailableMemoryBytes - memory.MemoryLoadBytes))} free"),
                ("instructions", $"{Devices.NameOf(cpu.Tier)} in use; available: {string.Join(", ", tiers.Select(Devices.NameOf))}"),
                ("device names", string.Join(", ", Device.Names)),
                ("data sets", terminal.Variable("CUDASEQ_DATA") is { Length: > 0 } data ? $"{data}{(Directory.Exists(data) ? "" : " (there is no such folder)")}" : "CUDASEQ_DATA is not set"),
            ]);
        terminal.Out.WriteLine();
        TextTable.WriteFacts(terminal, CudaReport.Facts(arguments.GetValue(_places)));
        terminal.Out.WriteLine();
        bool good = true;
        foreach (var tier in tiers)
        {
            cancellation.ThrowIfCancellationRequested();
            using var device = new CpuDevice(threads: null, tier);
            good &= Check(terminal, device, $"{device}, {Devices.NameOf(device.Tier)}", $"on {device.Threads} threads");
        }

        for (int i = 0; i < CudaReport.Gpus; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            string name = string.Create(CultureInfo.InvariantCulture, $"cuda:{i}");
            try
            {
                using var device = Device.Open(name);
                good &= Check(terminal, device, name, "by cuBLAS in float32");
            }
            catch (CudaException e)
            {
                terminal.Out.WriteLine($"check  {name,-20}  WRONG  {e.Message}");
                good = false;
            }
        }

        if (!good)
            terminal.Error.WriteLine("cudaseq: a check failed; results on this machine cannot be trusted.");
        return good ? CommandLine.Success : CommandLine.Failure;
    }

    private static bool Check(Terminal terminal, Device device, string name, string how)
    {
        using var scope = TensorScope.Begin();
        using var noGrad = new NoGrad();
        var a = new float[Size * Size];
        var b = new float[Size * Size];
        new RandomSource(1).Normal(a, 0, 1);
        new RandomSource(2).Normal(b, 0, 1);
        var (left, right) = (Tensor.From(device, a, [Size, Size]), Tensor.From(device, b, [Size, Size]));

        // The addition of nothing shows that a GPU's kernels are there.
        float[] product = Ops.Add(Ops.MatMul(left, right), Tensor.Zeros(device, [Size, Size])).ToArray();
        double error = LargestError(a, b, product);
        bool good = error < 1e-4;
        var clock = Stopwatch.StartNew();
        long products = 0;
        for (; clock.Elapsed < MeasuringTime; products++)
        {
            using var inner = TensorScope.Begin();
            Ops.MatMul(left, right);
        }

        // Waits for what a GPU has queued.
        product = Ops.MatMul(left, right).ToArray();
        products++;
        double rate = 2.0 * Size * Size * Size * products / clock.Elapsed.TotalSeconds / 1e9;
        terminal.Out.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"check  {name,-20}  {(good ? "right" : "WRONG"),-5}  largest error {error:0.0e+0}  {rate,6:f1} GFLOP/s in {Size} x {Size} products {how}"));
        return good;
    }

    private static double LargestError(float[] a, float[] b, float[] product)
    {
        double largest = 0;
        for (int row = 0; row < Size; row++)
        {
            for (int column = 0; column < Size; column++)
            {
                double sum = 0;
                for (int k = 0; k < Size; k++)
                    sum += (double)a[(row * Size) + k] * b[(k * Size) + column];
                double error = Math.Abs(sum - product[(row * Size) + column]);
                largest = double.IsNaN(error) ? double.PositiveInfinity : Math.Max(largest, error);
            }
        }

        return largest;
    }
}
