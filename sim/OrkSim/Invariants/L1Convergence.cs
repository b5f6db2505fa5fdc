using Ork.Protocol;

namespace OrkSim;

/// <summary>L1: live Workers are Ready and Healthy within the bound after the last fault.</summary>
public sealed class Convergence : IInvariant
{
    /// <inheritdoc/>
    public string Id => "L1";

    /// <inheritdoc/>
    public string Says => "Live Workers are Ready and Healthy, and own what only they claim, within the bound after the last fault.";

    /// <inheritdoc/>
    public SimEventKind Hears => SimEventKind.FrameSent;

    /// <inheritdoc/>
    public void Hear(in SimEvent happened, Facts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
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
