namespace CudaSeq.Models;

/// <summary>The score of a metric, whichever it is.</summary>
public interface IMetricScore
{
    /// <summary>The metric as it is usually called: <c>BLEU</c>, <c>chrF2</c>, <c>TER</c>, <c>ROUGE-L</c>, <c>GLEU</c>, <c>F0.5</c>.</summary>
    string Name { get; }

    /// <summary>In percent.</summary>
    double Score { get; }

    /// <summary>The variant of the metric in the form of sacreBLEU 2.x: scores are comparable only where signatures agree up to the version.</summary>
    string Signature { get; }
}
