using Ork.Protocol;

namespace Ork.Kernel;

/// <summary>
/// The commands of one Worker whose turn it is at all their devices. Urgent ones go first; the others take turns caller by caller, so that nobody's
/// thousand stand before another's one.
/// </summary>
internal sealed class ReadyCommands
{
    private readonly LinkedList<Command> _urgent = new();
    private readonly LinkedList<CallerTurn> _turns = new();
    private readonly Dictionary<string, CallerTurn> _callers = new(StringComparer.Ordinal);

    internal Command? First => _urgent.First?.Value ?? _turns.First?.Value.Commands.First!.Value;

    internal void Add(Command command)
    {
        if (command.Spec.Priority == CommandPriority.Urgent)
        {
            command.ReadyPlace = _urgent.AddLast(command);
            return;
        }

        if (!_callers.TryGetValue(command.Spec.Caller, out var turn))
        {
            turn = new CallerTurn();
            turn.Place = _turns.AddLast(turn);
            _callers.Add(command.Spec.Caller, turn);
        }

        command.ReadyPlace = turn.Commands.AddLast(command);
    }

    /// <summary>Takes a command out: its turn was used, or is over.</summary>
    internal void Remove(Command command)
    {
        var place = command.ReadyPlace!;
        command.ReadyPlace = null;
        place.List!.Remove(place);
        if (command.Spec.Priority == CommandPriority.Urgent) return;
        var turn = _callers[command.Spec.Caller];
        _turns.Remove(turn.Place!);
        if (turn.Commands.Count == 0) _callers.Remove(command.Spec.Caller);
        else _turns.AddLast(turn.Place!);
    }

    private sealed class CallerTurn
    {
        internal LinkedList<Command> Commands { get; } = new();

        internal LinkedListNode<CallerTurn>? Place { get; set; }
    }
}
