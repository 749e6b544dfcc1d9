using System.Text.Json.Serialization;
using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>
/// Where a run stands, apart from its tensors. With the parameters and the optimiser's moments this is all that training depends on:
/// no clock, so that a resumed run equals one that was never stopped, bit for bit.
/// </summary>
public sealed record TrainingState
{
    /// <summary>Updates made.</summary>
    public long Update { get; init; }

    /// <summary>Passes over the data that are complete.</summary>
    public int Epoch { get; init; }

    /// <summary>Batches of the present pass already used.</summary>
    public int Batch { get; init; }

    /// <summary>The pass, from 1, that the last update belongs to: its end is still of it.</summary>
    [JsonIgnore]
    public int Pass => Batch == 0 && Epoch > 0 ? Epoch : Epoch + 1;

    /// <summary>Target tokens trained on.</summary>
    public long Tokens { get; init; }

    /// <summary>The seed of dropout and of the order of the batches.</summary>
    public ulong Seed { get; init; }

    /// <summary>Random streams drawn.</summary>
    public ulong RandomPosition { get; init; }

    /// <summary>What the schedule that goes by validations remembers; null with any other.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public PlateauState? Plateau { get; init; }

    /// <summary>
    /// The best score of the validations that were due, the higher the better; null before the first. One at the end of a run that was not due does not count: a run that never
    /// stopped there knows nothing of it.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? BestScore { get; init; }

    /// <summary>Whether the validation that belongs to the last update was cancelled.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool ValidationIsDue { get; init; }

    /// <summary>Validations that were due since the best of them.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public int WithoutBest { get; init; }
}
