using System.Globalization;
using Ork.Cli.Commands;
using Ork.Cli.Hosting;
using Ork.Kernel;
using OrkSim;
using Spectre.Console;

namespace Ork.Cli.Sim;

/// <summary>Many runs, with progress, and what they came to.</summary>
internal static class SimExploration
{
    internal static async Task<int> RunAsync(Output output, ExploreOptions options, ShrinkOptions? shrinking)
    {
        BatchRuntime.Enter(options.Time ?? TimeSpan.Zero);
        using var interruption = Shared.Interruptible();
        var report = await WithProgressAsync(output, options, interruption.Token);
        var told = shrinking is null ? [] : SimReports.Tell(output, report, options.Directory!, shrinking with { Watch = options.Watch });
        var reached = Enum.GetValues<KernelEvent>().Where(note => note != KernelEvent.None).ToArray();
        var answer = new
        {
            report.Runs,
            report.Steps,
            report.SimulatedSeconds,
            report.WallSeconds,
            report.StepsPerSecond,
            report.TimeRatio,
            report.Violations,
            shrunk = told.Select(one => new { one.Invariant, one.Scenario, one.Gear, one.Seed, one.RunFile, one.ShrunkFile, one.ReportFile, one.Found, one.Shrunk, one.ShrinkSeconds, one.RanOut, one.Deterministic }),
            report.ViolationCounts,
            coverage = Coverage.Machines.ToDictionary(machine => machine.Name, machine => CoverageOf(report.Coverage, machine)),
            reached = new
            {
                hit = reached.Where(note => report.Coverage.CountOf(note) > 0).Select(note => note.ToString()),
                missed = reached.Where(note => report.Coverage.CountOf(note) == 0).Select(note => note.ToString()),
            },
            determinism = new { @checked = report.Checked, report.Mismatches, first = report.Mismatch },
            report.Hash,
            exhausted = report.Exhausted ? report.DistinctExecutions : (int?)null,
        };
        output.Write(answer, console =>
        {
            Show(console, report, reached);
            SimReports.ShowCards(console, told);
        });
        return report.Mismatches > 0 ? ExitCode.NotDeterministic : report.Violations.Count > 0 ? ExitCode.Failed : ExitCode.Done;
    }

    private static object CoverageOf(Coverage coverage, IMachineDefinition machine)
    {
        var missing = coverage.MissingOf(machine);
        var total = machine.Transitions.Count;
        return new { covered = total - missing.Count, total, missing = missing.Select(row => $"{row.From} {row.Trigger} {row.To}") };
    }

    private static async Task<ExploreReport> WithProgressAsync(Output output, ExploreOptions options, CancellationToken cancellation)
    {
        if (output.IsJson || Console.IsOutputRedirected) return await Task.Run(() => Explorer.Explore(options, null, cancellation), CancellationToken.None);
        ExploreReport? report = null;
        await AnsiConsole.Progress().AutoClear(true)
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .StartAsync(async progress =>
            {
                var task = progress.AddTask("exploring", maxValue: 1);
                var told = new Teller(task);
                report = await Task.Run(() => Explorer.Explore(options, told, cancellation), CancellationToken.None);
                task.Value = 1;
            });
        return report!;
    }

    private static void Show(IAnsiConsole console, ExploreReport report, KernelEvent[] reached)
    {
        console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{report.Runs:N0} runs, {report.Steps:N0} steps, {TimeSpan.FromSeconds(report.SimulatedSeconds):d\\.hh\\:mm\\:ss} simulated in {report.WallSeconds:F1} s"));
        console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{report.StepsPerSecond:N0} steps/s, {report.TimeRatio:N0} times real time, hash of all runs {report.Hash}"));
        if (report.DistinctExecutions > 0)
        {
            console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"enumerated: {report.DistinctExecutions:N0} distinct executions, {(report.Exhausted ? "all there are" : "not all there are")}"));
        }

        var table = new Table().Border(TableBorder.Simple).AddColumn("machine").AddColumn("transitions met").AddColumn("never met");
        foreach (var machine in Coverage.Machines)
        {
            var missing = report.Coverage.MissingOf(machine);
            var total = machine.Transitions.Count;
            table.AddRow(machine.Name, $"{total - missing.Count} of {total}", string.Join(", ", missing.Select(row => $"{row.From} {row.Trigger}")).EscapeMarkup());
        }

        console.Write(table);
        console.WriteLine("reached points never met: " + (string.Join(", ", reached.Where(note => report.Coverage.CountOf(note) == 0)) is { Length: > 0 } missed ? missed : "none"));
        console.MarkupLine(report.Mismatches == 0
            ? $"determinism: {report.Checked} seeds run twice, no mismatch"
            : $"[red]determinism: {report.Mismatches} mismatches in {report.Checked} seeds run twice; {report.Mismatch.EscapeMarkup()}[/]");
        if (report.Violations.Count == 0) console.MarkupLine("[green]no violation[/]");
        foreach (var found in report.Violations)
        {
            var count = report.ViolationCounts.First(kind => (kind.Scenario, kind.Gear, kind.Invariant) == (found.Scenario, found.Gear, found.Invariant)).Runs;
            console.MarkupLine($"[red]{found.Invariant}[/] in {found.Scenario}, {found.Gear}, seed {found.Seed} ({count} runs): {found.Message.EscapeMarkup()}");
            if (found.RunFile is not null) console.WriteLine($"  ork sim replay {found.RunFile} --events");
        }
    }

    private sealed class Teller(ProgressTask task) : IProgress<ExploreProgress>
    {
        public void Report(ExploreProgress value)
        {
            task.Value = value.Fraction;
            task.Description = string.Create(
                CultureInfo.InvariantCulture, $"{value.Scenario} [grey]{value.Gear}[/] {value.Runs:N0} runs, {value.Violations} violations");
        }
    }
}
