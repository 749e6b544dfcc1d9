namespace CudaSeq.Models;

/// <summary>
/// How the parameters of these models are called in fairseq's checkpoints. Our names are those of the released checkpoints of 2019 (lightconv) and of fairseq's
/// present version (transformer); this is what else has been in use.
/// </summary>
internal static class FairseqNames
{
    private static readonly (string Ours, string Theirs)[] Renamed =
    [
        (".layer_norms.0.", ".layer_norm1."),
        (".layer_norms.1.", ".layer_norm2."),
        (".self_attn_layer_norm.", ".layer_norms.0."),
        (".encoder_attn_layer_norm.", ".layer_norms.1."),
        ("decoder.output_projection.weight", "decoder.embed_out"),
    ];

    // The bias of dynamic convolutions has been a parameter since October 2022, also where it is off, as it is in all models.
    private static readonly string[] Buffers = [".version", ".embed_positions._float_tensor", ".embed_positions.weights", ".conv.conv_bias"];

    /// <summary>Under which names a parameter may be found, the present one first.</summary>
    public static IEnumerable<string> Of(string name)
    {
        yield return name;
        foreach (var (ours, theirs) in Renamed)
        {
            if (name.Contains(ours, StringComparison.Ordinal))
                yield return name.Replace(ours, theirs, StringComparison.Ordinal);
        }

        if (name.Contains(".final_layer_norm.", StringComparison.Ordinal))
        {
            string last = name.StartsWith("encoder.", StringComparison.Ordinal) ? ".layer_norms.1." : ".layer_norms.2.";
            yield return name.Replace(".final_layer_norm.", last, StringComparison.Ordinal);
        }
    }

    /// <summary>The name of a parameter in fairseq's present version.</summary>
    public static string Present(string name)
        => name.Replace(".layer_norms.0.", ".layer_norm1.", StringComparison.Ordinal).Replace(".layer_norms.1.", ".layer_norm2.", StringComparison.Ordinal);

    /// <summary>Queries, keys and values were once one matrix, [3 C, C], and one bias: its name and this parameter's third of it; null for other parameters.</summary>
    public static (string Name, int Third)? Fused(string name)
    {
        string[] projections = ["q_proj", "k_proj", "v_proj"];
        for (int third = 0; third < projections.Length; third++)
        {
            if (name.Contains($".{projections[third]}.", StringComparison.Ordinal))
                return (name.Replace($"{projections[third]}.", "in_proj_", StringComparison.Ordinal), third);
        }

        return null;
    }

    /// <summary>What checkpoints hold beside parameters: nothing that a model would need.</summary>
    public static bool IsBuffer(string name)
        => Buffers.Any(b => name.EndsWith(b, StringComparison.Ordinal)) || name.StartsWith("optimizer.", StringComparison.Ordinal);

    /// <summary>The parameter that a model with shared embeddings has in the place of this one, if <paramref name="name"/> is a copy of a shared table.</summary>
    public static string? SharedBy(string name, Func<string, bool> isParameter)
    {
        if (name is not ("decoder.embed_tokens.weight" or "decoder.output_projection.weight" or "decoder.embed_out" or "decoder.fc3.weight"))
            return null;
        string[] owners = ["decoder.embed_tokens.weight", "encoder.embed_tokens.weight"];
        return isParameter("decoder.output_projection.weight") ? null : owners.First(isParameter);
    }
}
