using System.Globalization;
using System.Text.RegularExpressions;
using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>The parameters of a trained model as the first ones of another: fine-tuning, and transfer to models of fewer layers.</summary>
internal static partial class InitialParameters
{
    /// <summary>Overwrites a model's parameters with those of a run. A predictor of exits that the run has not starts as it was drawn: a decoder is trained first, and then with it.</summary>
    /// <param name="model">Its layers may be fewer or more; all shapes are the same.</param>
    /// <param name="run">The run; its best checkpoint is taken, or its last where it has no best.</param>
    /// <param name="encoderLayers">For each encoder layer the layer of the run, from 1; empty for its own number.</param>
    /// <param name="decoderLayers">The same for the decoder.</param>
    /// <exception cref="IOException">The run has no checkpoint.</exception>
    /// <exception cref="InvalidDataException">It is damaged, or lacks a parameter of this model, has it in another shape, or has one more outside its layers and exits: one line for each.</exception>
    public static void Load(AutoregressiveModel model, RunDirectory run, IReadOnlyList<int> encoderLayers, IReadOnlyList<int> decoderLayers)
    {
        string path = run.BestOrLast;
        var (trained, own) = (Checkpoint.ReadHeader(path).Config, model.Config);
        foreach (var (key, its, mine) in new (string, object, object)[]
        {
            ("architecture", trained.Architecture, own.Architecture), ("attention_heads", trained.AttentionHeads, own.AttentionHeads),
            ("surface_attention_heads", trained.SurfaceAttentionHeads, own.SurfaceAttentionHeads), ("surface_layer", Attends(trained), Attends(own)), ("pre_norm", trained.PreNorm, own.PreNorm),
            ("decoder_final_norm", trained.DecoderFinalNorm, own.DecoderFinalNorm),
            ("conv_normalization", trained.ConvNormalization, own.ConvNormalization), ("reverse_source", trained.ReverseSource, own.ReverseSource),
        })
        {
            if (!its.Equals(mine))
                throw new InvalidDataException($"{path}: {key} is {its.ToString()!.ToLowerInvariant()} there and {mine.ToString()!.ToLowerInvariant()} in this model, whose parameters would mean something else.");
        }

        using var file = SafetensorsFile.Open(path);
        var theirs = Checkpoint.ParameterNames(file).ToHashSet();
        var entries = new Dictionary<string, ParameterLoader.Entry>();
        var problems = new List<string>();
        var used = new HashSet<string>();
        foreach (var (name, shape) in model.ParameterShapes())
        {
            string other = NameIn(name);
            used.Add(other);
            if (theirs.Contains(other))
                entries.Add(name, new ParameterLoader.Entry(file.ShapeOf(other), () => file.ReadFloats(other)));
            else if (IsOfExits(name))
                entries.Add(name, new ParameterLoader.Entry(shape, model.NamedParameters().Single(p => p.Name == name).Tensor.ToArray));
            else
                problems.Add($"{path}: {other} is missing, the model wants it{(other == name ? "" : $" for {name}")} as {shape}.");
        }

        // Layers may be fewer and exits none. A model that lacks anything else computes something else with what it takes.
        problems.AddRange(theirs.Where(n => !used.Contains(n) && !LayerName().IsMatch(n) && !IsOfExits(n)).Select(n => $"{path}: {ForeignFile.Printable(n)} is no parameter of this model, which would be another one without it."));
        if (problems.Count > 0)
            throw new InvalidDataException(string.Join('\n', problems));
        ParameterLoader.Load(model, path, entries);

        string NameIn(string name) => LayerName().Match(name) is not { Success: true } match
            ? name
            : $"{match.Groups[1].Value}.{match.Groups[2].Value}.{Layer(match.Groups[1].Value == "encoder" ? encoderLayers : decoderLayers, int.Parse(match.Groups[3].Value, CultureInfo.InvariantCulture))}.{match.Groups[4].Value}";

        // The last layer is 0 and has a number too.
        static int Attends(ModelConfig config) => config.SurfaceLayer == config.DecoderDepth ? 0 : config.SurfaceLayer;

        static bool IsOfExits(string name) => name.StartsWith("decoder.exits.", StringComparison.Ordinal);

        static int Layer(IReadOnlyList<int> layers, int own) => layers.Count > 0 ? layers[own] - 1 : own;
    }

    // The blocks of ConvS2S are convolutions, with the linear layer and the attention of the same number.
    [GeneratedRegex(@"^(encoder|decoder)\.(layers|convolutions|projections|attention)\.(\d+)\.(.*)$")]
    private static partial Regex LayerName();
}
