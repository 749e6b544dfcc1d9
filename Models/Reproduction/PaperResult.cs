namespace CudaSeq.Models;

/// <summary>Where and by what a result was made.</summary>
/// <param name="Command">What to type for it.</param>
/// <param name="Version">Of the tool.</param>
/// <param name="Commit">That it was built from.</param>
/// <param name="Device">What computed.</param>
/// <param name="Processor">The machine's.</param>
/// <param name="Processors">How many threads it runs.</param>
/// <param name="Busy">Whether the machine did other work meanwhile, so that times mean nothing.</param>
internal sealed record PaperOrigin(string Command, string Version, string Commit, string Device, string Processor, int Processors, bool Busy);

/// <summary>What came of a row with one seed.</summary>
/// <param name="Row">The row.</param>
/// <param name="Seed">Of its training.</param>
/// <param name="Origin">Where and by what.</param>
internal sealed record PaperResult(string Row, ulong Seed, PaperOrigin Origin)
{
    /// <summary>Of all that the result depends on (<see cref="PaperFingerprint"/>): another plan's or recipe's result is not this row's.</summary>
    public string Fingerprint { get; init; } = "";

    /// <summary>BLEU of the test; null for texts, and where the training failed.</summary>
    public double? Bleu { get; init; }

    /// <summary>How that was counted.</summary>
    public string? Signature { get; init; }

    /// <summary>Perplexity of the test text; null for translations.</summary>
    public double? Perplexity { get; init; }

    /// <summary>The best validation's negative log likelihood, in nats a token.</summary>
    public double? ValidationLoss { get; init; }

    /// <summary>Why there is no score: in words, what ended the training.</summary>
    public string? Failure { get; init; }

    /// <summary>Parameters of the model.</summary>
    public long Parameters { get; init; }

    /// <summary>Those of them in layers of the encoder and the decoder: neither embeddings nor the output.</summary>
    public long LayerParameters { get; init; }

    /// <summary>Updates of its training; 0 where nothing was trained.</summary>
    public long Updates { get; init; }

    /// <summary>Minutes of its training, validation included; 0 where nothing was trained.</summary>
    public double Minutes { get; init; }

    /// <summary>Layers of the decoder that positions took in the mean; null where none is left out.</summary>
    public double? Depth { get; init; }

    /// <summary>What an analysis found; null for other rows.</summary>
    public IReadOnlyList<PaperNumber>? Figures { get; init; }

    /// <summary>What is compared: larger is better.</summary>
    internal double? Score => Bleu ?? -Perplexity;
}

/// <summary>How long two rows took to decode the test, in turns.</summary>
/// <param name="First">A row.</param>
/// <param name="Second">The other.</param>
/// <param name="Seed">Of their trainings.</param>
/// <param name="Sentences">Sources that were decoded in each round.</param>
/// <param name="FirstSeconds">Of each round.</param>
/// <param name="SecondSeconds">Of each round.</param>
/// <param name="Origin">Where and by what.</param>
internal sealed record PaperSpeed(string First, string Second, ulong Seed, int Sentences, IReadOnlyList<double> FirstSeconds, IReadOnlyList<double> SecondSeconds, PaperOrigin Origin)
{
    /// <summary>Of both rows.</summary>
    public string Fingerprint { get; init; } = "";

    /// <summary>How often the first decodes in the time of the second: the median over the rounds.</summary>
    internal double Ratio
    {
        get
        {
            double[] ratios = [.. FirstSeconds.Zip(SecondSeconds, (a, b) => b / a).Order()];
            return (ratios[(ratios.Length - 1) / 2] + ratios[ratios.Length / 2]) / 2;
        }
    }
}
