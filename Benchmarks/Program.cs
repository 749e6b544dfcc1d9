using BenchmarkDotNet.Running;
using CudaSeq.Benchmarks;
using CudaSeq.Kernels;

try
{
    switch (args)
    {
        case ["quick", .. var options]:
            return QuickRun.Run(options);
        case ["models", .. var options]:
            return ModelRun.Run(options);
        case ["describe", .. var options]:
            return DescribeRun.Run(options);
        case ["host", .. var options]:
            return HostRun.Run(options);
        case ["record", .. var options]:
            return RecordRun.Run(options);
    }
}
catch (OptionException e)
{
    Console.Error.WriteLine(e.Message);
    return 2;
}
catch (Exception e) when (e is CudaException or InvalidDataException)
{
    Console.Error.WriteLine(e.Message);
    return 1;
}

BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args, new RateConfig());
return 0;
