using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>For what outlives every scope: parameters, and the memory of a decoding under way.</summary>
internal static class Scopes
{
    /// <summary>Moves a tensor out of all open scopes; its owner disposes it.</summary>
    public static Tensor Leave(Tensor tensor)
    {
        for (var scope = TensorScope.Current; scope is not null; scope = scope.Outer)
            tensor.Keep();
        return tensor;
    }
}
