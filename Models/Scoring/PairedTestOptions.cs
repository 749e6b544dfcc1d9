using System.Globalization;

namespace CudaSeq.Models;

/// <summary>How the difference of two systems is tested.</summary>
public enum PairedTestMethod
{
    /// <summary>Paired bootstrap resampling (Koehn, "Statistical significance tests for machine translation evaluation", EMNLP 2004).</summary>
    BootstrapResampling,

    /// <summary>Approximate randomisation (Riezler and Maxwell, "On some pitfalls in automatic evaluation and significance testing for MT", 2005).</summary>
    ApproximateRandomization,
}

/// <summary>How often and with which random numbers a paired test draws.</summary>
public sealed record PairedTestOptions
{
    /// <summary>The test.</summary>
    public PairedTestMethod Method { get; init; }

    /// <summary>How many corpora the test makes; null is sacreBLEU's 1000 resamples or 10000 randomisations.</summary>
    public int? Samples { get; init; }

    /// <summary>How many resamples the means and confidence intervals of a randomisation test are estimated from; those of a bootstrap test are its own.</summary>
    public int ConfidenceSamples { get; init; } = 1000;

    /// <summary>The seed of the random numbers, at least 0.</summary>
    public long Seed { get; init; } = 12345;

    /// <summary>How many corpora the test makes.</summary>
    internal int EffectiveSamples => Samples ?? (Method == PairedTestMethod.BootstrapResampling ? 1000 : 10000);

    /// <summary>A metric's signature with what the test adds to it, where sacreBLEU adds it.</summary>
    /// <param name="signature">The signature of the metric.</param>
    public string Sign(string signature)
    {
        string[] parts = signature.Split('|', 2);
        string test = Method == PairedTestMethod.BootstrapResampling
            ? $"bs:{ScoreText.Number(EffectiveSamples)}"
            : $"bs:{ScoreText.Number(ConfidenceSamples)}|ar:{ScoreText.Number(EffectiveSamples)}";
        return $"{parts[0]}|{test}|seed:{Seed.ToString(CultureInfo.InvariantCulture)}|{parts[1]}";
    }

    /// <summary>Refuses what is no test.</summary>
    internal void Check()
    {
        if (EffectiveSamples < 1)
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"PairedTest: Samples must be at least 1, got {EffectiveSamples}."));
        if (ConfidenceSamples < 1)
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"PairedTest: ConfidenceSamples must be at least 1, got {ConfidenceSamples}."));
        if (Seed < 0)
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"PairedTest: Seed must be at least 0, got {Seed}."));
    }
}
