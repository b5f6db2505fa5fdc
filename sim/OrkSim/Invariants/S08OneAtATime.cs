using Ork.Kernel;

namespace OrkSim;

/// <summary>S8: at most one command is in flight per device, in acceptance order.</summary>
public sealed class OneAtATime : IInvariant
{
    /// <inheritdoc/>
    public string Id => "S8";

    /// <inheritdoc/>
    public string Says => "At most one command is in flight per device, in acceptance order.";

    /// <inheritdoc/>
    public SimEventKind Hears => SimEventKind.CommitDurable;

    /// <inheritdoc/>
    public void Hear(in SimEvent happened, Facts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        if (happened.Batch!.ChangedCommands.Count == 0 && happened.Batch.NewCommands.Count == 0) return;
        var busy = new Dictionary<string, CommandFacts>(StringComparer.Ordinal);
        var waiting = new Dictionary<string, CommandFacts>(StringComparer.Ordinal);
        foreach (var command in facts.Open.Values)
        {
            var inFlight = command.Row.State is CommandState.Dispatched or CommandState.Executing;
            foreach (var device in command.Row.Spec.Targets ?? [command.Row.Spec.DeviceId!])
            {
                if (!inFlight) waiting.TryAdd(device, command);
                else if (!busy.TryAdd(device, command)) facts.Violated(this, $"{device} has {busy[device].Id} and {command.Id} in flight.");
                else if (command.Row.Attempt == 1 && waiting.TryGetValue(device, out var older) && older.Row.Attempt == 0) facts.Violated(this, $"{command.Id} overtook {older.Id} at {device}.");
            }
        }
    }
}
