using System.Globalization;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using CudaSeq.Kernels;

namespace CudaSeq.Benchmarks;

/// <summary>A parameter of a BenchmarkDotNet class that knows what a call of each method does.</summary>
public interface IWorkload
{
    /// <summary>The work of one call of a benchmark method.</summary>
    /// <param name="method">Its name.</param>
    Work WorkOf(string method);
}

/// <summary>Adds the rate and the fraction of the machine's measured ceiling to every benchmark that has an <see cref="IWorkload"/> among its parameters.</summary>
internal sealed class RateConfig : ManualConfig
{
    public RateConfig()
    {
        Add(DefaultConfig.Instance);
        var ceilings = new Lazy<Ceilings>(() =>
        {
            using var cpu = new CpuDevice();
            return Ceilings.Measure(cpu);
        });
        AddColumn(new RateColumn(ceilings, fraction: false), new RateColumn(ceilings, fraction: true));
    }

    private sealed class RateColumn(Lazy<Ceilings> ceilings, bool fraction) : IColumn
    {
        public string Id => ColumnName;

        public string ColumnName => fraction ? "Of ceiling" : "Rate";

        public bool AlwaysShow => true;

        public ColumnCategory Category => ColumnCategory.Custom;

        public int PriorityInCategory => fraction ? 1 : 0;

        public bool IsNumeric => true;

        public UnitType UnitType => UnitType.Dimensionless;

        public string Legend => fraction
            ? "Rate as a fraction of this machine's fused multiply-add rate or copy bandwidth, whichever limits the work, measured in this run"
            : "GFLOP/s, or GB/s where memory limits the work";

        public bool IsAvailable(Summary summary) => true;

        public bool IsDefault(Summary summary, BenchmarkCase benchmarkCase) => false;

        public string GetValue(Summary summary, BenchmarkCase benchmarkCase) => GetValue(summary, benchmarkCase, SummaryStyle.Default);

        public string GetValue(Summary summary, BenchmarkCase benchmarkCase, SummaryStyle style)
        {
            var workload = benchmarkCase.Parameters.Items.Select(p => p.Value).OfType<IWorkload>().FirstOrDefault();
            if (workload is null || summary[benchmarkCase]?.ResultStatistics is not { } statistics)
                return "-";
            var work = workload.WorkOf(benchmarkCase.Descriptor.WorkloadMethod.Name);
            bool bound = work.BoundByMemory(ceilings.Value);
            double seconds = statistics.Median / 1e9;
            if (!fraction)
                return work.Rate(seconds, bound);
            double least = bound ? work.Bytes / ceilings.Value.GigabytesPerSecond : work.Flops / ceilings.Value.GigaflopsPerSecond;
            return (least / 1e9 / seconds).ToString("p1", CultureInfo.InvariantCulture);
        }
    }
}
