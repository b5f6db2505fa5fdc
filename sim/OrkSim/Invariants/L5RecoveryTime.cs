using Ork.Kernel;

namespace OrkSim;

/// <summary>L5: a kernel serves within the bound after it was started or a commit failed, its store being well.</summary>
public sealed class RecoveryTime : IInvariant
{
    /// <inheritdoc/>
    public string Id => "L5";

    /// <inheritdoc/>
    public string Says => "A kernel serves within the bound after it was started or a commit failed, its store being well.";

    /// <inheritdoc/>
    public SimEventKind Hears => SimEventKind.NodeUp | SimEventKind.NodeDown | SimEventKind.CommitFailed | SimEventKind.Note | SimEventKind.Pulse;

    // One whose store failed pauses before it opens it again, longer each time.
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    private readonly Dictionary<SimNode, long> _starting = [];
    private readonly HashSet<SimNode> _pausing = [];

    /// <inheritdoc/>
    public void Hear(in SimEvent happened, Facts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        switch (happened.Kind)
        {
            case SimEventKind.NodeUp when happened.Node!.Kind == NodeKind.Kernel:
                _starting[happened.Node] = happened.Ticks;
                break;
            case SimEventKind.CommitFailed when happened.Node == facts.Holder:
                _starting[happened.Node!] = happened.Ticks;
                _pausing.Add(happened.Node!);
                break;
            case SimEventKind.NodeDown:
                Ended(happened.Node!);
                break;
            case SimEventKind.Note when happened.Note == KernelEvent.Started:
                Ended(happened.Node!);
                break;
            case SimEventKind.Pulse:
                Check(happened.Ticks, facts);
                break;
        }
    }

    private void Ended(SimNode node)
    {
        _starting.Remove(node);
        _pausing.Remove(node);
    }

    private void Check(long ticks, Facts facts)
    {
        var store = facts.World.Store;
        foreach (var (node, since) in _starting)
        {
            if (store.Full || store.Damaged || store.Stalled || node.Frozen) _starting[node] = ticks;
            else if (ticks - since > (SimDefaults.RecoveryBound + (_pausing.Contains(node) ? LongestPause : TimeSpan.Zero)).Ticks + facts.World.WorstLateness.Ticks) facts.Violated(this, $"{node} was started, or its commit failed, {SimDefaults.Seconds(ticks - since)} s ago and does not serve.");
        }
    }
}
