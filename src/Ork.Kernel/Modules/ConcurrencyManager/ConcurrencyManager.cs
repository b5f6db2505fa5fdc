using System.Diagnostics.CodeAnalysis;
using Ork.Protocol;

namespace Ork.Kernel;

/// <summary>
/// One command at a time per device, in order of acceptance (S8). A command stands in line at each of its devices from its acceptance to its end, and is assigned
/// when it is first at all of them and all are free: a wide one takes all its devices at once, and narrow ones that came later wait behind it.
/// </summary>
internal sealed class ConcurrencyManager(CommandOptions options, ModuleMachine<DeviceLockState, DeviceLockTrigger> machine) : IDeviceLocks
{
    private readonly Dictionary<string, DeviceLock> _devices = new(StringComparer.Ordinal);
    private readonly Dictionary<WorkerEntry, WorkerLane> _lanes = [];
    private readonly QueueDepth _open = new();
    [SuppressMessage("Ork.Bounds", "ORK0301", Justification = "One place for each Worker: one that stands in it is not put in again.")]
    private readonly Queue<WorkerEntry> _nudged = new();

    /// <summary>Devices with commands in line, for comparison with the ledger.</summary>
    internal IEnumerable<DeviceLock> Devices => _devices.Values;

    /// <inheritdoc/>
    public int Open => _open.Total;

    /// <inheritdoc/>
    public int OpenOf(WorkerEntry worker) => _lanes.TryGetValue(worker, out var lane) ? lane.Open.Total : 0;

    /// <inheritdoc/>
    public Refusal? Admit(CommandSpec command, WorkerEntry worker)
    {
        var hasRoom = HasRoom(_open, options.MaxOpen, command) && HasRoom(LaneOf(worker).Open, options.MaxOpenPerWorker, command)
            && (command.Targets?.All(target => HasRoomAt(target, command)) ?? HasRoomAt(command.DeviceId!, command));
        return hasRoom ? null : ErrorCodes.QueueFull;
    }

    /// <inheritdoc/>
    public void Enter(Command command)
    {
        _open.Add(command.Spec.Caller);
        LaneOf(command.Worker).Open.Add(command.Spec.Caller);
        var targets = command.Spec.Targets;
        command.Claims = new DeviceClaim[targets?.Count ?? 1];
        for (var i = 0; i < command.Claims.Length; i++)
        {
            var device = DeviceOf(targets?[i] ?? command.Spec.DeviceId!);
            var claim = command.Claims[i] = new DeviceClaim(command, device);
            var before = device.Offered;
            device.Add(claim);
            Offer(before, device);
        }
    }

    /// <inheritdoc/>
    public void Leave(Command command)
    {
        Rest(command);
        _open.Remove(command.Spec.Caller);
        LaneOf(command.Worker).Open.Remove(command.Spec.Caller);
        foreach (var claim in command.Claims)
        {
            var before = claim.Device.Offered;
            claim.Device.Remove(claim);
            Offer(before, claim.Device);
            if (claim.Device.Depth == 0) _devices.Remove(claim.Device.DeviceId);
        }

        command.Claims = [];
    }

    /// <inheritdoc/>
    public void Want(Command command)
    {
        command.Wanted = true;
        MakeReady(command);
    }

    /// <inheritdoc/>
    public void Rest(Command command)
    {
        MakeUnready(command);
        command.Wanted = false;
    }

    /// <inheritdoc/>
    public void Reassign(Command command, WorkerEntry worker)
    {
        var wanted = command.Wanted;
        Rest(command);
        LaneOf(command.Worker).Open.Remove(command.Spec.Caller);
        command.Worker = worker;
        LaneOf(worker).Open.Add(command.Spec.Caller);
        if (wanted) Want(command);
    }

    /// <inheritdoc/>
    public Command? NextFor(WorkerEntry worker) => _lanes.TryGetValue(worker, out var lane) ? lane.Ready.First : null;

    /// <inheritdoc/>
    public void Acquire(Command command)
    {
        Rest(command);
        foreach (var claim in command.Claims)
        {
            var before = claim.Device.Offered;
            machine.Fire(ref claim.Device.State, DeviceLockTrigger.Acquire, claim.Device.DeviceId);
            Offer(before, claim.Device);
        }
    }

    /// <inheritdoc/>
    public void Release(Command command)
    {
        foreach (var claim in command.Claims)
        {
            machine.Fire(ref claim.Device.State, DeviceLockTrigger.Release, claim.Device.DeviceId);
            Offer(null, claim.Device);
        }
    }

    /// <inheritdoc/>
    public bool TryTakeNudged([NotNullWhen(true)] out WorkerEntry? worker)
    {
        if (!_nudged.TryDequeue(out worker)) return false;
        LaneOf(worker).Nudged = false;
        return true;
    }

    private bool HasRoom(QueueDepth queue, int limit, CommandSpec command) =>
        queue.Total < limit && (command.Priority == CommandPriority.Urgent || !queue.HasItsShare(command.Caller, limit, options.FairShare));

    private bool HasRoomAt(string deviceId, CommandSpec command)
    {
        if (!_devices.TryGetValue(deviceId, out var device)) return true;
        if (device.Depth >= options.MaxOpenPerDevice) return false;

        // Whose share is not even reached by all together need not be counted one by one.
        return command.Priority == CommandPriority.Urgent || !HasItsShare(device.Depth) || !HasItsShare(device.DepthOf(command.Caller));

        bool HasItsShare(int own) => QueueDepth.HasItsShare(own, device.Depth, options.MaxOpenPerDevice, options.FairShare);
    }

    /// <summary>After a change at a device: whose turn it was there is not so any more, whose turn it is now may be ready.</summary>
    private void Offer(Command? before, DeviceLock device)
    {
        var now = device.Offered;
        if (now == before) return;
        if (before is not null)
        {
            before.Turns--;
            MakeUnready(before);
        }

        if (now is null) return;
        now.Turns++;
        MakeReady(now);
    }

    private void MakeReady(Command command)
    {
        if (!command.Wanted || command.Turns < command.Claims.Length || command.ReadyPlace is not null) return;
        var lane = LaneOf(command.Worker);
        lane.Ready.Add(command);
        if (lane.Nudged) return;
        lane.Nudged = true;
        _nudged.Enqueue(command.Worker);
    }

    private void MakeUnready(Command command)
    {
        if (command.ReadyPlace is not null) LaneOf(command.Worker).Ready.Remove(command);
    }

    private DeviceLock DeviceOf(string deviceId)
    {
        if (!_devices.TryGetValue(deviceId, out var device)) _devices.Add(deviceId, device = new DeviceLock(deviceId));
        return device;
    }

    private WorkerLane LaneOf(WorkerEntry worker)
    {
        if (!_lanes.TryGetValue(worker, out var lane)) _lanes.Add(worker, lane = new WorkerLane());
        return lane;
    }

    private sealed class WorkerLane
    {
        internal QueueDepth Open { get; } = new();

        internal ReadyCommands Ready { get; } = new();

        /// <summary>True while the Worker stands in the queue of those to be driven.</summary>
        internal bool Nudged { get; set; }
    }
}
