namespace CudaSeq.Kernels;

/// <summary>
/// One parameter with its gradient and what its rule remembers of earlier updates, all float32 of one length, and its copy in bfloat16, if it has one that must
/// follow it.
/// </summary>
/// <param name="Parameter">Updated in place.</param>
/// <param name="Gradient">Read.</param>
/// <param name="First">Of a rule with <see cref="IUpdateRule{TSelf}.States"/> of 1 or 2; updated in place.</param>
/// <param name="Second">Of a rule with <see cref="IUpdateRule{TSelf}.States"/> of 2; updated in place.</param>
/// <param name="Copy">Follows on a graphics card.</param>
internal readonly record struct UpdateSlot(DeviceSpan Parameter, DeviceSpan Gradient, DeviceSpan? First = null, DeviceSpan? Second = null, DeviceSpan? Copy = null);

/// <summary>What an optimiser does to one element, with the factors of one update.</summary>
/// <typeparam name="TSelf">The rule itself, a struct, so that it is compiled into the loop.</typeparam>
internal interface IUpdateRule<TSelf>
    where TSelf : struct, IUpdateRule<TSelf>
{
    /// <summary>For messages.</summary>
    static abstract string Name { get; }

    /// <summary>Tensors that it remembers for each parameter, 0 .. 2.</summary>
    static abstract int States { get; }

    /// <summary>The same rule for gradients times a further factor.</summary>
    TSelf Scaled(float factor);

    /// <summary>On the processor.</summary>
    /// <param name="p">Of the parameter.</param>
    /// <param name="gradient">As it was computed, before any factor.</param>
    /// <param name="first">Of the first remembered tensor; left alone by a rule without.</param>
    /// <param name="second">Of the second.</param>
    /// <returns>Of the parameter afterwards.</returns>
    TVector Update<TVector>(TVector p, TVector gradient, ref TVector first, ref TVector second)
        where TVector : struct, IFloatVector<TVector>;

    /// <summary>On a graphics card: the rule's kernel with the list, its length, the rule's own factors, and the scale.</summary>
    void Launch(CudaDevice cuda, Dim3 grid, Dim3 block, DeviceSpan list, int tensors, DeviceSpan? scale);
}

/// <summary>One update of all parameters, in place and in one pass.</summary>
internal static partial class ParameterUpdateKernel
{
    /// <param name="rule">With the factors of this update.</param>
    /// <param name="slots">What to update.</param>
    /// <param name="scale">[1], a further factor of the gradients that the device knows; NaN leaves everything as it is.</param>
    public static void Step<TRule>(TRule rule, ReadOnlySpan<UpdateSlot> slots, DeviceSpan? scale = null)
        where TRule : struct, IUpdateRule<TRule>
    {
        if (slots.IsEmpty)
            return;
        switch (slots[0].Parameter.Device)
        {
            case CpuDevice cpu: StepCpu(cpu, rule, slots, scale); break;
            case CudaDevice cuda: StepCuda(cuda, rule, slots, scale); break;
            default: throw KernelException.NoKernel(TRule.Name, slots[0].Parameter.Device);
        }
    }
}
