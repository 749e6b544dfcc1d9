using BenchmarkDotNet.Running;
using CudaSeq.Benchmarks;
using CudaSeq.Kernels;

const string Usage =
    """
    compare  [--suite NAME] [--out DIR] ...         ops, updates or decodings beside each rival that is installed, in turns in one run
    page     DIR --output FILE                      the page of what compare measured, as Markdown
    startup  --tool FILE --model DIR                how long one sentence waits for the tool
    quick    [--filter TEXT] [--device NAME] ...    the ops that cost time, each beside a ceiling of the machine, in some minutes
    models   [--device NAME] ...                    training and translating in tokens per second
    host     [--filter TEXT]                        what an op on a GPU costs the host, apart from the driver
    describe --device NAME --json FILE              the GPU, into a file of figures
    record   FILE SECTION KEY=VALUE ...             facts, into a file of figures
    --filter '*LightConv*' ...                      BenchmarkDotNet's own way, and its own options; --list flat shows the names
    VERB --help lists a verb's options.
    """;

try
{
    switch (args)
    {
        case [] or ["--help" or "-h" or "help", ..] or ["page" or "record", "--help" or "-h"]:
            Console.WriteLine(Usage);
            return 0;
        case ["compare", .. var options]:
            return CompareRun.Run(options);
        case ["page", .. var options]:
            return CpuPage.Run(options);
        case ["startup", .. var options]:
            return StartupRun.Run(options);
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
        case [var verb, ..] when !verb.StartsWith('-'):
            throw new OptionException($"Benchmarks: unknown verb {verb}.\n{Usage}");
    }
}
catch (HelpException e)
{
    Console.WriteLine(e.Message);
    return 0;
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
