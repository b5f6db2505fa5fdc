using System.Runtime.InteropServices;
using Ork.Protocol;

namespace OrkSim;

/// <summary>Whether a kernel has surely room for one more command (L7): of what it accepted, what is open on the disk is known, and what callers wait to hear of.</summary>
internal sealed class Room
{
    // What params and targets take at most, in bytes, of what callers order here.
    private const int LargestRequest = 1_000;

    private readonly Dictionary<string, int> _byWorker = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _byDevice = new(StringComparer.Ordinal);
    private long _lostTicks = -1;
    private int _commits;

    /// <summary>What a caller had ordered whose link is gone, nobody waits to hear of; it is on the disk after the commit that is under way and one more.</summary>
    internal void LinkEnded(long ticks) => (_lostTicks, _commits) = (ticks, 0);

    internal void Committed() => _commits++;

    /// <summary>What says that a command is refused for want of room where there is some, or null. An urgent one has room up to the limit itself, whatever its caller's share.</summary>
    internal string? IsLeft(bool isUrgent, long ticks, Facts facts)
    {
        var options = facts.World.KernelOptions.Commands;

        // What one caller may have of a queue that is otherwise empty.
        var share = isUrgent ? 1 : options.FairShare / (options.FairShare + 1.0);
        if (ticks == _lostTicks || _lostTicks >= 0 && _commits < 2 && facts.CommitInFlight) return null;
        var underWay = facts.CallerLinks.Sum(static link => link.Questions.Count);
        if (facts.Open.Count + underWay >= options.MaxOpen * share) return null;
        var orders = facts.CallerLinks.Sum(static link => link.Questions.Values.Count(static asked => asked.Action == OrkAction.CommandRequest));
        if (facts.Open.Values.Sum(static command => command.Row.Spec.RequestBytes) + (orders * LargestRequest) >= options.MaxOpenBytes) return null;
        _byWorker.Clear();
        _byDevice.Clear();
        var (worker, device) = (0, 0);
        foreach (var command in facts.Open.Values)
        {
            worker = Math.Max(worker, ++CollectionsMarshal.GetValueRefOrAddDefault(_byWorker, command.Row.WorkerId, out _));
            for (var i = 0; i < command.DeviceCount; i++) device = Math.Max(device, ++CollectionsMarshal.GetValueRefOrAddDefault(_byDevice, command.Device(i), out _));
        }

        if (worker + underWay >= options.MaxOpenPerWorker * share || device + underWay >= options.MaxOpenPerDevice * share) return null;
        return $"{(isUrgent ? "An urgent" : "A")} command is refused for want of room; {facts.Open.Count} are open, at most {worker} for a Worker and {device} for a device, and {underWay} requests are under way.";
    }
}
