using System.Numerics;
using Ork.Kernel;
using Ork.Worker;

namespace OrkSim;

/// <summary>How a run is watched.</summary>
public sealed record WatchOptions
{
    /// <summary>True: every event is kept, to be told afterwards.</summary>
    public bool Trace { get; init; }

    /// <summary>True: every decision is kept, so that the run can be replayed.</summary>
    public bool KeepChoices { get; init; }

    /// <summary>True: a digest of every decision is kept, to compare another run with.</summary>
    public bool KeepDigests { get; init; }

    /// <summary>True: the situations that the run met are kept, each with the decision before which it was first met.</summary>
    public bool KeepSituations { get; init; }

    /// <summary>The digests of an earlier run of the same seed; the first that differs ends this one.</summary>
    public IReadOnlyList<ulong>? Expected { get; init; }

    /// <summary>The invariants, made anew for each run; null for all of the catalogue.</summary>
    public Func<IReadOnlyList<IInvariant>>? Invariants { get; init; }

    /// <summary>Faults that scenarios may name besides those of the catalogue.</summary>
    public IReadOnlyList<IFault> Faults { get; init; } = [];

    /// <summary>Called when the world is built and before it runs: to plant something.</summary>
    public Action<SimWorld>? Prepare { get; init; }

    /// <summary>Ends the run as soon as this step is reached, or null.</summary>
    public long? UntilStep { get; init; }
}

/// <summary>
/// A world: kernels, Workers and callers behind a virtual clock, network and store. Made for one run of one concrete scenario. Its verbs are the faults.
/// </summary>
public sealed partial class SimWorld
{
    private static readonly TimeSpan PulseEvery = TimeSpan.FromMilliseconds(250);

    private WorkerOptions? _workerOptions;
    private readonly WatchOptions _watch;
    private readonly TraceHash _hash = new();
    private readonly List<SimNode> _nodes = [];
    private readonly IInvariant[] _invariants;
    private readonly Hearing[][] _hearings;
    private readonly SimEventKind _heard;
    private readonly List<SimEvent>? _trace;
    private readonly Causality? _causality;
    private readonly List<SimViolation> _violations = [];
    private readonly Dictionary<string, IFault> _faults;
    private string? _escape;
    private ulong _calls;
    private long _events;
    private int _strikes;
    private SimNode? _heardAt;
    private int _callersDone;

    /// <summary>Builds a world.</summary>
    /// <param name="scenario">A concrete scenario.</param>
    /// <param name="choices">Where decisions come from.</param>
    /// <param name="watch">How it is watched.</param>
    public SimWorld(Scenario scenario, IChoices choices, WatchOptions watch)
    {
        ArgumentNullException.ThrowIfNull(scenario);
        ArgumentNullException.ThrowIfNull(watch);
        Scenario = scenario;
        KernelOptions = scenario.Kernel.Applied(SimDefaults.Kernel);
        _watch = watch;
        Draws = new Draws(choices, _hash, watch.KeepChoices, watch.KeepDigests, watch.Expected);
        Scheduler = new SimScheduler(Draws) { Failed = NodeFailed, BeforeStep = BeforeStep, FifoWithinNodes = scenario.FifoWithinNodes };
        _invariants = [.. (watch.Invariants?.Invoke() ?? InvariantCatalogue.All()).Where(invariant => scenario.Check.Count == 0 || scenario.Check.Contains(invariant.Id))];
        foreach (var invariant in _invariants) _heard |= invariant.Hears;
        _hearings = HearingsOf(_invariants);
        _trace = watch.Trace ? [] : null;
        _causality = watch.Trace ? new Causality() : null;
        if (watch.Trace) _heard = (SimEventKind)(-1);
        _faults = FaultCatalogue.All().Concat(watch.Faults).ToDictionary(fault => fault.Name, StringComparer.Ordinal);
        Facts = new Facts(this);
        Coverage = new Coverage();
        Situations = watch.KeepSituations ? new Situations(Draws) : null;
        Network = new SimNetwork(this, new NetworkBehaviour
        {
            MinLatency = scenario.Network.Latency.Min,
            MaxLatency = scenario.Network.Latency.Max,
            Stall = scenario.Network.Stall.Min,
            HighWaterBytes = scenario.Network.HighWaterBytes.Min,
            LowWaterBytes = scenario.Network.HighWaterBytes.Min / 4,
        });
        Store = new SimStore(this, new DiskBehaviour
        {
            MinCommit = scenario.Store.Commit.Min,
            MaxCommit = scenario.Store.Commit.Max,
            MinOpen = scenario.Store.Open.Min,
            MaxOpen = scenario.Store.Open.Max,
            FailBefore = scenario.Store.CommitFails.Min,
            FailAfter = scenario.Store.CommitUnknown.Min,
        });
        God = AddNode("world", NodeKind.World);
        God.Start();
        CrashAnywhere = scenario.CrashAnywhere;
        BuildFleet();
        BuildCallers();
    }

    /// <summary>The scenario.</summary>
    public Scenario Scenario { get; }

    /// <summary>Every decision.</summary>
    public Draws Draws { get; }

    /// <summary>The scheduler, and with it the time.</summary>
    public SimScheduler Scheduler { get; }

    /// <summary>The network.</summary>
    public SimNetwork Network { get; }

    /// <summary>The store.</summary>
    public SimStore Store { get; }

    /// <summary>What can be known from outside.</summary>
    public Facts Facts { get; }

    /// <summary>What of the kernel was met.</summary>
    public Coverage Coverage { get; }

    /// <summary>What situations were met, where they are kept.</summary>
    internal Situations? Situations { get; }

    /// <summary>Every node.</summary>
    public IReadOnlyList<SimNode> Nodes => _nodes;

    /// <summary>The kernel's options in this world. May be changed before the world runs.</summary>
    public KernelOptions KernelOptions { get; set; }

    /// <summary>The Workers' options, but for how each is reached.</summary>
    public WorkerOptions WorkerOptions => _workerOptions ??= SimDefaults.Worker with { MaxHandlers = Scenario.Fleet.Handlers.Min, MaxOverdueHandlers = Scenario.Fleet.Handlers.Min };

    /// <summary>True until the world is healed.</summary>
    public bool FaultsOn { get; private set; } = true;

    /// <summary>The most by which timers are late at the moment.</summary>
    public TimeSpan MaxLateness { get; private set; }

    /// <summary>The most by which timers were ever late in this run: slack for checks of time.</summary>
    public TimeSpan WorstLateness { get; private set; }

    /// <summary>True where the wall clock may jump: what it shows then says nothing of the time that passed.</summary>
    internal bool WallJumps => Scenario.Faults.Any(static fault => fault.Kind == "wall-jump");

    /// <summary>What did not hold.</summary>
    public IReadOnlyList<SimViolation> Violations => _violations;

    /// <summary>Every event, where they were kept.</summary>
    public IReadOnlyList<SimEvent> Trace => _trace ?? [];

    /// <summary>True when the run has come to its end, whichever.</summary>
    internal bool IsOver { get; private set; }

    /// <summary>The node whose step it is, or null between steps and where it is nobody's.</summary>
    internal SimNode? AtStep => _nodes.Find(node => node.Site == Scheduler.CurrentSite);

    /// <summary>The node on which the world's own doings run.</summary>
    internal SimNode God { get; }

    /// <summary>Notes that a situation worth meeting was met.</summary>
    /// <param name="point">Its name, which a scenario may list among what it is there to reach.</param>
    public void Reached(string point) => Coverage.Met(point);

    /// <summary>Runs the scenario to its end, or to the first violation.</summary>
    /// <exception cref="NotDeterministicException">It parted from the run it is compared with.</exception>
    public RunResult Run()
    {
        var before = SynchronizationContext.Current;
        using var guard = PoolWatch.Enter(this);
        try
        {
            _watch.Prepare?.Invoke(this);
            StartAll();
            Scheduler.RunUntil(Scenario.Duration.Ticks);
            if (_violations.Count == 0 && _escape is null && !Stopped)
            {
                foreach (var invariant in _invariants) invariant.End(Facts);
            }
        }
        catch (StuckException e)
        {
            Violated(StuckException.Id, e.Message);
        }
        finally
        {
            IsOver = true;
            foreach (var invariant in _invariants) (invariant as IDisposable)?.Dispose();
            SynchronizationContext.SetSynchronizationContext(before);
        }

        if (Draws.Parted is { } parted) throw new NotDeterministicException(parted);
        if (_escape is not null) Violated("POOL", _escape);
        return new RunResult
        {
            Service = Facts.Service,
            Size = new RunSize(Workers.Count, Facts.Commands.Count, _strikes, _events, Draws.Count),
            Violations = [.. _violations],
            Steps = Scheduler.Steps,
            SimulatedSeconds = Scheduler.Now.TotalSeconds,
            Hash = _hash.ToString(),
            Choices = Draws.Kept,
            Sites = Draws.Sites,
            Digests = Draws.Digests,
            Draws = Draws.Count,
            Coverage = Coverage,
            Situations = Situations?.Met ?? [],
        };
    }

    /// <summary>Waits for some virtual time, on the world's own node.</summary>
    public Task Delay(TimeSpan time) => Task.Delay(time, God.Clock);

    // What only checks hear of.
    private const SimEventKind Untold = SimEventKind.Journaled | SimEventKind.Dialled | SimEventKind.Handed | SimEventKind.Handled | SimEventKind.Told;

    internal void Emit(in SimEvent happened)
    {
        var node = (ulong)(happened.Node?.Id ?? 0);

        // Transitions are hashed where they are made: as events they are only there for those who want to hear of them.
        if ((happened.Kind & (Untold | SimEventKind.Transition)) == 0) _hash.Add((ulong)happened.Kind | (node << 32), (ulong)Scheduler.NowTicks ^ happened.Correlation);
        if (happened.Kind == SimEventKind.FrameSent) _hash.Add(happened.Payload.Span);
        else if (happened.Kind is SimEventKind.Executed or SimEventKind.Fault) _hash.Add(happened.Subject);
        if (happened.Kind == SimEventKind.Fault)
        {
            _strikes++;
            Situations?.Struck(happened.Subject!);
        }

        if ((happened.Kind & (Untold | SimEventKind.Transition | SimEventKind.Pulse)) == 0) _events++;
        if ((happened.Kind & _heard) == 0) return;
        var stamped = happened with { Ticks = Scheduler.NowTicks, Step = Scheduler.Steps };
        if ((happened.Kind & (Untold | SimEventKind.Pulse)) == 0) Keep(in stamped);
        _heardAt = stamped.Node;
        foreach (var hear in _hearings[BitOperations.TrailingZeroCount((int)stamped.Kind)]) hear(in stamped, Facts);
        _heardAt = null;
    }

    /// <summary>Who hears of each kind of event: most of a world's time would go into asking thirty invariants of each event.</summary>
    private static Hearing[][] HearingsOf(IInvariant[] invariants)
    {
        var hearings = new Hearing[8 * sizeof(SimEventKind)][];
        var hearers = Array.ConvertAll(invariants, static invariant => (invariant.Hears, Hear: new Hearing(invariant.Hear)));
        for (var bit = 0; bit < hearings.Length; bit++)
        {
            var kind = (SimEventKind)(1 << bit);
            hearings[bit] = [.. hearers.Where(hearer => (hearer.Hears & kind) != 0).Select(static hearer => hearer.Hear)];
        }

        return hearings;
    }

    private delegate void Hearing(in SimEvent happened, Facts facts);

    /// <summary>The clock of a node as it stands, where clocks are kept.</summary>
    internal int[]? ClockOf(SimNode node) => _causality?.Snapshot(node.Id);

    private void Keep(in SimEvent happened) => _trace?.Add(happened with { Saw = _causality!.Count(in happened, God.Id), Batch = happened.Batch is { } batch ? BatchCopy.Of(batch) : null });

    internal void Met(ulong machine, ulong transition)
    {
        _events++;
        _hash.Add(machine, transition);
    }

    internal bool Hears(SimEventKind kind) => (_heard & kind) != 0;

    internal void Violated(string invariant, string message, string? says = null)
    {
        // The first is the story; what follows from it would only blur it.
        if (_violations.Count > 0) return;
        _violations.Add(new SimViolation(invariant, message, Scheduler.Steps, Scheduler.Now.TotalSeconds, says ?? Unasked(invariant)));

        // What only time showed is seen from the kernel that holds the store.
        Keep(new SimEvent
        {
            Kind = SimEventKind.Violated, Ticks = Scheduler.NowTicks, Step = Scheduler.Steps, Node = _heardAt ?? Facts.Holder ?? KernelNode, Subject = invariant, Detail = message, Cause = ClockOf(God),
        });
    }

    private static string Unasked(string what) => what switch
    {
        StuckException.Id => "Time passes between steps.",
        "POOL" => "Nothing leaves the simulation's scheduler.",
        _ => "No node throws what nobody expects.",
    };

    /// <summary>Something left the scheduler. May come from any thread.</summary>
    internal void Escaped(string how) => Interlocked.CompareExchange(ref _escape, how, null);

    /// <summary>How late a timer is set now fires.</summary>
    internal TimeSpan Lateness() => MaxLateness == TimeSpan.Zero ? TimeSpan.Zero : Draws.Between(TimeSpan.Zero, MaxLateness);

    internal ulong NextCall() => ++_calls;

    internal void CallerDone() => _callersDone++;

    internal SimNode AddNode(string name, NodeKind kind)
    {
        var node = new SimNode(this, _nodes.Count, name, kind);
        _nodes.Add(node);
        return node;
    }

    private bool Stopped => _watch.UntilStep is { } until && Scheduler.Steps >= until;

    private bool BeforeStep()
    {
        if (_violations.Count > 0 || _escape is not null || Stopped || Draws.Parted is not null) return true;
        if (Scenario.EndWhenSettled && _callersDone == Scenario.Workload.Callers.Min && Facts.Open.Count == 0) return true;
        OnStep();
        return false;
    }

    /// <summary>Hears of what a task throws that nobody awaits.</summary>
    internal void Observe(SimNode? node, Task task) => _ = ObserveAsync(node, task);

    private async Task ObserveAsync(SimNode? node, Task task)
    {
        try
        {
            await task;
        }
        catch (Exception e)
        {
            NodeFailed(node, e);
        }
    }

    internal void NodeFailed(SimNode? node, string why) => Violated("CRASH", $"{node?.Name ?? "world"}: {why}");

    private void NodeFailed(SimNode? node, Exception e) => Violated("CRASH", $"{node?.Name ?? "world"} threw: {e}");

    private void StartAll()
    {
        SynchronizationContext.SetSynchronizationContext(God.Context);
        Observe(God, PulseAsync());
        Observe(God, HealAtAsync());
        for (var i = 0; i < Scenario.Faults.Count; i++)
        {
            var spec = Scenario.Faults[i];
            if (!_faults.TryGetValue(spec.Kind, out var fault)) throw new ScenarioException($"{Scenario.Name}: there is no fault '{spec.Kind}'.");
            var node = AddNode(FaultNode(Scenario.Faults, i), NodeKind.World);
            node.Start();
            node.Launch(() => StrikeAsync(fault, spec, node));
        }

        Observe(God, StartNodesAsync());
        SynchronizationContext.SetSynchronizationContext(null);
    }

    private async Task StartNodesAsync()
    {
        StartKernel(_kernelNodes[0]);
        if (Scenario.Stagger > TimeSpan.Zero) await Delay(Scenario.Stagger);
        foreach (var worker in Workers) StartWorker(worker);
        if (Scenario.Stagger > TimeSpan.Zero) await Delay(Scenario.Stagger);
        foreach (var caller in _callers) caller.Start();
    }

    private async Task PulseAsync()
    {
        while (true)
        {
            await Delay(PulseEvery);
            Facts.Pulse();
        }
    }

    private async Task HealAtAsync()
    {
        await Delay(Scenario.HealAt);
        Heal();
    }

    /// <summary>
    /// The name of the node on which a fault draws its moments: one of its own, so that its moments are the same in a world with fewer other faults.
    /// </summary>
    internal static string FaultNode(IReadOnlyList<FaultSpec> faults, int index) =>
        $"fault {faults[index].Kind}{faults.Take(index).Count(other => other.Kind == faults[index].Kind) switch { 0 => "", var earlier => $" {earlier + 1}" }}";

    private async Task StrikeAsync(IFault fault, FaultSpec spec, SimNode node)
    {
        for (var time = 0; time < spec.Times.Min; time++) node.Launch(() => StrikeOnceAsync(fault, spec));

        if (spec.PerMinute.Min <= 0) return;
        var mean = TimeSpan.FromSeconds(60 / spec.PerMinute.Min);
        while (true)
        {
            await Delay(Draws.Gap(mean));
            if (!FaultsOn) return;
            await StrikeNowAsync(fault, spec);
        }
    }

    private async Task StrikeOnceAsync(IFault fault, FaultSpec spec)
    {
        var last = Scenario.HealAt - TimeSpan.FromMilliseconds(10);
        var at = Draws.Between(spec.At.Min < last ? spec.At.Min : last, spec.At.Max < last ? spec.At.Max : last);
        await Delay(at);
        if (FaultsOn) await StrikeNowAsync(fault, spec);
    }

    private async Task StrikeNowAsync(IFault fault, FaultSpec spec)
    {
        var length = spec.For.Draw(Draws);
        Emit(new SimEvent { Kind = SimEventKind.Fault, Subject = fault.Name, Correlation = (ulong)length.Ticks, Detail = fault.Keys.For is null ? null : string.Create(System.Globalization.CultureInfo.InvariantCulture, $"for {length.TotalSeconds:F3} s") });
        await fault.StrikeAsync(this, spec, length);
    }
}

/// <summary>Something that did not hold.</summary>
/// <param name="Invariant">The invariant; <c>STUCK</c>, <c>POOL</c> or <c>CRASH</c> where the run itself went wrong.</param>
/// <param name="Message">What was seen.</param>
/// <param name="Step">In which step.</param>
/// <param name="Seconds">When, virtual.</param>
/// <param name="Says">What should have held.</param>
public sealed record SimViolation(string Invariant, string Message, long Step, double Seconds, string Says);

/// <summary>How large a run is: what shrinking makes smaller.</summary>
/// <param name="Workers">Workers in the world.</param>
/// <param name="Commands">Commands that were accepted.</param>
/// <param name="Faults">Faults that struck.</param>
/// <param name="Events">Events.</param>
/// <param name="Choices">Decisions drawn.</param>
public sealed record RunSize(int Workers, int Commands, int Faults, long Events, int Choices);

/// <summary>A scenario that cannot be run.</summary>
public sealed class ScenarioException : Exception
{
    /// <summary>Says why.</summary>
    public ScenarioException(string message)
        : base(message)
    {
    }

    /// <summary>Says all that is wrong with a file.</summary>
    public ScenarioException(IReadOnlyList<ScenarioProblem> problems)
        : base(string.Join('\n', problems)) => Problems = problems;

    /// <summary>What is wrong where in a file; empty where it is about no file.</summary>
    public IReadOnlyList<ScenarioProblem> Problems { get; } = [];
}

/// <summary>What a run was.</summary>
public sealed record RunResult
{
    /// <summary>What did not hold; empty where everything did.</summary>
    public required IReadOnlyList<SimViolation> Violations { get; init; }

    /// <summary>Steps of the scheduler.</summary>
    public required long Steps { get; init; }

    /// <summary>Virtual seconds.</summary>
    public required double SimulatedSeconds { get; init; }

    /// <summary>The hash of the whole trace.</summary>
    public required string Hash { get; init; }

    /// <summary>The decisions, where they were kept.</summary>
    public required IReadOnlyList<int> Choices { get; init; }

    /// <summary>Where each decision was drawn, where they were kept.</summary>
    internal IReadOnlyList<DrawSite> Sites { get; init; } = [];

    /// <summary>A digest of each decision, where they were kept.</summary>
    public required IReadOnlyList<ulong> Digests { get; init; }

    /// <summary>How many decisions there were.</summary>
    public required int Draws { get; init; }

    /// <summary>The situations it met, where they were kept: a number for each, and how many decisions had been drawn when it was first met.</summary>
    internal IReadOnlyList<(ulong Situation, int Draw)> Situations { get; init; } = [];

    /// <summary>How large it was.</summary>
    public required RunSize Size { get; init; }

    /// <summary>How Workers that never hung were served.</summary>
    public required Service Service { get; init; }

    /// <summary>What of the kernel was met.</summary>
    public required Coverage Coverage { get; init; }

    /// <summary>True where everything held.</summary>
    public bool Held => Violations.Count == 0;
}
