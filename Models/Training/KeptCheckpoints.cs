namespace CudaSeq.Models;

/// <summary>
/// The checkpoints that a run keeps besides its best and its last one: the parameters after every so many updates or at the end of each epoch, the newest few of them.
/// </summary>
/// <param name="directory">Where.</param>
/// <param name="options">How often, and how many.</param>
internal sealed class KeptCheckpoints(RunDirectory directory, TrainerOptions options)
{
    /// <summary>Whether one is due.</summary>
    /// <param name="state">After an update.</param>
    /// <param name="epochEnds">Whether an epoch ended with it.</param>
    public bool IsDue(TrainingState state, bool epochEnds)
        => options.KeepCheckpoints > 0 && (options.CheckpointEvery > 0 ? state.Update % options.CheckpointEvery == 0 : epochEnds);

    /// <summary>Writes one.</summary>
    public void Save(CheckpointHeader header, AutoregressiveModel model) => Checkpoint.Save(directory.CheckpointOf(header.State.Update), header, model, optimizer: null);

    /// <summary>Deletes all but the newest. Comes after the checkpoint to resume from: a run that goes on from an older one would miss what is deleted here.</summary>
    public void Prune()
    {
        foreach (var (_, path) in directory.Checkpoints().SkipLast(options.KeepCheckpoints))
            File.Delete(path);
    }

    /// <summary>Deletes those that a resumed run has yet to come to.</summary>
    public void DropAfter(long update)
    {
        foreach (var (_, path) in directory.Checkpoints().Where(c => c.Update > update))
            File.Delete(path);
    }
}
