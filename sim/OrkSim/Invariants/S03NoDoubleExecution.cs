using Ork.Kernel;

namespace OrkSim;

/// <summary>S3: a device executed a non-idempotent command at most once, an idempotent one at most once an attempt, of which there are no more than the retries that it may have.</summary>
public sealed class NoDoubleExecution : IInvariant
{
    /// <inheritdoc/>
    public string Id => "S3";

    /// <inheritdoc/>
    public string Says => "A device executed a non-idempotent command at most once, an idempotent one at most once an attempt, of which there are no more than the retries that it may have.";

    /// <inheritdoc/>
    public SimEventKind Hears => SimEventKind.Executed | SimEventKind.CommitApplying;

    /// <inheritdoc/>
    public void Hear(in SimEvent happened, Facts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        if (happened.Batch is { } batch)
        {
            CheckRetries(batch, facts);
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

    private void CheckRetries(CommitBatch batch, Facts facts)
    {
        var most = facts.World.KernelOptions.Commands.MaxRetries;
        foreach (var row in batch.ChangedCommands)
        {
            if (row.Retries > most) facts.Violated(this, $"{row.Spec.CommandId} is tried again for the {row.Retries}th time; {most} times it may be.");
        }
    }
}
