using Ork.Protocol;

namespace OrkSim;

/// <summary>S9: nothing is accepted from a Worker that is not the answer to an outstanding request: its link is closed instead. The product's own runtime sends nothing else.</summary>
public sealed class PullOnly : IInvariant
{
    /// <inheritdoc/>
    public string Id => "S9";

    /// <inheritdoc/>
    public string Says => "Nothing is accepted from a Worker that is not the answer to an outstanding request: its link is closed instead. The product's own runtime sends nothing else.";

    /// <inheritdoc/>
    public SimEventKind Hears => SimEventKind.FrameSent | SimEventKind.FrameTaken | SimEventKind.Note | SimEventKind.Pulse;

    private static readonly long Patience = TimeSpan.FromSeconds(1).Ticks;

    /// <inheritdoc/>
    public void Hear(in SimEvent happened, Facts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        if (happened.Kind == SimEventKind.FrameTaken)
        {
            if (happened.Connection!.Facts is { ViolatedTicks: not null } taken && taken.KernelSide == happened.Connection) Check(taken, facts);
            return;
        }

        if (happened.Kind == SimEventKind.FrameSent)
        {
            if (happened.Frame != FrameKind.Goodbye && happened.Connection!.Facts is { } link && link.KernelSide == happened.Connection) Check(link, facts);
            return;
        }

        if (happened.Kind == SimEventKind.Note)
        {
            // A Worker that may not be trusted may come under another's name.
            if (happened.Note == Ork.Kernel.KernelEvent.PullOnlyViolation && AreAllHonest(facts)) facts.Violated(this, $"{happened.Subject} is said to have sent what answers nothing ({happened.Detail}), and runs nothing but the product's runtime.");
            return;
        }

        foreach (var link in facts.WorkerLinks) Check(link, facts);
    }

    private static bool AreAllHonest(Facts facts) => facts.World.Workers.All(worker => facts.World.IsHonest(worker.Node.Name));

    private void Check(LinkFacts link, Facts facts)
    {
        if (link.ViolatedTicks is not null && facts.World.IsHonest(link.Peer.Name)) facts.Violated(this, $"{link.Peer}, which runs nothing but the product's runtime, sent what answers nothing.");
        if (link.ViolatedTicks is not { } at || link.KernelSide.Owner.Frozen || facts.NowTicks - Math.Max(at, link.KernelSide.Owner.AwakeTicks) < Patience + facts.World.WorstLateness.Ticks) return;
        facts.Violated(this, $"{link.Peer} sent what answers nothing, and its link is still open.");
    }
}
