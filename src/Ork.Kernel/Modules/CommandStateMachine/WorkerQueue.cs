namespace Ork.Kernel;

/// <summary>The commands of one Worker: those that wait to be assigned, in order of acceptance, and how many are open and in flight.</summary>
internal sealed class WorkerQueue
{
    private readonly LinkedList<Command> _ready = new();

    /// <summary>Commands not settled.</summary>
    internal HashSet<Command> Open { get; } = [];

    /// <summary>Commands assigned or sent; never above the window (S12).</summary>
    internal int InFlight { get; set; }

    /// <summary>Commands assigned but held back while the link is congested.</summary>
    internal LinkedList<Command> HeldBack { get; } = new();

    internal LinkedListNode<Command>? FirstPlace => _ready.First;

    /// <summary>Puts a command at its place: before all that were accepted later.</summary>
    internal void Add(Command command)
    {
        var after = _ready.Last;
        while (after is not null && after.Value.Seq > command.Seq) after = after.Previous;
        command.Place = after is null ? _ready.AddFirst(command) : _ready.AddAfter(after, command);
    }

    /// <summary>Takes a command out of whichever list it stands in.</summary>
    internal static void Remove(Command command)
    {
        command.Place?.List?.Remove(command.Place);
        command.Place = null;
    }
}
