using Ork.Kernel;
using Ork.Protocol;

namespace OrkSim;

/// <summary>L1: live Workers are Ready and Healthy, and own what only they claim, within the bound after the last fault; the silent link of a dead one is given up, so that it can come back.</summary>
public sealed class Convergence : IInvariant
{
    /// <inheritdoc/>
    public string Id => "L1";

    /// <inheritdoc/>
    public string Says => "Live Workers are Ready and Healthy, and own what only they claim, within the bound after the last fault; the silent link of a dead one is given up.";

    /// <inheritdoc/>
    public SimEventKind Hears => SimEventKind.FrameSent | SimEventKind.Note | SimEventKind.StoreOpened | SimEventKind.Pulse;

    // Since when the kernel that holds the store says that it has a link of each Worker.
    private readonly Dictionary<string, long> _linked = new(StringComparer.Ordinal);

    private static readonly long Moment = TimeSpan.FromSeconds(1).Ticks;

    /// <inheritdoc/>
    public void Hear(in SimEvent happened, Facts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        switch (happened.Kind)
        {
            case SimEventKind.StoreOpened:
                _linked.Clear();
                return;
            case SimEventKind.Note when happened.Node == facts.Holder && happened.Note == KernelEvent.LinkUp:
                _linked[happened.Subject!] = happened.Ticks;
                return;
            case SimEventKind.Note when happened.Node == facts.Holder && happened.Note == KernelEvent.LinkDown:
                _linked.Remove(happened.Subject!);
                return;
            case SimEventKind.Pulse:
                CheckDead(facts);
                return;
        }

        if (facts.QuietTicks is not { } quiet || happened.Ticks - quiet < SimDefaults.ConvergenceBound.Ticks) return;
        if (happened.Node != facts.Holder || happened.Message is not { Action: OrkAction.WorkerListResponse } message) return;
        CheckOwners(facts);
        if (!message.Listing.TryGetProperty("workers", out var workers)) return;
        var told = workers.EnumerateArray().ToDictionary(worker => worker.GetProperty("workerId").GetString()!, StringComparer.Ordinal);
        foreach (var worker in facts.World.Workers)
        {
            if (worker.Gone || !worker.Node.IsUp) continue;
            if (!told.TryGetValue(worker.Node.Name, out var view)) facts.Violated(this, $"{worker.Node} lives and the kernel does not know it.");
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
