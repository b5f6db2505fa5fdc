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

/// <summary>How far an exploration is.</summary>
/// <param name="Scenario">The scenario at hand.</param>
/// <param name="Gear">The gear at hand.</param>
/// <param name="Runs">Runs made.</param>
/// <param name="Steps">Steps made.</param>
/// <param name="Violations">Violations found.</param>
/// <param name="Fraction">The share that is done.</param>
public sealed record ExploreProgress(string Scenario, string Gear, long Runs, long Steps, int Violations, double Fraction);
