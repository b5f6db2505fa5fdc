using Ork.Kernel;

namespace OrkSim;

/// <summary>L5: a kernel serves within the bound after it was started, its store being well.</summary>
public sealed class RecoveryTime : IInvariant
{
    /// <inheritdoc/>
    public string Id => "L5";

    /// <inheritdoc/>
    public string Says => "A kernel serves within the bound after it was started, its store being well.";

    /// <inheritdoc/>
    public SimEventKind Hears => SimEventKind.NodeUp | SimEventKind.NodeDown | SimEventKind.Note | SimEventKind.Pulse;

    private readonly Dictionary<SimNode, long> _starting = [];

    /// <inheritdoc/>
    public void Hear(in SimEvent happened, Facts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        switch (happened.Kind)
        {
            case SimEventKind.NodeUp when happened.Node!.Kind == NodeKind.Kernel:
                _starting[happened.Node] = happened.Ticks;
                break;
            case SimEventKind.NodeDown:
                _starting.Remove(happened.Node!);
                break;
            case SimEventKind.Note when happened.Note == KernelEvent.Started:
                _starting.Remove(happened.Node!);
                break;
            case SimEventKind.Pulse:
                Check(happened.Ticks, facts);
                break;
        }
    }

    private void Check(long ticks, Facts facts)
    {
        var store = facts.World.Store;
        foreach (var (node, since) in _starting)
        {
            if (store.Full || store.Damaged || store.Stalled || node.Frozen) _starting[node] = ticks;
            else if (ticks - since > SimDefaults.RecoveryBound.Ticks + facts.World.WorstLateness.Ticks) facts.Violated(this, $"{node} was started {SimDefaults.Seconds(ticks - since)} s ago and does not serve.");
        }
    }
}
