using Ork;
using System.Diagnostics;

namespace OrkSim;

/// <summary>What to explore, and how long.</summary>
public sealed record ExploreOptions
{
    /// <summary>The scenarios.</summary>
    public required IReadOnlyList<Scenario> Scenarios { get; init; }

    /// <summary>The gears.</summary>
    public IReadOnlyList<Gear> Gears { get; init; } = [Gear.Swarm];

    /// <summary>Runs for each scenario and gear, or null where the time says.</summary>
    public long? Runs { get; init; }

    /// <summary>The time for all of it, or null where the runs say.</summary>
    public TimeSpan? Time { get; init; }

    /// <summary>Runs at once; Coyote makes one at a time.</summary>
    public int Jobs { get; init; } = 1;

    /// <summary>The first seed.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>One seed in so many is run twice and compared draw by draw, of those one in five with the real store and journals mirrored the second time; 0 for none.</summary>
    public int CheckEvery { get; init; } = 20;

    /// <summary>What the sweep crashes: <c>kernel</c>, and Workers by their names.</summary>
    public IReadOnlyList<string> SweepNodes { get; init; } = SweepGear.Nodes;

    /// <summary>Where run files of violations go, or null.</summary>
    public string? Directory { get; init; }

    /// <summary>True: the first violation ends everything.</summary>
    public bool StopAtFirst { get; init; }

    /// <summary>How long one step of a run may take, in real time; one that takes longer loops, which is reported as a violation and ends everything.</summary>
    public TimeSpan StepPatience { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How runs are watched.</summary>
    public WatchOptions Watch { get; init; } = new();
}

/// <summary>A violation that was found.</summary>
/// <param name="Invariant">Which invariant.</param>
/// <param name="Message">What was seen.</param>
/// <param name="Scenario">In which scenario.</param>
/// <param name="Gear">In which gear.</param>
/// <param name="Seed">Under which seed.</param>
/// <param name="RunFile">The file to replay, or null where there is none: a run that never ended has none.</param>
public sealed record FoundViolation(string Invariant, string Message, string Scenario, string Gear, ulong Seed, string? RunFile);

/// <summary>How far an exploration is.</summary>
/// <param name="Scenario">The scenario at hand.</param>
/// <param name="Gear">The gear at hand.</param>
/// <param name="Runs">Runs made.</param>
/// <param name="Steps">Steps made.</param>
/// <param name="Violations">Violations found.</param>
/// <param name="Fraction">The share that is done.</param>
public sealed record ExploreProgress(string Scenario, string Gear, long Runs, long Steps, int Violations, double Fraction);

/// <summary>Runs many runs and adds up what they met.</summary>
[OrkRole(OrkRole.Edge)]
[OrkAllow(OrkEffects.Clock, "Only how long it goes on, and what it tells of that, hang on the clock: each run that it makes hangs on its seed.")]
public sealed class Explorer
{
    private const int MaxRounds = 8;
    private static readonly TimeSpan ShortestTurn = TimeSpan.FromMilliseconds(20);

    private readonly ExploreOptions _options;
    private readonly object _gate = new();
    private readonly Stopwatch _clock = new();
    private readonly List<FoundViolation> _found = [];
    private readonly List<SimRun> _violating = [];
    private readonly Dictionary<(string, Gear, string), int> _kinds = [];
    private readonly HashSet<string> _hashes = new(StringComparer.Ordinal);
    private readonly Coverage _coverage = new();
    private readonly StepWatch _stepWatch;
    private readonly CancellationToken _cancellation;
    private long _runs;
    private long _steps;
    private ulong _hash;
    private double _simulatedSeconds;
    private readonly Dictionary<string, ScenarioPace> _paces = new(StringComparer.Ordinal);
    private int _checked;
    private int _mismatches;
    private string? _mismatch;
    private bool _exhausted;
    private bool _ended;
    private bool _isLeft;

    private Explorer(ExploreOptions options, CancellationToken cancellation)
    {
        _options = options;
        _stepWatch = new StepWatch(options.StepPatience);
        _cancellation = cancellation;
    }

    /// <summary>Explores.</summary>
    /// <param name="options">What, and how long.</param>
    /// <param name="progress">Hears how far it is, some times a second, or null.</param>
    /// <param name="cancellation">Ends it early; what was found until then is reported.</param>
    /// <exception cref="ScenarioException">None of the scenarios is for any of the gears.</exception>
    public static ExploreReport Explore(ExploreOptions options, IProgress<ExploreProgress>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        var explorer = new Explorer(options, cancellation);
        return explorer.Run(progress);
    }

    private ExploreReport Run(IProgress<ExploreProgress>? progress)
    {
        _clock.Start();
        var pairs = _options.Scenarios.SelectMany(scenario => _options.Gears.Where(gear => Suits(gear, scenario)), (scenario, gear) => (scenario, gear))
            .OrderBy(static pair => IsParallel(pair.gear) ? 0 : 1).ToArray();
        if (pairs.Length == 0) throw new ScenarioException($"Nothing to explore: {string.Join(", ", _options.Scenarios.Select(static scenario => scenario.Name))} is not for the gear {string.Join(", ", _options.Gears.Select(GearNames.Of))}.");
        var slices = pairs.Select((pair, index) => new Slice(this, pair.scenario, pair.gear, progress, index, pairs.Length)).ToArray();
        SideBySide.Alone(() => TakeTurns(_options.Time is { } time ? Rounds(slices, time) : Once(slices)), _stepWatch.Between, IsStuck);
        lock (_gate) return Report();
    }

    /// <summary>Ends everything where a run's step never ends. Runs that end later are not counted any more.</summary>
    private bool IsStuck()
    {
        if (_stepWatch.Look() is not { } found) return false;
        lock (_gate)
        {
            _isLeft = _ended = true;
            _found.Add(found);
            _kinds[(found.Scenario, GearNames.Parse(found.Gear)!.Value, found.Invariant)] = 1;
        }

        return true;
    }

    /// <summary>Coyote's runs, guided ones and an enumeration come one from the other; all others stand for themselves.</summary>
    private static bool IsParallel(Gear gear) => gear is Gear.Swarm or Gear.Sweep or Gear.Mirror;

    private static IEnumerable<Slice> Once(Slice[] slices)
    {
        foreach (var slice in slices)
        {
            slice.Begin(null);
            yield return slice;
        }
    }

    /// <summary>
    /// In rounds, each twice as long as the one before: every scenario has its turn at once, for what is wrong is mostly wrong soon. One whose runs take four times as long as
    /// another's has twice its time: with equal times it would have too few runs, with equal runs it would leave no time for others.
    /// </summary>
    private IEnumerable<Slice> Rounds(Slice[] slices, TimeSpan time)
    {
        var rounds = 1;
        while (rounds < MaxRounds && time / (slices.Length * (double)(1 << rounds)) > ShortestTurn) rounds++;
        for (var round = rounds - 1; round >= 0; round--)
        {
            // What is left is shared by this round and those that follow, each of which has twice the time of the one before.
            var end = _clock.Elapsed + ((time - _clock.Elapsed) / ((1 << (round + 1)) - 1));
            var weights = Weights(slices);
            var left = weights.Sum();
            for (var turn = 0; turn < slices.Length; turn++)
            {
                slices[turn].Begin(_clock.Elapsed + ((end - _clock.Elapsed) * (weights[turn] / left)));
                left -= weights[turn];
                yield return slices[turn];
            }
        }
    }

    /// <summary>The square root of what a run takes; of those of which that is not known, as much as the others have on average.</summary>
    private double[] Weights(Slice[] slices)
    {
        lock (_gate)
        {
            var known = slices.Where(static slice => slice.RunSeconds > 0).Select(static slice => Math.Sqrt(slice.RunSeconds)).DefaultIfEmpty(1).Average();
            return [.. slices.Select(slice => slice.RunSeconds > 0 ? Math.Sqrt(slice.RunSeconds) : known)];
        }
    }

    /// <summary>Lets the slices have their turns. Where a turn ends, those of its runs that are under way end beside the next turn's first: no job waits for another.</summary>
    private void TakeTurns(IEnumerable<Slice> order)
    {
        using var turns = order.GetEnumerator();
        var isMore = turns.MoveNext();
        while (isMore && !Over)
        {
            if (turns.Current.IsParallel)
            {
                SideBySide.Work(_options.Jobs, () =>
                {
                    while (Next() is { } next) next.Slice.Make(next.Run);
                });
                continue;
            }

            turns.Current.Run();
            isMore = turns.MoveNext();
        }

        (Slice Slice, Func<SimRun> Run)? Next()
        {
            lock (turns)
            {
                while (isMore && !Over && turns.Current.IsParallel)
                {
                    if (turns.Current.Next() is { } run) return (turns.Current, run);
                    isMore = turns.MoveNext();
                }

                return null;
            }
        }
    }

    private bool Over => _ended || _cancellation.IsCancellationRequested;

    /// <summary>Enumeration is for worlds made for it, and those are for nothing else.</summary>
    private static bool Suits(Gear gear, Scenario scenario) => gear == Gear.Exhaust == scenario.Budget.Exhaust > 0;

    private ExploreReport Report() => new()
    {
        Runs = _runs,
        Steps = _steps,
        SimulatedSeconds = _simulatedSeconds,
        WallSeconds = _clock.Elapsed.TotalSeconds,
        Violations = _found,
        ViolatingRuns = _violating,
        ViolationCounts = _kinds.Select(kind => new ViolationCount(kind.Key.Item1, GearNames.Of(kind.Key.Item2), kind.Key.Item3, kind.Value)).ToArray(),
        Hash = _hash.ToString("x16", System.Globalization.CultureInfo.InvariantCulture),
        Checked = _checked,
        Mismatches = _mismatches,
        Mismatch = _mismatch,
        DistinctExecutions = _hashes.Count,
        Exhausted = _exhausted,
        Coverage = _coverage,
        Paces = [.. _paces.Values.OrderBy(static pace => pace.Scenario, StringComparer.Ordinal)],
    };

    private void Pace(Scenario scenario, RunResult result, TimeSpan worked)
    {
        lock (_gate)
        {
            var before = _paces.GetValueOrDefault(scenario.Name) ?? new ScenarioPace(scenario.Name, 0, 0, 0);
            _paces[scenario.Name] = before with { Steps = before.Steps + result.Steps, SimulatedSeconds = before.SimulatedSeconds + result.SimulatedSeconds, WorkedSeconds = before.WorkedSeconds + worked.TotalSeconds };
        }
    }

    /// <summary>Takes a run that was made.</summary>
    /// <returns>False where the exploration is over.</returns>
    private bool Take(SimRun run, Scenario scenario)
    {
        FoundViolation? found = null;
        lock (_gate)
        {
            if (_isLeft) return false;
            _runs++;
            _steps += run.Result.Steps;
            _hash += ulong.Parse(run.Result.Hash.AsSpan(16), System.Globalization.NumberStyles.HexNumber, System.Globalization.CultureInfo.InvariantCulture);
            _simulatedSeconds += run.Result.SimulatedSeconds;
            _coverage.Add(run.Result.Coverage);
            if (run.Gear == Gear.Exhaust) _hashes.Add(run.Result.Hash);
            if (!run.Result.Held) found = Note(run, scenario);
        }

        if (found is not null) Keep(run, found);
        return !Over;
    }

    private FoundViolation? Note(SimRun run, Scenario scenario)
    {
        var first = run.Result.Violations[0];
        var kind = (scenario.Name, run.Gear, first.Invariant);
        _kinds[kind] = _kinds.GetValueOrDefault(kind) + 1;
        _ended |= _options.StopAtFirst;
        if (_kinds[kind] > 1) return null;
        var file = _options.Directory is { } directory ? Path.Combine(directory, ViolationReport.FileOf(run)) : null;
        var found = new FoundViolation(first.Invariant, first.Message, scenario.Name, GearNames.Of(run.Gear), run.Seed, file);
        _found.Add(found);
        _violating.Add(run);
        return found;
    }

    /// <summary>Makes a run again with everything kept, and writes it down.</summary>
    private void Keep(SimRun run, FoundViolation found)
    {
        if (found.RunFile is null) return;
        var (again, world) = Again(run, _options.Watch);
        if (again.Result.Hash != run.Result.Hash) Mismatch($"{found.Scenario}, {found.Gear}, seed {found.Seed}: made again, the violating run has another hash.");
        RunFile.From(again, world).Write(found.RunFile);
    }

    /// <summary>Makes a run again, with its trace and decisions kept.</summary>
    public static (SimRun Run, SimWorld World) Again(SimRun run, WatchOptions watch)
    {
        ArgumentNullException.ThrowIfNull(run);
        ArgumentNullException.ThrowIfNull(watch);
        IChoices choices = run.Gear is Gear.Swarm or Gear.Sweep or Gear.Mirror ? new SeededChoices(run.Seed) : new RecordedChoices(run.Result.Choices);
        var world = new SimWorld(run.Scenario, choices, InvariantCatalogue.Watching(watch, run.Gear) with { Trace = true, KeepChoices = true });
        if (run.Crash is { } crash) world.CrashAtStep(crash.Step, crash.Node);
        return (run with { Result = world.Run() }, world);
    }

    private void Mismatch(string message)
    {
        lock (_gate)
        {
            _mismatches++;
            _mismatch ??= message;
        }
    }

    /// <summary>One scenario in one gear.</summary>
    private sealed class Slice(Explorer explorer, Scenario scenario, Gear gear, IProgress<ExploreProgress>? progress, int index, int count)
    {
        // Not the first of a scenario: what is found at once is found without.
        private const ulong CheckedSeed = 2;

        // A mirrored run takes as long as some four others.
        private const ulong MirroredOfChecked = 5;

        private const double OfLatest = 0.3;

        private readonly long? _budget = explorer._options.Runs;
        private IEnumerator<Func<SimRun>>? _work;
        private ulong _coyoteSeed = explorer._options.Seed;
        private int _coyoteTurn;
        private GuidedGear? _guided;
        private TimeSpan? _until;
        private long _taken;
        private long _toldMs;

        internal bool IsParallel => Explorer.IsParallel(gear);

        /// <summary>What a run takes, the latest counting most: the first ones pay for code that is not compiled yet. 0 where that is not known.</summary>
        internal double RunSeconds { get; private set; }

        /// <summary>Its turn begins.</summary>
        /// <param name="until">How long it lasts on the explorer's clock, or null where the runs say.</param>
        internal void Begin(TimeSpan? until) => _until = until;

        /// <summary>The next run of its turn, or null where that is over. For one asker at a time.</summary>
        internal Func<SimRun>? Next()
        {
            _work ??= gear switch
            {
                Gear.Swarm => Swarm().GetEnumerator(),
                Gear.Sweep => Sweep().GetEnumerator(),
                _ => Mirror().GetEnumerator(),
            };
            if (IsDone()) return null;
            _taken++;
            return _work.MoveNext() ? _work.Current : null;
        }

        /// <summary>Makes a run that <see cref="Next"/> gave.</summary>
        internal void Make(Func<SimRun> one)
        {
            var begun = explorer._clock.Elapsed;
            var run = one();
            var worked = explorer._clock.Elapsed - begun;
            explorer.Pace(scenario, run.Result, worked);
            lock (explorer._gate) RunSeconds = RunSeconds > 0 ? RunSeconds + ((worked.TotalSeconds - RunSeconds) * OfLatest) : worked.TotalSeconds;
            explorer.Take(run, scenario);
            Told();
        }

        /// <summary>Makes the runs of its turn, one after the other.</summary>
        internal void Run()
        {
            switch (gear)
            {
                case Gear.Coyote:
                    Coyote();
                    break;
                case Gear.Guided:
                    Guided();
                    break;
                default:
                    if (explorer._exhausted) return;
                    var watch = Watching(() => 1 + (ulong)explorer._runs) with { KeepChoices = true };
                    explorer._exhausted = ExhaustGear.Run(scenario, watch, _budget ?? long.MaxValue, run => explorer.Take(run, scenario) && !Told());
                    break;
            }
        }

        private IEnumerable<Func<SimRun>> Swarm()
        {
            for (var seed = explorer._options.Seed; ; seed++)
            {
                var one = seed;
                yield return () => RunSeed(one);
            }
        }

        /// <summary>How a run is watched: as asked for, and its steps.</summary>
        private WatchOptions Watching(Func<ulong> seed)
        {
            var asked = explorer._options.Watch;
            return asked with
            {
                Prepare = world =>
                {
                    explorer._stepWatch.Begin(world, gear, seed());
                    asked.Prepare?.Invoke(world);
                },
            };
        }

        private static bool IsOneIn(ulong seed, ulong every) => every > 0 && seed % every == CheckedSeed % every;

        private SimRun RunSeed(ulong seed)
        {
            var watch = Watching(() => seed);
            var every = (ulong)explorer._options.CheckEvery;
            if (!IsOneIn(seed, every)) return SwarmGear.Run(scenario, seed, watch);
            var first = SwarmGear.Run(scenario, seed, watch with { KeepDigests = true });
            lock (explorer._gate) explorer._checked++;
            try
            {
                // Being mirrored changes nothing of a run: the second time, the real store and journals are held against it too.
                var again = watch with { Expected = first.Result.Digests };
                var second = IsOneIn(seed, every * MirroredOfChecked) ? MirrorGear.Run(scenario, seed, again) : SwarmGear.Run(scenario, seed, again);
                if (first.Result.Held && !second.Result.Held && second.Result.Violations[0].Invariant is "S22" or "S23") return second;
                if (second.Result.Hash != first.Result.Hash) explorer.Mismatch($"{scenario.Name}, seed {seed}: every draw is the same, the trace is not.");
            }
            catch (NotDeterministicException e)
            {
                explorer.Mismatch($"{scenario.Name}, seed {seed}: {e.Message}");
            }

            return first;
        }

        private IEnumerable<Func<SimRun>> Mirror()
        {
            for (var seed = explorer._options.Seed; ; seed++)
            {
                var one = seed;
                yield return () => MirrorGear.Run(scenario, one, Watching(() => one));
            }
        }

        private IEnumerable<Func<SimRun>> Sweep()
        {
            for (var seed = explorer._options.Seed; ; seed++)
            {
                var one = seed;
                var passing = SwarmGear.Run(scenario, one, Watching(() => one));
                if (!passing.Result.Held)
                {
                    yield return () => passing;
                    continue;
                }

                foreach (var point in SweepGear.Points(passing.Result.Steps, explorer._options.SweepNodes, _budget ?? 0))
                {
                    yield return () => SwarmGear.RunConcrete(passing.Scenario, one, Watching(() => one), point);
                }
            }
        }

        private void Coyote()
        {
            for (; !explorer.Over && !IsDone(); _coyoteTurn++)
            {
                // Batches, so that every strategy has its turn whatever the time.
                var batch = (int)Math.Min(25, _budget is { } budget ? Math.Max(1, (budget + 2) / CoyoteGear.Strategies.Count) : 25);
                var strategy = CoyoteGear.Strategies[_coyoteTurn % CoyoteGear.Strategies.Count];
                var number = _coyoteSeed;
                CoyoteGear.Explore(scenario, strategy, _coyoteSeed, batch, Watching(() => number++), run =>
                {
                    Interlocked.Increment(ref _taken);
                    return explorer.Take(run, scenario) && !Told() && !IsDone();
                });
                _coyoteSeed += (ulong)batch;
            }
        }

        private void Guided()
        {
            _guided ??= new GuidedGear(scenario, explorer._options.Seed, Watching(() => explorer._options.Seed + (ulong)Interlocked.Read(ref _taken) - 1));
            while (!explorer.Over && !IsDone())
            {
                _taken++;
                explorer.Take(_guided.Next(), scenario);
                Told();
            }
        }

        private bool IsDone() => (_budget is { } budget && _taken >= budget) || (_until is { } time && explorer._clock.Elapsed >= time);

        /// <summary>Tells how far it is, now and then. Never ends anything.</summary>
        private bool Told()
        {
            if (progress is null) return false;
            var ms = explorer._clock.ElapsedMilliseconds;
            if (ms - Interlocked.Read(ref _toldMs) < 100) return false;
            Interlocked.Exchange(ref _toldMs, ms);
            var part = explorer._options.Time is { } time ? explorer._clock.Elapsed / time
                : _budget is { } budget ? (index + Math.Clamp((double)Interlocked.Read(ref _taken) / budget, 0, 1)) / count
                : 0;
            progress.Report(new ExploreProgress(
                scenario.Name, GearNames.Of(gear), explorer._runs, explorer._steps, explorer._found.Count, Math.Clamp(part, 0, 1)));
            return false;
        }
    }
}

/// <summary>How often an invariant was violated.</summary>
/// <param name="Scenario">In which scenario.</param>
/// <param name="Gear">In which gear.</param>
/// <param name="Invariant">Which.</param>
/// <param name="Runs">In how many runs.</param>
public sealed record ViolationCount(string Scenario, string Gear, string Invariant, int Runs);

/// <summary>What an exploration found.</summary>
public sealed record ExploreReport
{
    /// <summary>Runs made.</summary>
    public required long Runs { get; init; }

    /// <summary>Steps of the scheduler.</summary>
    public required long Steps { get; init; }

    /// <summary>Virtual seconds.</summary>
    public required double SimulatedSeconds { get; init; }

    /// <summary>Real seconds.</summary>
    public required double WallSeconds { get; init; }

    /// <summary>Steps in a real second.</summary>
    public double StepsPerSecond => Steps / WallSeconds;

    /// <summary>Virtual seconds in a real one.</summary>
    public double TimeRatio => SimulatedSeconds / WallSeconds;

    /// <summary>The first violation of each invariant in each scenario and gear.</summary>
    public required IReadOnlyList<FoundViolation> Violations { get; init; }

    /// <summary>The runs of <see cref="Violations"/> that came to an end, in the same order: to be shrunk and told.</summary>
    public required IReadOnlyList<SimRun> ViolatingRuns { get; init; }

    /// <summary>Of the violating runs one for each invariant, the smallest.</summary>
    public IReadOnlyList<SimRun> ToTell => [.. ViolatingRuns.GroupBy(static run => run.Result.Violations[0].Invariant, StringComparer.Ordinal).Select(static runs => runs.MinBy(static run => run.Result.Size.Events)!)];

    /// <summary>How often each was violated.</summary>
    public required IReadOnlyList<ViolationCount> ViolationCounts { get; init; }

    /// <summary>The hashes of all runs added up: the same for the same runs, in whatever order and process they were made.</summary>
    public required string Hash { get; init; }

    /// <summary>Seeds that were run twice.</summary>
    public required int Checked { get; init; }

    /// <summary>Seeds whose two runs were not the same.</summary>
    public required int Mismatches { get; init; }

    /// <summary>The first of them, and where it parted.</summary>
    public required string? Mismatch { get; init; }

    /// <summary>Different traces, where a world was enumerated.</summary>
    public required int DistinctExecutions { get; init; }

    /// <summary>True where every sequence of decisions was run.</summary>
    public required bool Exhausted { get; init; }

    /// <summary>What of the kernel was met.</summary>
    public required Coverage Coverage { get; init; }

    /// <summary>How fast the runs of each scenario were, by name, where runs are made side by side (swarm, sweep, mirror).</summary>
    public required IReadOnlyList<ScenarioPace> Paces { get; init; }
}

/// <summary>How fast a scenario's runs were.</summary>
/// <param name="Scenario">Its name.</param>
/// <param name="Steps">Steps of the scheduler.</param>
/// <param name="SimulatedSeconds">Virtual seconds.</param>
/// <param name="WorkedSeconds">Real seconds of one core.</param>
public sealed record ScenarioPace(string Scenario, long Steps, double SimulatedSeconds, double WorkedSeconds)
{
    /// <summary>Virtual seconds in a real one on so many cores.</summary>
    public double TimeRatio(int cores) => SimulatedSeconds / WorkedSeconds * cores;
}
