using System.Globalization;

namespace CudaSeq.Tensors;

/// <summary>The shapes that an error names: spelled out when it is thrown, not before every call that is right.</summary>
internal readonly struct OperandShapes(string firstName, Tensor first, string secondName, Tensor second)
{
    public override string ToString() => $"{firstName} {first.Shape}, {secondName} {second.Shape}";
}

/// <summary>What the gates of several ops refuse in the same words.</summary>
internal static class Check
{
    /// <summary>All inputs are floats on one device.</summary>
    public static void Float(string op, params ReadOnlySpan<Tensor?> inputs)
    {
        Tensor? first = null;
        foreach (var input in inputs)
        {
            if (input is null)
                continue;
            if (input.DType != DTypeFloat)
                throw new ArgumentException($"{op}: inputs must be floats, got {input}.");
            first ??= input;
            SameDevice(op, first, input);
        }
    }

    /// <summary>Token ids, lengths or indices: integers on the device of <paramref name="first"/>.</summary>
    public static void Int(string op, string name, Tensor first, Tensor input)
    {
        if (input.DType != Kernels.DType.Int32)
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
        long at = Kernels.IndexRangeKernel.FirstOutside(indices.Data, limit);
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

    private const Kernels.DType DTypeFloat = Kernels.DType.Float32;
}
