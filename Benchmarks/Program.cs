using BenchmarkDotNet.Running;
using CudaSeq.Benchmarks;

if (args is ["quick", .. var options])
    return QuickRun.Run(options);
BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args, new RateConfig());
return 0;
