namespace CudaSeq.Models;

/// <summary>What a paired test says of one system.</summary>
/// <param name="Score">The score of its corpus in percent.</param>
/// <param name="Mean">The mean score of its bootstrap resamples.</param>
/// <param name="Interval">Half the width of their 95 % confidence interval.</param>
/// <param name="PValue">How probable a difference to the baseline as large as the one seen is, were the two equally good; null for the baseline.</param>
public sealed record PairedTestResult(double Score, double Mean, double Interval, double? PValue);
