using System.Globalization;
using System.Text.Json.Nodes;

namespace CudaSeq.Benchmarks;

/// <summary>Those of a GPU: products of large matrices and copies.</summary>
/// <param name="Gpu">What it calls itself.</param>
/// <param name="Multiprocessors">How many it has.</param>
/// <param name="Kernels">Where the kernels come from.</param>
/// <param name="Products">GFLOP/s of large square products, each way of multiplying.</param>
/// <param name="Copy">GB/s of a large copy, reads and writes counted.</param>
internal sealed record GpuCeilings(string Gpu, int Multiprocessors, string Kernels, IReadOnlyList<(MatrixKind Kind, double Flops)> Products, double Copy)
    : MachineCeilings(Products.Single(p => p.Kind == MatrixKind.Float32).Flops, Copy)
{
    /// <inheritdoc/>
    public override string Title => string.Create(CultureInfo.InvariantCulture, $"{Gpu}, {Multiprocessors} multiprocessors, kernels from {Kernels}");

    /// <inheritdoc/>
    public override IEnumerable<string> Lines()
    {
        yield return Title;
        yield return $"{string.Join(", ", Rows().Select(r => $"{r.What} {r.Most}"))}";
    }

    /// <inheritdoc/>
    public override IEnumerable<(string What, string Most)> Rows() =>
    [
        .. Products.Select(p => ($"products in {Name(p.Kind)}", string.Create(CultureInfo.InvariantCulture, $"{p.Flops / 1e3:f1} TFLOP/s"))),
        ("copying memory", string.Create(CultureInfo.InvariantCulture, $"{Copy:f0} GB/s")),
    ];

    /// <inheritdoc/>
    public override JsonObject ToJson() => new()
    {
        ["gpu"] = Gpu,
        ["multiprocessors"] = Multiprocessors,
        ["kernels"] = Kernels,
        ["gigaflops"] = new JsonObject(Products.Select(p => KeyValuePair.Create<string, JsonNode?>(Name(p.Kind), p.Flops))),
        ["copy_gigabytes"] = Copy,
    };

    private static string Name(MatrixKind kind) => kind.ToString().ToLowerInvariant();
}
