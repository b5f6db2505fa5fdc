using Ork.Kernel;
using Ork.Protocol;

namespace OrkSim;

/// <summary>How long circuits may stay open at the most, and that it is drawn: what a kernel that holds the store said of each, and its pause, which doubles from opening to opening (S18).</summary>
internal sealed class CircuitPauses
{
    // Each of them drawn: one run in a hundred million, if all came a twentieth of the shortest pause too late.
    private const int Many = 8;
    private const int LeastTold = 40;

    private static readonly long Slack = TimeSpan.FromMilliseconds(600).Ticks;

    private readonly Dictionary<string, int> _opens = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _leastOpens = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _closed = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _until = new(StringComparer.Ordinal);
    private readonly HashSet<string> _halfOpen = new(StringComparer.Ordinal);
    private int _longestInRow;

    /// <summary>A kernel begins with every circuit closed.</summary>
    internal void Clear()
    {
        _opens.Clear();
        _leastOpens.Clear();
        _closed.Clear();
        _until.Clear();
        _halfOpen.Clear();
    }

    internal void Hear(in SimEvent note, Facts facts)
    {
        if (note.Node != facts.Holder || note.Subject is not { } worker) return;
        switch (note.Note)
        {
            case KernelEvent.CircuitOpened when note.Detail != "isolated":
                Open(worker, note.Ticks, facts);
                break;
            case KernelEvent.CircuitHalfOpen:
                Cool(worker, note.Ticks, facts);
                _until.Remove(worker);
                _halfOpen.Add(worker);
                break;
            case KernelEvent.CircuitOpened or KernelEvent.WorkerTerminated:
                _until.Remove(worker);
                _halfOpen.Remove(worker);
                _leastOpens.Remove(worker);
                break;
            case KernelEvent.CircuitClosed:
                _until.Remove(worker);
                _halfOpen.Remove(worker);
                Close(worker, note);
                break;
        }
    }

    /// <summary>How often in a row a circuit that is open has opened at the least.</summary>
    internal int LeastOpens(string worker) => _leastOpens.GetValueOrDefault(worker, 1);

    /// <summary>What says that a circuit has been open for too long, or null.</summary>
    internal string? Overdue(Facts facts)
    {
        if (!facts.IsServed || facts.CommitInFlight) return null;
        foreach (var (worker, until) in _until)
        {
            var latest = Math.Max(until, facts.AwakeTicks) + Slack + (2 * facts.World.WorstLateness.Ticks);
            if (latest >= facts.NowTicks || !facts.Workers.TryGetValue(worker, out var row) || row.Terminated || row.Hold != CircuitHold.None) continue;
            return $"The circuit of {worker} should have cooled down {SimDefaults.Seconds(facts.NowTicks - until)} s ago, and is still open.";
        }

        return null;
    }

    /// <summary>True where the latest pauses were all as long as they may be: they are not drawn, and all that failed together is tried together.</summary>
    internal bool AreNotDrawn => _longestInRow >= Many;

    private void Cool(string worker, long ticks, Facts facts)
    {
        if (!_until.TryGetValue(worker, out var until) || facts.AwakeTicks > facts.HeldSinceTicks) return;
        var leastMs = facts.World.KernelOptions.Circuits.CoolDownBaseMs;

        // Of a few milliseconds many pauses are alike.
        if (leastMs < LeastTold || facts.World.WorstLateness.TotalMilliseconds * 20 > leastMs) return;
        _longestInRow = ticks >= until - TimeSpan.TicksPerMillisecond ? _longestInRow + 1 : 0;
    }

    /// <summary>At an operator's word it is as if it had never opened.</summary>
    private void Close(string worker, in SimEvent note)
    {
        if (note.Detail != "restored")
        {
            _closed[worker] = note.Ticks;
            return;
        }

        _opens.Remove(worker);
        _leastOpens.Remove(worker);
    }

    private void Open(string worker, long ticks, Facts facts)
    {
        var options = facts.World.KernelOptions.Circuits;
        var closed = _closed.GetValueOrDefault(worker, facts.HeldSinceTicks);

        // Only a closed circuit has been good for long. The kernel counts whole milliseconds.
        var wasHalfOpen = _halfOpen.Remove(worker);
        _leastOpens[worker] = wasHalfOpen || ticks - closed < TimeSpan.FromMilliseconds(options.ForgetAfterMs - 100).Ticks ? _leastOpens.GetValueOrDefault(worker) + 1 : 1;
        if (!wasHalfOpen && ticks - closed > TimeSpan.FromMilliseconds(options.ForgetAfterMs + 2).Ticks) _opens.Remove(worker);
        var opens = _opens.GetValueOrDefault(worker);
        _opens[worker] = opens + 1;
        _until[worker] = ticks + TimeSpan.FromMilliseconds(Math.Min(options.CoolDownCapMs, options.CoolDownBaseMs << Math.Min(opens, 30))).Ticks;
    }
}
