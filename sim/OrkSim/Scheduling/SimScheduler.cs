using System.Globalization;
namespace OrkSim;

/// <summary>
/// Runs everything, one step after the other, on one thread. What is ready is run in the order the choices say; when nothing is, the clock jumps to what is due
/// next.
/// </summary>
public sealed class SimScheduler
{
    private readonly Draws _draws;
    private readonly List<Ready> _ready = [];
    private readonly Agenda _agenda = new();
    private readonly List<int> _firsts = [];
    private readonly int _thread = Environment.CurrentManagedThreadId;
    private long _stepsThisInstant;

    internal SimScheduler(Draws draws)
    {
        _draws = draws;
        draws.Clock = this;
    }

    /// <summary>The most steps at one instant of virtual time; beyond, the run is stuck and says so.</summary>
    public const long MaxStepsPerInstant = 2_000_000;

    /// <summary>Virtual time since the world began, in ticks of 100 ns.</summary>
    public long NowTicks { get; private set; }

    /// <summary>Virtual time since the world began.</summary>
    public TimeSpan Now => TimeSpan.FromTicks(NowTicks);

    /// <summary>The site of the node whose step it is; 0 between steps and where it is nobody's.</summary>
    internal int CurrentSite { get; private set; }

    /// <summary>Steps run so far.</summary>
    public long Steps { get; private set; }

    /// <summary>True: within a node what is ready runs in the order it became so, and only the order between nodes is chosen.</summary>
    internal bool FifoWithinNodes { get; init; }

    /// <summary>Hears what a step threw.</summary>
    internal Action<SimNode?, Exception>? Failed { get; set; }

    /// <summary>Called before each step; true ends the run.</summary>
    internal Func<bool>? BeforeStep { get; set; }

    internal void Post(SimNode node, SendOrPostCallback callback, object? state)
    {
        if (Environment.CurrentManagedThreadId != _thread)
        {
            node.World.Escaped($"A continuation of {node.Name} came back from {(Thread.CurrentThread.IsThreadPoolThread ? "the thread pool" : "another thread")} (thread {Environment.CurrentManagedThreadId}).");
            return;
        }

        Add(new Ready(node, node.Life, callback, state, 0));
    }

    internal void Set(AgendaItem item, TimeSpan delay) => _agenda.Set(item, NowTicks + Math.Max(0, delay.Ticks));

    internal void SetAt(AgendaItem item, long dueTicks) => _agenda.Set(item, Math.Max(NowTicks, dueTicks));

    internal void Cancel(AgendaItem item) => _agenda.Cancel(item);

    /// <summary>Sets what is ready of a node aside.</summary>
    internal void Park(SimNode node)
    {
        var kept = 0;
        for (var i = 0; i < _ready.Count; i++)
        {
            if (_ready[i].Node == node) node.Parked.Add(_ready[i]);
            else _ready[kept++] = _ready[i];
        }

        _ready.RemoveRange(kept, _ready.Count - kept);
    }

    /// <summary>Makes what was set aside of a node ready again.</summary>
    internal void Unpark(SimNode node)
    {
        _ready.AddRange(node.Parked);
        node.Parked.Clear();
    }

    /// <summary>Runs until a virtual time, or until there is nothing left to run.</summary>
    internal void RunUntil(long untilTicks)
    {
        while (true)
        {
            if (_ready.Count == 0 && !Advance(untilTicks)) return;
            if (BeforeStep is { } before && before()) return;
            var index = _ready.Count == 1 ? 0 : FifoWithinNodes ? PickNode() : _draws.Pick(DrawKind.Schedule, _ready.Count);
            var next = _ready[index];
            _ready.RemoveAt(index);
            Run(in next);
        }
    }

    /// <summary>The first of what is ready of one node: which node, the choices say.</summary>
    private int PickNode()
    {
        _firsts.Clear();
        for (var i = 0; i < _ready.Count; i++)
        {
            var isFirst = true;
            foreach (var first in _firsts) isFirst &= _ready[i].Node is null || _ready[first].Node != _ready[i].Node;
            if (isFirst) _firsts.Add(i);
        }

        return _firsts[_draws.Pick(DrawKind.Schedule, _firsts.Count)];
    }

    private bool Advance(long untilTicks)
    {
        while (_ready.Count == 0)
        {
            var next = _agenda.NextTicks;
            if (next > untilTicks)
            {
                NowTicks = untilTicks;
                return false;
            }

            if (next > NowTicks)
            {
                NowTicks = next;
                _stepsThisInstant = 0;
            }

            while (_agenda.NextTicks <= NowTicks)
            {
                var item = _agenda.Take();
                if (item.Node is null || item.Life == item.Node.Life) Add(new Ready(item.Node, item.Life, null, item, item.Version));
            }
        }

        return true;
    }

    private void Add(in Ready ready)
    {
        if (ready.Node is { Frozen: true } node) node.Parked.Add(ready);
        else _ready.Add(ready);
    }

    private void Run(in Ready next)
    {
        var node = next.Node;
        if (node is not null && next.Life != node.Life) return;
        if (next.Callback is null && ((AgendaItem)next.State!).Version != next.Version) return;
        Steps++;
        if (++_stepsThisInstant > MaxStepsPerInstant) throw new StuckException(NowTicks);
        SynchronizationContext.SetSynchronizationContext(node?.Context);
        CurrentSite = node?.Site ?? 0;
        try
        {
            if (next.Callback is { } callback) callback(next.State);
            else ((AgendaItem)next.State!).Run();
        }
        catch (Exception e) when (Failed is not null)
        {
            Failed(node, e);
        }
        finally
        {
            CurrentSite = 0;
            SynchronizationContext.SetSynchronizationContext(null);
        }
    }

    /// <summary>A continuation or a due item that may run.</summary>
    internal readonly record struct Ready(SimNode? Node, int Life, SendOrPostCallback? Callback, object? State, int Version);
}

/// <summary>Steps follow each other without time passing: the code under test spins.</summary>
public sealed class StuckException : Exception
{
    /// <summary>What reports call it, in the place of an invariant's id.</summary>
    public const string Id = "STUCK";

    /// <summary>Says when.</summary>
    public StuckException(long ticks)
        : base(string.Create(CultureInfo.InvariantCulture, $"More than {SimScheduler.MaxStepsPerInstant:N0} steps at {TimeSpan.FromTicks(ticks).TotalSeconds:F6} s: something spins."))
    {
    }
}
