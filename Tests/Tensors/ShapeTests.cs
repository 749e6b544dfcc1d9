using CudaSeq.Tensors;

namespace CudaSeq.Tests;

public sealed class ShapeTests
{
    [Fact]
    public void IsItsSizes()
    {
        Shape shape = [2, 3, 4];
        Assert.Equal((3, 24L), (shape.Rank, shape.Count));
        Assert.Equal([2, 3, 4], shape);
        Assert.Equal((2, 4, 4, 3), (shape[0], shape[2], shape[-1], shape[-2]));
        Assert.Equal("[2, 3, 4]", shape.ToString());
        Assert.Equal(6, shape.CountOf(0, 2));
        Assert.Equal(1, shape.CountOf(3, 3));
        Assert.Equal([2, 9, 4], shape.With(1, 9));
        Assert.Equal([2, 9, 4], shape.With(-2, 9));
        Assert.Equal([2, 4], shape.Without(1));
        Assert.Equal([2, 3], shape.Without(-1));
    }

    [Fact]
    public void NoAxesIsOneNumberAndAnEmptyAxisIsNone()
    {
        Shape single = [];
        Assert.Equal((0, 1L, "[]"), (single.Rank, single.Count, single.ToString()));
        Assert.Equal(single, default);
        Assert.Equal(1, default(Shape).Count);
        Assert.Equal(0, new Shape(3, 0, 5).Count);
    }

    [Fact]
    public void EqualityIsOfSizes()
    {
        Assert.True(new Shape(2, 3) == [2, 3]);
        Assert.True(new Shape(2, 3) != [3, 2]);
        Assert.True(new Shape(2, 3) != [2, 3, 1]);
        Assert.Equal(new Shape(2, 3).GetHashCode(), new Shape(2, 3).GetHashCode());
        Assert.False(new Shape(1).Equals("[1]"));
    }

    [Fact]
    public void Refusals()
    {
        Refuses<ArgumentException>("Shape: at most 6 axes, got 7.", () => new Shape(1, 1, 1, 1, 1, 1, 1));
        Refuses<ArgumentException>("Shape: sizes must not be negative, got -1 at axis 1.", () => new Shape(2, -1));
        Refuses<ArgumentException>("Shape: at most 2^40 elements, got [1048576, 1048577].", () => new Shape(1 << 20, (1 << 20) + 1));
        Refuses<ArgumentException>(
            "Shape: at most 2^40 elements, got [2147483647, 2147483647, 2147483647].", () => new Shape(int.MaxValue, int.MaxValue, int.MaxValue));
        Refuses<ArgumentOutOfRangeException>("Shape: axis must be in -2 .. 1 for [2, 3], got 2. (Parameter 'axis')", () => _ = new Shape(2, 3)[2]);
        Refuses<ArgumentOutOfRangeException>("Shape: axis must be in -2 .. 1 for [2, 3], got -3. (Parameter 'axis')", () => _ = new Shape(2, 3)[-3]);

        static void Refuses<TException>(string message, Action call)
            where TException : Exception
            => Assert.Equal(message, Assert.Throws<TException>(call).Message);
    }
}
