namespace OrkSim;

/// <summary>When callers lose links on which they were answered, and how soon they open others for the calls that wait (S25).</summary>
internal sealed class CallerHaste
{
    // A call that is given up while it connects begins its pause anew for the next.
    private static readonly long Pause = TimeSpan.FromMilliseconds((2 * SimDefaults.Client.ReconnectBaseMs) + 250).Ticks;

    private readonly Dictionary<SimNode, int> _waiting = [];
    private readonly Dictionary<SimNode, int> _serving = [];
    private readonly HashSet<SimNode> _answered = [];
    private readonly HashSet<SimNode> _lost = [];
    private readonly Dictionary<SimNode, long> _wanted = [];

    internal void Asked(SimNode caller, long ticks)
    {
        _waiting[caller] = _waiting.GetValueOrDefault(caller) + 1;
        if (_lost.Contains(caller)) _wanted.TryAdd(caller, ticks);
    }

    internal void Answered(SimNode caller, bool isHeard)
    {
        // Where no call waits any more, nobody wants a link.
        if ((_waiting[caller] = _waiting.GetValueOrDefault(caller) - 1) == 0) _wanted.Remove(caller);
        if (isHeard) _answered.Add(caller);
    }

    internal void Serves(SimNode caller, int link) => _serving[caller] = link;

    /// <summary>One that was answered on it, and has not tried to open another since: a link that is silent for long is given up while it is open, and so the pauses have begun.</summary>
    internal void LinkEnded(SimNode caller, int link, long ticks)
    {
        if (!_answered.Contains(caller) || caller.Dials.Count > 0 || !_serving.TryGetValue(caller, out var serving) || serving != link) return;

        // What was answered late on an older link says nothing of the one that is in use.
        if (caller.Connections.Any(other => other.IsClient && other.IsOpen && other.Link > link)) return;
        _lost.Add(caller);

        // While an older link is open, the calls that wait may be under way there.
        if (_waiting.GetValueOrDefault(caller) > 0 && !caller.Connections.Any(other => other.IsClient && other.IsOpen && other.Link != link)) _wanted[caller] = ticks;
    }

    /// <summary>A caller opens a link: what says that it took its time, or null.</summary>
    internal string? Dawdled(SimNode caller, long ticks, Facts facts)
    {
        _answered.Remove(caller);
        _serving.Remove(caller);
        if (!_lost.Remove(caller) | !_wanted.Remove(caller, out var wanted)) return null;
        return ticks - Math.Max(wanted, caller.AwakeTicks) > Pause + (2 * facts.World.WorstLateness.Ticks) ? $"{caller} lost a link on which it was answered, and opens another after {SimDefaults.Seconds(ticks - wanted)} s." : null;
    }

    internal void Forget(SimNode caller)
    {
        _waiting.Remove(caller);
        _serving.Remove(caller);
        _answered.Remove(caller);
        _lost.Remove(caller);
        _wanted.Remove(caller);
    }
}
