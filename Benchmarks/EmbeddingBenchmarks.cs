using CudaSeq.Tensors;

namespace CudaSeq.Benchmarks;

/// <summary>Looking N tokens up in a table of V rows of C channels, and adding their gradients up.</summary>
public class EmbeddingBenchmarks : IQuickBenchmarks
{
    public IEnumerable<QuickCase> Cases(Setting setting)
    {
        var dtype = setting.DType;
        var (n, v, c) = setting.Sizes switch
        {
            Sizes.Gpu => (Setting.GpuTokens, 32768, 1024),
            Sizes.Smoke => (20, 50, 32),
            _ => (2048, 8000, 512),
        };

        // Forward reads and writes N rows; backward reads N rows and writes V. The table and its gradient are float32.
        double row = (double)setting.ElementBytes * c, tableRow = (double)sizeof(float) * c;
        yield return new QuickCase($"Embedding {n} of [{v}, {c}]", new Work(0, n * (row + tableRow), n), device =>
        {
            var (table, ids) = (Inputs.Normal(device, [v, c]), Inputs.Tokens(device, [n], v));
            return () => Ops.Embedding(table, ids, dtype: dtype);
        });
        yield return new QuickCase($"Embedding {n} of [{v}, {c}] backward", new Work(0, (n * row) + (v * tableRow), n), device =>
        {
            var (table, ids) = (Inputs.Parameter(device, [v, c]), Inputs.Tokens(device, [n], v));
            return Inputs.Backward(Ops.Embedding(table, ids, dtype: dtype), table);
        });
    }
}
