using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>
/// What torch.save wrote: the zip archive of PyTorch 1.6 and later (<see cref="TorchArchive"/>), or the pickles of older versions (<see cref="TorchStream"/>). Elements are read
/// when they are asked for; nothing of the file is run.
/// </summary>
internal sealed class TorchCheckpoint : IDisposable
{
    private const int ChunkBytes = 1 << 20;

    private readonly ForeignFile _file;
    private readonly ITorchStorages _storages;

    private TorchCheckpoint(ForeignFile file)
    {
        _file = file;
        var start = new byte[Math.Min(file.Length, 512)];
        file.Read(0, start);
        if (start.Length == 512 && start.AsSpan(257).StartsWith("ustar"u8))
            throw file.Wrong("must be a checkpoint of PyTorch 0.2 or later, got the tar format of 0.1, which torch.load and torch.save make a newer one of");
        _storages = TorchStream.Begins(start) ? new TorchStream(file)
            : start.AsSpan().StartsWith("PK\u0003\u0004"u8) ? new TorchArchive(file)
            : throw file.Wrong("must be a checkpoint of torch.save, got something else");
    }

    /// <summary>The file, as it was opened.</summary>
    public string Path => _file.Path;

    /// <summary>What was saved, as one of the values that <see cref="PickleDictionary"/> lists.</summary>
    public object? Root => _storages.Root;

    /// <summary>Opens a checkpoint and reads all but its tensors' elements.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The open file, which the caller disposes.</returns>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">It is no such file, cut off or damaged, or names a class that is not known: one line.</exception>
    public static TorchCheckpoint Open(string path)
    {
        var file = ForeignFile.Open(path);
        try
        {
            return new TorchCheckpoint(file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>The shape of a tensor.</summary>
    /// <param name="name">What errors call it.</param>
    /// <param name="tensor">A tensor of this file.</param>
    /// <exception cref="InvalidDataException">It has more axes or elements than a <see cref="Shape"/> can.</exception>
    public Shape ShapeOf(string name, TorchTensor tensor)
    {
        if (tensor.Sizes.Count <= Shape.MaxRank && tensor.Sizes.All(s => s <= int.MaxValue) && tensor.Count <= Array.MaxLength)
            return new Shape([.. tensor.Sizes.Select(s => (int)s)]);
        throw _file.Wrong($"{ForeignFile.Printable(name)}: must have at most {Shape.MaxRank} axes and {Array.MaxLength} elements, got [{string.Join(", ", tensor.Sizes)}]");
    }

    /// <summary>Reads the elements of a tensor in their order, the last axis fastest. 16-bit floats are widened, which is exact; 64-bit ones are rounded.</summary>
    /// <param name="name">What errors call it.</param>
    /// <param name="tensor">A tensor of this file.</param>
    /// <exception cref="InvalidDataException">Its storage is not in the file, or damaged, or holds no floats.</exception>
    public float[] Read(string name, TorchTensor tensor)
    {
        var type = tensor.Storage.Type;
        if (!type.IsFloat())
            throw _file.Wrong($"{ForeignFile.Printable(name)}: elements must be floats of 16, 32 or 64 bits, got {type}");
        long start = _storages.Find(tensor.Storage);
        _ = ShapeOf(name, tensor);
        long span = tensor.Last - tensor.Offset + 1;
        if (span > Array.MaxLength)
            throw _file.Wrong($"{ForeignFile.Printable(name)}: must lie within {Array.MaxLength} elements, got {span}");
        var values = new float[span];
        long at = start + (tensor.Offset * type.Bytes());
        byte[] chunk = ArrayPool<byte>.Shared.Rent(ChunkBytes);
        for (int done = 0; done < values.Length;)
        {
            var part = values.AsSpan(done, Math.Min(ChunkBytes / type.Bytes(), values.Length - done));
            var bytes = chunk.AsSpan(0, part.Length * type.Bytes());
            _file.Read(at, bytes);
            Widen(type, bytes, part);
            at += bytes.Length;
            done += part.Length;
        }

        ArrayPool<byte>.Shared.Return(chunk);
        return tensor.IsContiguous ? values : Gather(values, tensor);
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => _file.Dispose();

    private static void Widen(TorchType type, ReadOnlySpan<byte> bytes, Span<float> values)
    {
        switch (type)
        {
            case TorchType.Float16:
                for (int i = 0; i < values.Length; i++)
                    values[i] = (float)BinaryPrimitives.ReadHalfLittleEndian(bytes[(2 * i)..]);
                break;
            case TorchType.BFloat16:
                for (int i = 0; i < values.Length; i++)
                    values[i] = BitConverter.Int32BitsToSingle(BinaryPrimitives.ReadUInt16LittleEndian(bytes[(2 * i)..]) << 16);
                break;
            case TorchType.Float64:
                for (int i = 0; i < values.Length; i++)
                    values[i] = (float)BinaryPrimitives.ReadDoubleLittleEndian(bytes[(8 * i)..]);
                break;
            default:
                var words = MemoryMarshal.Cast<float, int>(values);
                bytes.CopyTo(MemoryMarshal.AsBytes(words));
                if (!BitConverter.IsLittleEndian)
                    BinaryPrimitives.ReverseEndianness(words, words);
                break;
        }
    }

    // A transposed or cut view in the order of its axes.
    private static float[] Gather(float[] storage, TorchTensor tensor)
    {
        var values = new float[tensor.Count];
        Span<long> index = stackalloc long[tensor.Sizes.Count];
        long place = 0;
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = storage[place];
            for (int axis = index.Length - 1; axis >= 0; axis--)
            {
                place += tensor.Strides[axis];
                if (++index[axis] < tensor.Sizes[axis])
                    break;
                place -= tensor.Strides[axis] * index[axis];
                index[axis] = 0;
            }
        }

        return values;
    }
}
