namespace OrkSim;

/// <summary>L2: every accepted command is terminal within the bound after the last fault.</summary>
public sealed class Settlement : IInvariant
{
    /// <inheritdoc/>
    public string Id => "L2";

    /// <inheritdoc/>
    public string Says => "Every accepted command is terminal within the bound after the last fault.";

    /// <inheritdoc/>
    public SimEventKind Hears => SimEventKind.Pulse;

    /// <inheritdoc/>
    public void Hear(in SimEvent happened, Facts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        if (facts.QuietTicks is not { } quiet || happened.Ticks - quiet < SimDefaults.SettlementBound.Ticks) return;
        foreach (var command in facts.Open.Values)
        {
            if (command.ToldTicks is not { } told || happened.Ticks - Math.Max(told, quiet) < SimDefaults.SettlementBound.Ticks) continue;
            facts.Violated(this, $"{command.Id} for {command.Row.WorkerId} was accepted {TimeSpan.FromTicks(happened.Ticks - told).TotalSeconds:F1} s ago and is still {command.Row.State}.");
        }
    }
}
