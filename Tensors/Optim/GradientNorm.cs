using CudaSeq.Kernels;

namespace CudaSeq.Tensors;

/// <summary>The length of all gradients taken as one vector, and clipping to a largest length.</summary>
public static class GradientNorm
{
    /// <summary>
    /// sqrt of the sum of g^2 over the gradients of all parameters; parameters without a gradient count as 0. One pass, the same for any number of threads.
    /// NaN or infinite when a gradient is not finite or its square (beyond 1.8e19) is not.
    /// </summary>
    /// <param name="parameters">Float tensors on one device.</param>
    public static float Compute(IReadOnlyList<Tensor> parameters)
    {
        using var gradients = new GradientSpans(parameters);
        return (float)Math.Sqrt(GradientNormKernel.SumOfSquares(gradients.Spans));
    }

    /// <summary>
    /// Multiplies all gradients by <see cref="Factor"/>, in place, when their norm is larger than <paramref name="maxNorm"/>.
    /// Gradients that are not finite are left as they are: the caller sees it in the norm.
    /// </summary>
    /// <param name="parameters">Float tensors on one device.</param>
    /// <param name="maxNorm">The largest norm left unchanged, at least 0; 0 clips nothing, as in fairseq.</param>
    /// <returns>The norm before clipping.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="maxNorm"/> is negative or NaN.</exception>
    public static float Clip(IReadOnlyList<Tensor> parameters, float maxNorm)
    {
        float norm = Compute(parameters), factor = Factor(norm, maxNorm);
        if (factor >= 1)
            return norm;
        foreach (var parameter in parameters)
        {
            if (parameter.Grad is { } gradient)
                ScaleKernel.Forward(gradient.Data, factor, gradient.Data);
        }

        return norm;
    }

    /// <summary>
    /// What gradients of this norm are multiplied by: maxNorm / (norm + 1e-6) where that is below 1, else 1; 1 for a norm that is not finite.
    /// Give it to <see cref="Adam.Step(float, float)"/> to clip without a pass of its own.
    /// </summary>
    /// <inheritdoc cref="Clip"/>
    /// <param name="norm">The norm of the gradients.</param>
    /// <param name="maxNorm">The largest norm left unchanged, at least 0; 0 clips nothing.</param>
    /// <returns>A factor of at most 1.</returns>
    public static float Factor(float norm, float maxNorm)
    {
        if (!(maxNorm >= 0))
            throw new ArgumentOutOfRangeException(null, FormattableString.Invariant($"GradientNorm: maxNorm must be at least 0, got {maxNorm}."));
        return maxNorm == 0 || !float.IsFinite(norm) ? 1 : Math.Min(1, maxNorm / (norm + 1e-6f));
    }
}
