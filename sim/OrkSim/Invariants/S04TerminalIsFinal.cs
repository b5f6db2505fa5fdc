namespace OrkSim;

/// <summary>S4: no state or result changes after SUCCESS or FAILED.</summary>
public sealed class TerminalIsFinal : IInvariant
{
    /// <inheritdoc/>
    public string Id => "S4";

    /// <inheritdoc/>
    public string Says => "No state or result changes after SUCCESS or FAILED.";

    /// <inheritdoc/>
    public SimEventKind Hears => SimEventKind.CommitApplying;

    /// <inheritdoc/>
    public void Hear(in SimEvent happened, Facts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        foreach (var row in happened.Batch!.ChangedCommands)
        {
            if (!facts.Commands.TryGetValue(row.Spec.CommandId, out var command) || !command.IsTerminal) continue;
            var was = command.Row;
            if (was.State == row.State && was.Error == row.Error && was.Outcome == row.Outcome && was.Result.Span.SequenceEqual(row.Result.Span)) continue;
            facts.Violated(this, $"{command.Id} was {was.State} {was.Error} and becomes {row.State} {row.Error}.");
        }
    }
}
