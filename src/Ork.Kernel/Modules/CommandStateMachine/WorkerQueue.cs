namespace Ork.Kernel;

/// <summary>The commands of one Worker: how many are open and in flight, and which are held back.</summary>
internal sealed class WorkerQueue
{
    private readonly LinkedList<Command> _heldBack = new();

    /// <summary>Commands not settled.</summary>
    internal HashSet<Command> Open { get; } = [];

    /// <summary>Commands assigned or sent; never above the window (S12).</summary>
    internal int InFlight { get; set; }

    /// <summary>The first command assigned but held back while the link is congested, or null.</summary>
    internal Command? FirstHeldBack => _heldBack.First?.Value;

    internal void HoldBack(Command command) => command.HeldBackPlace = _heldBack.AddLast(command);

    /// <summary>The command is held back no longer, if it was.</summary>
    internal static void LetGo(Command command)
    {
        if (command.HeldBackPlace is { } place) place.List!.Remove(place);
        command.HeldBackPlace = null;
    }
}
