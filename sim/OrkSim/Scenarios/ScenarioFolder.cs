namespace OrkSim;

/// <summary>
/// A folder of scenario files as tests, one a file and gear that has a budget: a new file is a new test. In xUnit, for a folder of one's own:
/// <code>
/// public static IEnumerable&lt;object[]&gt; Files =&gt; ScenarioFolder.Tests("scenarios");
/// [Theory, MemberData(nameof(Files))]
/// public void Holds(string file, string gear) =&gt; ScenarioFolder.Run("scenarios", file, gear);
/// </code>
/// Any test framework that takes rows of arguments will do.
/// </summary>
public static class ScenarioFolder
{
    /// <summary>Rows of a file's name and a gear.</summary>
    /// <param name="folder">The folder: a path, or a name that is looked for from the tests' output folder upwards.</param>
    /// <exception cref="ScenarioException">There is no such folder, or it holds no scenario.</exception>
    public static IEnumerable<object[]> Tests(string folder)
    {
        foreach (var path in FilesOf(Find(folder)))
        {
            // A file that cannot be read is one failing test, which says why; the others run all the same.
            foreach (var gear in GearsOf(path)) yield return [Path.GetFileName(path), GearNames.Of(gear)];
        }
    }

    /// <summary>Runs a file in a gear, as often as its budget says. A violation is shrunk, and told in three files in <c>TestResults</c> beside the tests.</summary>
    /// <param name="folder">The folder, as in <see cref="Tests"/>.</param>
    /// <param name="file">The file's name.</param>
    /// <param name="gear">The gear.</param>
    /// <param name="watch">How runs are watched: invariants and faults of one's own. Null for the built-in ones.</param>
    /// <exception cref="ScenarioViolatedException">An invariant does not hold, a run is not deterministic, or the swarm never met what the scenario is there to meet.</exception>
    /// <exception cref="ScenarioException">The file says something that no scenario says.</exception>
    public static ExploreReport Run(string folder, string file, string gear, WatchOptions? watch = null)
    {
        watch ??= new WatchOptions();
        var scenario = ScenarioFile.Read(Path.Combine(Find(folder), file), watch.Faults);
        var one = GearNames.Parse(gear) ?? throw new ScenarioException($"There is no gear '{gear}'.");
        var report = Explorer.Explore(new ExploreOptions
        {
            Scenarios = [scenario],
            Gears = [one],
            Runs = scenario.Budget.Of(one),
            Jobs = one == Gear.Coyote ? 1 : Environment.ProcessorCount,
            CheckEvery = 40,
            StopAtFirst = true,
            Watch = watch,
        });
        if (report.Mismatches > 0) throw new ScenarioViolatedException(report.Mismatch!);
        if (report.ViolatingRuns is not [var violating, ..]) return one == Gear.Swarm ? Reached(report, scenario) : report;
        var written = ViolationReport.Write(violating, Path.Combine(AppContext.BaseDirectory, "TestResults"), new ShrinkOptions { Watch = watch });
        throw new ScenarioViolatedException(string.Join(Environment.NewLine, written.Card));
    }

    /// <summary>A green run that met nothing proves nothing: what a scenario is there to meet, the swarm has met.</summary>
    private static ExploreReport Reached(ExploreReport report, Scenario scenario)
    {
        var missed = scenario.Reaches.Where(point => report.Coverage.CountOf(point) == 0).ToArray();
        return missed.Length == 0 ? report
            : throw new ScenarioViolatedException($"{scenario.Name} is there to meet {string.Join(", ", missed)}, and did not in {report.Runs} runs of the swarm: make it likelier, or give the swarm a larger budget.");
    }

    /// <summary>The scenario files of a folder, by name.</summary>
    public static IReadOnlyList<string> FilesOf(string folder) => [.. Directory.EnumerateFiles(folder, "*.yaml").Order(StringComparer.Ordinal)];

    private static IEnumerable<Gear> GearsOf(string path)
    {
        Budget budget;
        try
        {
            budget = ScenarioFile.Read(path).Budget;
        }
        catch (ScenarioException)
        {
            return [Gear.Swarm];
        }

        return budget.Exhaust > 0 ? [Gear.Exhaust] : Enum.GetValues<Gear>().Where(gear => budget.Of(gear) > 0);
    }

    private static string Find(string folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        if (Path.IsPathRooted(folder)) return IsOne(folder) ? folder : throw new ScenarioException($"{folder} holds no scenario files (*.yaml).");
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (IsOne(Path.Combine(at.FullName, folder))) return Path.Combine(at.FullName, folder);
        }

        throw new ScenarioException($"There is no folder '{folder}' with scenario files (*.yaml) in {AppContext.BaseDirectory} or above it.");
    }

    private static bool IsOne(string folder) => Directory.Exists(folder) && Directory.EnumerateFiles(folder, "*.yaml").Any();
}

/// <summary>A scenario that did not hold; the message is its failure card.</summary>
public sealed class ScenarioViolatedException : Exception
{
    /// <summary>Says what was violated.</summary>
    public ScenarioViolatedException(string message)
        : base(message)
    {
    }
}
