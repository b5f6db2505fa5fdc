namespace OrkSim;

/// <summary>A violation that was found.</summary>
/// <param name="Invariant">Which invariant.</param>
/// <param name="Message">What was seen.</param>
/// <param name="Scenario">In which scenario.</param>
/// <param name="Gear">In which gear.</param>
/// <param name="Seed">Under which seed.</param>
/// <param name="RunFile">The file to replay, or null where there is none: a run that never ended has none.</param>
public sealed record FoundViolation(string Invariant, string Message, string Scenario, string Gear, ulong Seed, string? RunFile);

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
