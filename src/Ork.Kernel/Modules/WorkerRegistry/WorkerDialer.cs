using System.Diagnostics.CodeAnalysis;
using Ork.Protocol;

namespace Ork.Kernel;

/// <summary>
/// Dials the Workers that discovery names, a bounded number at a time, and again with full-jitter backoff for as long as a target is
/// named and has no link. A dial that hangs goes on without a place among them: those that lead nowhere keep nobody waiting.
/// </summary>
internal sealed class WorkerDialer(LinkOptions options, TimerWheel timers, IEntropy entropy, IKernelObserver observer)
{
    // A Worker that starts again is not there for a moment, and that is no news.
    private const int FailuresToTell = 6;

    private readonly Dictionary<DialTarget, Line> _lines = [];
    [SuppressMessage("Ork.Bounds", "ORK0301", Justification = "One place for each target that discovery names.")]
    private readonly Queue<Line> _due = new();
    private int _dialling;

    private enum LineState
    {
        Waiting,
        Dialling,
        Linked,
    }

    /// <summary>
    /// Takes discovery's latest word: new targets are dialled, those no longer named are left once their link ends. One that is named again while it is linked keeps its link.
    /// </summary>
    internal void Discovered(IReadOnlyList<DialTarget> targets, Turn turn)
    {
        var named = new HashSet<DialTarget>(targets);
        foreach (var line in _lines.Values.ToArray())
        {
            line.IsNamed = named.Contains(line.Target);
            if (!line.IsNamed) Leave(line);
        }

        foreach (var target in targets)
        {
            if (_lines.ContainsKey(target)) continue;
            var line = new Line(target);
            line.Timer = new WheelTimer(at => Due(line, at));
            _lines.Add(target, line);
            Enqueue(line, turn);
        }
    }

    /// <summary>A dial led to a greeted link.</summary>
    internal void Linked(DialTarget target, Turn turn)
    {
        if (!_lines.TryGetValue(target, out var line)) return;
        LeavePlace(line);
        line.State = LineState.Linked;
        Next(turn);
    }

    /// <summary>A dial failed.</summary>
    internal void Failed(DialTarget target, string why, Turn turn)
    {
        observer.Note(KernelEvent.DialFailed, target.Endpoint.ToString(), why);
        if (_lines.TryGetValue(target, out var line)) LeavePlace(line);
        Again(target, turn);
        if (line is { IsNamed: true, IsTold: false, Failures: >= FailuresToTell })
        {
            line.IsTold = true;
            observer.Note(KernelEvent.TargetUnreachable, target.Endpoint.ToString(), why);
        }

        Next(turn);
    }

    /// <summary>A dialled link ended.</summary>
    internal void Unlinked(DialTarget target, Turn turn) => Again(target, turn);

    /// <summary>A link of this target served: the next dial's backoff starts anew.</summary>
    internal void Served(DialTarget target)
    {
        if (!_lines.TryGetValue(target, out var line)) return;
        line.Failures = 0;
        line.IsTold = false;
    }

    private void Again(DialTarget target, Turn turn)
    {
        if (!_lines.TryGetValue(target, out var line)) return;
        line.State = LineState.Waiting;
        if (!line.IsNamed)
        {
            Leave(line);
            return;
        }

        timers.Set(line.Timer!, turn.NowMs + 1 + entropy.FullJitterMs(line.Failures++, options.RetryBaseMs, options.RetryCapMs));
    }

    /// <summary>Forgets a target that is no longer named, unless it is linked or being dialled: then when that is over.</summary>
    private void Leave(Line line)
    {
        if (line.State is LineState.Linked or LineState.Dialling) return;
        TimerWheel.Cancel(line.Timer!);
        _lines.Remove(line.Target);
    }

    /// <summary>The pause before a dial is over, or what a dial may hold its place for.</summary>
    private void Due(Line line, Turn turn)
    {
        if (line.State == LineState.Dialling)
        {
            LeavePlace(line);
            Next(turn);
        }
        else
        {
            Enqueue(line, turn);
        }
    }

    private void LeavePlace(Line line)
    {
        if (!line.HoldsPlace) return;
        line.HoldsPlace = false;
        TimerWheel.Cancel(line.Timer!);
        _dialling--;
    }

    private void Enqueue(Line line, Turn turn)
    {
        _due.Enqueue(line);
        Next(turn);
    }

    private void Next(Turn turn)
    {
        while (_dialling < options.MaxDials && _due.TryDequeue(out var line))
        {
            if (_lines.GetValueOrDefault(line.Target) != line) continue;
            line.State = LineState.Dialling;
            line.HoldsPlace = true;
            _dialling++;
            timers.Set(line.Timer!, turn.NowMs + options.PatienceMs);
            turn.AtOnce.Dial(line.Target);
        }
    }

    private sealed class Line(DialTarget target)
    {
        internal DialTarget Target { get; } = target;

        internal LineState State { get; set; }

        /// <summary>True while discovery names it.</summary>
        internal bool IsNamed { get; set; } = true;

        /// <summary>True while its dial counts among those under way.</summary>
        internal bool HoldsPlace { get; set; }

        internal int Failures { get; set; }

        /// <summary>True once it was told that it cannot be reached.</summary>
        internal bool IsTold { get; set; }

        internal WheelTimer? Timer { get; set; }
    }
}
