using CudaSeq.Tensors;

namespace CudaSeq.Models;

public sealed partial class IncrementalState
{
    /// <summary>What a remembered tensor has a row of.</summary>
    internal enum MemoryKind
    {
        PerHypothesis,
        PerSentence,
        PerPosition,
    }

    /// <summary>One remembered tensor.</summary>
    public sealed class Memory
    {
        private readonly MemoryKind _kind;
        private readonly FixedMemory? _fixed;
        private readonly int _block;
        private Tensor _value;

        // Its place in the fixed memory, where there is one, is the block of this number.
        internal Memory(Tensor initial, MemoryKind kind, FixedMemory? memory, int block)
        {
            _kind = kind;
            _fixed = memory;
            _block = block;
            _value = Place(initial);
        }

        /// <summary>Whether a row belongs to a sentence.</summary>
        public bool PerSentence => _kind == MemoryKind.PerSentence;

        /// <summary>Whether a row belongs to a hypothesis and follows it.</summary>
        internal bool PerHypothesis => _kind == MemoryKind.PerHypothesis;

        /// <summary>Whether a row has a place for each position, on its second axis. Rows do not follow hypotheses: <see cref="Origins"/> says where places lie.</summary>
        public bool PerPosition => _kind == MemoryKind.PerPosition;

        /// <summary>The tensor. Setting it frees the one before; the new one becomes the state's. A step that a GPU captures keeps its shape.</summary>
        public Tensor Value
        {
            get => _value;
            set
            {
                var before = _value;
                _value = Place(value);
                if (_fixed is null && !ReferenceEquals(before, value))
                    before.Dispose();
            }
        }

        internal void Free()
        {
            if (_fixed is null)
                _value.Dispose();
        }

        private Tensor Place(Tensor value)
        {
            if (_fixed is null)
                return Scopes.Leave(value);
            var place = _fixed.Of(_block, value.Shape, value.DType);
            if (!ReferenceEquals(place, value))
            {
                place.CopyFrom(value);
                value.Dispose();
            }

            return place;
        }
    }
}
