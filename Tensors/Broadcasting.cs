using CudaSeq.Kernels;

namespace CudaSeq.Tensors;

/// <summary>NumPy's rule: shapes are aligned at their last axes, and an axis of 1 (or a missing one) is repeated.</summary>
internal static class Broadcasting
{
    /// <summary>The shape of an op's output over two inputs, and how its kernel walks them.</summary>
    /// <exception cref="ArgumentException">Two axes differ and neither is 1.</exception>
    public static Shape Of(string op, Tensor a, Tensor b, out BroadcastSize size)
    {
        int rank = Math.Max(a.Shape.Rank, b.Shape.Rank);
        Span<int> sizesA = stackalloc int[rank], sizesB = stackalloc int[rank], output = stackalloc int[rank];
        Align(a.Shape, sizesA);
        Align(b.Shape, sizesB);
        for (int axis = 0; axis < rank; axis++)
        {
            if (sizesA[axis] != sizesB[axis] && sizesA[axis] != 1 && sizesB[axis] != 1)
                throw new ArgumentException($"{op}: axes must be equal or 1, got {sizesA[axis]} and {sizesB[axis]} (inputs {a.Shape}, {b.Shape}).");
            output[axis] = sizesA[axis] == 1 ? sizesB[axis] : sizesA[axis];
        }

        size = BroadcastSize.Of(output, sizesA, sizesB);
        return new Shape(output);
    }

    /// <summary>factor * dy summed over the axes along which an input of shape <paramref name="target"/> was repeated: that input's gradient.</summary>
    public static Tensor SumTo(string op, Tensor dy, Shape target, float factor = 1)
    {
        if (dy.Shape.Count == target.Count)
        {
            if (factor == 1)
                return dy.View(target, 0, op);
            var dx = dy.NewLike(target, op);
            ScaleKernel.Forward(dy.Data, factor, dx.Data);
            return dx;
        }

        return Sum(op, dy, null, target, factor);
    }

    /// <summary>dy * x summed as in <see cref="SumTo"/>.</summary>
    public static Tensor SumProductTo(string op, Tensor dy, Tensor x, Shape target)
    {
        if (dy.Shape.Count != target.Count && x.Shape == dy.Shape)
            return Sum(op, dy, x, target, 1);
        var shape = Of(op, dy, x, out var size);
        var product = dy.NewLike(shape, op);
        MultiplyKernel.Forward(size, dy.Data, x.Data, product.Data);
        return SumTo(op, product, target);
    }

    // One pass for each run of neighbouring repeated axes, outermost first: the first leaves little for the others.
    private static Tensor Sum(string op, Tensor x, Tensor? weights, Shape target, float factor)
    {
        int rank = x.Shape.Rank;
        Span<int> aligned = stackalloc int[rank];
        Align(target, aligned);
        var sum = x;
        long outer = 1;
        for (int axis = 0; axis < rank;)
        {
            if (aligned[axis] == x.Shape[axis])
            {
                outer *= x.Shape[axis++];
                continue;
            }

            int end = axis + 1;
            while (end < rank && aligned[end] == 1)
                end++;
            var size = new SumSize(outer, x.Shape.CountOf(axis, end), x.Shape.CountOf(end, rank));
            var next = x.NewLike([checked((int)(size.Outer * size.Inner))], op);
            if (weights is not null)
                SumKernel.Products(size, sum.Data, weights.Data, next.Data);
            else
                SumKernel.Forward(size, sum.Data, factor, next.Data);
            (sum, weights, factor) = (next, null, 1);
            axis = end;
        }

        return sum.View(target, 0, op);
    }

    private static void Align(Shape shape, Span<int> sizes)
    {
        sizes.Fill(1);
        shape.CopyTo(sizes[(sizes.Length - shape.Rank)..]);
    }
}
