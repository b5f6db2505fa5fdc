using Ork.Kernel;
using Ork.Protocol;

namespace OrkSim;

/// <summary>L4: while the kernel is up, every linked Worker is pinged at least every two intervals and no more than once in each, always at the same place of it, and one that is well is pulled on schedule, not all at once; no job goes on for one that is out of service.</summary>
public sealed class Metronome : IInvariant
{
    /// <inheritdoc/>
    public string Id => "L4";

    /// <inheritdoc/>
    public string Says => "While the kernel is up, every linked Worker is pinged at least every two intervals and no more than once in each, always at the same place of it, and one that is well is pulled on schedule, not all at once; no job goes on for one that is out of service.";

    /// <inheritdoc/>
    public SimEventKind Hears => SimEventKind.Pulse | SimEventKind.FrameSent | SimEventKind.Note | SimEventKind.StoreOpened;

    // Before a registration's ping out of turn, and after it.
    private const int MostShort = 2;

    // As many at one moment, of so many that are linked, are no chance any more.
    private const int Many = 8;

    private static readonly long Moment = TimeSpan.FromMilliseconds(500).Ticks;

    // A timer's.
    private static readonly long Tick = TimeSpan.FromMilliseconds(5).Ticks;

    private readonly Dictionary<LinkFacts, (long Latest, int Short)> _pinged = [];

    // When a Worker's job last had to wait, or was left out.
    private readonly Dictionary<string, long> _heldUp = new(StringComparer.Ordinal);
    private (long Ticks, int Count) _together;

    // At which place of the interval each Worker is pinged, and the pings since the last pulse.
    private readonly Dictionary<string, long> _places = new(StringComparer.Ordinal);
    private readonly List<(LinkFacts Link, long Ticks)> _placed = [];

    /// <inheritdoc/>
    public void Hear(in SimEvent happened, Facts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        if (happened.Kind == SimEventKind.Note)
        {
            // That it is out of service is on the disk: whoever holds the store knows.
            var isDue = happened.Note is KernelEvent.JobOverrun or KernelEvent.JobWaits;
            if (isDue || happened.Note == KernelEvent.PullHeldOff) _heldUp[happened.Subject!] = happened.Ticks;
            if (happened.Node != facts.Holder || !facts.TerminatedTicks.ContainsKey(happened.Subject!)) return;
            if (isDue) facts.Violated(this, $"{happened.Subject} is out of service, and its {happened.Detail} job comes due.");
            else if (happened.Note is KernelEvent.WorkerSick or KernelEvent.WorkerDead) facts.Violated(this, $"{happened.Subject} is out of service, and its pings are still counted: {happened.Note}.");
            return;
        }

        if (happened.Kind == SimEventKind.StoreOpened)
        {
            _places.Clear();
            _placed.Clear();
            return;
        }

        if (happened.Kind == SimEventKind.FrameSent)
        {
            // A registration's ping comes out of turn.
            if (happened.Message is { Action: OrkAction.IdentityRequest or OrkAction.CapabilityRequest } && happened.Connection!.Facts is { } registers) _placed.Remove((registers, happened.Ticks));
            if (happened.Node == facts.Holder && happened.Message is { Action: OrkAction.HealthPing }) CheckPing(happened.Connection!.Facts!, happened.Ticks, facts);
            else if (happened.Node == facts.Holder && happened.Message is { Action: OrkAction.CapabilityRequest } && happened.Connection!.Facts is { Pinged: false } unprobed) facts.Violated(this, $"{unprobed.Peer} is being registered on a new link, and was not pinged on it.");
            return;
        }

        foreach (var (link, ticks) in _placed) CheckPlace(link, ticks, facts);
        _placed.Clear();
        var bound = TimeSpan.FromMilliseconds((2 * facts.World.KernelOptions.Schedule.HealthIntervalMs) + 500).Ticks + (2 * facts.World.WorstLateness.Ticks);
        foreach (var link in facts.WorkerLinks)
        {
            if (!link.Greeted || !link.GreetingTaken || link.KernelSide.Owner is not { IsUp: true, Frozen: false } || facts.World.IsGone(link.Peer.Name)) continue;

            // One that is refused is told so, and closed, with the next commit.
            if (facts.CommitInFlight && !link.Pinged) continue;
            if (happened.Ticks - link.LastPingTicks > bound) facts.Violated(this, $"{link.Peer} is linked and was not pinged for {SimDefaults.Seconds(happened.Ticks - link.LastPingTicks)} s.");
            CheckPulls(link, happened.Ticks, facts);
        }
    }

    /// <summary>A link has one ping that comes out of turn: with its registration.</summary>
    private void CheckPing(LinkFacts link, long ticks, Facts facts)
    {
        if (_pinged.ContainsKey(link)) CheckSpread(ticks, facts);
        if (facts.World.WorstLateness == TimeSpan.Zero && ticks - Math.Max(facts.AwakeTicks, facts.Holder!.AwakeTicks) > TimeSpan.TicksPerSecond) _placed.Add((link, ticks));
        var interval = TimeSpan.FromMilliseconds(facts.World.KernelOptions.Schedule.HealthIntervalMs - 2).Ticks - (2 * facts.World.WorstLateness.Ticks);
        var isShort = _pinged.TryGetValue(link, out var before) && ticks - before.Latest < interval && facts.AwakeTicks < before.Latest - interval;
        var count = before.Short + (isShort ? 1 : 0);
        if (count > MostShort) facts.Violated(this, $"{link.Peer} is pinged {SimDefaults.Seconds(ticks - before.Latest)} s after it was pinged.");
        _pinged[link] = (ticks, count);
    }

    /// <summary>A Worker's phase stays, whatever was late in between.</summary>
    private void CheckPlace(LinkFacts link, long ticks, Facts facts)
    {
        var interval = TimeSpan.FromMilliseconds(facts.World.KernelOptions.Schedule.HealthIntervalMs).Ticks;
        var place = ticks % interval;
        if (_places.TryAdd(link.Peer.Name, place)) return;
        var off = Math.Abs(place - _places[link.Peer.Name]);
        off = Math.Min(off, interval - off);
        if (off > Tick) facts.Violated(this, $"{link.Peer} is pinged {SimDefaults.Seconds(off)} s away from its place in the interval.");
    }

    /// <summary>Workers have their own phases. Timers that are late, and a kernel that stood still, put several together.</summary>
    private void CheckSpread(long ticks, Facts facts)
    {
        _together = _together.Ticks == ticks ? (ticks, _together.Count + 1) : (ticks, 1);
        if (_together.Count < Many || facts.World.WorstLateness > TimeSpan.Zero || ticks - Math.Max(facts.AwakeTicks, facts.Holder!.AwakeTicks) < TimeSpan.TicksPerSecond) return;
        if (_together.Count * 2 > facts.WorkerLinks.Count) facts.Violated(this, $"{_together.Count} Workers of {facts.WorkerLinks.Count} are pinged in one moment.");
    }

    /// <summary>
    /// Pulls come as often as the schedule says. Where one had to wait because too many were under way, at worst each place was held by one that ran out of time, as often as all
    /// Workers take turns.
    /// </summary>
    private void CheckPulls(LinkFacts link, long ticks, Facts facts)
    {
        if (link is not { ContractTaken: true, SickTicks: null, WellTicks: { } well } || link.KernelSide.Owner != facts.Holder || !facts.World.IsHonest(link.Peer.Name)) return;
        var (state, changed) = facts.Circuits.TryGetValue(link.Peer.Name, out var circuit) ? circuit : (KernelEvent.CircuitClosed, 0);
        if (state != KernelEvent.CircuitClosed) return;
        var options = facts.World.KernelOptions;
        var waitMs = ((2 * facts.World.Workers.Count / options.Schedule.MaxPulls) + 1) * options.Pulls.TimeoutMs;
        var since = Math.Max(Math.Max(well, changed), facts.AwakeTicks) + (2 * facts.World.WorstLateness.Ticks);
        // One that is under way for longer than its interval is not followed by another before it has ended.
        var lastsMs = options.Pulls.TimeoutMs + options.Loop.ListenMs;
        Check("states", link.LastStatePullTicks, options.Schedule.StateIntervalMs);
        Check("telemetry", link.LastTelemetryPullTicks, options.Schedule.TelemetryIntervalMs);

        void Check(string what, long last, long intervalMs)
        {
            var from = Math.Max(last, since);
            var waited = ticks - from;
            var nextMs = intervalMs > lastsMs ? intervalMs : intervalMs + lastsMs;
            var mostMs = _heldUp.GetValueOrDefault(link.Peer.Name, -1) < from - Moment ? nextMs : intervalMs + nextMs + waitMs;
            if (waited > TimeSpan.FromMilliseconds(mostMs).Ticks + Moment + (2 * facts.World.WorstLateness.Ticks)) facts.Violated(this, $"{link.Peer} is well, and its {what} were not pulled for {SimDefaults.Seconds(waited)} s.");
        }
    }
}
