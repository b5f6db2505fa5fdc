using Ork.Kernel;

namespace OrkSim;

/// <summary>Copies of batches. A kernel uses its batches again for later turns: what keeps one beyond its commit needs a copy.</summary>
public static class BatchCopy
{
    /// <summary>A copy of a batch.</summary>
    public static CommitBatch Of(CommitBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        var copy = new CommitBatch();
        copy.Workers.AddRange(batch.Workers);
        copy.Devices.AddRange(batch.Devices);
        copy.RemovedDevices.AddRange(batch.RemovedDevices);
        copy.NewCommands.AddRange(batch.NewCommands);
        copy.ChangedCommands.AddRange(batch.ChangedCommands);
        copy.Log.AddRange(batch.Log);
        copy.ForgottenCommands.AddRange(batch.ForgottenCommands);
        return copy;
    }
}
