using Ork.Kernel;

namespace OrkSim;

/// <summary>S11: what is recorded as SUCCESS was executed by its devices.</summary>
public sealed class NoFalseSuccess : IInvariant
{
    /// <inheritdoc/>
    public string Id => "S11";

    /// <inheritdoc/>
    public string Says => "What is recorded as SUCCESS was executed by its devices.";

    /// <inheritdoc/>
    public SimEventKind Hears => SimEventKind.CommitApplying;

    /// <inheritdoc/>
    public void Hear(in SimEvent happened, Facts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        foreach (var row in happened.Batch!.ChangedCommands)
        {
            if (row.State != CommandState.Success || !facts.Commands.TryGetValue(row.Spec.CommandId, out var command)) continue;
            foreach (var device in command.Row.Spec.Targets ?? [command.Row.Spec.DeviceId!])
            {
                if (!command.Executions.Exists(execution => execution.DeviceId == device)) facts.Violated(this, $"{command.Id} becomes SUCCESS, and {device} did not execute it.");
            }
        }
    }
}
