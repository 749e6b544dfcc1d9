using System.Globalization;
using CudaSeq.Kernels;
using CudaSeq.Tensors;

namespace CudaSeq.Models;

/// <summary>Pieces of sources and of targets that are aligned, as pairs of ids, read while they are asked for.</summary>
internal static class AlignedPieces
{
    /// <summary>Each piece of a reference with the piece of its source that has most attention of the decoder's last layer when it is predicted, ends left out: as <see cref="HardAlignment"/>.</summary>
    public static IEnumerable<(int Source, int Target)> ByAttention(AnalysisWork work)
    {
        var model = work.Run.Translator.Model;
        foreach (var batch in work.Batches())
        {
            int[] sources = Attended(model, batch);
            for (int b = 0; b < batch.B; b++)
            {
                for (int t = 0; t < batch.TargetLengths[b] - 1; t++)
                    yield return (batch.Source[(b * batch.S) + sources[(b * batch.T) + t]], batch.Target[(b * batch.T) + t]);
            }
        }
    }

    /// <summary>What a file says: pieces of source and target with a hyphen between, from 0, blanks between the pairs, a line for each line of the text (Pharaoh's format).</summary>
    /// <exception cref="InvalidDataException">It has not as many lines, or a line is not of that form or names pieces that are not there.</exception>
    public static IEnumerable<(int Source, int Target)> OfFile(AnalysisWork work, string path)
    {
        if (!File.Exists(path))
            throw TextFile.NotThere(path);
        long line = 0, kept = 0, empty = 0, tooLong = 0;
        using var alignments = TextFile.ReadLines(path).GetEnumerator();
        foreach (var (sourceLine, targetLine) in work.Text.Pairs(work.Run))
        {
            line++;
            if (!alignments.MoveNext())
                throw new InvalidDataException($"{path}: must have a line for each pair, got {line - 1} and more pairs.");
            if (line % 1000 == 0)
                work.Report("lines", line);
            int[] source = work.Run.Source.Encode(sourceLine), target = work.Run.Target.Encode(targetLine);
            bool isEmpty = source.Length == 0 || target.Length == 0, isTooLong = Math.Max(source.Length, target.Length) > work.Text.MaxLength;
            empty += isEmpty ? 1 : 0;
            tooLong += !isEmpty && isTooLong ? 1 : 0;
            kept += isEmpty || isTooLong ? 0 : 1;
            if (isTooLong)
                continue;
            foreach (string part in alignments.Current.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            {
                var (s, t) = Pair(part) ?? throw new InvalidDataException($"{path}: line {line} must be of pairs as 0-0 with blanks between, got {part}.");
                if (s >= source.Length || t >= target.Length)
                    throw new InvalidDataException($"{path}: line {line} must be about the {source.Length} pieces of the source and the {target.Length} of the target, got {part}.");
                yield return (source[s], target[t]);
            }
        }

        if (work.Text.Lines is null && alignments.MoveNext())
            throw new InvalidDataException($"{path}: must have a line for each pair, got more than the {line} pairs.");
        work.Text.Report = new LoadReport(work.Text.Input ?? work.Run.Folder, line, kept, empty, tooLong, work.Text.MaxLength, 0, 0, 0, 0);
    }

    // [B * T], the position in the source of each target position.
    private static int[] Attended(Seq2SeqModel model, Batch batch)
    {
        using var scope = TensorScope.Begin();
        using var pause = new NoGrad();
        var tensors = new BatchTensors(model.Device, batch);
        float[] attention = Ops.Sum(model.SourceAttention(tensors.PreviousTarget, model.Encode(tensors.Source!, tensors.SourceLengths!)).To(DType.Float32), axis: 1).ToArray();
        var most = new int[batch.B * batch.T];
        for (int row = 0; row < most.Length; row++)
        {
            int words = batch.SourceLengths[row / batch.T] - 1;
            for (int s = 1; s < words; s++)
            {
                if (attention[(row * batch.S) + s] > attention[(row * batch.S) + most[row]])
                    most[row] = s;
            }
        }

        return most;
    }

    private static (int Source, int Target)? Pair(string text)
    {
        string[] sides = text.Split('-');
        return sides.Length == 2 && int.TryParse(sides[0], NumberStyles.None, CultureInfo.InvariantCulture, out int s) && int.TryParse(sides[1], NumberStyles.None, CultureInfo.InvariantCulture, out int t)
            ? (s, t)
            : null;
    }
}
