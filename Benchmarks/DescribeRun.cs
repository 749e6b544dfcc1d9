using CudaSeq.Kernels;

namespace CudaSeq.Benchmarks;

/// <summary>
/// <c>describe --device NAME --json FILE</c>: loads the kernels of a GPU and begins its file of figures, so that the file says what machine it is of however early the
/// rest is stopped. Without a GPU it says where it looked.
/// </summary>
internal static class DescribeRun
{
    public static int Run(string[] arguments)
    {
        var options = new OptionList("describe", arguments, "--device NAME", "--json FILE");
        string json = options.Text("--json") ?? throw new OptionException("describe: --json FILE must be given.");
        using var device = options.OpenDevice("--device");
        if (device is not CudaDevice cuda)
            throw new OptionException("describe: --device must be a GPU, got cpu.");
        FiguresFile.Open(json).Describe(cuda);
        Console.WriteLine($"{cuda.Description}, kernels from {cuda.ImageOrigin}");
        return 0;
    }
}
