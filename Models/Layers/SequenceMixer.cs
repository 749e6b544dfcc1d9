using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>What lets the positions of one sequence see each other: self-attention or a convolution. The rest of a layer treats every position alone.</summary>
public abstract class SequenceMixer : Module
{
    /// <summary>Mixes whole sequences.</summary>
    /// <param name="x">[B, T, C].</param>
    /// <param name="lengths">[B] integers: positions beyond them are padding that the others must not see; null if there is none to hide.</param>
    /// <param name="random">Draws the dropout masks; null for evaluation.</param>
    /// <returns>[B, T, C], new.</returns>
    public abstract Tensor Forward(Tensor x, Tensor? lengths, RandomSource? random);

    /// <summary>Gives the mixer its place in a decoding's memory.</summary>
    /// <param name="state">The decoding, before its first step.</param>
    public abstract void Begin(IncrementalState state);

    /// <summary>
    /// Mixes one more position, remembering what later ones will need: the same numbers as <see cref="Forward"/> over the whole sequence gives there.
    /// </summary>
    /// <param name="x">[N, C], the position <see cref="IncrementalState.Step"/> of every hypothesis.</param>
    /// <param name="state">The decoding.</param>
    /// <returns>[N, C], new.</returns>
    public abstract Tensor Step(Tensor x, IncrementalState state);

    /// <summary>The same for some of the hypotheses. The others are remembered too: what comes after them sees them.</summary>
    /// <param name="x">[N, C], the position of every hypothesis.</param>
    /// <param name="state">The decoding.</param>
    /// <param name="rows">A of them; none to remember alone.</param>
    /// <returns>[A, C], new; null where there are none.</returns>
    internal virtual Tensor? Step(Tensor x, IncrementalState state, StepRows rows)
    {
        var y = Step(x, state);
        return rows.Active.Count == 0 ? null : rows.Of(y);
    }
}
