using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Benchmarks;

/// <summary>The optimiser's step over all parameters of a model: reads the gradient, reads and writes the parameter and both moments, 28 bytes a parameter.</summary>
public class AdamBenchmarks : IQuickBenchmarks
{
    private const int Width = 1024;

    public IEnumerable<QuickCase> Cases(Setting setting)
    {
        // The big models of the papers have about 200 million parameters; parameters and moments are float32, whatever the activations are.
        var (tensors, rows) = setting.Sizes switch
        {
            Sizes.Gpu => (48, 4096),
            Sizes.Smoke => (3, 1),
            _ => (10, 1000),
        };
        double parameters = (double)tensors * rows * Width;
        yield return new QuickCase($"Adam {tensors} x [{rows}, {Width}]", new Work(0, 7 * sizeof(float) * parameters, parameters), device => Prepare(device, tensors, rows));
    }

    private static Action Prepare(Device device, int tensors, int rows)
    {
        Tensor[] parameters = [.. Enumerable.Range(0, tensors).Select(_ => Inputs.Parameter(device, [rows, Width]))];
        foreach (var parameter in parameters)
        {
            using var scope = TensorScope.Begin();
            Ops.Scale(parameter, 1).Backward(Inputs.Normal(device, parameter.Shape));
        }

        var adam = new Adam(parameters, new AdamOptions());
        return () => adam.Step(1e-4f);
    }
}
