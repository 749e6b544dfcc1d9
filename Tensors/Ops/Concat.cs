using CudaSeq.Kernels;

namespace CudaSeq.Tensors;

public static partial class Ops
{
    /// <summary>Tensors one behind the other along an axis. Saves nothing; each input's gradient is its slice.</summary>
    /// <param name="axis">The axis; negative numbers count from the last.</param>
    /// <param name="inputs">At least one; equal in everything but the size of the axis; all floats or all integers.</param>
    /// <returns>The common shape with the sum of the sizes at the axis, new.</returns>
    /// <exception cref="ArgumentException">No input, or inputs that do not fit together.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There is no such axis.</exception>
    public static Tensor Concat(int axis, params ReadOnlySpan<Tensor> inputs)
    {
        if (inputs.IsEmpty)
            throw new ArgumentException("Concat: must have at least one input, got none.");
        var first = inputs[0];
        axis = first.Shape.Axis(axis);
        int length = 0;
        foreach (var input in inputs)
        {
            Check.SameDevice(nameof(Concat), first, input);
            if (input.DType != first.DType || input.Shape.Rank != first.Shape.Rank || input.Shape.With(axis, 0) != first.Shape.With(axis, 0))
                throw new ArgumentException($"Concat: inputs must be alike in all but axis {axis}, got {first} and {input}.");
            length = checked(length + input.Shape[axis]);
        }

        var y = Tensor.Empty(first.Device, first.Shape.With(axis, length), first.DType, nameof(Concat));
        int start = 0;
        var bounds = first.Data.Buffer.Bounds;
        foreach (var input in inputs)
        {
            ConcatKernel.Forward(Piece(y.Shape, axis, start, input.Shape[axis]), input.Data, y.Data);
            start += input.Shape[axis];
            bounds = input.Data.Buffer.Bounds is { } some ? bounds?.With(some) : null;
        }

        y.TakeBounds(bounds);
        if (!Tape.Records(inputs!))
            return y;
        return Tape.Record(nameof(Concat), y, inputs, (axis, Inputs: inputs.ToArray()), static (dy, s) =>
        {
            var gradients = new Tensor?[s.Inputs.Length];
            for (int i = 0, start = 0; i < gradients.Length; i++)
            {
                var shape = s.Inputs[i].Shape;
                if (s.Inputs[i].RequiresGrad)
                {
                    gradients[i] = dy.NewLike(shape, nameof(Concat));
                    SliceKernel.Forward(Piece(dy.Shape, s.axis, start, shape[s.axis]), dy.Data, gradients[i]!.Data);
                }

                start += shape[s.axis];
            }

            return new Gradients(gradients);
        });
    }

    private static SliceSize Piece(Shape whole, int axis, int start, int length)
        => new(whole.CountOf(0, axis), whole[axis], whole.CountOf(axis + 1, whole.Rank), start, length);
}
