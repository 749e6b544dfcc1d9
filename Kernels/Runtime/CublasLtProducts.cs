namespace CudaSeq.Kernels;

/// <summary>
/// Products y = x weight^T + bias whose bias is added before the only store, by algorithms that cuBLASLt proposes once for a shape and that are kept: the same
/// shape takes the same algorithm, so it gives the same bits. For any thread.
/// </summary>
internal sealed class CublasLtProducts(CudaDevice cuda) : IDisposable
{
    // Batches of text have many shapes; beyond these all are proposed anew, which takes microseconds each.
    private const int MaxPlans = 1024;

    // What cuBLASLt expects of addresses unless it is told; ours begin so, and a view may not.
    private const ulong FullAlignment = 256;
    private const ulong BiasAlignment = 16;

    private readonly Dictionary<Shape, Plan?> _plans = [];

    /// <summary>Queues y [N, O] = x [N, I] weight [O, I]^T + bias [O].</summary>
    /// <param name="size">At least one row, feature and output.</param>
    /// <param name="x">[N, I].</param>
    /// <param name="weight">[O, I], of the type of x.</param>
    /// <param name="bias">[O], of the type of y.</param>
    /// <param name="y">[N, O], of the type of x or float32.</param>
    /// <returns>False, with nothing queued, where cuBLASLt has no algorithm for it or the bias begins at no multiple of 16 bytes.</returns>
    /// <exception cref="CudaException">libcublasLt cannot be had, or a call fails.</exception>
    public bool TryMultiply(in LinearSize size, DeviceSpan x, DeviceSpan weight, DeviceSpan bias, DeviceSpan y)
    {
        if (bias.Address % BiasAlignment != 0)
            return false;
        ulong places = x.Address | weight.Address | y.Address | FullAlignment;
        var shape = new Shape(size.N, size.I, size.O, x.Type, y.Type, (int)(places & (~places + 1)), cuda.Tf32 && x.Type == DType.Float32);
        nint handle = cuda.BlasLt.Value;
        var (workspace, bytes) = cuda.BlasWorkspace;
        lock (cuda.Products)
        {
            if (!_plans.TryGetValue(shape, out var plan))
            {
                if (_plans.Count == MaxPlans)
                    Clear();
                _plans.Add(shape, plan = Plan.Make(handle, shape, bytes, cuda.Description));
            }

            if (plan is null)
                return false;
            plan.Multiply(handle, x, weight, bias, y, workspace, bytes, cuda.StreamValue, cuda.Description);
            return true;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (cuda.Products)
            Clear();
    }

    private void Clear()
    {
        foreach (var plan in _plans.Values)
            plan?.Dispose();
        _plans.Clear();
    }

    /// <param name="Rows">N.</param>
    /// <param name="Features">I.</param>
    /// <param name="Outputs">O.</param>
    /// <param name="Type">Of x and weight.</param>
    /// <param name="Result">Of y and bias.</param>
    /// <param name="Alignment">What all addresses are multiples of, a power of two up to 256.</param>
    /// <param name="Tf32">Whether float32 factors are rounded for the tensor cores.</param>
    private readonly record struct Shape(int Rows, int Features, int Outputs, DType Type, DType Result, int Alignment, bool Tf32);

    // In cuBLASLt's column-major terms y^T [O, N] = weight [O, I] x^T [I, N] + bias, one element of it for each row.
    private sealed class Plan : IDisposable
    {
        private nint _operation;
        private nint _weight;
        private nint _x;
        private nint _y;
        private CublasLtAlgorithm _algorithm;

        public static Plan? Make(nint handle, Shape shape, nuint workspaceBytes, string where)
        {
            var plan = new Plan();
            bool served = false;
            try
            {
                served = plan.Find(handle, shape, workspaceBytes, where);
                return served ? plan : null;
            }
            finally
            {
                if (!served)
                    plan.Dispose();
            }
        }

        public void Multiply(
            nint handle, DeviceSpan x, DeviceSpan weight, DeviceSpan bias, DeviceSpan y, ulong workspace, nuint workspaceBytes, nint stream, string where)
        {
            CublasLt.Set(_operation, CublasLtOperationAttribute.BiasPointer, bias.Address).Check("cublasLtMatmulDescSetAttribute", where);
            CublasLt.Multiply(
                handle, _operation, 1, weight.Address, _weight, x.Address, _x, 0, y.Address, _y, y.Address, _y, _algorithm, workspace, workspaceBytes, stream)
                .Check("cublasLtMatmul", where);
        }

        public void Dispose()
        {
            foreach (nint layout in (ReadOnlySpan<nint>)[_weight, _x, _y])
            {
                if (layout != 0)
                    _ = CublasLt.LayoutDestroy(layout);
            }

            if (_operation != 0)
                _ = CublasLt.OperationDestroy(_operation);
        }

        private bool Find(nint handle, Shape shape, nuint workspaceBytes, string where)
        {
            CublasType type = CublasTypes.Of(shape.Type), result = CublasTypes.Of(shape.Result);
            CublasLt.OperationCreate(out _operation, shape.Tf32 ? CublasCompute.Tf32 : CublasCompute.Float32).Check("cublasLtMatmulDescCreate", where);
            CublasLt.Set(_operation, CublasLtOperationAttribute.TransposeA, 1).Check("cublasLtMatmulDescSetAttribute", where);
            CublasLt.Set(_operation, CublasLtOperationAttribute.Epilogue, (int)CublasLtEpilogue.Bias).Check("cublasLtMatmulDescSetAttribute", where);
            CublasLt.LayoutCreate(out _weight, type, shape.Features, shape.Outputs, shape.Features).Check("cublasLtMatrixLayoutCreate", where);
            CublasLt.LayoutCreate(out _x, type, shape.Features, shape.Rows, shape.Features).Check("cublasLtMatrixLayoutCreate", where);
            CublasLt.LayoutCreate(out _y, result, shape.Outputs, shape.Rows, shape.Outputs).Check("cublasLtMatrixLayoutCreate", where);
            CublasLt.PreferenceCreate(out nint preference).Check("cublasLtMatmulPreferenceCreate", where);
            try
            {
                Prefer(CublasLtPreferenceAttribute.MaxWorkspaceBytes, (ulong)workspaceBytes);

                // As for cuBLAS: never in the narrower type of the result.
                Prefer(CublasLtPreferenceAttribute.ReductionSchemes, CublasLtReduction.ComputeType);
                foreach (var attribute in (ReadOnlySpan<CublasLtPreferenceAttribute>)
                    [
                        CublasLtPreferenceAttribute.MinAlignmentA, CublasLtPreferenceAttribute.MinAlignmentB,
                        CublasLtPreferenceAttribute.MinAlignmentC, CublasLtPreferenceAttribute.MinAlignmentD,
                    ])
                    Prefer(attribute, (uint)shape.Alignment);
                var found = CublasLt.FindAlgorithms(handle, _operation, _weight, _x, _y, _y, preference, new Span<CublasLtAlgorithm>(ref _algorithm), out int count);
                if (found == CublasResult.NotSupported)
                    return false;
                found.Check("cublasLtMatmulAlgoGetHeuristic", where);
                return count > 0 && _algorithm.State == CublasResult.Success;
            }
            finally
            {
                _ = CublasLt.PreferenceDestroy(preference);
            }

            void Prefer<T>(CublasLtPreferenceAttribute attribute, T value)
                where T : unmanaged
                => CublasLt.Set(preference, attribute, value).Check("cublasLtMatmulPreferenceSetAttribute", where);
        }
    }
}
