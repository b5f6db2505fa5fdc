namespace OrkSim;

/// <summary>What a violation came to: shrunk, written down and told.</summary>
public sealed record ViolationReport
{
    /// <summary>Which invariant.</summary>
    public required string Invariant { get; init; }

    /// <summary>In which scenario.</summary>
    public required string Scenario { get; init; }

    /// <summary>In which gear.</summary>
    public required string Gear { get; init; }

    /// <summary>Under which seed.</summary>
    public required ulong Seed { get; init; }

    /// <summary>The run as it was found.</summary>
    public required string RunFile { get; init; }

    /// <summary>The run it was shrunk to.</summary>
    public required string ShrunkFile { get; init; }

    /// <summary>The page that tells of it.</summary>
    public required string ReportFile { get; init; }

    /// <summary>How large it was.</summary>
    public required RunSize Found { get; init; }

    /// <summary>How large it is.</summary>
    public required RunSize Shrunk { get; init; }

    /// <summary>Seconds that shrinking took.</summary>
    public required double ShrinkSeconds { get; init; }

    /// <summary>True where the time ran out before nothing more could go.</summary>
    public required bool RanOut { get; init; }

    /// <summary>True where the shrunk run, made again, was the same.</summary>
    public required bool Deterministic { get; init; }

    /// <summary>The failure card.</summary>
    public required IReadOnlyList<string> Card { get; init; }

    /// <summary>Shrinks a violating run and writes three files: the run, the shrunk run, and its report.</summary>
    /// <param name="run">The run, made in any gear.</param>
    /// <param name="directory">Where the files go.</param>
    /// <param name="options">How to shrink.</param>
    /// <param name="progress">Hears how far it is, or null.</param>
    /// <param name="cancellation">Ends shrinking early.</param>
    public static ViolationReport Write(SimRun run, string directory, ShrinkOptions options, IProgress<ShrinkProgress>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(run);
        ArgumentNullException.ThrowIfNull(options);
        var (kept, world) = Explorer.Again(run, options.Watch);
        var runFile = Path.Combine(directory, FileOf(run));
        OrkSim.RunFile.From(kept, world).Write(runFile);
        var found = Shrinker.Shrink(kept, options, progress, cancellation);
        return Write(found, runFile, Path.ChangeExtension(runFile, null) + ".min.json", Path.ChangeExtension(Path.ChangeExtension(runFile, null), ".report.html"), options.Watch.Faults);
    }

    /// <summary>Writes a run that was shrunk, and its report.</summary>
    /// <param name="found">What shrinking came to.</param>
    /// <param name="runFile">Where the run is that was found.</param>
    /// <param name="shrunkFile">Where the shrunk one goes.</param>
    /// <param name="reportFile">Where its report goes.</param>
    /// <param name="faults">Faults the scenario may name besides the built-in ones.</param>
    public static ViolationReport Write(ShrinkResult found, string runFile, string shrunkFile, string reportFile, IReadOnlyList<IFault> faults)
    {
        ArgumentNullException.ThrowIfNull(found);
        var shrunk = OrkSim.RunFile.From(found.After, found.World, found.Before.Result.Size);
        shrunk.Write(shrunkFile);
        HtmlReport.Write(shrunk, reportFile, new HtmlReportOptions { RunFile = shrunkFile, Faults = faults });
        return new ViolationReport
        {
            Invariant = shrunk.Violations[0].Invariant,
            Scenario = shrunk.Scenario.Name,
            Gear = shrunk.Gear,
            Seed = found.Before.Seed,
            RunFile = runFile,
            ShrunkFile = shrunkFile,
            ReportFile = reportFile,
            Found = found.Before.Result.Size,
            Shrunk = found.After.Result.Size,
            ShrinkSeconds = found.Elapsed.TotalSeconds,
            RanOut = found.RanOut,
            Deterministic = found.Deterministic,
            Card = FailureCard.Lines(shrunk, found, shrunkFile, runFile, reportFile),
        };
    }

    /// <summary>The name of a run's file.</summary>
    internal static string FileOf(SimRun run)
    {
        var crash = run.Crash is { } point ? string.Create(System.Globalization.CultureInfo.InvariantCulture, $"-{point.Node}-{point.Step}") : "";
        return string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{run.Scenario.Name}-{GearNames.Of(run.Gear)}-{run.Seed}{crash}-{run.Result.Violations[0].Invariant}.run.json");
    }
}
