using Ork.Kernel;
using Ork.Protocol;

namespace OrkSim;

/// <summary>S3: a device executed a non-idempotent command at most once, an idempotent one at most once an attempt, of which there are no more than the retries that it may have; kernels' ends break it off no more often than they may.</summary>
public sealed class NoDoubleExecution : IInvariant
{
    /// <inheritdoc/>
    public string Id => "S3";

    /// <inheritdoc/>
    public string Says => "A device executed a non-idempotent command at most once, an idempotent one at most once an attempt, of which there are no more than the retries that it may have; kernels' ends break it off no more often than they may.";

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
        var (most, recoveries) = (facts.World.KernelOptions.Commands.MaxRetries, facts.World.KernelOptions.Commands.MaxRecoveries);
        foreach (var row in batch.ChangedCommands)
        {
            if (row.Retries > most) facts.Violated(this, $"{row.Spec.CommandId} is tried again for the {row.Retries}th time; {most} times it may be.");
            if (row is { State: CommandState.Queued or CommandState.Dispatched } && row.Recoveries > recoveries) facts.Violated(this, $"{row.Spec.CommandId} goes on after kernels broke it off {row.Recoveries} times; {recoveries} times it may.");
            if (row is { State: CommandState.Failed, Error: { } error } && error.StartsWith(ErrorCodes.RecoveryExhausted.Code, StringComparison.Ordinal) && row.Recoveries <= recoveries) facts.Violated(this, $"{row.Spec.CommandId} is given up after kernels broke it off {row.Recoveries} times; {recoveries} times it may be.");
            if (facts.BySeq(row.Seq) is { } before && row.Recoveries - before.Row.Recoveries is < 0 or > 1) facts.Violated(this, $"{row.Spec.CommandId} was broken off {before.Row.Recoveries} times, and now {row.Recoveries} times.");
        }
    }
}
