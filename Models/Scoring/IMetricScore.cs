namespace CudaSeq.Models;

/// <summary>The score of a metric, whichever it is.</summary>
public interface IMetricScore
{
    /// <summary>The metric as sacreBLEU calls it: <c>BLEU</c>, <c>chrF2</c>, <c>chrF2++</c>.</summary>
    string Name { get; }

    /// <summary>In percent.</summary>
    double Score { get; }

    /// <summary>The variant of the metric as sacreBLEU 2.x writes it: scores are comparable only where signatures agree up to the version.</summary>
    string Signature { get; }
}
