using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>
/// The mean of the parameters of several checkpoints of a model, summed in float64 in the order in which they are given and rounded once: the mean of equal checkpoints has
/// their bits. Source: the averaging of the last checkpoints in Vaswani et al., "Attention is all you need", NIPS 2017, section 6.1.
/// </summary>
public static class CheckpointAverage
{
    /// <summary>The newest checkpoints that a run keeps besides its best and its last, oldest first.</summary>
    /// <param name="run">The run.</param>
    /// <param name="count">How many; at least 1.</param>
    /// <exception cref="InvalidDataException">There are fewer.</exception>
    public static IReadOnlyList<string> Newest(RunDirectory run, int count)
    {
        var kept = run.Checkpoints();
        return kept.Count >= count
            ? [.. kept.TakeLast(count).Select(c => c.Path)]
            : throw new InvalidDataException($"{run.Path}: must hold {count} checkpoints to average, got {kept.Count}; training.keep_checkpoints says how many a run keeps.");
    }

    /// <summary>
    /// Writes the mean as the best checkpoint of a folder of its own, with the vocabularies and the recipe of the run that the first checkpoint lies in: all that translating needs.
    /// </summary>
    /// <param name="paths">The checkpoints, of one model and with one pair of vocabularies.</param>
    /// <param name="output">The folder, which must not hold a model.</param>
    /// <param name="cancellation">Looked at before every tensor.</param>
    /// <returns>What the mean says of itself: it stands where the newest checkpoint stood.</returns>
    /// <exception cref="IOException">A file is missing or cannot be written.</exception>
    /// <exception cref="InvalidDataException">A checkpoint is damaged or of another model than the first, or the folder holds a model.</exception>
    public static CheckpointHeader Write(IReadOnlyList<string> paths, RunDirectory output, CancellationToken cancellation = default)
    {
        if (paths.Count == 0)
            throw new ArgumentException("CheckpointAverage: there must be checkpoints, got none.");
        if (File.Exists(output.Best) || File.Exists(output.Last))
            throw new InvalidDataException($"{output.Path}: must be a folder without a model, or its own would be lost.");
        var run = new RunDirectory(Path.GetDirectoryName(Path.GetFullPath(paths[0]))!);
        var (source, target) = run.LoadCodecs();
        using var device = Device.Open("cpu");
        var files = new List<SafetensorsFile>();
        var mean = new List<KeyValuePair<string, Tensor>>();
        try
        {
            foreach (string path in paths)
                files.Add(SafetensorsFile.Open(path));
            var headers = paths.Select(Checkpoint.ReadHeader).ToArray();
            for (int i = 1; i < paths.Count; i++)
                CheckAlike(paths[0], files[0], headers[0], paths[i], files[i], headers[i]);
            foreach (string name in Checkpoint.ParameterNames(files[0]))
            {
                cancellation.ThrowIfCancellationRequested();
                mean.Add(new(name, Tensor.From(device, Mean(files, name), files[0].ShapeOf(name))));
            }

            var header = headers.MaxBy(h => h.State.Update)! with { Score = null, Averaged = [.. headers.Select(h => h.State.Update)] };
            output.SaveCodecs(source, target);
            if (File.Exists(run.Recipe))
                TextFile.WriteWhole(output.Recipe, stream => stream.Write(File.ReadAllBytes(run.Recipe)));
            Checkpoint.Save(output.Best, header, mean);
            return header;
        }
        finally
        {
            foreach (var file in files)
                file.Dispose();
            foreach (var (_, tensor) in mean)
                tensor.Dispose();
        }
    }

    private static float[] Mean(List<SafetensorsFile> files, string name)
    {
        float[] first = files[0].ReadFloats(name);
        double[] sums = Array.ConvertAll(first, v => (double)v);
        foreach (var file in files.Skip(1))
        {
            float[] values = file.ReadFloats(name);
            for (int i = 0; i < sums.Length; i++)
                sums[i] += values[i];
        }

        return Array.ConvertAll(sums, s => (float)(s / files.Count));
    }

    private static void CheckAlike(string first, SafetensorsFile file, CheckpointHeader header, string path, SafetensorsFile otherFile, CheckpointHeader other)
    {
        string? difference =
            header.Config != other.Config ? "of another model than"
            : header.SourceVocabulary != other.SourceVocabulary ? "of another source vocabulary than"
            : header.TargetVocabulary != other.TargetVocabulary ? "of another target vocabulary than"
            : null;
        if (difference is not null)
            throw new InvalidDataException($"{path}: is {difference} {first}, their mean would mean nothing.");
        string[] names = [.. Checkpoint.ParameterNames(file)], others = [.. Checkpoint.ParameterNames(otherFile)];
        if (names.Except(others).Concat(others.Except(names)).FirstOrDefault() is { } odd)
            throw new InvalidDataException($"{path}: must hold the same parameters as {first}, only one of them has {odd}.");
        foreach (string name in names)
        {
            if (file.ShapeOf(name) != otherFile.ShapeOf(name))
                throw new InvalidDataException($"{path}: {name} is {otherFile.ShapeOf(name)}, in {first} it is {file.ShapeOf(name)}.");
        }
    }
}
