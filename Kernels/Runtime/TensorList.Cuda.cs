using System.Runtime.InteropServices;

namespace CudaSeq.Kernels;

/// <summary>
/// Many tensors on a graphics card cut into blocks that are numbered through, so that one launch serves them all; the twin of <see cref="TensorList"/>.
/// The list is written on the host, uploaded once, and read by every block: first blocks, lengths, addresses, as TensorList.cuh says.
/// </summary>
internal ref struct CudaTensorList
{
    private readonly CudaDevice _cuda;
    private readonly DeviceBuffer _memory;
    private readonly Span<long> _words;
    private readonly int _capacity;
    private readonly int _operands;
    private readonly int _blockElements;
    private int _count;

    /// <param name="cuda">Where the tensors live.</param>
    /// <param name="words">As many as <see cref="Words"/> says.</param>
    /// <param name="capacity">How many tensors will be added.</param>
    /// <param name="operands">Tensors an entry, all of one length.</param>
    /// <param name="blockElements">Elements a block; a tensor's last block may be shorter.</param>
    public CudaTensorList(CudaDevice cuda, Span<long> words, int capacity, int operands, int blockElements)
    {
        _cuda = cuda;
        _words = words;
        _capacity = capacity;
        _operands = operands;
        _blockElements = blockElements;
        _memory = cuda.Rent(words.Length * sizeof(long));
        words[0] = 0;
    }

    /// <summary>Blocks of all tensors together.</summary>
    public readonly int Blocks => checked((int)_words[_count]);

    /// <summary>Words of a list.</summary>
    public static int Words(int capacity, int operands) => ((2 + operands) * capacity) + 1;

    /// <summary>Adds a tensor.</summary>
    /// <param name="length">Elements of each operand.</param>
    /// <param name="operands">Spans, or null for one that is left out.</param>
    public void Add(long length, params ReadOnlySpan<KernelArgument> operands)
    {
        _words[_capacity + 1 + _count] = length;
        for (int i = 0; i < _operands; i++)
            _words[(2 * _capacity) + 1 + (_count * _operands) + i] = (long)operands[i].Bits;
        _words[_count + 1] = _words[_count] + ((length + _blockElements - 1) / _blockElements);
        _count++;
    }

    /// <summary>The list on the device, once every tensor is added.</summary>
    public readonly DeviceSpan Upload()
    {
        var span = new DeviceSpan(_memory, 0, 2L * _words.Length);
        _cuda.CopyFromHost(MemoryMarshal.AsBytes(_words), span);
        return span;
    }

    public readonly void Dispose() => _memory.Release();
}
