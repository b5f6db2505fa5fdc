using Ork.Kernel;
using Ork.Protocol;

namespace OrkSim;

/// <summary>S18: nothing but pings and registrations is sent through an open circuit, no more than the allowed probes at once through a half-open one, and a Worker that answers nothing has no closed one.</summary>
public sealed class CircuitDiscipline : IInvariant
{
    private readonly Dictionary<string, List<(LinkFacts Link, ulong Correlation, long Ticks)>> _probes = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public string Id => "S18";

    /// <inheritdoc/>
    public string Says =>
        "Nothing but pings and registrations is sent through an open circuit, no more than the allowed probes at once through a half-open one, and a Worker that answers nothing has no closed one.";

    /// <inheritdoc/>
    public SimEventKind Hears => SimEventKind.FrameSent;

    /// <inheritdoc/>
    public void Hear(in SimEvent happened, Facts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        if (happened.Node != facts.Holder || happened.Frame != FrameKind.Request || happened.Message is not { } message || !Counts(message.Action)) return;
        var link = happened.Connection!.Facts!;
        if (link.Peer.Kind != NodeKind.Worker) return;

        // A command leaves after its commit: only what was so before it was decided counts. Pulls leave in the turn that decides them.
        var decidedTicks = message.Action == OrkAction.CommandRequest ? facts.DecidedSince(happened.Node!) : happened.Ticks;
        var (state, since) = facts.Circuits.TryGetValue(link.Peer.Name, out var circuit) ? circuit : (KernelEvent.CircuitClosed, 0);
        if (since >= decidedTicks) return;
        if (state == KernelEvent.CircuitOpened) facts.Violated(this, $"{message.Action} is sent to {link.Peer} through an open circuit.");
        else if (state == KernelEvent.CircuitHalfOpen) CheckProbes(link, happened.Correlation, since, happened.Ticks, facts);
        else CheckSilence(link, Math.Max(since, facts.HeldSinceTicks), decidedTicks, facts);
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
        var patience = TimeSpan.FromMilliseconds(Math.Max(options.Pulls.TimeoutMs, options.Commands.AttemptTimeoutMs) + 250).Ticks + facts.World.WorstLateness.Ticks;
        var unanswered = link.Late.Count(Silent);
        foreach (var (action, ticks, _, _) in link.Outstanding.Values)
        {
            if (Counts(action) && Silent(ticks)) unanswered++;
        }

        if (unanswered >= options.Circuits.ConsecutiveFailures) facts.Violated(this, $"{link.Peer} has left {unanswered} requests in a row unanswered, and more are sent to it.");

        bool Silent(long ticks) => ticks > since && ticks > link.AnswerTicks && ticks + patience < decidedTicks && facts.AwakeTicks < ticks;
    }
}
