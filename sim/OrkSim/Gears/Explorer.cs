using Ork;
using System.Diagnostics;

namespace OrkSim;

/// <summary>Runs many runs and adds up what they met.</summary>
[OrkRole(OrkRole.Edge)]
[OrkAllow(OrkEffects.Clock, "Only how long it goes on, and what it tells of that, hang on the clock: each run that it makes hangs on its seed.")]
public sealed partial class Explorer
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
}
