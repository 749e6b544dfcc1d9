using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>Which layers are looked at.</summary>
internal enum LayerSide
{
    /// <summary>The encoder's.</summary>
    Encoder,

    /// <summary>The decoder's.</summary>
    Decoder,
}

/// <summary>A part of a decoder's layer.</summary>
internal enum LayerPart
{
    /// <summary>None.</summary>
    None,

    /// <summary>Self-attention, or the convolution in its place.</summary>
    Mixer,

    /// <summary>Attention to the source.</summary>
    SourceAttention,
}

/// <summary>
/// Looks at the layers of a model at work, for study: it is told what enters each sub-layer, and computes from that whatever it wants (attention's probabilities, a filter's taps, what is inside a
/// feed-forward block). A layer without an observer does nothing for it. What it is given lives as long as the scope in which the model works.
/// </summary>
internal abstract class LayerObserver
{
    /// <summary>The side that is at work.</summary>
    protected LayerSide Side { get; private set; }

    /// <summary>The place in its path of the layer that is at work, from 0: a layer that is applied several times has several.</summary>
    protected int Place { get; private set; }

    /// <summary>A stack begins.</summary>
    /// <param name="side">Which.</param>
    /// <param name="x">[B, T, C], what enters its first layer.</param>
    public void Begins(LayerSide side, Tensor x)
    {
        (Side, Place) = (side, 0);
        OnStates(depth: 0, x);
    }

    /// <summary>A layer has given its output.</summary>
    /// <param name="x">[B, T, C].</param>
    public void Ends(Tensor x) => OnStates(++Place, x);

    /// <summary>Self-attention or a convolution is about to work.</summary>
    /// <param name="mixer">Which.</param>
    /// <param name="x">[B, T, C], what enters it.</param>
    /// <param name="lengths">[B] integers, as it is given them; null if it has nothing to hide.</param>
    public virtual void Mixes(SequenceMixer mixer, Tensor x, Tensor? lengths)
    {
    }

    /// <summary>Attention to the source is about to work.</summary>
    /// <param name="attention">Which.</param>
    /// <param name="x">[B, T, C], its queries.</param>
    /// <param name="encoded">The source as this layer sees it.</param>
    public virtual void Attends(MultiHeadAttention attention, Tensor x, EncoderOutput encoded)
    {
    }

    /// <summary>States between layers.</summary>
    /// <param name="depth">After so many layers of the path: 0 for what enters the first.</param>
    /// <param name="x">[B, T, C].</param>
    protected virtual void OnStates(int depth, Tensor x)
    {
    }
}
