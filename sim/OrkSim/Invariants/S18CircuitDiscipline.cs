using Ork.Kernel;
using Ork.Protocol;

namespace OrkSim;

/// <summary>
/// S18: nothing but pings and registrations is sent through an open circuit, no more than the allowed probes at once through a half-open one, and a Worker that answers nothing has no
/// closed one; a circuit opens for a cause, and where links are lost too often, and cools down in its time.
/// </summary>
public sealed class CircuitDiscipline : IInvariant
{
    private readonly Dictionary<string, List<(LinkFacts Link, ulong Correlation, long Ticks)>> _probes = new(StringComparer.Ordinal);

    private readonly CircuitPauses _pauses = new();
    private readonly CircuitCauses _causes = new();
    private readonly Dictionary<string, long> _opened = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _halfOpen = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _ended = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public string Id => "S18";

    /// <inheritdoc/>
    public string Says =>
        "Nothing but pings and registrations is sent through an open circuit, no more than the allowed probes at once through a half-open one, and a Worker that answers nothing has no closed one; "
        + "a circuit opens for a cause, and where links are lost too often, and cools down in its time.";

    /// <inheritdoc/>
    public SimEventKind Hears => SimEventKind.FrameSent | SimEventKind.FrameTaken | SimEventKind.Note | SimEventKind.StoreOpened | SimEventKind.Pulse;

    /// <inheritdoc/>
    public void Hear(in SimEvent happened, Facts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        switch (happened.Kind)
        {
            case SimEventKind.Note:
                CheckPause(in happened, facts);
                _pauses.Hear(in happened, facts);
                if (_pauses.AreNotDrawn) facts.Violated(this, "Circuits cool down as long as they may, each of the latest: their pauses are not drawn.");
                if (_causes.Missing(in happened, facts) is { } lacking) facts.Violated(this, lacking);
                return;
            case SimEventKind.StoreOpened:
                _pauses.Clear();
                _causes.Clear();
                _opened.Clear();
                return;
            case SimEventKind.Pulse:
                if ((_pauses.Overdue(facts) ?? _causes.Overdue(facts)) is { } overdue) facts.Violated(this, overdue);
                return;
            case SimEventKind.FrameTaken:
                _causes.Took(in happened, facts);
                return;
        }

        _causes.Sent(in happened, facts);
        if (happened.Node != facts.Holder || happened.Frame != FrameKind.Request || happened.Message is not { } message || !Counts(message.Action)) return;
        var link = happened.Connection!.Facts!;
        if (link.Peer.Kind != NodeKind.Worker) return;

        // A command leaves after its commit: only what was so before it was decided counts. Pulls leave in the turn that decides them.
        var decidedTicks = message.Action == OrkAction.CommandRequest ? facts.ReleasedSince(happened.Node!) : happened.Ticks;
        if (message.Action == OrkAction.CommandRequest && facts.Workers.TryGetValue(link.Peer.Name, out var row) && row.Hold == CircuitHold.Open && facts.HeldTicks[row.WorkerId] < decidedTicks)
        {
            facts.Violated(this, $"{message.CommandId} is sent to {link.Peer}, which an operator has isolated.");
        }

        var (state, since) = facts.Circuits.TryGetValue(link.Peer.Name, out var circuit) ? circuit : (KernelEvent.CircuitClosed, 0);
        if (since >= decidedTicks) return;
        if (state == KernelEvent.CircuitOpened) facts.Violated(this, $"{message.Action} is sent to {link.Peer} through an open circuit.");
        else if (state == KernelEvent.CircuitHalfOpen) CheckProbes(link, happened.Correlation, since, happened.Ticks, facts);
        else CheckSilence(link, Math.Max(since, facts.HeldSinceTicks), decidedTicks, facts);
    }

    /// <summary>What a half-open circuit comes to, its own probes decide: one that failed, or enough that were answered.</summary>
    private void CheckVerdict(string worker, KernelEvent verdict, Facts facts)
    {
        if (!_halfOpen.Remove(worker, out var since) || !facts.Workers.TryGetValue(worker, out var row) || row.Hold != CircuitHold.None || facts.HeldTicks.GetValueOrDefault(worker) >= since) return;
        // Where there are two of them, which is the kernel's cannot be known.
        if (facts.WorkerLinks.FindAll(known => known.Peer.Name == worker && known.KernelSide.Owner == facts.Holder) is not [var link]) return;
        if (link.OpenedTicks >= since || _ended.GetValueOrDefault(worker) >= since) return;
        var probes = link.ProbesSince(since);
        var enough = facts.World.KernelOptions.Circuits.ProbesToClose;
        if (verdict == KernelEvent.CircuitOpened && probes.Sent == 0) facts.Violated(this, $"The half-open circuit of {worker} opens, and no probe was sent.");
        else if (verdict == KernelEvent.CircuitClosed && !facts.CommitInFlight && probes.Answered < enough) facts.Violated(this, $"The half-open circuit of {worker} closes after {probes.Answered} answers; it takes {enough}.");
    }

    /// <summary>An open circuit keeps at least half of its pause, which doubles each time that it opens again without having been closed for long.</summary>
    private void CheckPause(in SimEvent happened, Facts facts)
    {
        if (happened.Node != facts.Holder || happened.Subject is not { } worker) return;
        if (happened.Note is KernelEvent.CircuitOpened or KernelEvent.CircuitClosed && happened.Detail is not ("isolated" or "restored")) CheckVerdict(worker, happened.Note, facts);
        if (happened.Note == KernelEvent.CircuitHalfOpen && !facts.CommitInFlight && facts.Workers.TryGetValue(worker, out var gone) && gone.Terminated) facts.Violated(this, $"{worker} is terminated, and its circuit cools down.");
        if (happened.Note == KernelEvent.LinkDown) _ended[worker] = happened.Ticks;
        if (happened.Note == KernelEvent.CircuitHalfOpen) _halfOpen[worker] = happened.Ticks;
        else if (happened.Note is KernelEvent.CircuitOpened or KernelEvent.CircuitClosed) _halfOpen.Remove(worker);
        if (happened.Note == KernelEvent.CircuitOpened) _opened[worker] = happened.Ticks;
        if (happened.Note == KernelEvent.CircuitOpened && happened.Detail != "isolated" && !facts.CommitInFlight && facts.Workers.TryGetValue(worker, out var held) && held.Hold == CircuitHold.Closed) facts.Violated(this, $"The circuit of {worker} opens, which an operator holds closed.");
        if (happened.Note != KernelEvent.CircuitHalfOpen || !_opened.TryGetValue(worker, out var opened)) return;
        var options = facts.World.KernelOptions.Circuits;
        var leastMs = (Math.Min(options.CoolDownCapMs, options.CoolDownBaseMs << (_pauses.LeastOpens(worker) - 1)) / 2) - 2;
        if (happened.Ticks - opened < TimeSpan.FromMilliseconds(leastMs).Ticks) facts.Violated(this, $"The circuit of {worker} was open for {SimDefaults.Seconds(happened.Ticks - opened)} s; it cools down for {leastMs} ms at least, having opened {_pauses.LeastOpens(worker)} times in a row.");
        if (facts.Workers.TryGetValue(worker, out var row) && row.Hold == CircuitHold.Open && !facts.CommitInFlight) facts.Violated(this, $"{worker} is isolated, and its circuit cools down.");
    }

    internal static bool Counts(OrkAction action) => action is OrkAction.CommandRequest or OrkAction.TelemetryPull or OrkAction.StatePull;

    private void CheckProbes(LinkFacts link, ulong correlation, long since, long ticks, Facts facts)
    {
        if (!_probes.TryGetValue(link.Peer.Name, out var probes)) _probes.Add(link.Peer.Name, probes = []);
        probes.RemoveAll(probe => probe.Ticks < since || probe.Link != link || !probe.Link.Outstanding.ContainsKey(probe.Correlation));
        probes.Add((link, correlation, ticks));
        var most = facts.World.KernelOptions.Circuits.HalfOpenProbes;
        if (probes.Count > most) facts.Violated(this, $"{probes.Count} probes are under way to {link.Peer}; {most} may be.");
    }

    /// <summary>Counted from the link alone: so many requests surely ran out of time without any answer since, and still the circuit lets more through.</summary>
    private void CheckSilence(LinkFacts link, long since, long decidedTicks, Facts facts)
    {
        var options = facts.World.KernelOptions;
        if (link.Outstanding.Count + link.Late.Count < options.Circuits.ConsecutiveFailures || facts.World.IsHeldClosed(link.Peer.Name)) return;
        var patience = TimeSpan.FromMilliseconds(Math.Max(options.Pulls.TimeoutMs, facts.World.Attempts.Longest.TotalMilliseconds) + 250).Ticks + facts.LastCalls + facts.World.WorstLateness.Ticks;
        var unanswered = link.Late.Count(Silent);
        foreach (var (action, ticks, _, _) in link.Outstanding.Values)
        {
            if (Counts(action) && Silent(ticks)) unanswered++;
        }

        if (unanswered >= options.Circuits.ConsecutiveFailures) facts.Violated(this, $"{link.Peer} has left {unanswered} requests in a row unanswered, and more are sent to it.");

        bool Silent(long ticks) => ticks > since && ticks > link.AnswerTicks && ticks + patience < decidedTicks && facts.AwakeTicks < ticks;
    }
}
