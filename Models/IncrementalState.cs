using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>
/// The memory of a decoding under way, the same contract for every architecture: keys and values of self-attention, the last inputs of convolutions, the
/// projected source. N = M * beam hypotheses of M sentences are decoded side by side, row n belonging to sentence n / beam.
/// The state owns its tensors, whatever scopes are open; its user disposes it.
/// </summary>
public sealed partial class IncrementalState : IDisposable
{
    private readonly Dictionary<(Module Owner, int Depth), Memory[]> _memories = [];
    private readonly DecodingSizes _sizes;
    private readonly FixedMemory? _fixed;
    private readonly Memory _lengths;
    private readonly Memory _positions;
    private readonly Memory _counts;
    private readonly int _sourceWidth;
    private int _places;
    private CacheOrigins? _origins;
    private int _remembered;
    private int[] _layersTaken = [];
    private (int Step, int Hypotheses) _prepared = (-1, 0);

    /// <summary>Starts with nothing remembered and no step taken.</summary>
    /// <param name="encoded">The sources: M sentences.</param>
    /// <param name="beam">Hypotheses of each sentence.</param>
    /// <param name="maxLength">The most steps that will be taken; memories grow as they are needed.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="beam"/> or <paramref name="maxLength"/> is below 1.</exception>
    public IncrementalState(EncoderOutput encoded, int beam, int maxLength)
        : this(encoded, beam, maxLength, DecodingSizes.Exact, null)
    {
    }

    /// <param name="encoded">The sources.</param>
    /// <param name="beam">Hypotheses of each sentence.</param>
    /// <param name="maxLength">The most steps.</param>
    /// <param name="sizes">To what the room for positions is rounded up.</param>
    /// <param name="memory">Where everything is remembered, for one state at a time; null for tensors of the state's own.</param>
    internal IncrementalState(EncoderOutput encoded, int beam, int maxLength, DecodingSizes sizes, FixedMemory? memory)
        : this(encoded.Lengths.Detach(), encoded.States.Shape[1], beam, maxLength, sizes, memory)
    {
    }

    /// <param name="sourceLengths">[M] integers, zeros where there are no sources; they become the state's.</param>
    /// <param name="sourceWidth">S, 0 where there are no sources.</param>
    /// <param name="beam">Hypotheses of each sentence.</param>
    /// <param name="maxLength">The most steps.</param>
    /// <param name="sizes">To what the room for positions is rounded up.</param>
    /// <param name="memory">Where everything is remembered, for one state at a time; null for tensors of the state's own.</param>
    internal IncrementalState(Tensor sourceLengths, int sourceWidth, int beam, int maxLength, DecodingSizes sizes, FixedMemory? memory)
    {
        if (beam < 1 || maxLength < 1)
            throw new ArgumentOutOfRangeException(null, $"IncrementalState: beam and maxLength must be at least 1, got {beam} and {maxLength}.");
        Beam = beam;
        MaxLength = maxLength;
        Sentences = sourceLengths.Shape[0];
        _sizes = sizes;
        _fixed = memory;
        _sourceWidth = sourceWidth;
        var device = sourceLengths.Device;
        _lengths = Remember(sourceLengths, MemoryKind.PerSentence);
        _positions = Remember(Tensor.Zeros(device, [Hypotheses], DType.Int32), MemoryKind.PerHypothesis);
        _counts = Remember(Tensor.Zeros(device, [Hypotheses], DType.Int32), MemoryKind.PerHypothesis);
    }

    /// <summary>Hypotheses of each sentence.</summary>
    public int Beam { get; }

    /// <summary>The most steps.</summary>
    public int MaxLength { get; }

    /// <summary>M, sentences still being decoded.</summary>
    public int Sentences { get; private set; }

    /// <summary>N = M * beam, hypotheses side by side.</summary>
    public int Hypotheses => Sentences * Beam;

    /// <summary>Steps taken so far: the position of the token that the next step reads. A step itself reads <see cref="Positions"/>: a GPU may capture it and launch it for others.</summary>
    public int Step { get; private set; }

    /// <summary>[M], the lengths of the sources; zeros where there are none.</summary>
    public Tensor SourceLengths => _lengths.Value;

    /// <summary>[N] integers, <see cref="Step"/> for each hypothesis: what a step must not read off the host, which may launch it again for another position. Between steps they are those of the last step.</summary>
    public Tensor Positions => _positions.Value;

    /// <summary>
    /// [N, S] integers below <see cref="Beam"/>: what was added per position stays where it is when hypotheses go on from one another, and position s of hypothesis n lies in row
    /// n - n mod beam + origins[n, s]. Null where a sentence has one hypothesis, and nothing ever moves, and where nothing was added per position. It is the state's, and another
    /// tensor after memories grew or sentences left.
    /// </summary>
    public Tensor? Origins => _origins?.Value;

    /// <summary>[N] integers, one more each: the positions that exist once this step's does. Between steps they are those of the last step.</summary>
    public Tensor Counts => _counts.Value;

    /// <summary>When positions leave the layers; null where all pass through all.</summary>
    internal ExitRule? Exit { get; set; }

    /// <summary>How many positions left after each layer, the first at 0; null where nobody counts.</summary>
    internal long[]? ExitCounts { get; set; }

    /// <summary>[N], after which layer, from 1, each row of the last step left; null where all pass through all. Of the rows as they were then.</summary>
    internal int[]? ExitDepths { get; set; }

    /// <summary>At which place of the decoder's path a layer is applied: a layer that comes several times remembers something else each time.</summary>
    internal int Depth { get; set; }

    /// <summary>All sizes that a step depends on.</summary>
    internal DecodingLayout Layout => new(Hypotheses, _sourceWidth, _places);

    /// <summary>
    /// Says which hypothesis each row goes on from. Sentences none of whose hypotheses goes on leave the state. What is remembered per hypothesis is moved; what is remembered per
    /// position is not, <see cref="Origins"/> follow in its place.
    /// </summary>
    /// <param name="rows">For each new row, the old row it continues; whole beams, each of one sentence, sentences in their old order.</param>
    /// <exception cref="ArgumentException">Not whole beams, a row that does not exist, a beam of mixed sentences, or sentences out of order.</exception>
    public void Reorder(ReadOnlySpan<int> rows)
    {
        var sentences = CheckRows(rows);
        if (sentences.Length == Sentences && Beam <= Ops.MostBeamRows)
        {
            if (!IsIdentity(rows, Hypotheses))
                ReorderInPlace(rows);
            Follow(rows);
            return;
        }

        using (var scope = TensorScope.Begin())
        using (new NoGrad())
        {
            var device = SourceLengths.Device;
            var byHypothesis = IsIdentity(rows, Hypotheses) ? null : Tensor.From(device, rows);
            var bySentence = sentences.Length == Sentences ? null : Tensor.From(device, sentences);
            var byBeam = bySentence is null ? null : Tensor.From(device, [.. sentences.SelectMany(m => Enumerable.Range(m * Beam, Beam))]);
            foreach (var memory in _memories.Values.SelectMany(m => m).Append(_lengths))
            {
                if ((memory.PerSentence ? bySentence : memory.PerPosition ? byBeam : byHypothesis) is { } indices)
                    memory.Value = Ops.IndexSelect(memory.Value, 0, indices);
            }

            if (byHypothesis is not null)
                _origins?.Select(byHypothesis, Step, _places);
        }

        Sentences = sentences.Length;
        Follow(rows);
    }

    // Between steps the counts are those of the last one: the places that steps have reached.
    private void ReorderInPlace(ReadOnlySpan<int> rows)
    {
        using var scope = TensorScope.Begin();
        using var pause = new NoGrad();
        int[] parents = new int[rows.Length];
        for (int n = 0; n < parents.Length; n++)
            parents[n] = rows[n] % Beam;
        var indices = Tensor.From(SourceLengths.Device, parents);

        // After sentences left they are not of these rows, after a step that failed not of the last one.
        if (Counts.Shape != indices.Shape || _prepared.Step == Step)
        {
            Fill(_counts, Step);
            _prepared = (-1, 0);
        }

        Move(indices, Counts);
    }

    // What is remembered per position stays: the origins say where it is.
    private void Move(Tensor parents, Tensor counts)
    {
        foreach (var memory in _memories.Values.SelectMany(m => m).Where(m => m.PerHypothesis))
            Ops.BeamReorder(memory.Value, parents, Beam);
        _origins?.Reorder(parents, counts);
    }

    /// <summary>How many layers all positions of a row together took so far, where they leave the layers early.</summary>
    internal int LayersTaken(int row) => _layersTaken.Length == 0 ? 0 : _layersTaken[row];

    /// <summary>Counts the layers that a step took.</summary>
    /// <param name="depths">[N], after which layer, from 1, each row left.</param>
    internal void Took(int[] depths)
    {
        ExitDepths = depths;
        _layersTaken = [.. depths.Select((d, n) => LayersTaken(n) + d)];
    }

    /// <summary>Says on the host which row each goes on from; what lies on the device is moved by <see cref="Reorder(Tensor)"/>.</summary>
    internal void Follow(ReadOnlySpan<int> rows)
    {
        if (_layersTaken.Length == 0)
            return;
        int[] taken = new int[rows.Length];
        for (int n = 0; n < taken.Length; n++)
            taken[n] = _layersTaken[rows[n]];
        _layersTaken = taken;
    }

    /// <summary>The same where no sentence leaves; no gradient. Positions that no step has reached yet stay the row's own.</summary>
    /// <param name="parents">[N] integers below <see cref="Beam"/>: the row of its own beam that each row goes on from.</param>
    internal void Reorder(Tensor parents)
    {
        using var scope = TensorScope.Begin();
        using var pause = new NoGrad();
        Move(parents, Positions);
    }

    /// <summary>Frees the memory.</summary>
    public void Dispose()
    {
        foreach (var memory in _memories.Values.SelectMany(m => m).Concat([_lengths, _positions, _counts]))
            memory.Free();
        _origins?.Free();
        _memories.Clear();
    }

    /// <summary>Remembers tensors for a module, one row per hypothesis: they follow <see cref="Reorder(ReadOnlySpan{int})"/>.</summary>
    /// <param name="owner">The module that will ask for them.</param>
    /// <param name="initial">[N, ...] each; they become the state's.</param>
    public void AddPerHypothesis(Module owner, params ReadOnlySpan<Tensor> initial) => Add(owner, initial, MemoryKind.PerHypothesis);

    /// <summary>Remembers tensors for a module, one row per sentence: shared by its hypotheses.</summary>
    /// <param name="owner">The module that will ask for them.</param>
    /// <param name="initial">[M, ...] each; they become the state's.</param>
    public void AddPerSentence(Module owner, params ReadOnlySpan<Tensor> initial) => Add(owner, initial, MemoryKind.PerSentence);

    /// <summary>
    /// Remembers vectors of every position for a module: tensors [N, S, C] that start with zeros and always have room for the position <see cref="Step"/>. A step writes to its
    /// own rows; which rows hold the positions before it, <see cref="Origins"/> says.
    /// </summary>
    /// <param name="owner">The module that will ask for them.</param>
    /// <param name="type">The type of the vectors.</param>
    /// <param name="widths">C of each.</param>
    public void AddPerPosition(Module owner, DType type, params ReadOnlySpan<int> widths)
    {
        _places = _sizes.Places(1, MaxLength);
        var initial = new Tensor[widths.Length];
        for (int i = 0; i < initial.Length; i++)
            initial[i] = Tensor.Zeros(SourceLengths.Device, [Hypotheses, _places, widths[i]], type);
        Add(owner, initial, MemoryKind.PerPosition);
        if (Beam > 1)
            _origins ??= new CacheOrigins(t => Remember(t, MemoryKind.PerHypothesis), SourceLengths.Device, Hypotheses, Beam, _places);
    }

    /// <summary>What a module remembered, in the order it was added.</summary>
    /// <exception cref="InvalidOperationException">The module remembered nothing: the state belongs to another model.</exception>
    public IReadOnlyList<Memory> Of(Module owner) => _memories.TryGetValue((owner, Depth), out var memories)
        ? memories
        : throw new InvalidOperationException($"IncrementalState: must come from the model that decodes with it, got none of this {owner.GetType().Name}.");

    /// <summary>Whether a module remembered anything.</summary>
    internal bool Knows(Module owner) => _memories.ContainsKey((owner, Depth));

    /// <summary>Counts a step.</summary>
    internal void Advance() => Step++;

    /// <summary>Everything that must be there before a step, and that is done by the host: room for one more position, and its number.</summary>
    internal void Prepare()
    {
        using var scope = TensorScope.Begin();
        using var pause = new NoGrad();
        if (_places > 0 && Step >= _places)
            Grow();
        if (_prepared == (Step, Hypotheses))
            return;
        Fill(_positions, Step);
        Fill(_counts, Step + 1);
        _prepared = (Step, Hypotheses);
    }

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

    private void Grow()
    {
        int more = _sizes.Places(Step + 1, MaxLength) - _places;
        foreach (var memory in _memories.Values.SelectMany(m => m).Where(m => m.PerPosition))
            memory.Value = Ops.Concat(1, memory.Value, Tensor.Zeros(memory.Value.Device, memory.Value.Shape.With(1, more), memory.Value.DType));
        _places += more;
        _origins?.Select(null, Step, _places);
    }

    private void Fill(Memory memory, int value)
    {
        var values = new int[Hypotheses];
        Array.Fill(values, value);
        if (memory.Value.Shape == [Hypotheses])
            memory.Value.CopyFrom(values);
        else
            memory.Value = Tensor.From(SourceLengths.Device, values);
    }

    private void Add(Module owner, ReadOnlySpan<Tensor> initial, MemoryKind kind)
    {
        var added = new Memory[initial.Length];
        for (int i = 0; i < initial.Length; i++)
            added[i] = Remember(initial[i], kind);
        _memories[(owner, Depth)] = _memories.TryGetValue((owner, Depth), out var before) ? [.. before, .. added] : added;
    }

    private Memory Remember(Tensor initial, MemoryKind kind) => new(initial, kind, _fixed, _remembered++);
}

/// <summary>The sizes that a decoding step depends on.</summary>
/// <param name="Hypotheses">N.</param>
/// <param name="SourceWidth">S of the source.</param>
/// <param name="Places">Positions that there is room for; 0 where none are remembered.</param>
internal readonly record struct DecodingLayout(int Hypotheses, int SourceWidth, int Places);
