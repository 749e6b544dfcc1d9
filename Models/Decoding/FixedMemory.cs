using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>
/// What states remember that are decoded one after the other, at addresses that stay, so that steps captured for one of them can be launched for the next. Each remembered
/// tensor has a block of its own, in which it lies in whatever shape it has at the moment.
/// </summary>
/// <param name="steps">Of the steps that are captured.</param>
internal sealed class FixedMemory(StepMemory steps) : IDisposable
{
    private readonly List<Block> _blocks = [];

    /// <summary>Blocks that had to move because something larger or of another type came: what was captured before is of no use any more.</summary>
    public int Moves { get; private set; }

    /// <summary>A block as a tensor of some shape; its elements are whatever was there. It belongs to the memory.</summary>
    /// <param name="block">The block's number, from 0.</param>
    /// <param name="shape">Sizes of the axes.</param>
    /// <param name="dtype">Element type; a block that had another moves.</param>
    /// <exception cref="ArgumentOutOfRangeException">It has more elements than an axis can be long.</exception>
    public Tensor Of(int block, Shape shape, DType dtype)
    {
        while (_blocks.Count <= block)
            _blocks.Add(new Block());
        var own = _blocks[block];
        if (own.Views.TryGetValue((shape, dtype), out var view))
            return view;

        if (shape.Count > int.MaxValue)
            throw new ArgumentOutOfRangeException(null, $"FixedMemory: a tensor that is remembered must have at most {int.MaxValue} elements, got {shape.Count} in {shape}; smaller batches (batch_tokens) need less.");

        // Nobody would make it again when the graph is launched.
        if (steps.IsCapturing)
            throw new CudaException($"{steps.Device}: a captured step must keep the shapes of what it remembers, got a new one, {shape}.");

        // Of integers the gates ask what numbers a buffer holds: each shape has one of its own, and nothing is left in it from another.
        if (dtype == DType.Int32)
            view = Scopes.Leave(Tensor.Zeros(steps.Device, shape, dtype));
        else
            view = Scopes.Leave(Base(own, shape.Count, dtype).Rows(0, (int)shape.Count).Reshape(shape));
        own.Views.Add((shape, dtype), view);
        return view;
    }

    /// <summary>Frees the memory.</summary>
    public void Dispose()
    {
        foreach (var block in _blocks)
            block.Clear();
        _blocks.Clear();
    }

    private Tensor Base(Block block, long count, DType dtype)
    {
        if (block.Base is { } large && large.DType == dtype && large.Shape.Count >= count)
            return large;
        long size = count;
        if (block.Base is { } small)
        {
            size = Math.Min(int.MaxValue, Math.Max(count, small.Shape.Count * 3 / 2));
            block.Clear();
            Moves++;
        }

        return block.Base = Scopes.Leave(Tensor.Zeros(steps.Device, [(int)size], dtype));
    }

    private sealed class Block
    {
        public Dictionary<(Shape Shape, DType Type), Tensor> Views { get; } = [];

        public Tensor? Base { get; set; }

        public void Clear()
        {
            foreach (var view in Views.Values)
                view.Dispose();
            Views.Clear();
            Base?.Dispose();
            Base = null;
        }
    }
}
