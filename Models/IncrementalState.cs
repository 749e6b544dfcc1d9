using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>
/// The memory of a decoding under way, the same contract for every architecture: keys and values of self-attention, the last inputs of convolutions, the
/// projected source. N = M * beam hypotheses of M sentences are decoded side by side, row n belonging to sentence n / beam.
/// The state owns its tensors, whatever scopes are open; its user disposes it.
/// </summary>
public sealed class IncrementalState : IDisposable
{
    private readonly Dictionary<Module, Memory[]> _memories = [];

    /// <summary>Starts with nothing remembered and no step taken.</summary>
    /// <param name="encoded">The sources: M sentences.</param>
    /// <param name="beam">Hypotheses of each sentence.</param>
    /// <param name="maxLength">The most steps that will be taken; memories grow as they are needed.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="beam"/> or <paramref name="maxLength"/> is below 1.</exception>
    public IncrementalState(EncoderOutput encoded, int beam, int maxLength)
    {
        if (beam < 1 || maxLength < 1)
            throw new ArgumentOutOfRangeException(null, $"IncrementalState: beam and maxLength must be at least 1, got {beam} and {maxLength}.");
        Beam = beam;
        MaxLength = maxLength;
        Sentences = encoded.Lengths.Shape[0];
        Lengths = new Memory(Scopes.Leave(encoded.Lengths.Detach()), perSentence: true);
    }

    /// <summary>Hypotheses of each sentence.</summary>
    public int Beam { get; }

    /// <summary>The most steps.</summary>
    public int MaxLength { get; }

    /// <summary>M, sentences still being decoded.</summary>
    public int Sentences { get; private set; }

    /// <summary>N = M * beam, hypotheses side by side.</summary>
    public int Hypotheses => Sentences * Beam;

    /// <summary>Steps taken so far: the position of the token that the next step reads.</summary>
    public int Step { get; private set; }

    /// <summary>[M], the lengths of the sources.</summary>
    public Tensor SourceLengths => Lengths.Value;

    private Memory Lengths { get; }

    /// <summary>
    /// Says which hypothesis each row goes on from. Sentences none of whose hypotheses goes on leave the state.
    /// </summary>
    /// <param name="rows">For each new row, the old row it continues; whole beams, each of one sentence, sentences in their old order.</param>
    /// <exception cref="ArgumentException">Not whole beams, a row that does not exist, a beam of mixed sentences, or sentences out of order.</exception>
    public void Reorder(ReadOnlySpan<int> rows)
    {
        var sentences = CheckRows(rows);
        using (var scope = TensorScope.Begin())
        using (new NoGrad())
        {
            var device = SourceLengths.Device;
            var byHypothesis = IsIdentity(rows, Hypotheses) ? null : Tensor.From(device, rows);
            var bySentence = sentences.Length == Sentences ? null : Tensor.From(device, sentences);
            foreach (var memory in _memories.Values.SelectMany(m => m).Append(Lengths))
            {
                if ((memory.PerSentence ? bySentence : byHypothesis) is { } indices)
                    memory.Value = Ops.IndexSelect(memory.Value, 0, indices);
            }
        }

        Sentences = sentences.Length;
    }

    /// <summary>Frees the memory.</summary>
    public void Dispose()
    {
        foreach (var memory in _memories.Values.SelectMany(m => m).Append(Lengths))
            memory.Value.Dispose();
        _memories.Clear();
    }

    /// <summary>Remembers tensors for a module, one row per hypothesis: they follow <see cref="Reorder"/>.</summary>
    /// <param name="owner">The module that will ask for them.</param>
    /// <param name="initial">[N, ...] each; they become the state's.</param>
    public void AddPerHypothesis(Module owner, params ReadOnlySpan<Tensor> initial) => Add(owner, initial, perSentence: false);

    /// <summary>Remembers tensors for a module, one row per sentence: shared by its hypotheses.</summary>
    /// <param name="owner">The module that will ask for them.</param>
    /// <param name="initial">[M, ...] each; they become the state's.</param>
    public void AddPerSentence(Module owner, params ReadOnlySpan<Tensor> initial) => Add(owner, initial, perSentence: true);

    /// <summary>What a module remembered, in the order it was added.</summary>
    /// <exception cref="InvalidOperationException">The module remembered nothing: the state belongs to another model.</exception>
    public IReadOnlyList<Memory> Of(Module owner) => _memories.TryGetValue(owner, out var memories)
        ? memories
        : throw new InvalidOperationException($"IncrementalState: must come from the model that decodes with it, got none of this {owner.GetType().Name}.");

    /// <summary>Counts a step.</summary>
    internal void Advance() => Step++;

    /// <summary>Refuses a step that does not fit.</summary>
    internal void CheckStep(Tensor tokens)
    {
        if (tokens.Shape != [Hypotheses])
            throw new ArgumentException($"DecodeStep: tokens must be one for each of the {Hypotheses} hypotheses, got {tokens}.");
        if (Step >= MaxLength)
            throw new InvalidOperationException($"DecodeStep: the state was begun for {MaxLength} steps, all were taken.");
    }

    private static bool IsIdentity(ReadOnlySpan<int> rows, int count)
    {
        for (int i = 0; i < rows.Length; i++)
        {
            if (rows[i] != i)
                return false;
        }

        return rows.Length == count;
    }

    private int[] CheckRows(ReadOnlySpan<int> rows)
    {
        if (rows.Length % Beam != 0)
            throw new ArgumentException($"Reorder: rows must be whole beams of {Beam}, got {rows.Length} rows.");
        var sentences = new int[rows.Length / Beam];
        int last = -1;
        for (int i = 0; i < rows.Length; i++)
        {
            if ((uint)rows[i] >= (uint)Hypotheses)
                throw new ArgumentException($"Reorder: rows must be in 0 .. {Hypotheses - 1}, got {rows[i]} at {i}.");
            int sentence = rows[i] / Beam;
            if (i % Beam == 0)
            {
                if (sentence <= last)
                    throw new ArgumentException($"Reorder: sentences must keep their order, got sentence {sentence} after {last}.");
                sentences[i / Beam] = last = sentence;
            }
            else if (sentence != last)
            {
                throw new ArgumentException($"Reorder: a beam must stay within its sentence, got sentences {last} and {sentence} at {i}.");
            }
        }

        return sentences;
    }

    private void Add(Module owner, ReadOnlySpan<Tensor> initial, bool perSentence)
    {
        var added = new Memory[initial.Length];
        for (int i = 0; i < initial.Length; i++)
            added[i] = new Memory(Scopes.Leave(initial[i]), perSentence);
        _memories[owner] = _memories.TryGetValue(owner, out var before) ? [.. before, .. added] : added;
    }

    /// <summary>One remembered tensor.</summary>
    public sealed class Memory
    {
        private Tensor _value;

        internal Memory(Tensor value, bool perSentence)
        {
            _value = value;
            PerSentence = perSentence;
        }

        /// <summary>Whether a row belongs to a sentence; otherwise to a hypothesis.</summary>
        public bool PerSentence { get; }

        /// <summary>The tensor. Setting it frees the one before; the new one becomes the state's.</summary>
        public Tensor Value
        {
            get => _value;
            set
            {
                var before = _value;
                _value = Scopes.Leave(value);
                if (!ReferenceEquals(before, value))
                    before.Dispose();
            }
        }
    }
}
