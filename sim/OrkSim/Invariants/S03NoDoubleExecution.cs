namespace OrkSim;

/// <summary>S3: a device executed a non-idempotent command at most once, an idempotent one at most once an attempt.</summary>
public sealed class NoDoubleExecution : IInvariant
{
    /// <inheritdoc/>
    public string Id => "S3";

    /// <inheritdoc/>
    public string Says => "A device executed a non-idempotent command at most once, an idempotent one at most once an attempt.";

    /// <inheritdoc/>
    public SimEventKind Hears => SimEventKind.Executed;

    /// <inheritdoc/>
    public void Hear(in SimEvent happened, Facts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
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
}
