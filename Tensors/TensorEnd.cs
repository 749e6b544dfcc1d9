namespace CudaSeq.Tensors;

/// <summary>How the life of a tensor ended.</summary>
internal enum TensorEnd : byte
{
    /// <summary>It has not.</summary>
    None,

    /// <summary>By <see cref="Tensor.Dispose"/>.</summary>
    Disposed,

    /// <summary>With the scope that owned it.</summary>
    Scope,

    /// <summary>What an op had kept for its backward, after it.</summary>
    Scratch,

    /// <summary>What an op had made, after its backward.</summary>
    Backward,
}
