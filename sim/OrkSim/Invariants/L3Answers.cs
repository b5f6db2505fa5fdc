namespace OrkSim;

/// <summary>L3: every call of a caller ends within its time, with an answer or a refusal, and a kernel answers what it took.</summary>
public sealed class AnswersInTime : IInvariant
{
    /// <inheritdoc/>
    public string Id => "L3";

    /// <inheritdoc/>
    public string Says => "Every call of a caller ends within its time, with an answer or a refusal, and a kernel answers what it took.";

    /// <inheritdoc/>
    public SimEventKind Hears => SimEventKind.Asked | SimEventKind.Answered | SimEventKind.Pulse;

    private static readonly long Slack = TimeSpan.FromSeconds(1).Ticks;

    private readonly Dictionary<ulong, (string What, long UntilTicks, SimNode Node)> _open = [];

    /// <inheritdoc/>
    public void Hear(in SimEvent happened, Facts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        switch (happened.Kind)
        {
            case SimEventKind.Asked:
                var bound = TimeSpan.FromMilliseconds(long.Parse(happened.Detail!, System.Globalization.CultureInfo.InvariantCulture));
                _open.Add(happened.Correlation, (happened.Subject!, happened.Ticks + bound.Ticks, happened.Node!));
                break;
            case SimEventKind.Answered:
                _open.Remove(happened.Correlation);
                break;
            default:
                Check(happened.Ticks - Slack - facts.World.WorstLateness.Ticks, facts);
                CheckKernel(happened.Ticks, facts);
                break;
        }
    }

    /// <summary>The longest that a kernel may take: a long poll of this world's callers or a pull, and a commit; not counted while its disk or the caller's link is jammed.</summary>
    private void CheckKernel(long ticks, Facts facts)
    {
        if (!facts.IsServed || facts.World.Store.Stalled || facts.World.Store.Full) return;
        var until = ticks - TimeSpan.FromMilliseconds(SimCaller.LongPollMs + facts.World.KernelOptions.Pulls.TimeoutMs).Ticks - facts.World.Scenario.Store.Commit.Max.Ticks - (2 * Slack) - (2 * facts.World.WorstLateness.Ticks);
        foreach (var link in facts.CallerLinks)
        {
            if (link.KernelSide.Owner != facts.Holder || link.KernelSide.IsCongested || facts.World.IsBroken(link.Peer)) continue;
            foreach (var (asked, about) in link.Questions.Values)
            {
                if (asked < until && asked > facts.AwakeTicks) facts.Violated(this, $"The kernel took a question of {link.Peer} {(about is null ? "" : $"about {about} ")}{SimDefaults.Seconds(ticks - asked)} s ago, and has not answered.");
            }
        }
    }

    private void Check(long ticks, Facts facts)
    {
        foreach (var (what, until, node) in _open.Values)
        {
            if (until < ticks && !node.Frozen) facts.Violated(this, $"A call of {node} ({what}) has not ended in its time.");
        }
    }
}
