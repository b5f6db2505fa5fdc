using System.Text;
using Ork.Protocol;

namespace Ork.Kernel;

/// <summary>
/// Which Worker owns which device (S6): one owner at a time; a claim on a device of another live Worker is refused for that device and made again
/// at the next state pull.
/// </summary>
internal sealed class DeviceMap(LinkOptions options, IKernelObserver observer, IWorkerEvents events)
{
    private readonly Dictionary<string, DeviceEntry> _devices = new(StringComparer.Ordinal);

    internal DeviceEntry? Find(string deviceId) => _devices.GetValueOrDefault(deviceId);

    internal DeviceEntry? Find(Utf8Text deviceId)
    {
        if (deviceId.Escaped || deviceId.Raw.Length > Greeting.MaxIdLength) return deviceId.Decode() is { } text ? Find(text) : null;
        Span<char> chars = stackalloc char[Greeting.MaxIdLength];
        var length = Encoding.UTF8.GetChars(deviceId.Raw.Span, chars);
        return _devices.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(chars[..length], out var device) ? device : null;
    }

    internal void Load(DeviceRow row, WorkerEntry owner)
    {
        var device = new DeviceEntry(row.DeviceId, owner) { State = row.State.ToArray() };
        _devices[row.DeviceId] = device;
        owner.Devices.Add(device);
    }

    /// <summary>Makes a Worker's list of devices the one it just told: claims those, gives up its others.</summary>
    internal void Claim(WorkerEntry worker, IReadOnlyList<string> deviceIds, Turn turn)
    {
        var told = new HashSet<string>(deviceIds, StringComparer.Ordinal);
        var dropped = new SortedSet<string>(worker.Devices.Select(device => device.DeviceId).Where(device => !told.Contains(device)), StringComparer.Ordinal);
        foreach (var device in dropped) _devices.Remove(device);
        if (dropped.Count > 0) turn.Records.Remove(dropped);

        worker.Devices.RemoveAll(device => !told.Contains(device.DeviceId));
        worker.RefusedClaims.Clear();
        ClaimEach(worker, deviceIds, turn);
        if (dropped.Count > 0) events.DevicesLeft(worker, turn);
    }

    /// <summary>Takes <c>{"deviceId": {state}, ...}</c>; only a state that changed is written.</summary>
    internal void TakeStates(WorkerEntry worker, ReadOnlyMemory<byte> states, Turn turn)
    {
        ClaimEach(worker, [.. worker.RefusedClaims], turn);
        var reader = new PayloadReader(states);
        while (reader.Next())
        {
            if (reader.Name() is not { } deviceId || Find(deviceId) is not { } device || device.Owner != worker) continue;
            var state = reader.Raw();
            if (state.Span.SequenceEqual(device.State)) continue;
            device.State = state.ToArray();
            Save(device, turn);
        }
    }

    /// <summary>Who loses devices is told once, however many they are: each time all its commands are looked at.</summary>
    private void ClaimEach(WorkerEntry worker, IReadOnlyList<string> deviceIds, Turn turn)
    {
        List<WorkerEntry>? losers = null;
        foreach (var deviceId in deviceIds)
        {
            if (Claim(worker, deviceId, turn) is { } loser && losers?.Contains(loser) != true) (losers ??= []).Add(loser);
        }

        if (losers is null) return;
        foreach (var loser in losers) events.DevicesLeft(loser, turn);
    }

    /// <returns>The dead or terminated Worker whose it was, or null.</returns>
    private WorkerEntry? Claim(WorkerEntry worker, string deviceId, Turn turn)
    {
        if (worker.Devices.Count >= options.MaxDevicesPerWorker) return null;
        if (!_devices.TryGetValue(deviceId, out var device))
        {
            device = new DeviceEntry(deviceId, worker);
            _devices.Add(deviceId, device);
            Take(worker, device, turn);
            return null;
        }

        var owner = device.Owner;
        if (owner == worker) return null;
        if (owner.State != WorkerState.Terminated && !events.IsDead(owner))
        {
            if (!worker.RefusedClaims.Add(deviceId)) return null;
            var refusal = Refusal.With(ErrorCodes.DeviceConflict, $"{worker.WorkerId} claims it of {owner.WorkerId}");
            observer.Note(KernelEvent.DeviceConflict, deviceId, refusal.Text);
            return null;
        }

        owner.Devices.Remove(device);
        device.Owner = worker;
        observer.Note(KernelEvent.DeviceMoved, deviceId, $"{owner.WorkerId} -> {worker.WorkerId}");
        Take(worker, device, turn);
        return owner;
    }

    private static void Take(WorkerEntry worker, DeviceEntry device, Turn turn)
    {
        worker.Devices.Add(device);
        worker.RefusedClaims.Remove(device.DeviceId);
        Save(device, turn);
    }

    private static void Save(DeviceEntry device, Turn turn) =>
        turn.Records.Devices.Add(new DeviceRow(device.DeviceId, device.Owner.WorkerId, device.State));
}
