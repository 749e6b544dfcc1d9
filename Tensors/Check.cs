using System.Globalization;
using CudaSeq.Kernels;

namespace CudaSeq.Tensors;

/// <summary>The shapes that an error names: spelled out when it is thrown, not before every call that is right.</summary>
internal readonly struct OperandShapes(string firstName, Tensor first, string secondName, Tensor second)
{
    public override string ToString() => $"{firstName} {first.Shape}, {secondName} {second.Shape}";
}

/// <summary>What the gates of several ops refuse in the same words.</summary>
internal static class Check
{
    /// <summary>All inputs are floats of one type on one device: activations. Float16 must not be recorded.</summary>
    public static void Float(string op, params ReadOnlySpan<Tensor?> inputs)
    {
        Tensor? first = null;
        foreach (var input in inputs)
        {
            if (input is null)
                continue;
            if (!input.DType.IsFloat())
                throw new ArgumentException($"{op}: inputs must be floats, got {input}.");
            first ??= input;
            SameDevice(op, first, input);
            if (input.DType != first.DType)
                throw new ArgumentException($"{op}: inputs must be of one type, got {first} and {input}.");
        }

        if (first is not null)
            Inference(op, first.DType, inputs);
    }

    /// <summary>Parameters beside activations, which <see cref="Float"/> has looked at: float32, whatever the activations are, on their device.</summary>
    public static void Parameters(string op, Tensor activations, params ReadOnlySpan<Tensor?> parameters)
    {
        foreach (var parameter in parameters)
        {
            if (parameter is null)
                continue;
            if (!parameter.DType.IsFloat())
                throw new ArgumentException($"{op}: inputs must be floats, got {parameter}.");
            if (parameter.DType != DType.Float32)
                throw new ArgumentException($"{op}: parameters must be Float32, whatever the activations are, got {parameter}.");
            SameDevice(op, activations, parameter);
        }

        Inference(op, activations.DType, parameters);
    }

    /// <summary>Activations of a type are computed from these inputs; Float16 has no gradients.</summary>
    public static void Inference(string op, DType activations, params ReadOnlySpan<Tensor?> inputs)
    {
        if (activations == DType.Float16 && Tape.Records(inputs))
            throw new ArgumentException($"{op}: Float16 is for inference; train in BFloat16 or Float32, or open a NoGrad.");
    }

    /// <summary>Token ids, lengths or indices: integers on the device of <paramref name="first"/>.</summary>
    public static void Int(string op, string name, Tensor first, Tensor input)
    {
        if (input.DType != DType.Int32)
            throw new ArgumentException($"{op}: {name} must be integers, got {input}.");
        SameDevice(op, first, input);
    }

    /// <summary>Both tensors live on one device.</summary>
    public static void SameDevice(string op, Tensor first, Tensor second)
    {
        if (!ReferenceEquals(first.Device, second.Device))
            throw new ArgumentException($"{op}: inputs must be on one device, got {first} and {second}.");
    }

    /// <summary>All integers are in 0 .. <paramref name="limit"/> - 1; the error names the first that is not and where it stands.</summary>
    public static void Range(string op, string name, Tensor indices, int limit, params ReadOnlySpan<string> axes)
    {
        long at = IndexRangeKernel.FirstOutside(indices.Data, limit);
        if (at < 0)
            return;
        int value = indices.ToIntArray()[at];
        throw new ArgumentException(limit == 0
            ? $"{op}: {name} must be none where there is nothing to choose from, got {indices.Shape}."
            : $"{op}: {name} must be in 0 .. {limit - 1}, got {value} at {Place(indices.Shape, at, axes)}.");
    }

    /// <summary>A probability of dropping an element.</summary>
    public static void DropProbability(string op, float p)
    {
        if (!(p >= 0 && p < 1))
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"{op}: p must be at least 0 and below 1, got {p}."));
    }

    /// <summary>A choice that exists, and not a number cast to one.</summary>
    public static void Defined<T>(string op, string name, T choice)
        where T : struct, Enum
    {
        if (!Enum.IsDefined(choice))
            throw new ArgumentException($"{op}: {name} must be one of {string.Join(", ", Enum.GetNames<T>())}, got {choice}.");
    }

    /// <summary>A number of an optimiser that is a share: 0 .. 1, below 1.</summary>
    public static void Fraction(string optimizer, string name, float value)
    {
        if (!(value >= 0 && value < 1))
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"{optimizer}: {name} must be at least 0 and below 1, got {value}."));
    }

    /// <summary>A number of an optimiser that is finite and not negative.</summary>
    public static void NotNegative(string optimizer, string name, float value)
    {
        if (!(value >= 0 && float.IsFinite(value)))
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"{optimizer}: {name} must be at least 0, got {value}."));
    }

    /// <summary>A number of an optimiser that is finite and above 0.</summary>
    public static void Positive(string optimizer, string name, float value)
    {
        if (!(value > 0 && float.IsFinite(value)))
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"{optimizer}: {name} must be above 0, got {value}."));
    }

    /// <summary>What an optimiser is given: float32 tensors on one device, each once.</summary>
    public static Tensor[] Optimized(string optimizer, IReadOnlyList<Tensor> parameters)
    {
        Tensor[] all = [.. parameters];
        if (all.Length > 0)
            Parameters(optimizer, all[0], all);
        var seen = new HashSet<Tensor>(ReferenceEqualityComparer.Instance);
        foreach (var parameter in all)
        {
            if (!seen.Add(parameter))
                throw new ArgumentException($"{optimizer}: parameters must be distinct, got {parameter} twice.");
        }

        return all;
    }

    /// <summary>A factor of all gradients that the device knows: a single float where the parameters live.</summary>
    public static void GradientScale(string optimizer, Tensor[] parameters, Tensor scale)
    {
        Float(optimizer, parameters.Length > 0 ? parameters[0] : scale, scale);
        if (scale.Shape.Count != 1)
            throw new ArgumentException($"{optimizer}: the gradients' scale must be a single number, got {scale}.");
    }

    private static string Place(Shape shape, long position, ReadOnlySpan<string> axes)
    {
        string[] letters = !axes.IsEmpty ? axes.ToArray() : shape.Rank switch { 1 => ["n"], 2 => ["b", "t"], _ => [] };
        var parts = new string[shape.Rank];
        for (int axis = shape.Rank - 1; axis >= 0; axis--)
        {
            (position, long index) = Math.DivRem(position, shape[axis]);
            parts[axis] = axis < letters.Length ? $"{letters[axis]} = {index}" : $"{index}";
        }

        return $"[{string.Join(", ", parts)}]";
    }
}
