namespace CudaSeq.Kernels;

/// <summary>
/// Many tensors cut into blocks that are numbered through, so that one parallel pass serves them all. Each entry is a length and as many
/// pointers as the pass has operands. Lives in rented memory: nothing is allocated in steady state.
/// </summary>
internal readonly unsafe struct TensorList : IDisposable
{
    private readonly DeviceBuffer _buffer;
    private readonly long* _firstBlocks;
    private readonly long* _lengths;
    private readonly float** _pointers;
    private readonly int _operands;
    private readonly int _blockElements;
    private readonly long* _count;

    /// <param name="cpu">Where the tensors live.</param>
    /// <param name="capacity">How many will be added at most.</param>
    /// <param name="operands">Pointers an entry.</param>
    /// <param name="blockElements">Elements a block; a tensor's last block may be shorter.</param>
    public TensorList(CpuDevice cpu, int capacity, int operands, int blockElements)
    {
        _buffer = cpu.Rent((((2L + operands) * capacity) + 2) * sizeof(long));
        _count = (long*)_buffer.Pointer;
        _firstBlocks = _count + 1;
        _lengths = _firstBlocks + capacity + 1;
        _pointers = (float**)(_lengths + capacity);
        _operands = operands;
        _blockElements = blockElements;
        *_count = 0;
        _firstBlocks[0] = 0;
    }

    /// <summary>Blocks of all tensors together.</summary>
    public int Blocks => checked((int)_firstBlocks[*_count]);

    public void Add(long length, params ReadOnlySpan<DeviceSpan> operands)
    {
        long tensor = (*_count)++;
        _lengths[tensor] = length;
        for (int i = 0; i < _operands; i++)
            _pointers[(tensor * _operands) + i] = operands[i].Floats;
        _firstBlocks[tensor + 1] = _firstBlocks[tensor] + ((length + _blockElements - 1) / _blockElements);
    }

    /// <summary>The tensor that a block belongs to; where the block starts in it, and how long it is.</summary>
    public (int Tensor, long Start, int Length) Block(int block)
    {
        // The last tensor that starts at or before the block; empty tensors start where their successor does and are passed over.
        int low = 0, high = (int)*_count - 1;
        while (low < high)
        {
            int middle = (low + high + 1) / 2;
            if (_firstBlocks[middle] <= block)
                low = middle;
            else
                high = middle - 1;
        }

        long start = (block - _firstBlocks[low]) * _blockElements;
        return (low, start, (int)Math.Min(_blockElements, _lengths[low] - start));
    }

    /// <summary>The first element of an operand of a tensor.</summary>
    public float* Pointer(int tensor, int operand) => _pointers[(tensor * _operands) + operand];

    /// <inheritdoc/>
    public void Dispose() => _buffer.Release();
}
