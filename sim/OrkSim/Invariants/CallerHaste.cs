namespace OrkSim;

/// <summary>When callers lose links on which they were answered, and how soon they open others for the calls that wait (S25).</summary>
internal sealed class CallerHaste
{
    // A call that is given up while it connects begins its pause anew for the next.
    private static readonly long Pause = TimeSpan.FromMilliseconds((2 * SimDefaults.Client.ReconnectBaseMs) + 250).Ticks;

    private readonly Dictionary<SimNode, int> _waiting = [];

    // Calls that wait for a command's end: between two questions they want nothing.
    private readonly Dictionary<SimNode, int> _polling = [];

    // Those whose caller gave one up: its kernel goes on with the question.
    private readonly HashSet<SimNode> _gaveUp = [];
    private readonly Dictionary<SimNode, int> _serving = [];
    private readonly HashSet<SimNode> _answered = [];
    private readonly HashSet<SimNode> _lost = [];

    // Since when a link is wanted, and whether by one that asks for a command's end.
    private readonly Dictionary<SimNode, (long Ticks, bool Polled)> _wanted = [];

    internal void Asked(SimNode caller, bool polls, long ticks)
    {
        var calls = polls ? _polling : _waiting;
        calls[caller] = calls.GetValueOrDefault(caller) + 1;
        if (_lost.Contains(caller)) _wanted.TryAdd(caller, (ticks, polls));
    }

    internal void Answered(SimNode caller, bool polls, bool isHeard)
    {
        if (polls && !isHeard) _gaveUp.Add(caller);
        var calls = polls ? _polling : _waiting;
        calls[caller] = calls.GetValueOrDefault(caller) - 1;

        // Where no call waits any more, nobody wants a link.
        var isWanted = _waiting.GetValueOrDefault(caller) > 0 || (_polling.GetValueOrDefault(caller) > 0 && _wanted.GetValueOrDefault(caller).Polled);
        if (!isWanted) _wanted.Remove(caller);
        if (isHeard) _answered.Add(caller);
    }

    internal void Serves(SimNode caller, int link) => _serving[caller] = link;

    /// <summary>One that was answered on it, and has not tried to open another since: a link that is silent for long is given up while it is open, and so the pauses have begun.</summary>
    /// <param name="caller">The caller.</param>
    /// <param name="link">Its link.</param>
    /// <param name="isPolled">True where a question for a command's end has no answer on it.</param>
    /// <param name="ticks">When.</param>
    internal void LinkEnded(SimNode caller, int link, bool isPolled, long ticks)
    {
        if (!_answered.Contains(caller) || caller.Dials.Count > 0 || !_serving.TryGetValue(caller, out var serving) || serving != link) return;

        // What was answered late on an older link says nothing of the one that is in use.
        if (caller.Connections.Any(other => other.IsClient && other.IsOpen && other.Link > link)) return;
        _lost.Add(caller);

        // While an older link is open, the calls that wait may be under way there.
        isPolled &= !_gaveUp.Contains(caller) && _polling.GetValueOrDefault(caller) > 0;
        var isWanted = _waiting.GetValueOrDefault(caller) > 0 || isPolled;
        if (isWanted && !caller.Connections.Any(other => other.IsClient && other.IsOpen && other.Link != link)) _wanted[caller] = (ticks, isPolled);
    }

    /// <summary>A caller opens a link: what says that it took its time, or null.</summary>
    internal string? Dawdled(SimNode caller, long ticks, Facts facts)
    {
        _answered.Remove(caller);
        _serving.Remove(caller);
        _gaveUp.Remove(caller);
        if (!_lost.Remove(caller) | !_wanted.Remove(caller, out var wanted)) return null;
        return ticks - Math.Max(wanted.Ticks, caller.AwakeTicks) > Pause + (2 * facts.World.WorstLateness.Ticks) ? $"{caller} lost a link on which it was answered, and opens another after {SimDefaults.Seconds(ticks - wanted.Ticks)} s." : null;
    }

    internal void Forget(SimNode caller)
    {
        _waiting.Remove(caller);
        _polling.Remove(caller);
        _gaveUp.Remove(caller);
        _serving.Remove(caller);
        _answered.Remove(caller);
        _lost.Remove(caller);
        _wanted.Remove(caller);
    }
}
