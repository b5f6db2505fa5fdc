using Ork.Protocol;

namespace OrkSim;

/// <summary>S9: nothing is accepted from a Worker that is not the answer to an outstanding request: its link is closed instead.</summary>
public sealed class PullOnly : IInvariant
{
    /// <inheritdoc/>
    public string Id => "S9";

    /// <inheritdoc/>
    public string Says => "Nothing is accepted from a Worker that is not the answer to an outstanding request: its link is closed instead.";

    /// <inheritdoc/>
    public SimEventKind Hears => SimEventKind.FrameSent | SimEventKind.Pulse;

    private static readonly long Patience = TimeSpan.FromSeconds(1).Ticks;

    /// <inheritdoc/>
    public void Hear(in SimEvent happened, Facts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        if (happened.Kind == SimEventKind.FrameSent)
        {
            if (happened.Frame != FrameKind.Goodbye && happened.Connection!.Facts is { } link && link.KernelSide == happened.Connection) Check(link, facts);
            return;
        }

        foreach (var link in facts.WorkerLinks) Check(link, facts);
    }

    private void Check(LinkFacts link, Facts facts)
    {
        if (link.ViolatedTicks is not { } at || link.KernelSide.Owner.Frozen || facts.NowTicks - at < Patience + facts.World.WorstLateness.Ticks) return;
        facts.Violated(this, $"{link.Peer} sent what answers nothing, and its link is still open.");
    }
}
