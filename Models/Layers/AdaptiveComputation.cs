using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>
/// The halting unit of adaptive computation time (A. Graves, "Adaptive computation time for recurrent neural networks", 2016): it says after every step, of each row for itself, with
/// what probability the row has been computed enough,
/// <code>
/// h^n = sigmoid(w s^n + b),   N = min{ n : h^1 + .. + h^n at least 1 - epsilon }, at most the last step,
/// p^n = h^n before N,   p^N = R = 1 - (h^1 + .. + h^{N-1}),   s = sum_n p^n s^n,   ponder = N + R.
/// </code>
/// N is a number, no function of what is learned: so the gradient of the ponder is -1 for the h before N and 0 for that at N, whose state has the rest of the weights. Parameters:
/// <c>weight</c> [1, C], Xavier-uniform, and <c>bias</c> [1], which starts at 1, so that rows halt early at first. Probabilities and weights are float32 in every precision.
/// </summary>
public sealed class AdaptiveComputation : Module
{
    private readonly Parameter _weight;
    private readonly Parameter _bias;
    private readonly float _enough;

    /// <summary>Declares the parameters.</summary>
    /// <param name="width">C, channels of a state.</param>
    /// <param name="epsilon">How much of the probability may be missing when a row halts, in [0, 1): what lets it halt after one step.</param>
    /// <exception cref="ArgumentOutOfRangeException">The width is below 1, or epsilon is not in [0, 1).</exception>
    public AdaptiveComputation(int width, float epsilon = 0.01f)
    {
        if (width < 1 || !(epsilon is >= 0 and < 1))
            throw new ArgumentOutOfRangeException(null, FormattableString.Invariant($"AdaptiveComputation: the width must be at least 1 and epsilon in [0, 1), got {width} and {epsilon}."));
        _weight = Declare("weight", [1, width], Initializer.XavierUniform());
        _bias = Declare("bias", [1], Initializer.Ones);
        _enough = 1 - epsilon;
    }

    /// <summary>Begins: all rows are to be computed.</summary>
    /// <param name="rows">The shape of the rows, [N] or [B, T].</param>
    public Run Begin(Shape rows)
    {
        Span<int> sizes = stackalloc int[rows.Rank + 1];
        rows.CopyTo(sizes);
        sizes[^1] = 1;
        return new Run(this, new Shape(sizes));
    }

    /// <summary>One computation under way.</summary>
    public sealed class Run
    {
        private const string NoStep = "AdaptiveComputation: a step must be taken before anything is known of it, none was.";

        private readonly AdaptiveComputation _unit;
        private readonly Tensor _ones;
        private Tensor _sum;
        private Tensor? _rest;
        private Tensor? _steps;
        private Tensor? _remainder;
        private Tensor? _mean;
        private DType _type;

        internal Run(AdaptiveComputation unit, Shape rows)
        {
            _unit = unit;
            _ones = Running = Tensor.Full(unit.Device, rows, 1);
            _sum = Tensor.Zeros(unit.Device, rows);
        }

        /// <summary>[..., 1] float32: 1 for rows that the next step computes, 0 for those that have halted.</summary>
        public Tensor Running { get; private set; }

        /// <summary>[...] float32: N + R of every row; gradients flow from R alone. After the last step.</summary>
        /// <exception cref="InvalidOperationException">No step was taken.</exception>
        public Tensor Ponder
        {
            get
            {
                var both = Ops.Add(_steps ?? throw new InvalidOperationException(NoStep), _remainder!);
                return both.Reshape(both.Shape.Without(both.Shape.Rank - 1));
            }
        }

        /// <summary>[..., C]: the mean of the states that <see cref="Advance"/> took, summed in float32 and in their precision. After the last step.</summary>
        /// <exception cref="InvalidOperationException">No step was taken.</exception>
        public Tensor Mean => As(_mean ?? throw new InvalidOperationException(NoStep), _type);

        /// <summary>Takes a step: rows that have halted keep their states, exactly, whatever was computed for them.</summary>
        /// <param name="before">[..., C], the states before it.</param>
        /// <param name="after">[..., C], what it made of them.</param>
        /// <param name="last">Whether no step follows: all rows halt.</param>
        /// <returns>[..., C], new: the states from which the next step goes on.</returns>
        public Tensor Advance(Tensor before, Tensor after, bool last)
        {
            var (moves, stays) = (Running, Ops.Subtract(_ones, Running));
            var states = Ops.Add(Ops.Multiply(before, As(stays, before.DType)), Ops.Multiply(after, As(moves, before.DType)));
            var weighed = Ops.Multiply(As(states, DType.Float32), Weigh(states, last));
            _type = states.DType;
            _mean = _mean is null ? weighed : Ops.Add(_mean, weighed);
            return states;
        }

        /// <summary>Learns of the states that a step gave, and says what each counts in a mean.</summary>
        /// <param name="states">[..., C], s^n.</param>
        /// <param name="last">Whether no step follows: all rows halt.</param>
        /// <returns>[..., 1] float32, new: p^n, 0 for rows that halted before. In float32 they sum to 1; rounded each for itself they would not.</returns>
        public Tensor Weigh(Tensor states, bool last)
        {
            var halting = Ops.Sigmoid(Ops.Linear(states, _unit._weight.Tensor, _unit._bias.Tensor, result: DType.Float32));
            Tensor goesOn;
            using (new NoGrad())
            {
                _sum = Ops.Add(_sum, Ops.Multiply(Running, halting));
                goesOn = last ? Ops.Subtract(_ones, _ones) : Ops.Multiply(Running, Below(_sum, _unit._enough));
            }

            var halts = Ops.Subtract(Running, goesOn);
            var rest = _rest ?? _ones;
            var own = Ops.Multiply(halting, goesOn);
            var remainder = Ops.Multiply(rest, halts);
            _rest = Ops.Subtract(rest, own);
            _steps = _steps is null ? Running : Ops.Add(_steps, Running);
            _remainder = _remainder is null ? remainder : Ops.Add(_remainder, remainder);
            Running = goesOn;
            return Ops.Add(own, remainder);
        }

        // 1 where x is below a number, else 0: a row [x, number] has its largest at 1 then, and of equal ones the first.
        private static Tensor Below(Tensor x, float number)
        {
            var bound = Tensor.Full(x.Device, x.Shape, number);
            int rows = checked((int)x.Shape.Count);
            var below = Ops.ArgMax(Ops.Concat(1, x.Reshape([rows, 1]), bound.Reshape([rows, 1])));
            return Ops.MaskedFill(Tensor.Zeros(x.Device, [rows]), below, 1).Reshape(x.Shape);
        }

        private static Tensor As(Tensor x, DType type) => x.DType == type ? x : Ops.Convert(x, type);
    }
}
