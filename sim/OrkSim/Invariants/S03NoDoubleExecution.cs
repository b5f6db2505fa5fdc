using Ork.Kernel;
using Ork.Protocol;

namespace OrkSim;

/// <summary>S3: a device executed a non-idempotent command at most once, an idempotent one at most once an attempt, of which there are no more than the retries that it may have; what may have been begun is sent again only where that is safe, and kernels' ends break it off no more often than they may.</summary>
public sealed class NoDoubleExecution : IInvariant
{
    /// <inheritdoc/>
    public string Id => "S3";

    /// <inheritdoc/>
    public string Says => "A device executed a non-idempotent command at most once, an idempotent one at most once an attempt, of which there are no more than the retries that it may have; what may have been begun is sent again only where that is safe, and kernels' ends break it off no more often than they may.";

    /// <inheritdoc/>
    public SimEventKind Hears => SimEventKind.Executed | SimEventKind.CommitApplying | SimEventKind.StoreOpened;

    // What a kernel found under way as it began, and how often that had been broken off before.
    private readonly Dictionary<long, int> _brokenOff = [];

    /// <inheritdoc/>
    public void Hear(in SimEvent happened, Facts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        if (happened.Image is { } image)
        {
            _brokenOff.Clear();
            foreach (var row in image.Commands)
            {
                if (row.State is CommandState.Dispatched or CommandState.Executing or CommandState.Timeout) _brokenOff.Add(row.Seq, row.Recoveries);
            }

            return;
        }

        if (happened.Batch is { } batch)
        {
            CheckRetries(batch, facts);
            foreach (var line in batch.Log)
            {
                if (line.To == CommandState.Dispatched) CheckSafe(in line, batch, facts);
            }

            if (happened.Node == facts.Holder) CheckRecoveries(batch, facts);
            return;
        }

        var now = happened.Execution!;
        if (!facts.Commands.TryGetValue(now.CommandId, out var command)) return;
        var times = 0;
        foreach (var execution in command.Executions)
        {
            if (execution.DeviceId != now.DeviceId) continue;
            times++;
            if (execution != now && execution.Attempt == now.Attempt) facts.Violated(this, $"{now.DeviceId} executed attempt {now.Attempt} of {now.CommandId} twice.");
        }

        if (times > 1 && !command.Row.Spec.Idempotent) facts.Violated(this, $"{now.DeviceId} executed {now.Command} {now.CommandId} {times} times, and it is not declared safe to repeat.");
    }

    /// <summary>What a Worker may have begun is sent again only where it may be repeated, or its Worker has a journal.</summary>
    private void CheckSafe(in TransitionRow line, CommitBatch batch, Facts facts)
    {
        var (seq, attempt) = (line.CommandSeq, line.Attempt);
        var row = batch.ChangedCommands.Find(changed => changed.Seq == seq);
        if (row.DoubtfulFrom == 0 || row.DoubtfulFrom >= attempt || row.Spec.Idempotent) return;
        if (facts.Workers.TryGetValue(row.WorkerId, out var known) && HasJournal(known) || batch.Workers.Exists(worker => worker.WorkerId == row.WorkerId && HasJournal(worker))) return;
        facts.Violated(this, $"Attempt {attempt} of {row.Spec.CommandId} is made; {row.WorkerId} may have begun attempt {row.DoubtfulFrom} and has no journal, and it is not declared safe to repeat.");
    }

    private static bool HasJournal(WorkerRow worker) => worker.Features.Contains(IdentityPayload.JournalFeature, StringComparison.Ordinal);

    private void CheckRetries(CommitBatch batch, Facts facts)
    {
        var most = facts.World.KernelOptions.Commands.MaxRetries;
        foreach (var row in batch.ChangedCommands)
        {
            if (row.Retries > most) facts.Violated(this, $"{row.Spec.CommandId} is tried again for the {row.Retries}th time; {most} times it may be.");
        }
    }

    /// <summary>Each start that finds a command under way breaks it off once more, and after so often it is given up.</summary>
    private void CheckRecoveries(CommitBatch batch, Facts facts)
    {
        var recoveries = facts.World.KernelOptions.Commands.MaxRecoveries;
        foreach (var row in batch.ChangedCommands)
        {
            if (row is { State: CommandState.Queued or CommandState.Dispatched } && row.Recoveries > recoveries) facts.Violated(this, $"{row.Spec.CommandId} goes on after kernels broke it off {row.Recoveries} times; {recoveries} times it may.");
            if (row is { State: CommandState.Failed, Error: { } error } && error.StartsWith(ErrorCodes.RecoveryExhausted.Code, StringComparison.Ordinal) && row.Recoveries <= recoveries) facts.Violated(this, $"{row.Spec.CommandId} is given up after kernels broke it off {row.Recoveries} times; {recoveries} times it may be.");
            if (_brokenOff.Remove(row.Seq, out var times) ? row.Recoveries != times + 1 : facts.BySeq(row.Seq) is { } known && row.Recoveries != known.Row.Recoveries) facts.Violated(this, $"{row.Spec.CommandId} is recorded as broken off {row.Recoveries} times, which is not how often kernels ended while it was under way.");
        }
    }
}
