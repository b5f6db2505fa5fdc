namespace OrkSim;

/// <summary>L4: while the kernel is up, every linked Worker is pinged at least every two intervals.</summary>
public sealed class Metronome : IInvariant
{
    /// <inheritdoc/>
    public string Id => "L4";

    /// <inheritdoc/>
    public string Says => "While the kernel is up, every linked Worker is pinged at least every two intervals.";

    /// <inheritdoc/>
    public SimEventKind Hears => SimEventKind.Pulse;

    /// <inheritdoc/>
    public void Hear(in SimEvent happened, Facts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        var bound = TimeSpan.FromMilliseconds((2 * facts.World.KernelOptions.Schedule.HealthIntervalMs) + 500).Ticks + (2 * facts.World.WorstLateness.Ticks);
        foreach (var link in facts.WorkerLinks)
        {
            if (!link.Greeted || !link.GreetingTaken || link.KernelSide.Owner is not { IsUp: true, Frozen: false } || facts.World.IsGone(link.Peer.Name)) continue;
            if (happened.Ticks - link.LastPingTicks <= bound) continue;
            facts.Violated(this, $"{link.Peer} is linked and was not pinged for {SimDefaults.Seconds(happened.Ticks - link.LastPingTicks)} s.");
        }
    }
}
