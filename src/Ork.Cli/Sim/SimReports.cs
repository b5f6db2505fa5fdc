using System.Globalization;
using Ork.Cli.Hosting;
using OrkSim;
using Spectre.Console;

namespace Ork.Cli.Sim;

/// <summary>Violating runs made small and told.</summary>
internal static class SimReports
{
    /// <summary>Shrinks a run file.</summary>
    internal static int Shrink(Output output, string path, string outPath, string? scenarioPath, ShrinkOptions options)
    {
        BatchRuntime.Enter(options.Limit);
        var file = RunFile.Read(path);
        var run = file.Replay(options.Watch);
        if (run.Result.Hash != file.Hash) throw new NotDeterministicException($"{path} replays to another run than it holds: it was made by another version, or something is not deterministic.");
        using var interruption = Commands.Shared.Interruptible();
        var found = Watched(output, progress => Shrinker.Shrink(run, options, progress, interruption.Token));
        var written = ViolationReport.Write(found, path, outPath, Path.ChangeExtension(outPath, ".html"), []);
        if (scenarioPath is not null) WriteScenario(found.After.Scenario, scenarioPath, written);
        Show(output, [written]);
        return written.Deterministic ? ExitCode.Done : ExitCode.NotDeterministic;
    }

    /// <summary>Shrinks what an exploration found, one run an invariant, and tells of each.</summary>
    internal static IReadOnlyList<ViolationReport> Tell(Output output, ExploreReport report, string directory, ShrinkOptions options)
    {
        using var interruption = Commands.Shared.Interruptible();
        return [.. report.ToTell.Select(run => Watched(output, progress => ViolationReport.Write(run, directory, options, progress, interruption.Token)))];
    }

    /// <summary>Writes the report of a run file.</summary>
    internal static int Report(Output output, string path, string format, string? outPath, bool onlyBefore)
    {
        var file = RunFile.Read(path);
        var reading = new RunReading(file);
        if (format == "text" && outPath is null)
        {
            Console.Out.Write(TextReport.Write(file, path, onlyBefore));
            return ExitCode.Done;
        }

        var to = outPath ?? Path.ChangeExtension(path, format switch { "html" => ".html", "perfetto" => ".perfetto.json", _ => ".txt" });
        try
        {
            if (Path.GetDirectoryName(Path.GetFullPath(to)) is { } directory) Directory.CreateDirectory(directory);
            Write(file, path, format, to, onlyBefore);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ScenarioException($"{to} cannot be written: {e.Message}");
        }

        var answer = new { file = to, format, events = file.Events.Count, beforeViolation = reading.Violation is null ? (int?)null : reading.BeforeCount };
        output.Write(answer, console =>
        {
            console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{to}: {file.Events.Count:N0} events{(reading.Violation is null ? "" : $", {reading.BeforeCount:N0} happened before the violation")}"));
            if (format == "perfetto") console.WriteLine("Open it in the Perfetto UI or in Chrome's tracing page.");
        });
        return ExitCode.Done;
    }

    /// <summary>The cards.</summary>
    internal static void ShowCards(IAnsiConsole console, IReadOnlyList<ViolationReport> reports)
    {
        foreach (var report in reports)
        {
            console.WriteLine();
            console.MarkupLineInterpolated($"[red]{report.Card[0]}[/]");

            // Not through the console's wrapping: a path or a command on two lines cannot be copied.
            foreach (var line in report.Card.Skip(1)) Console.Out.WriteLine(line);
        }
    }

    private static void Show(Output output, IReadOnlyList<ViolationReport> reports) => output.Write(reports[0], console => ShowCards(console, reports));

    private static void Write(RunFile file, string path, string format, string to, bool onlyBefore)
    {
        switch (format)
        {
            case "html":
                HtmlReport.Write(file, to, new HtmlReportOptions { RunFile = path, OnlyBefore = onlyBefore });
                break;
            case "perfetto":
                using (var stream = File.Create(to)) PerfettoTrace.Write(file, stream);
                break;
            default:
                File.WriteAllText(to, TextReport.Write(file, path, onlyBefore));
                break;
        }
    }

    private static void WriteScenario(Scenario scenario, string path, ViolationReport report)
    {
        var kept = scenario with
        {
            Name = Path.GetFileNameWithoutExtension(path),
            Description = $"{report.Invariant}, once found in {report.Scenario}.",
            Budget = new Budget { Swarm = 40, Coyote = 0, Sweep = 0 },
            Reaches = [],
        };
        if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } directory) Directory.CreateDirectory(directory);
        File.WriteAllText(path, $"# yaml-language-server: $schema={ScenarioSchema.FileName}\n" + ScenarioYaml.Write(kept));
    }

    /// <summary>With progress on a terminal, and none in a pipe.</summary>
    private static T Watched<T>(Output output, Func<IProgress<ShrinkProgress>?, T> shrink)
    {
        if (output.IsJson || Console.IsOutputRedirected) return shrink(null);
        return AnsiConsole.Progress().AutoClear(true).Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn()).Start(progress =>
        {
            var task = progress.AddTask("shrinking", maxValue: 1);
            return shrink(new Teller(task));
        });
    }

    private sealed class Teller(ProgressTask task) : IProgress<ShrinkProgress>
    {
        public void Report(ShrinkProgress value)
        {
            task.Value = value.Fraction;
            task.Description = string.Create(
                CultureInfo.InvariantCulture, $"shrinking the {value.Phase} [grey]{value.Tries:N0} runs[/] {value.Size.Workers} Workers, {value.Size.Commands} commands, {value.Size.Faults} faults, {value.Size.Events:N0} events");
        }
    }
}
