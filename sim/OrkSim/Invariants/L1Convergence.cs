using System.Text.Json;
using Ork.Kernel;
using Ork.Protocol;

namespace OrkSim;

/// <summary>L1: live Workers are Ready and Healthy, and own what only they claim, within the bound after the last fault; whoever waits to be registered has his turn; the silent link of a dead one is given up, so that it can come back, and so is that of one taken out of service.</summary>
public sealed class Convergence : IInvariant
{
    /// <inheritdoc/>
    public string Id => "L1";

    /// <inheritdoc/>
    public string Says => "Live Workers are Ready and Healthy, and own what only they claim, within the bound after the last fault; whoever waits to be registered has his turn; the silent link of a dead one is given up, and so is that of one taken out of service.";

    /// <inheritdoc/>
    public SimEventKind Hears => SimEventKind.FrameSent | SimEventKind.Note | SimEventKind.StoreOpened | SimEventKind.Pulse;

    // Since when the kernel that holds the store says that it has a link of each Worker.
    private readonly Dictionary<string, long> _linked = new(StringComparer.Ordinal);

    // And since when that it has none, of those that it knows.
    private readonly Dictionary<string, long> _unlinked = new(StringComparer.Ordinal);

    // Since when it says that a Worker waits to be registered, and since when fewer are than may be.
    private readonly Dictionary<string, long> _waits = new(StringComparer.Ordinal);
    private long? _hasPlaces;

    // Of whom the pages of a list told so far.
    private readonly HashSet<string> _told = new(StringComparer.Ordinal);

    private static readonly long Moment = TimeSpan.FromSeconds(1).Ticks;
    private static readonly long Blink = TimeSpan.FromMilliseconds(100).Ticks;

    /// <inheritdoc/>
    public void Hear(in SimEvent happened, Facts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        switch (happened.Kind)
        {
            case SimEventKind.StoreOpened:
                _linked.Clear();
                _unlinked.Clear();
                _waits.Clear();
                foreach (var row in happened.Image!.Workers) _unlinked[row.WorkerId] = happened.Ticks;
                return;
            case SimEventKind.Note when happened.Node == facts.Holder && happened.Note == KernelEvent.LinkUp:
                _linked[happened.Subject!] = happened.Ticks;
                _unlinked.Remove(happened.Subject!);
                return;
            case SimEventKind.Note when happened.Node == facts.Holder && happened.Note == KernelEvent.LinkDown:
                _linked.Remove(happened.Subject!);
                _waits.Remove(happened.Subject!);
                _unlinked[happened.Subject!] = happened.Ticks;
                return;
            case SimEventKind.Note when happened.Node == facts.Holder && happened.Note == KernelEvent.RegistrationWaits:
                _waits[happened.Subject!] = happened.Ticks;
                return;
            case SimEventKind.Pulse:
                CheckDead(facts);
                CheckSilent(facts);
                CheckTerminated(facts);
                CheckOrphans(facts);
                CheckWaiting(facts);
                return;
        }

        if (happened.Node != facts.Holder || happened.Message is not { } message) return;
        if (IsRegistration(message.Action)) _waits.Remove(happened.Connection!.Facts!.Peer.Name);
        if (message.Action != OrkAction.WorkerListResponse) return;
        if (!happened.Connection!.Facts!.Questions.TryGetValue(happened.Correlation, out var asked) || !asked.IsOfOneWorker) CheckPage(message.Listing, happened.Ticks, facts);
    }

    private void CheckPage(JsonElement page, long ticks, Facts facts)
    {
        if (!page.TryGetProperty("workers", out var workers)) return;
        var told = workers.EnumerateArray().ToDictionary(worker => worker.GetProperty("workerId").GetString()!, StringComparer.Ordinal);
        var isLast = page.GetProperty("next").ValueKind == JsonValueKind.Null;
        _told.UnionWith(told.Keys);
        if (ticks - facts.QuietTicks >= SimDefaults.ConvergenceBound.Ticks) CheckWorkers(told, isLast, facts);
        if (isLast) _told.Clear();
    }

    private void CheckWorkers(Dictionary<string, JsonElement> told, bool isLast, Facts facts)
    {
        CheckOwners(facts);
        foreach (var worker in facts.World.Workers)
        {
            if (worker.Gone || !worker.Node.IsUp) continue;
            if (!told.TryGetValue(worker.Node.Name, out var view))
            {
                if (isLast && !_told.Contains(worker.Node.Name)) facts.Violated(this, $"{worker.Node} lives and the kernel does not know it.");
            }
            else if (view.GetProperty("state").GetString() != "Ready" || view.GetProperty("health").GetString() != "Healthy")
            {
                facts.Violated(this, $"{worker.Node} lives and is {view.GetProperty("state")} and {view.GetProperty("health")}.");
            }
        }
    }

    private void CheckDead(Facts facts)
    {
        if (!facts.IsServed) return;
        foreach (var (worker, (isDead, since)) in facts.Deaths)
        {
            if (!isDead || facts.NowTicks - Math.Max(since, facts.AwakeTicks) < Moment + (2 * facts.World.WorstLateness.Ticks)) continue;
            if (_linked.TryGetValue(worker, out var linked) && linked < since && facts.LinkOf(worker) is { } link && link.OpenedTicks < since) facts.Violated(this, $"{worker} was found dead {SimDefaults.Seconds(facts.NowTicks - since)} s ago, and its silent link is still open.");
        }
    }

    /// <summary>A Worker that was taken out of service has its link no longer.</summary>
    private void CheckTerminated(Facts facts)
    {
        if (facts.TerminatedTicks.Count == 0 || !facts.IsServed) return;
        foreach (var link in facts.WorkerLinks)
        {
            if (!link.KernelSide.IsOpen || link.KernelSide.Owner != facts.Holder || !facts.TerminatedTicks.TryGetValue(link.Peer.Name, out var terminated)) continue;
            var since = Math.Max(Math.Max(terminated, link.OpenedTicks), facts.AwakeTicks);
            if (facts.NowTicks - since > (4 * Moment) + (2 * facts.World.WorstLateness.Ticks) && link.IdentityTaken) facts.Violated(this, $"{link.Peer} was taken out of service {SimDefaults.Seconds(facts.NowTicks - terminated)} s ago, and its link is still open.");
        }
    }

    /// <summary>Who answers no ping is dead after so many of them, so that its devices may be another's; and so is the link, whenever it was opened.</summary>
    private void CheckSilent(Facts facts)
    {
        if (!facts.IsServed) return;
        var options = facts.World.KernelOptions;
        var bound = TimeSpan.FromMilliseconds((options.Health.DeadAfter - 1) * options.Schedule.HealthIntervalMs).Ticks + (5 * Moment / 2) + (2 * facts.World.WorstLateness.Ticks);
        foreach (var (worker, unlinked) in _unlinked)
        {
            var away = facts.NowTicks - Math.Max(unlinked, facts.AwakeTicks);
            if (away > bound + TimeSpan.FromMilliseconds(options.Schedule.HealthIntervalMs).Ticks && !facts.World.IsGone(worker) && !(facts.Deaths.TryGetValue(worker, out var end) && end.IsDead)) facts.Violated(this, $"{worker} has had no link for {SimDefaults.Seconds(away)} s, and is not dead.");
        }

        foreach (var link in facts.WorkerLinks)
        {
            if (link.SickTicks is not { } sick || link.KernelSide.Owner != facts.Holder || facts.World.IsGone(link.Peer.Name)) continue;
            var silent = facts.NowTicks - Math.Max(sick, facts.AwakeTicks);
            if (silent <= bound) continue;
            if (!(facts.Deaths.TryGetValue(link.Peer.Name, out var death) && death.IsDead)) facts.Violated(this, $"{link.Peer} has answered no ping for {SimDefaults.Seconds(silent)} s, and is not dead.");
            else if (silent > bound + Moment && link.KernelSide.IsOpen) facts.Violated(this, $"{link.Peer} is dead and has answered no ping on its link for {SimDefaults.Seconds(silent)} s; the link is still open.");
        }
    }

    private static bool IsRegistration(OrkAction action) => action is OrkAction.IdentityRequest or OrkAction.CapabilityRequest;

    /// <summary>Whoever waits to be registered has his turn as soon as fewer are under way than may be.</summary>
    private void CheckWaiting(Facts facts)
    {
        if (_waits.Count == 0) return;
        var options = facts.World.KernelOptions.Links;
        var late = Blink + (2 * facts.World.WorstLateness.Ticks);
        var since = facts.NowTicks - TimeSpan.FromMilliseconds(options.PatienceMs).Ticks - late;
        var underWay = facts.WorkerLinks.Count(link => link.KernelSide.Owner == facts.Holder && link.IsRegistering(since));
        if (!facts.IsServed || facts.CommitInFlight || underWay >= options.MaxRegistrations) _hasPlaces = null;
        else _hasPlaces ??= facts.NowTicks;
        foreach (var (worker, waits) in _waits)
        {
            if (_hasPlaces is { } places && facts.NowTicks - Math.Max(Math.Max(waits, places), facts.AwakeTicks) is var idle && idle > late) facts.Violated(this, $"{worker} waits to be registered, and for {SimDefaults.Seconds(idle)} s no more than {underWay} of {options.MaxRegistrations} have been.");
        }
    }

    /// <summary>A device of a dead Worker goes to the one that says it has it, with its next pull of states.</summary>
    private void CheckOrphans(Facts facts)
    {
        if (!facts.IsServed || facts.CommitInFlight) return;
        var options = facts.World.KernelOptions;
        var patience = TimeSpan.FromMilliseconds((2 * options.Schedule.StateIntervalMs) + options.Pulls.TimeoutMs).Ticks + (2 * facts.World.WorstLateness.Ticks);
        foreach (var (owner, (isDead, since)) in facts.Deaths)
        {
            if (!isDead || facts.NowTicks - Math.Max(since, facts.AwakeTicks) < patience) continue;
            foreach (var link in facts.WorkerLinks)
            {
                var name = link.Peer.Name;
                if (name == owner || link.KernelSide.Owner != facts.Holder || !facts.World.IsHonest(name) || link.States.Ticks < since + Moment || facts.NowTicks - link.States.Ticks < Moment) continue;
                if (facts.Claims.TryGetValue(name, out var claims) && claims.FirstOrDefault(device => facts.Owners.GetValueOrDefault(device) == owner) is { } orphan && facts.ClaimTicks[name] < link.States.Ticks)
                {
                    facts.Violated(this, $"{orphan} is still {owner}'s, which is dead, and {name} says that it has it.");
                }
            }
        }
    }

    private void CheckOwners(Facts facts)
    {
        var claims = facts.World.Workers.Where(worker => !worker.Gone && worker.Node.IsUp && facts.Claims.ContainsKey(worker.Node.Name))
            .SelectMany(worker => facts.Claims[worker.Node.Name], static (worker, device) => (Worker: worker.Node.Name, Device: device));
        foreach (var device in claims.GroupBy(static claim => claim.Device, static claim => claim.Worker, StringComparer.Ordinal))
        {
            if (device.ToArray() is not [var only] || !facts.World.IsHonest(only) || facts.Owners.GetValueOrDefault(device.Key) == only) continue;
            facts.Violated(this, $"{device.Key} is claimed by {only} alone, and is {facts.Owners.GetValueOrDefault(device.Key) ?? "nobody"}'s.");
        }
    }
}
