using System.Globalization;

namespace OrkSim;

/// <summary>A violation on one card: at most 30 lines, the command that replays it last.</summary>
public static class FailureCard
{
    /// <summary>The most lines a card has.</summary>
    public const int MostLines = 30;

    private const int MessageLines = 6;
    private const int Width = 150;

    /// <summary>Writes it.</summary>
    /// <param name="shrunk">The shrunk run, as a file.</param>
    /// <param name="found">What was found, and shrunk to it.</param>
    /// <param name="runFile">Where the shrunk run is written.</param>
    /// <param name="originalFile">Where the run that was found is written, or null.</param>
    /// <param name="reportFile">Where its report is written, or null.</param>
    public static IReadOnlyList<string> Lines(RunFile shrunk, ShrinkResult found, string runFile, string? originalFile, string? reportFile)
    {
        ArgumentNullException.ThrowIfNull(shrunk);
        ArgumentNullException.ThrowIfNull(found);
        var reading = new RunReading(shrunk);
        var violation = shrunk.Violations[0];
        var (before, after) = (found.Before.Result.Size, found.After.Result.Size);
        var lines = new List<string>
        {
            Line($"VIOLATED {violation.Invariant}: {violation.Says}"),
        };
        lines.AddRange(violation.Message.Split('\n').Take(MessageLines).Select(static line => "  " + (line.Length > Width ? line[..Width] + "..." : line.TrimEnd())));
        lines.AddRange(
        [
            Line($"scenario      {shrunk.Scenario.Name}, gear {shrunk.Gear}, seed {found.Before.Seed}"),
            Line($"commit        {shrunk.Commit ?? "unknown"}"),
            Line($"where         step {violation.Step:N0}, virtual time {violation.Seconds:F3} s (as found: step {found.Before.Result.Violations[0].Step:N0}, {found.Before.Result.Violations[0].Seconds:F3} s)"),
            Line($"{"shrunk",-14}{"as found",10}  {"shrunk",10}   {found.Tries:N0} runs in {found.Elapsed.TotalSeconds:F1} s{(found.RanOut ? ", the time ran out" : ", nothing more can go")}"),
            Size("Workers", before.Workers, after.Workers), Size("commands", before.Commands, after.Commands), Size("faults", before.Faults, after.Faults),
            Size("events", before.Events, after.Events), Size("choices", before.Choices, after.Choices),
            Line($"slice         {reading.BeforeCount:N0} of {shrunk.Events.Count:N0} events happened before the violation"),
            Line($"re-run        {(found.Deterministic ? $"identical, hash {shrunk.Hash}" : "NOT DETERMINISTIC: made again, it is another run")}"),
        ]);
        if (originalFile is not null) lines.Add($"as found      {originalFile}");
        if (reportFile is not null) lines.Add($"report        {reportFile}");
        lines.Add($"ork sim replay {runFile} --events");
        return lines;
    }

    private static string Size(string what, long before, long after) => Line($"  {what,-12}{before,10:N0}  {after,10:N0}");

    private static string Line(FormattableString line) => line.ToString(CultureInfo.InvariantCulture);
}
