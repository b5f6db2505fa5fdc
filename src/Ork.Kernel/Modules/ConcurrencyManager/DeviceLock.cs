using Ork.Protocol;

namespace Ork.Kernel;

/// <summary>A device's lock and the commands that stand in line for it: urgent ones first, each class in order of acceptance.</summary>
internal sealed class DeviceLock(string deviceId)
{
    internal DeviceLockState State;

    private readonly Line _urgent = new();
    private readonly Line _normal = new();

    internal string DeviceId { get; } = deviceId;

    /// <summary>Commands in line, the one that holds the lock included.</summary>
    internal int Depth => _urgent.Count + _normal.Count;

    /// <summary>The command whose turn it is: the first in line, while the lock is free.</summary>
    internal Command? Offered => State == DeviceLockState.Free ? (_urgent.First ?? _normal.First)?.Command : null;

    /// <summary>Takes the last place of its class: commands come in order of acceptance.</summary>
    internal void Add(DeviceClaim claim) => LineOf(claim).Add(claim);

    internal void Remove(DeviceClaim claim) => LineOf(claim).Remove(claim);

    /// <summary>How many commands of a caller stand in line.</summary>
    internal int DepthOf(string caller) => _urgent.CountOf(caller) + _normal.CountOf(caller);

    private Line LineOf(DeviceClaim claim) => claim.Command.Spec.Priority == CommandPriority.Urgent ? _urgent : _normal;

    private sealed class Line
    {
        private DeviceClaim? _last;

        internal DeviceClaim? First { get; private set; }

        internal int Count { get; private set; }

        internal void Add(DeviceClaim claim)
        {
            claim.Previous = _last;
            if (_last is null) First = claim;
            else _last.Next = claim;
            _last = claim;
            Count++;
        }

        internal void Remove(DeviceClaim claim)
        {
            if (claim.Previous is null) First = claim.Next;
            else claim.Previous.Next = claim.Next;
            if (claim.Next is null) _last = claim.Previous;
            else claim.Next.Previous = claim.Previous;
            Count--;
        }

        internal int CountOf(string caller)
        {
            var count = 0;
            for (var claim = First; claim is not null; claim = claim.Next)
            {
                if (claim.Command.Spec.Caller == caller) count++;
            }

            return count;
        }
    }
}

/// <summary>A command's place in line at one of its devices.</summary>
internal sealed class DeviceClaim(Command command, DeviceLock device)
{
    internal Command Command { get; } = command;

    internal DeviceLock Device { get; } = device;

    internal DeviceClaim? Previous { get; set; }

    internal DeviceClaim? Next { get; set; }
}
