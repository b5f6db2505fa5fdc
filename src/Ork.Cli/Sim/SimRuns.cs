using System.Diagnostics;
using System.Globalization;
using OrkSim;
using Spectre.Console;

namespace Ork.Cli.Sim;

/// <summary>One run: made, written, made again.</summary>
internal static class SimRuns
{
    internal static int Guard(bool json, Func<Output, int> run)
    {
        var output = new Output(json);
        try
        {
            return run(output);
        }
        catch (ScenarioException e)
        {
            output.Fail("BAD_SCENARIO", e.Message);
            return ExitCode.BadUsage;
        }
        catch (NotDeterministicException e)
        {
            output.Fail("NOT_DETERMINISTIC", e.Message);
            return ExitCode.NotDeterministic;
        }
    }

    internal static async Task<int> GuardAsync(bool json, Func<Output, Task<int>> run)
    {
        var output = new Output(json);
        try
        {
            return await run(output);
        }
        catch (ScenarioException e)
        {
            output.Fail("BAD_SCENARIO", e.Message);
            return ExitCode.BadUsage;
        }
    }

    internal static int Run(Output output, Scenario scenario, ulong seed, string gear, string? file)
    {
        var clock = Stopwatch.StartNew();
        SimWorld? world = null;
        var watch = new WatchOptions { KeepChoices = file is not null, Trace = file is not null, Prepare = made => world = made };
        SimRun? run = null;
        if (gear == "coyote") CoyoteGear.Explore(scenario, CoyoteStrategy.Random, seed, 1, watch, made => { run = made; return true; });
        else run = SwarmGear.Run(scenario, seed, watch);
        clock.Stop();
        if (file is not null) RunFile.From(run!, world!).Write(file);
        Show(output, run!, clock.Elapsed, file);
        return run!.Result.Held ? ExitCode.Done : ExitCode.Failed;
    }

    internal static int Replay(Output output, string path, bool events, long? until)
    {
        var file = RunFile.Read(path);
        var run = file.Replay(new WatchOptions { Trace = events, UntilStep = until }, out var world);
        if (events && !output.IsJson)
        {
            foreach (var happened in world.Trace) Console.WriteLine(EventLine.From(in happened).ToString());
        }

        var same = until is not null || (run.Result.Hash == file.Hash && run.Result.Steps == file.Steps);
        var answer = new
        {
            scenario = file.Scenario.Name, file.Gear, file.Seed, verdict = run.Result.Held ? "held" : "violated", run.Result.Violations, run.Result.Steps,
            run.Result.SimulatedSeconds, run.Result.Hash, identical = until is null ? same : (bool?)null,
        };
        output.Write(answer, console =>
        {
            ShowVerdict(console, run);
            if (until is not null) console.MarkupLine($"[grey]stopped at step {until}[/]");
            else console.MarkupLine(same ? "[green]identical to the recorded run[/]" : $"[red]not the recorded run: hash {run.Result.Hash}, recorded {file.Hash}[/]");
        });
        return !same ? ExitCode.NotDeterministic : run.Result.Held ? ExitCode.Done : ExitCode.Failed;
    }

    private static void Show(Output output, SimRun run, TimeSpan wall, string? file)
    {
        var answer = new
        {
            scenario = run.Scenario.Name,
            gear = GearNames.Of(run.Gear),
            run.Seed,
            verdict = run.Result.Held ? "held" : "violated",
            run.Result.Violations,
            run.Result.Steps,
            run.Result.SimulatedSeconds,
            wallSeconds = wall.TotalSeconds,
            run.Result.Hash,
            draws = run.Result.Draws,
            run.Result.Service,
            runFile = file,
        };
        output.Write(answer, console =>
        {
            ShowVerdict(console, run);
            console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{run.Result.Steps:N0} steps, {run.Result.Draws:N0} decisions, {run.Result.SimulatedSeconds:F1} s simulated in {wall.TotalSeconds:F2} s"));
            if (run.Result.Service is { IsTelling: true } service)
            {
                console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"commands to Workers that did not hang: 99th percentile {service.CalmP99Ms} ms before ({service.Calm}), {service.MeanwhileP99Ms} ms while others hung ({service.Meanwhile})"));
                console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{service.FirstAttempts} first attempts, {service.Retries} retries"));
            }

            console.WriteLine($"hash {run.Result.Hash}");
            if (file is not null) Console.Out.WriteLine($"ork sim replay {file}");
            else if (!run.Result.Held) Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"To have it shrunk and told: ork sim explore {run.Scenario.Name} --gear {GearNames.Of(run.Gear)} --seed {run.Seed} --runs 1"));
        });
    }

    private static void ShowVerdict(IAnsiConsole console, SimRun run)
    {
        console.MarkupLine(run.Result.Held
            ? $"[green]held[/]  {run.Scenario.Name.EscapeMarkup()}, {GearNames.Of(run.Gear)}, seed {run.Seed}"
            : $"[red]violated[/]  {run.Scenario.Name.EscapeMarkup()}, {GearNames.Of(run.Gear)}, seed {run.Seed}");
        foreach (var violation in run.Result.Violations)
        {
            console.MarkupLine(string.Create(CultureInfo.InvariantCulture, $"  [red]{violation.Invariant}[/] at {violation.Seconds:F3} s, step {violation.Step}: {violation.Message.EscapeMarkup()}"));
        }
    }
}
