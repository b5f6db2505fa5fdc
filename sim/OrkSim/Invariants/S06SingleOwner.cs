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
    public SimEventKind Hears => SimEventKind.FrameSent | SimEventKind.FrameTaken | SimEventKind.CommitApplying | SimEventKind.Note;

    // Who spoke last of who it is.
    private (SimConnection? Link, string? WorkerId) _said;

    // When a kernel said that a device goes to another Worker.
    private readonly Dictionary<string, long> _movedTicks = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public void Hear(in SimEvent happened, Facts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        if (happened.Kind == SimEventKind.CommitApplying)
        {
            CheckLost(in happened, facts);
            CheckStates(happened.Batch!, facts);
            CheckMoves(in happened, facts);
        }
        else if (happened.Kind == SimEventKind.Note)
        {
            if (happened.Node == facts.Holder && happened.Note == KernelEvent.DeviceMoved) _movedTicks[happened.Subject!] = happened.Ticks;
        }
        else if (happened.Kind == SimEventKind.FrameTaken)
        {
            if (happened.Node == facts.Holder && happened.Message is { Identity: { } identity }) _said = (happened.Connection, identity.WorkerId);
        }
        else if (happened.Node == facts.Holder && happened.Message is { Action: OrkAction.CapabilityRequest })
        {
            if (_said.Link == happened.Connection && _said.WorkerId != happened.Connection!.Other.Owner.Name) facts.Violated(this, $"{happened.Connection.Other.Owner} says that it is {_said.WorkerId}, and is asked what it can.");
        }
        else if (happened.Node == facts.Holder && happened.Message is { Action: OrkAction.CommandRequest } message)
        {
            CheckKey(happened.Connection!, facts);
            var worker = happened.Connection!.Other.Owner.Name;
            if (message.Targets is null) CheckOwner(message.DeviceId, worker, message, facts);
            else foreach (var target in message.Targets) CheckOwner(target, worker, message, facts);
        }
    }

    /// <summary>An id belongs to the key that it was first registered with.</summary>
    private void CheckKey(SimConnection link, Facts facts)
    {
        if (facts.Workers.TryGetValue(link.Other.Owner.Name, out var row) && row.PeerKey != link.Peer.Key) facts.Violated(this, $"{row.WorkerId} is sent a command on a link that proved {link.Peer.Key} and not {row.PeerKey}.");
    }

    private void CheckOwner(string? deviceId, string worker, WireMessage message, Facts facts)
    {
        if (deviceId is null) return;
        var owner = facts.Owners.GetValueOrDefault(deviceId);
        if (owner != worker) facts.Violated(this, $"{message.CommandId} for {deviceId} was sent to {worker}; on the disk the device is {(owner is null ? "nobody's" : owner + "'s")}.");
    }

    private void CheckLost(in SimEvent happened, Facts facts)
    {
        var batch = happened.Batch!;
        foreach (var deviceId in batch.RemovedDevices)
        {
            if (!facts.Owners.TryGetValue(deviceId, out var owner) || batch.Devices.Exists(row => row.DeviceId == deviceId)) continue;

            // From a dead owner it may go to another within the turn, which then has it no longer.
            var decided = facts.DecidedSince(happened.Node!);
            if (_movedTicks.GetValueOrDefault(deviceId, -1) >= decided && MayBeDead(owner, decided, batch, facts)) continue;
            if (facts.Claimed(owner, deviceId, decided)) facts.Violated(this, $"{deviceId} is dropped although its owner {owner} says it has it.");
        }
    }

    /// <summary>What becomes of a device its owner says, and no other.</summary>
    private void CheckStates(CommitBatch batch, Facts facts)
    {
        foreach (var row in batch.Devices)
        {
            if (row.State.Span.IndexOf(Mischief.Meddled) >= 0 && facts.World.IsHonest(row.WorkerId) && facts.Owners.GetValueOrDefault(row.DeviceId) == row.WorkerId && !facts.States[row.DeviceId].State.Span.SequenceEqual(row.State.Span))
            {
                facts.Violated(this, $"{row.DeviceId} is {row.WorkerId}'s, and its state is what another Worker says.");
            }
        }
    }

    private void CheckMoves(in SimEvent happened, Facts facts)
    {
        foreach (var row in happened.Batch!.Devices)
        {
            if (!facts.Owners.TryGetValue(row.DeviceId, out var owner) || owner == row.WorkerId) continue;
            if (!happened.Batch.RemovedDevices.Contains(row.DeviceId) && !MayBeDead(owner, facts.DecidedSince(happened.Node!), happened.Batch, facts))
            {
                facts.Violated(this, $"{row.DeviceId} goes to {row.WorkerId}; its owner {owner} did not give it up, and no kernel has found it dead or terminated it.");
            }

            if (facts.Claimed(owner, row.DeviceId, facts.DecidedSince(happened.Node!)) && SurelyAlive(owner, facts.DecidedSince(happened.Node!), facts))
            {
                facts.Violated(this, $"{row.DeviceId} goes to {row.WorkerId} although its owner {owner} lives and says it has it.");
            }
        }
    }

    /// <summary>True where the kernel that decides has said since its start that the Worker is dead, and not that it is healthy again before it decided.</summary>
    private static bool MayBeDead(string workerId, long decidedTicks, CommitBatch batch, Facts facts) =>
        facts.Workers.TryGetValue(workerId, out var row) && row.Terminated || batch.Workers.Exists(changed => changed.WorkerId == workerId && changed.Terminated)
        || facts.Deaths.TryGetValue(workerId, out var death) && (death.IsDead || death.Ticks >= decidedTicks);

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
