namespace CudaSeq.Models;

/// <summary>The element types of PyTorch's storages.</summary>
internal enum TorchType
{
    /// <summary>32-bit floats.</summary>
    Float32,

    /// <summary>16-bit floats of IEEE 754.</summary>
    Float16,

    /// <summary>The upper half of 32-bit floats.</summary>
    BFloat16,

    /// <summary>64-bit floats.</summary>
    Float64,

    /// <summary>64-bit integers.</summary>
    Int64,

    /// <summary>32-bit integers.</summary>
    Int32,

    /// <summary>16-bit integers.</summary>
    Int16,

    /// <summary>8-bit integers.</summary>
    Int8,

    /// <summary>Bytes.</summary>
    UInt8,

    /// <summary>Truth values, a byte each.</summary>
    Bool,
}

/// <summary>What is to be known of element types.</summary>
internal static class TorchTypes
{
    /// <summary>Bytes of an element.</summary>
    public static int Bytes(this TorchType type) => type switch
    {
        TorchType.Float64 or TorchType.Int64 => 8,
        TorchType.Float32 or TorchType.Int32 => 4,
        TorchType.Float16 or TorchType.BFloat16 or TorchType.Int16 => 2,
        _ => 1,
    };

    /// <summary>Whether elements become floats without being asked to.</summary>
    public static bool IsFloat(this TorchType type) => type is TorchType.Float32 or TorchType.Float16 or TorchType.BFloat16 or TorchType.Float64;

    /// <summary>PyTorch's class of a storage of such elements.</summary>
    public static string StorageName(this TorchType type) => type switch
    {
        TorchType.Float32 => "FloatStorage",
        TorchType.Float16 => "HalfStorage",
        TorchType.BFloat16 => "BFloat16Storage",
        TorchType.Float64 => "DoubleStorage",
        TorchType.Int64 => "LongStorage",
        TorchType.Int32 => "IntStorage",
        TorchType.Int16 => "ShortStorage",
        TorchType.Int8 => "CharStorage",
        TorchType.UInt8 => "ByteStorage",
        _ => "BoolStorage",
    };
}

/// <summary>Elements in a row that tensors are views of; several may share one.</summary>
/// <param name="Key">Which one.</param>
/// <param name="Type">The elements' type.</param>
/// <param name="Count">How many elements.</param>
internal sealed record TorchStorage(string Key, TorchType Type, long Count);

/// <summary>
/// A view of a storage: element [i, j, ...] is <c>storage[Offset + i Strides[0] + j Strides[1] + ...]</c>. It lies within the storage and has no more elements than that.
/// </summary>
internal sealed class TorchTensor
{
    /// <summary>The most axes that are read.</summary>
    private const int MaxRank = 8;

    private TorchTensor(TorchStorage storage, long offset, long[] sizes, long[] strides, long count, long last)
    {
        Storage = storage;
        Offset = offset;
        Sizes = sizes;
        Strides = strides;
        Count = count;
        Last = last;
    }

    /// <summary>What it is a view of.</summary>
    public TorchStorage Storage { get; }

    /// <summary>The place of the first element.</summary>
    public long Offset { get; }

    /// <summary>Sizes of the axes.</summary>
    public IReadOnlyList<long> Sizes { get; }

    /// <summary>How far apart neighbours along each axis are.</summary>
    public IReadOnlyList<long> Strides { get; }

    /// <summary>How many elements.</summary>
    public long Count { get; }

    /// <summary>The place of the last element; before <see cref="Offset"/> where there is none.</summary>
    public long Last { get; }

    /// <summary>Whether the elements stand in the storage one after the other.</summary>
    public bool IsContiguous
    {
        get
        {
            long expected = 1;
            for (int axis = Sizes.Count - 1; axis >= 0; axis--)
            {
                if (Sizes[axis] != 1 && Strides[axis] != expected)
                    return Count == 0;
                expected *= Sizes[axis];
            }

            return true;
        }
    }

    /// <summary>Makes a tensor of what a pickle says of it.</summary>
    /// <param name="arguments">Storage, offset, sizes, strides; what follows is of no matter.</param>
    /// <param name="problem">What is wrong, completing "The pickle "; null where nothing is.</param>
    /// <returns>Null where something is wrong.</returns>
    public static TorchTensor? Of(object?[] arguments, out string? problem)
    {
        problem = "must make tensors of a storage, an offset, sizes and strides, got something else";
        if (arguments is not [TorchStorage storage, long offset, object[] sizes, object[] strides, ..])
            return null;
        problem = $"must make tensors of at most {MaxRank} axes with a stride for each, got {sizes.Length} and {strides.Length}";
        if (sizes.Length > MaxRank || sizes.Length != strides.Length)
            return null;
        problem = "must make tensors with offsets, sizes and strides that are whole numbers from 0 on, got others";
        if (offset < 0 || sizes.Concat(strides).Any(n => n is not >= 0L))
            return null;

        // Eight sizes below 2^63 could be beyond any type: what is beyond the storage is not multiplied on.
        problem = $"must make tensors within their storages, got the sizes [{string.Join(", ", sizes)}] with the strides [{string.Join(", ", strides)}] from {offset} on of {storage.Count} elements";
        bool empty = sizes.Contains(0L);
        UInt128 count = empty ? 0u : 1u, last = (ulong)offset;
        for (int axis = 0; axis < sizes.Length && !empty; axis++)
        {
            var (size, stride) = ((ulong)(long)sizes[axis], (ulong)(long)strides[axis]);
            count *= size;
            last += (UInt128)(size - 1) * stride;
            if (count > (ulong)storage.Count || last >= (ulong)storage.Count)
                return null;
        }

        if (empty ? offset > storage.Count : last >= (ulong)storage.Count)
            return null;
        problem = null;
        return new TorchTensor(
            storage, offset, [.. sizes.Select(n => (long)n)], [.. strides.Select(n => (long)n)], (long)count, empty ? offset - 1 : (long)last);
    }
}
