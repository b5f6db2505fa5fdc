using Ork;
using System.Diagnostics;

namespace OrkSim;

/// <summary>How to make a violating run smaller.</summary>
public sealed record ShrinkOptions
{
    /// <summary>The most time it may take. What it has then is the answer, and says that there may be less.</summary>
    public TimeSpan Limit { get; init; } = TimeSpan.FromSeconds(55);

    /// <summary>Runs at once. The answer is the same for any number of them, unless time runs out.</summary>
    public int Jobs { get; init; } = Environment.ProcessorCount;

    /// <summary>How runs are watched: the same as when the violation was found.</summary>
    public WatchOptions Watch { get; init; } = new();
}

/// <summary>How far shrinking is.</summary>
/// <param name="Phase">What is being made smaller: the scenario, or the choices.</param>
/// <param name="Tries">Runs made.</param>
/// <param name="Size">The smallest that still violates.</param>
/// <param name="Fraction">The share of the time that is gone.</param>
public sealed record ShrinkProgress(string Phase, long Tries, RunSize Size, double Fraction);

/// <summary>What shrinking came to.</summary>
/// <param name="Before">The run that was found.</param>
/// <param name="After">The smallest that violates the same invariant, with its choices.</param>
/// <param name="World">The world of the smallest, with its trace.</param>
/// <param name="Tries">Runs made.</param>
/// <param name="Elapsed">The time it took.</param>
/// <param name="RanOut">True where the time ran out before nothing more could go.</param>
/// <param name="Deterministic">True where the smallest, made again, was the same.</param>
public sealed record ShrinkResult(SimRun Before, SimRun After, SimWorld World, long Tries, TimeSpan Elapsed, bool RanOut, bool Deterministic);

/// <summary>
/// Makes a run that violates an invariant as small as it can while it still violates the same one: first the scenario, as FsCheck shrinks values, then the choices of the run.
/// </summary>
[OrkRole(OrkRole.Edge)]
[OrkAllow(OrkEffects.Clock, "Only how long it goes on, and what it tells of that, hang on the clock: each run that it makes hangs on its seed.")]
public sealed class Shrinker
{
    private const double ScenarioShare = 0.5;
    private const double Patience = 1.3;

    private readonly ShrinkOptions _options;
    private readonly IProgress<ShrinkProgress>? _progress;
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly string _invariant;
    private readonly CancellationToken _cancellation;
    private TimeSpan _until;
    private string _phase = "";
    private long _tries;
    private bool _ranOut;

    private Shrinker(SimRun run, ShrinkOptions options, IProgress<ShrinkProgress>? progress, CancellationToken cancellation)
    {
        _options = options with { Watch = InvariantCatalogue.Watching(options.Watch, run.Gear) };
        _progress = progress;
        _cancellation = cancellation;
        _invariant = run.Result.Violations[0].Invariant;
        Best = run;
    }

    /// <summary>Shrinks a run.</summary>
    /// <param name="run">A run that violates an invariant, with its choices kept.</param>
    /// <param name="options">How.</param>
    /// <param name="progress">Hears how far it is, or null.</param>
    /// <param name="cancellation">Ends it early: what it has by then is the answer.</param>
    public static ShrinkResult Shrink(SimRun run, ShrinkOptions options, IProgress<ShrinkProgress>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(run);
        ArgumentNullException.ThrowIfNull(options);
        if (run.Result.Held) throw new ScenarioException("The run violates nothing: there is nothing to shrink.");
        if (run.Result.Choices.Count == 0) throw new ScenarioException("The run's choices were not kept: it cannot be shrunk.");
        return new Shrinker(run, options, progress, cancellation).Run(run);
    }

    /// <summary>The smallest run so far that violates the invariant.</summary>
    internal SimRun Best { get; private set; }

    /// <summary>How many runs are made at once.</summary>
    internal int Jobs => _options.Jobs;

    /// <summary>True once the time of the phase is over.</summary>
    internal bool IsOver => _clock.Elapsed >= _until || _cancellation.IsCancellationRequested;

    private ShrinkResult Run(SimRun found)
    {
        // In turns: plainer choices often let more of the scenario go.
        SimRun before;
        do
        {
            before = Best;
            Phase("scenario", _clock.Elapsed + ((_options.Limit - _clock.Elapsed) * ScenarioShare), new ScenarioShrinker(this).Run);
            Phase("choices", _options.Limit, new ChoiceShrinker(this).Run);
        }
        while (Best != before && !IsOver);
        _ranOut = IsOver;
        var world = WorldOf(Best.Scenario, new RecordedChoices(Best.Result.Choices), Best.Crash, _options.Watch with { Trace = true });
        var again = world.Run();
        return new ShrinkResult(found, Best with { Result = again }, world, _tries, _clock.Elapsed, _ranOut, again.Hash == Best.Result.Hash);
    }

    private void Phase(string name, TimeSpan until, Action run)
    {
        (_phase, _until) = (name, until);
        run();
    }

    /// <summary>Runs a scenario under a seed.</summary>
    /// <returns>The run where it violates the invariant before it has become much longer than the smallest, or null.</returns>
    internal SimRun? TrySeed(Scenario scenario, ulong seed) => Violating(Best with { Scenario = scenario, Seed = seed, Crash = null }, new SeededChoices(seed));

    /// <summary>Runs a scenario with choices by sites.</summary>
    /// <returns>The run where it violates the invariant before it has become much longer than the smallest, or null.</returns>
    internal SimRun? TryChoices(Scenario scenario, IReadOnlyDictionary<DrawSite, IReadOnlyList<int>> choices) => Violating(Best with { Scenario = scenario }, new SitedChoices(choices));

    /// <summary>The choices of the smallest run, by sites.</summary>
    internal Dictionary<DrawSite, IReadOnlyList<int>> ChoicesBySite()
    {
        var sites = new Dictionary<DrawSite, IReadOnlyList<int>>();
        for (var i = 0; i < Best.Result.Choices.Count; i++)
        {
            if (!sites.TryGetValue(Best.Result.Sites[i], out var mine)) sites.Add(Best.Result.Sites[i], mine = new List<int>());
            ((List<int>)mine).Add(Best.Result.Choices[i]);
        }

        return sites;
    }

    /// <summary>Takes a run as the smallest.</summary>
    internal void Take(SimRun run)
    {
        Best = run;
        Tell();
    }

    /// <summary>Makes runs side by side, and tells how far it is.</summary>
    internal SimRun?[] Make(IReadOnlyList<Func<SimRun?>> runs)
    {
        var made = SideBySide.Ask(runs, _options.Jobs);
        _tries += runs.Count;
        Tell();
        return made;
    }

    private void Tell() => _progress?.Report(new ShrinkProgress(_phase, _tries, Best.Result.Size, Math.Clamp(_clock.Elapsed / _options.Limit, 0, 1)));

    private SimRun? Violating(SimRun plan, IChoices choices)
    {
        try
        {
            var steps = (long)(Best.Result.Steps * Patience) + 200;
            var world = WorldOf(plan.Scenario, choices, plan.Crash, _options.Watch with { KeepDigests = false, Expected = null, UntilStep = steps });
            var result = world.Run();
            if (result.Held || result.Violations[0].Invariant != _invariant) return null;
            return plan with { Result = result };
        }
        catch (ScenarioException)
        {
            return null;
        }
    }

    private static SimWorld WorldOf(Scenario scenario, IChoices choices, CrashPoint? crash, WatchOptions watch)
    {
        var world = new SimWorld(scenario, choices, watch with { KeepChoices = true });
        if (crash is not null) world.CrashAtStep(crash.Step, crash.Node);
        return world;
    }
}
