using Ork.Kernel;
using Ork.Protocol;

namespace OrkSim;

/// <summary>S6: a device has one owning Worker: only the owner is sent its commands, and a live owner keeps it.</summary>
public sealed class SingleOwner : IInvariant
{
    /// <inheritdoc/>
    public string Id => "S6";

    /// <inheritdoc/>
    public string Says => "A device has one owning Worker: only the owner is sent its commands, and a live owner keeps it.";

    /// <inheritdoc/>
    public SimEventKind Hears => SimEventKind.FrameSent | SimEventKind.CommitApplying;

    /// <inheritdoc/>
    public void Hear(in SimEvent happened, Facts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        if (happened.Kind == SimEventKind.CommitApplying)
        {
            CheckLost(happened.Batch!, facts);
            CheckMoves(in happened, facts);
        }
        else if (happened.Node == facts.Holder && happened.Message is { Action: OrkAction.CommandRequest } message)
        {
            var worker = happened.Connection!.Other.Owner.Name;
            if (message.Targets is null) CheckOwner(message.DeviceId, worker, message, facts);
            else foreach (var target in message.Targets) CheckOwner(target, worker, message, facts);
        }
    }

    private void CheckOwner(string? deviceId, string worker, WireMessage message, Facts facts)
    {
        if (deviceId is null) return;
        var owner = facts.Owners.GetValueOrDefault(deviceId);
        if (owner != worker) facts.Violated(this, $"{message.CommandId} for {deviceId} was sent to {worker}; on the disk the device is {(owner is null ? "nobody's" : owner + "'s")}.");
    }

    private void CheckLost(CommitBatch batch, Facts facts)
    {
        foreach (var deviceId in batch.RemovedDevices)
        {
            if (!facts.Owners.TryGetValue(deviceId, out var owner) || batch.Devices.Exists(row => row.DeviceId == deviceId)) continue;
            if (facts.Claims.TryGetValue(owner, out var claims) && claims.Contains(deviceId)) facts.Violated(this, $"{deviceId} is dropped although its owner {owner} says it has it.");
        }
    }

    private void CheckMoves(in SimEvent happened, Facts facts)
    {
        foreach (var row in happened.Batch!.Devices)
        {
            if (!facts.Owners.TryGetValue(row.DeviceId, out var owner) || owner == row.WorkerId) continue;
            if (facts.Claims.TryGetValue(owner, out var claims) && claims.Contains(row.DeviceId) && SurelyAlive(owner, facts.DecidedSince(happened.Node!), facts))
            {
                facts.Violated(this, $"{row.DeviceId} goes to {row.WorkerId} although its owner {owner} lives and says it has it.");
            }
        }
    }

    /// <summary>True where the kernel cannot but know that the Worker lived when it decided.</summary>
    private static bool SurelyAlive(string workerId, long decidedTicks, Facts facts)
    {
        if (facts.Workers.TryGetValue(workerId, out var row) && row.Terminated) return false;
        if (!facts.Pongs.TryGetValue(workerId, out var pong) || pong > decidedTicks) return false;
        foreach (var link in facts.WorkerLinks)
        {
            if (link.Peer.Name != workerId || link.KernelSide.Owner != facts.Holder) continue;
            return link is { ContractTaken: true, SickTicks: null } && link.OpenedTicks <= pong && facts.World.IsHonest(workerId);
        }

        return false;
    }
}
