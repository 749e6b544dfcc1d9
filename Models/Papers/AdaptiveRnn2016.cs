using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>
/// A recurrent network that thinks about each input for as many steps as it wants: A. Graves, "Adaptive computation time for recurrent neural networks", 2016, section 2. At input t,
/// <code>
/// s_t^1 = S(s_{t-1}, [x_t; 1]),   s_t^n = S(s_t^{n-1}, [x_t; 0]) for n = 2 .. N(t),   s_t = sum_n p_t^n s_t^n,   y_t = sum_n p_t^n (W_y s_t^n + b_y),
/// </code>
/// with p, N and the ponder N + R of <see cref="AdaptiveComputation"/>. S is a tanh network, s' = tanh(W [x; flag] + b + U s), or LSTM cells, of which what they show and what they keep are
/// both averaged, and what they show decides. Parameters: <c>input</c> and <c>recurrent</c>, or <c>cell</c>; <c>halting</c>; <c>output</c>.
/// </summary>
/// <remarks>
/// The loss to train with is that of the outputs plus tau times the sum of the ponder (<see cref="Cost"/>). As the p of a row sum to 1, the mean of the outputs is the output of the mean
/// state, and is computed so. Steps end when all rows have halted, which the host asks for after each. Results depend much on tau, and jump where an N changes.
/// </remarks>
public sealed class AdaptiveRnn2016 : Module
{
    private readonly Linear? _input;
    private readonly Linear? _recurrent;
    private readonly LstmCell? _cell;
    private readonly AdaptiveComputation _halting;
    private readonly Linear _output;
    private readonly int _inputs;
    private readonly int _hidden;
    private readonly int _mostSteps;

    /// <summary>Declares the parameters.</summary>
    /// <param name="inputs">I, channels of an input.</param>
    /// <param name="hidden">H, channels of the state.</param>
    /// <param name="outputs">O, channels of an output.</param>
    /// <param name="lstm">Whether S is of LSTM cells.</param>
    /// <param name="mostSteps">M, steps after which a row halts in any case; 100 in the paper, 20 for its addition.</param>
    /// <param name="epsilon">How much of the probability may be missing when a row halts.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is below 1, or epsilon is not in [0, 1).</exception>
    public AdaptiveRnn2016(int inputs, int hidden, int outputs, bool lstm = false, int mostSteps = 100, float epsilon = 0.01f)
    {
        if (inputs < 1 || hidden < 1 || outputs < 1 || mostSteps < 1)
            throw new ArgumentOutOfRangeException(null, $"AdaptiveRnn2016: inputs, hidden, outputs and mostSteps must be at least 1, got {inputs}, {hidden}, {outputs} and {mostSteps}.");
        (_inputs, _hidden, _mostSteps) = (inputs, hidden, mostSteps);
        if (lstm)
        {
            _cell = Add("cell", new LstmCell(inputs + 1, hidden));
        }
        else
        {
            _input = Add("input", new Linear(inputs + 1, hidden));
            _recurrent = Add("recurrent", new Linear(hidden, hidden, bias: false));
        }

        _halting = Add("halting", new AdaptiveComputation(hidden, epsilon));
        _output = Add("output", new Linear(hidden, outputs));
    }

    /// <summary>Reads a batch of sequences, from a state of zeros.</summary>
    /// <param name="x">[B, T, I], T at least 1.</param>
    /// <returns>The outputs [B, T, O], and N + R of every input, [B, T] float32, whose gradient is that of R; new.</returns>
    /// <exception cref="ArgumentException">The shape does not fit.</exception>
    public (Tensor Outputs, Tensor Ponder) Forward(Tensor x)
    {
        if (x.Shape.Rank != 3 || x.Shape[2] != _inputs || x.Shape[1] == 0)
            throw new ArgumentException($"AdaptiveRnn2016: x must be [B, T, {_inputs}] with T at least 1, got {x.Shape}.");
        int batch = x.Shape[0], length = x.Shape[1];
        var flag = Ops.Convert(Tensor.Full(x.Device, [batch, 1], 1), x.DType);
        var none = Ops.Subtract(flag, flag);
        var inputs = TimeSteps.Of(x);
        var state = Zeros(batch);
        Tensor[] outputs = new Tensor[length], ponder = new Tensor[length];
        for (int t = 0; t < length; t++)
        {
            var run = _halting.Begin([batch]);
            Tensor first = Ops.Concat(1, inputs[t], flag), again = Ops.Concat(1, inputs[t], none);
            Tensor[]? mean = null;
            for (int n = 1; n <= _mostSteps; n++)
            {
                state = Next(n == 1 ? first : again, state);
                var weights = run.Weigh(state[0], last: n == _mostSteps);
                Tensor[] weighed = [.. state.Select(s => Ops.Multiply(s.To(DType.Float32), weights))];
                mean = mean is null ? weighed : [.. mean.Zip(weighed, Ops.Add)];
                if (run.Running.ToArray().All(r => r == 0))
                    break;
            }

            state = [.. mean!.Select(m => m.To(Precision))];
            outputs[t] = _output.Forward(state[0]).Reshape([batch, 1, _output.Weight.Shape[0]]);
            ponder[t] = run.Ponder.Reshape([batch, 1]);
        }

        return (Ops.Concat(1, outputs), Ops.Concat(1, ponder));
    }

    /// <summary>What is added to the loss: tau times the sum of N + R.</summary>
    /// <param name="ponder">[B, T].</param>
    /// <param name="tau">What a step costs, 0.0001 to 0.1 in the paper.</param>
    /// <param name="lengths">[B] integers, inputs of each sequence; all when null.</param>
    /// <returns>A single number.</returns>
    public static Tensor Cost(Tensor ponder, float tau, Tensor? lengths = null) => Ops.Scale(Ops.Sum(lengths is null ? ponder : Ops.MaskPadding(ponder, lengths)), tau);

    private Tensor[] Zeros(int batch)
    {
        if (_cell is null)
            return [Tensor.Zeros(Device, [batch, _hidden], Precision)];
        var (hidden, cell) = _cell.Zeros(batch);
        return [hidden, cell];
    }

    private Tensor[] Next(Tensor x, Tensor[] state)
    {
        if (_cell is null)
            return [Ops.Tanh(Ops.Add(_input!.Forward(x), _recurrent!.Forward(state[0])))];
        var (hidden, cell) = _cell.Step(x, new LstmState(state[0], state[1]));
        return [hidden, cell];
    }
}
