using System.Runtime.CompilerServices;
using Ork.Kernel;
using Ork.Worker;

namespace OrkSim;

/// <summary>Which transitions of the kernel's machines and which events of its log were met, and how often.</summary>
public sealed class Coverage
{
    private const int States = 8;
    private const int Triggers = 32;

    private static readonly IMachineDefinition[] Definitions =
    [
        CommandMachine.Build(new SilentObserver(), true),
        DispatchMachine.Build(new SilentObserver(), true),
        HealthMachine.Build(new SilentObserver(), true),
        DeviceLockMachine.Build(new SilentObserver(), true),
        CircuitMachine.Build(new SilentObserver(), true),
        JobMachine.Build(new SilentObserver(), true),
        WorkerMachine.Build(new SilentObserver(), true),
    ];

    private readonly Dictionary<string, long[]> _transitions = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Func<int, MachineTransition>> _rows = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _points = new(StringComparer.Ordinal);
    private readonly long[] _notes = new long[256];

    /// <summary>Situations worth meeting that every world knows: the events of the kernel's log, and what a Worker's journal may answer.</summary>
    public static IReadOnlyList<string> Points { get; } =
    [
        .. Enum.GetNames<KernelEvent>().Where(static name => name != nameof(KernelEvent.None)),
        .. Enum.GetValues<JournalVerdict>().Where(static verdict => verdict != JournalVerdict.Started).Select(PointOf),
    ];

    /// <summary>Those of <see cref="Points"/> that only a mistake of the kernel leads to: no run should meet them.</summary>
    public static IReadOnlyList<string> Mistakes { get; } = [nameof(KernelEvent.IllegalTransition), nameof(KernelEvent.TurnFailed), nameof(KernelEvent.ShellFailed)];

    /// <summary>The kernel's machines.</summary>
    public static IReadOnlyList<IMachineDefinition> Machines => Definitions;

    /// <summary>How often an event of the log was met.</summary>
    public long CountOf(KernelEvent note) => _notes[(int)note];

    /// <summary>How often a point was met: an event of the log by its name, or one that the world names itself.</summary>
    public long CountOf(string point) => _points.TryGetValue(point, out var count) ? count
        : Enum.TryParse<KernelEvent>(point, out var note) ? CountOf(note) : 0;

    /// <summary>How often each transition that was met was.</summary>
    public IReadOnlyDictionary<MachineTransition, long> CountsOf(string machine)
    {
        var counts = new Dictionary<MachineTransition, long>();
        if (!_transitions.TryGetValue(machine, out var cells)) return counts;
        for (var i = 0; i < cells.Length; i++)
        {
            if (cells[i] > 0) counts.Add(_rows[machine](i), cells[i]);
        }

        return counts;
    }

    /// <summary>The transitions of a machine that were never made.</summary>
    public IReadOnlyList<MachineTransition> MissingOf(IMachineDefinition machine)
    {
        ArgumentNullException.ThrowIfNull(machine);
        var met = CountsOf(machine.Name);
        return [.. machine.Transitions.Where(row => !met.ContainsKey(row))];
    }

    /// <summary>Adds what another run met.</summary>
    public void Add(Coverage other)
    {
        ArgumentNullException.ThrowIfNull(other);
        foreach (var (machine, cells) in other._transitions)
        {
            if (!_transitions.TryGetValue(machine, out var mine))
            {
                _transitions.Add(machine, mine = new long[cells.Length]);
                _rows.Add(machine, other._rows[machine]);
            }

            for (var i = 0; i < cells.Length; i++) mine[i] += cells[i];
        }

        for (var i = 0; i < _notes.Length; i++) _notes[i] += other._notes[i];
        foreach (var (point, count) in other._points) _points[point] = _points.GetValueOrDefault(point) + count;
    }

    internal static string PointOf(JournalVerdict verdict) => "Journal" + verdict;

    internal void Met(KernelEvent note) => _notes[(int)note]++;

    internal void Met(string point) => _points[point] = _points.GetValueOrDefault(point) + 1;

    internal int Met<TState, TTrigger>(string machine, TState from, TTrigger trigger, TState to)
        where TState : struct, Enum
        where TTrigger : struct, Enum
    {
        if (!_transitions.TryGetValue(machine, out var cells))
        {
            _transitions.Add(machine, cells = new long[States * Triggers * States]);
            _rows.Add(machine, static cell => new MachineTransition(
                $"{FromNumber<TState>(cell / States / Triggers)}", $"{FromNumber<TTrigger>(cell / States % Triggers)}", $"{FromNumber<TState>(cell % States)}"));
        }

        var cell = (((NumberOf(from) * Triggers) + NumberOf(trigger)) * States) + NumberOf(to);
        cells[cell]++;
        return cell;
    }

    internal static int NumberOf<T>(T value)
        where T : struct, Enum => Unsafe.As<T, int>(ref value);

    private static T FromNumber<T>(int number)
        where T : struct, Enum => Unsafe.As<int, T>(ref number);
}
