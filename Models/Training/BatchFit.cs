using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>
/// How many tokens a batch may have on a GPU. Updates of a model like the one that will be trained are made with batches of growing size, of the corpus's own shapes and as
/// training makes them (eager, captured, as a graph; all batches of an update), until nine tenths of the memory that was free are taken or no more fits. The answer is a size
/// that was tried. The tenth is left to validation, to shapes that were not tried, and to whoever else uses the GPU.
/// </summary>
internal sealed class BatchFit : IDisposable
{
    private const double Share = 0.9;

    // Each size says what the next may be, but what little memory says of much is not worth more than this.
    private const int Growth = 4;

    // Nearer to the limit, or to a size that is too large, is not worth another try.
    private const double Full = 0.85;
    private const double Near = 1.25;

    // The first run of a shape is eager, the second captures it and the third would find it captured.
    private const int RunsAShape = 3;

    // Sizes are multiples of it, as lengths are of 8.
    private const int Step = 64;

    // CUDA's own number, for calls besides those that ask for memory.
    private const int CudaOutOfMemory = 2;

    private readonly ISamples _corpus;
    private readonly TrainerOptions _options;
    private readonly long _free;
    private readonly AutoregressiveModel _model;
    private readonly Tensor[] _parameters;
    private readonly IOptimizer _optimizer;
    private readonly MovingAverage? _average;
    private readonly RandomSource _random;

    private BatchFit(ModelConfig config, ISamples corpus, TrainerOptions options, Device device, long free)
    {
        _corpus = corpus;
        _options = options;
        _free = free;
        _random = new RandomSource(options.Seed);
        _model = AutoregressiveModel.Create(config, device, _random);
        try
        {
            _model.ComputeIn(options.Precision);
            _model.GradientCheckpointing = options.GradientCheckpointing;
            _parameters = [.. _model.Parameters];
            _optimizer = options.CreateOptimizer(_parameters);
            _average = options.CreateAverage(_parameters);
        }
        catch
        {
            _average?.Dispose();
            _optimizer?.Dispose();
            _model.Dispose();
            throw;
        }
    }

    /// <summary>Measures; leaves nothing on the device.</summary>
    /// <param name="config">The model that will be trained.</param>
    /// <param name="corpus">What it will be trained on.</param>
    /// <param name="options">How; the size of the batches does not count.</param>
    /// <param name="least">The smallest size that the recipe allows.</param>
    /// <param name="device">A GPU.</param>
    /// <param name="status">Says in a line each what was tried.</param>
    /// <param name="cancellation">Looked at before every try.</param>
    /// <returns>Tokens a batch; no more than the corpus has.</returns>
    /// <exception cref="InvalidOperationException">The device does not count its memory: it is no GPU.</exception>
    /// <exception cref="OutOfMemoryException">Not even the smallest size fits.</exception>
    public static int Measure(
        ModelConfig config, ISamples corpus, TrainerOptions options, int least, Device device, IProgress<string>? status, CancellationToken cancellation)
    {
        device.TrimCache();
        long free = device.FreeBytes ?? throw new InvalidOperationException($"Training: batch_tokens auto must be measured on a GPU, got {device}.");
        using var fit = new BatchFit(config, corpus, options, device, free);
        return fit.Search(least, status, cancellation);
    }

    /// <summary>Frees the model.</summary>
    public void Dispose()
    {
        _average?.Dispose();
        _optimizer.Dispose();
        _model.Dispose();
        _model.Device.TrimCache();
    }

    private int Search(int least, IProgress<string>? status, CancellationToken cancellation)
    {
        long limit = (long)(Share * _free), all = MostTokens(_corpus, _options.BatchSentences);

        // The smallest size that is known to be too large, and the largest that fits.
        long above = Math.Max(Math.Min(all, int.MaxValue / 2), least) + Step;
        int fits = 0;
        long taken = 0;
        for (int tokens = RoundUp(least); ;)
        {
            long? bytes = Try(tokens, cancellation, out string? shortage);
            long next;
            if (bytes is { } used && used <= limit)
            {
                status?.Report($"batch_tokens auto: {tokens:N0} tokens a batch take {used:N0} bytes");

                // The first size says nothing of the next: much of what it takes, more batches would not take again.
                double perToken = fits == 0 ? 1 : Math.Max(1, (double)(used - taken) / (tokens - fits));
                (fits, taken) = (tokens, used);
                next = (long)Math.Min(fits + ((limit - taken) / perToken), (double)Growth * fits);
                if (taken >= Full * limit)
                    break;
            }
            else
            {
                status?.Report($"batch_tokens auto: {tokens:N0} tokens a batch are too many");
                if (fits == 0)
                    throw new OutOfMemoryException($"Training: a batch of {tokens} tokens must fit into nine tenths of the {_free:N0} bytes that are free. {shortage}".TrimEnd());
                above = tokens;
                next = fits + ((above - fits) / 2);
            }

            next = Math.Min(next, above - Step) / Step * Step;
            if (next <= fits || above < fits * Near)
                break;
            tokens = (int)next;
        }

        status?.Report($"batch_tokens auto: chose {fits:N0}, which takes {taken:N0} of the {_free:N0} bytes that were free");
        return fits;
    }

    /// <summary>The size from which on batches of training grow no more: all tokens, or those of so many of the longest sentences. Validation, which has no limit of sentences, would.</summary>
    internal static long MostTokens(ISamples corpus, int? sentences)
    {
        long all = 0, longest = 0;
        for (int i = 0; i < corpus.Count; i++)
        {
            var (source, target) = corpus.Lengths(i);
            int length = Math.Max(source, target);
            (all, longest) = (all + length, Math.Max(longest, length));
        }

        return sentences is { } most ? Math.Min(all, most * longest) : all;
    }

    private static int RoundUp(int size, int step = Step) => (size + step - 1) / step * step;

    // Bytes taken by everything, as the driver counts them; null where they are not there.
    private long? Try(int tokens, CancellationToken cancellation, out string? shortage)
    {
        shortage = null;
        var device = _model.Device;
        try
        {
            using var steps = new BatchSteps(_model, _options);
            using var pending = new PendingUpdates(device, _options.ClipNorm);
            foreach (var batch in Shapes(tokens, cancellation))
            {
                for (int run = 0; run < RunsAShape; run++)
                    Update(steps, pending, batch);
            }

            pending.Take();
            return _free - device.FreeBytes!.Value;
        }
        catch (Exception e) when (e is OutOfMemoryException or CudaException { Code: CudaOutOfMemory })
        {
            shortage = e.Message;
            return null;
        }
        finally
        {
            foreach (var parameter in _parameters)
                parameter.ZeroGrad();
            device.TrimCache();
        }
    }

    private void Update(BatchSteps steps, PendingUpdates pending, Batch batch)
    {
        for (int i = 0; i < _options.Accumulate; i++)
        {
            using var scope = TensorScope.Begin();
            var (loss, negativeLogLikelihood) = steps.Run(batch, _random);
            pending.Add(loss, negativeLogLikelihood);
        }

        pending.End(_parameters, 1f / batch.TargetTokens);
        _optimizer.Step(0, pending.Factor);
        _average?.Step(pending.Factor);
        foreach (var parameter in _parameters)
            parameter.ZeroGrad();
    }

    // The batch with the most to compute and the one with the longest sentences, of those that an epoch would have.
    private Batch[] Shapes(int tokens, CancellationToken cancellation)
    {
        var batches = new BatchIterator(_corpus, tokens, _options.Seed, batchSentences: _options.BatchSentences);
        int multiple = BatchSteps.Multiple(_options, captures: true), place = 0, largest = 0, longest = 0;
        long size = 0, length = 0;
        foreach (var (b, s, t) in batches.Shapes(0))
        {
            cancellation.ThrowIfCancellationRequested();
            long paddedS = RoundUp(s, multiple), paddedT = RoundUp(t, multiple);
            if (b * (paddedS + paddedT) > size)
                (size, largest) = (b * (paddedS + paddedT), place);
            if (Math.Max(paddedS, paddedT) > length)
                (length, longest) = (Math.Max(paddedS, paddedT), place);
            place++;
        }

        return [.. new[] { largest, longest }.Distinct().Select(i => batches.Epoch(0, i).First().PaddedTo(multiple, BatchSteps.Most(_model, _options)))];
    }
}
