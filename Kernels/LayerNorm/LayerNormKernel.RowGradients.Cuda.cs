namespace CudaSeq.Kernels;

internal static partial class LayerNormKernel
{
    private static readonly CudaKernel Parameters = new("layer_norm_parameters_f32");

    /// <summary>How a kernel of LayerNormBackward.cuh is launched: N rows in blocks, each of which leaves its share of dgain and dbias in scratch memory.</summary>
    internal readonly struct RowGradients : IDisposable
    {
        private const int WarpLanes = 32;

        // As in LayerNormBackward.cuh.
        private const int Warps = 8;
        private const int BlocksAMultiprocessor = 2;
        private const int MinRows = 8;

        private readonly LayerNormSize _size;
        private readonly int _blocks;
        private readonly CallScratch _scratch;

        /// <param name="cuda">Where the kernel runs.</param>
        /// <param name="size">At least one row and one channel.</param>
        /// <param name="parameters">Whether dgain or dbias is wanted.</param>
        /// <param name="packed">All that the kernel wants to read and write by 16 bytes; the first of them are rows.</param>
        public RowGradients(CudaDevice cuda, LayerNormSize size, bool parameters, ReadOnlySpan<DeviceSpan> packed)
        {
            _size = size;
            int wanted = BlocksAMultiprocessor * cuda.Multiprocessors;
            BlockRows = Math.Max(MinRows, (size.N + wanted - 1) / wanted);
            _blocks = (size.N + BlockRows - 1) / BlockRows;

            // Rows that cannot be read by packs of 16 bytes would take more registers than there are.
            Wide = RowLaunch.IsWide(size.C) || size.C % Elementwise.Pack(packed[0].Type) != 0;
            foreach (var span in packed)
                Wide |= !Elementwise.IsAligned(span);
            long sums = 2L * _blocks * size.C;
            _scratch = new CallScratch(cuda, parameters ? sums * sizeof(float) : sizeof(float));
            Partial = parameters ? _scratch.Span(0, sums) : null;
        }

        public static Dim3 Block => new(Warps * WarpLanes);

        /// <summary>Whether the kernel for rows of any length and address is the one to launch.</summary>
        public bool Wide { get; }

        public int BlockRows { get; }

        public Dim3 Grid => new(_blocks);

        public int SharedBytes => Wide ? 0 : Warps * _size.C * sizeof(float);

        /// <summary>[blocks, 2, C]; null where neither dgain nor dbias is wanted.</summary>
        public DeviceSpan? Partial { get; }

        /// <summary>Whether there is nothing to launch; then the gradients of the parameters are zero, and written.</summary>
        public static bool IsEmpty(LayerNormSize size, DeviceSpan? dgain, DeviceSpan? dbias)
        {
            if (size.N > 0 && size.C > 0)
                return false;
            if (dgain is { } gains)
                FillKernel.Zero(gains);
            if (dbias is { } biases)
                FillKernel.Zero(biases);
            return true;
        }

        /// <summary>Adds up what the blocks left.</summary>
        public void Finish(CudaDevice cuda, DeviceSpan? dgain, DeviceSpan? dbias)
        {
            if (Partial is not null)
                cuda.Launch(Parameters, new Dim3((_size.C + WarpLanes - 1) / WarpLanes, 2), Block, 0, Partial, dgain, dbias, _blocks, _size.C);
        }

        public void Dispose() => _scratch.Dispose();
    }
}
