using OrkSim;
using Spectre.Console;

namespace Ork.Cli.Sim;

/// <summary>Scenario files: made and checked.</summary>
internal static class SimFiles
{
    /// <summary>Writes a scenario to start from, and the schema beside it where there is none.</summary>
    internal static int New(Output output, string name, string folder)
    {
        var path = Path.Combine(folder, name + ".yaml");
        var text = Template(name);
        ScenarioFile.Parse(text, path);
        if (File.Exists(path)) throw new ScenarioException($"{path} is there already: choose another name, or remove it first.");
        try
        {
            Directory.CreateDirectory(folder);
            File.WriteAllText(path, text);
            var schema = Path.Combine(folder, ScenarioSchema.FileName);
            if (!File.Exists(schema)) File.WriteAllText(schema, ScenarioSchema.Write());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ScenarioException($"{path} cannot be written: {e.Message}");
        }

        output.Write(new { file = path }, console =>
        {
            console.WriteLine($"{path} is written. Next:");
            console.WriteLine($"  ork sim validate {path}");
            console.WriteLine($"  ork sim run {path}");
            console.WriteLine($"  ork sim explore {path} --time 20s");
        });
        return ExitCode.Done;
    }

    /// <summary>Checks files and folders of them; says everything that is wrong with each.</summary>
    internal static int Validate(Output output, string[] paths)
    {
        var problems = new List<ScenarioProblem>();
        var good = 0;
        foreach (var path in paths.SelectMany(static path => Directory.Exists(path) ? Inside(path) : [path]))
        {
            try
            {
                ScenarioFile.Read(path);
                good++;
            }
            catch (ScenarioException e)
            {
                problems.AddRange(e.Problems.Count > 0 ? e.Problems : [new ScenarioProblem(path, 1, 1, e.Message)]);
            }
        }

        output.Write(new { good, problems }, console =>
        {
            foreach (var problem in problems) console.MarkupLineInterpolated($"[red]{problem}[/]");
            var files = problems.Select(static problem => problem.File).Distinct().Count();
            console.WriteLine(files == 0 ? $"{good} {(good == 1 ? "scenario" : "scenarios")}, nothing wrong" : $"{problems.Count} {(problems.Count == 1 ? "problem" : "problems")} in {files} of {files + good} files");
        });
        return problems.Count == 0 ? ExitCode.Done : ExitCode.BadUsage;
    }

    private static IReadOnlyList<string> Inside(string folder) => ScenarioFolder.FilesOf(folder) is { Count: > 0 } files ? files : throw new ScenarioException($"{folder} holds no scenario files (*.yaml).");

    private static string Template(string name) => $$"""
        # yaml-language-server: $schema={{ScenarioSchema.FileName}}
        # Everything that is left out is as usual; what there is, and what is usual, the editor shows from the schema ('scenarios/README.md' lists it).
        name: {{name}}
        description: Workers crash and the kernel restarts while callers keep sending.

        # 3..8 is a range: each run draws a number of it, and a failing run is shrunk towards few.
        fleet: { workers: 3..8, devicesPerWorker: 1..4 }

        # Commands a second, over all callers. 'reboot' may not be repeated, 'set-power-mode' may.
        workload: { callers: 1..3, commandsPerSecond: 2..10, commands: { reboot: 1, set-power-mode: 3 }, cancel: 0.05 }

        # How long a message and a commit take.
        network: { latency: 1ms..20ms }
        store: { commit: 500us..5ms }

        # What goes wrong: so often a minute, or so often in all at some time ('ork sim list' names all faults).
        faults:
          - worker-crash: { perMinute: 1..10, downFor: 500ms..5s }
          - kernel-crash: { times: 1..2, at: any, downFor: 100ms..2s }
          # - storm: { times: 1, at: 5s..15s, fraction: 0.5..1 }
          # - partition: { perMinute: 0..4, for: 1s..5s }

        # From here on nothing goes wrong any more; until the end everything must have come right.
        healAt: 30s
        duration: 75s

        # The invariants to check: all of them, or a list such as [S3, S8, L2].
        check: all

        # Runs of 'dotnet test' in each gear.
        budget: { swarm: 20, coyote: 6, sweep: 40 }

        """;
}
