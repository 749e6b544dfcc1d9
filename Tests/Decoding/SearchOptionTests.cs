using CudaSeq.Models;
using CudaSeq.Tensors;

namespace CudaSeq.Tests;

/// <summary>Every option of a search against a search over the whole vocabulary.</summary>
public sealed class SearchOptionTests
{
    private static readonly DecodingOptions Base = new() { Beam = 4, NBest = 4, MaxLengthA = 0.5, MaxLengthB = 7, MinLength = 2, LengthPenalty = 0.7f };

    public static TheoryData<string, string> Searches
    {
        get
        {
            var rows = new TheoryData<string, string>();
            foreach (string device in new DevicesAttribute().Names())
            {
                foreach (string option in Options.Keys)
                    rows.Add(device, option);
            }

            return rows;
        }
    }

    private static Dictionary<string, DecodingOptions> Options { get; } = new()
    {
        ["gnmt"] = Base with { LengthPenaltyForm = LengthPenaltyForm.Gnmt, LengthPenalty = 1.5f },
        ["temperature"] = Base with { Temperature = 0.6f },
        ["unigrams"] = Base with { NoRepeatNGramSize = 1, MaxLengthB = 12, MinLength = 6 },
        ["bigrams"] = Base with { NoRepeatNGramSize = 2, Beam = 2, NBest = 2, MaxLengthB = 16, MinLength = 10 },
        ["trigrams"] = Base with { NoRepeatNGramSize = 3, MaxLengthB = 12, MinLength = 9 },
        ["groups"] = Base with { DiverseBeamGroups = 2, DiverseBeamStrength = 0.8f },
        ["groups of one"] = Base with { DiverseBeamGroups = 4, DiverseBeamStrength = 2 },
        ["groups without bigrams"] = Base with { Beam = 6, NBest = 6, DiverseBeamGroups = 3, DiverseBeamStrength = 0.4f, NoRepeatNGramSize = 2, MinLength = 5 },
    };
}
