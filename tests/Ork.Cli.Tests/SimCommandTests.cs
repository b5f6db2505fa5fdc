using System.Text.Json;
using OrkSim;

namespace Ork.Cli.Tests;

/// <summary><c>ork sim</c> as a shell sees it; each call is a process of its own.</summary>
public sealed class SimCommandTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("ork-sim").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory]
    [InlineData("everything-at-once", "swarm")]
    [InlineData("kernel-restarts", "swarm")]
    [InlineData("calm-day", "coyote")]
    public async Task The_same_seed_has_the_same_hash_in_two_processes(string scenario, string gear)
    {
        var first = await JsonAsync(0, $"sim run {scenario} --seed 9 --gear {gear} --json");
        var second = await JsonAsync(0, $"sim run {scenario} --seed 9 --gear {gear} --json");
        Assert.Equal(first.GetProperty("hash").GetString(), second.GetProperty("hash").GetString());
        Assert.Equal("held", first.GetProperty("verdict").GetString());
    }

    [Fact]
    public async Task A_run_is_written_replayed_and_told_from_one_that_was_changed()
    {
        var path = Path.Combine(_directory, "run.json");
        var run = await JsonAsync(0, $"sim run worker-crashes --seed 3 --out {path} --json");
        var replay = await JsonAsync(0, $"sim replay {path} --json");
        Assert.True(replay.GetProperty("identical").GetBoolean());
        Assert.Equal(run.GetProperty("hash").GetString(), replay.GetProperty("hash").GetString());

        var (_, events, _) = await CommandLineTests.RunAsync($"sim replay {path} --events --until 60");
        Assert.Contains("LinkOpened", events, StringComparison.Ordinal);
        Assert.Contains("stopped at step 60", events, StringComparison.Ordinal);

        await File.WriteAllTextAsync(path, (await File.ReadAllTextAsync(path)).Replace(run.GetProperty("hash").GetString()!, new string('0', 32), StringComparison.Ordinal));
        Assert.False((await JsonAsync(3, $"sim replay {path} --json")).GetProperty("identical").GetBoolean());
    }

    [Fact]
    public async Task An_exploration_ends_with_one_object_that_says_what_was_met_and_is_the_same_in_any_process_and_order()
    {
        var report = await JsonAsync(0, $"sim explore calm-day reconnect-storm --runs 8 --jobs 2 --check-every 4 --out {_directory} --json");
        Assert.Equal(16, report.GetProperty("runs").GetInt32());
        foreach (var figure in new[] { "steps", "simulatedSeconds", "wallSeconds", "stepsPerSecond", "timeRatio" }) Assert.True(report.GetProperty(figure).GetDouble() > 0, figure);
        Assert.Equal((4, 0), (report.GetProperty("determinism").GetProperty("checked").GetInt32(), report.GetProperty("determinism").GetProperty("mismatches").GetInt32()));
        Assert.Equal(0, report.GetProperty("violations").GetArrayLength());
        Assert.Equal(Coverage.Machines.First(machine => machine.Name == "command").Transitions.Count(), report.GetProperty("coverage").GetProperty("command").GetProperty("total").GetInt32());
        Assert.Contains("Started", report.GetProperty("reached").GetProperty("hit").EnumerateArray().Select(point => point.GetString()));
        var again = await JsonAsync(0, $"sim explore reconnect-storm calm-day --runs 8 --jobs 1 --out {_directory} --json");
        Assert.Equal(report.GetProperty("hash").GetString(), again.GetProperty("hash").GetString());
    }

    [Fact]
    public async Task The_list_names_what_there_is()
    {
        var list = await JsonAsync(0, "sim list --json");
        Assert.Equal(InvariantCatalogue.All().Select(invariant => invariant.Id), list.GetProperty("invariants").EnumerateArray().Select(row => row.GetProperty("id").GetString()));
        Assert.Contains("everything-at-once", list.GetProperty("scenarios").EnumerateArray().Select(row => row.GetProperty("name").GetString()));
        Assert.Contains("JournalUnknown", list.GetProperty("reachedPoints").EnumerateArray().Select(row => row.GetProperty("name").GetString()));
        Assert.Contains("two-kernels", list.GetProperty("faults").EnumerateArray().Select(row => row.GetProperty("name").GetString()));
    }

    [Fact]
    public async Task A_new_scenario_is_valid_runs_and_is_not_written_over()
    {
        var folder = Path.Combine(_directory, "mine");
        var made = await JsonAsync(0, $"sim new my-bad-day --folder {folder} --json");
        var path = made.GetProperty("file").GetString()!;
        Assert.True(File.Exists(Path.Combine(folder, "scenario.schema.json")));
        Assert.Equal(1, (await JsonAsync(0, $"sim validate {folder} --json")).GetProperty("good").GetInt32());
        Assert.Equal("my-bad-day", (await JsonAsync(0, $"sim run {path} --json")).GetProperty("scenario").GetString());
        var (exit, _, errors) = await CommandLineTests.RunAsync($"sim new my-bad-day --folder {folder}");
        Assert.Equal(2, exit);
        Assert.Contains("is there already", errors, StringComparison.Ordinal);
        Assert.Equal(2, (await CommandLineTests.RunAsync($"sim new BadName --folder {folder}")).Exit);
    }

    [Fact]
    public async Task What_is_wrong_with_a_file_is_told_with_its_place_by_every_command_and_exits_with_2()
    {
        var path = Path.Combine(_directory, "wrong.yaml");
        await File.WriteAllTextAsync(path, "name: wrong\nfleet: { wrokers: 3 }\nfaults:\n  - strom: { times: 1 }\n");
        var validated = await JsonAsync(2, $"sim validate {path} --json");
        Assert.Equal([(2, 10), (4, 5)], validated.GetProperty("problems").EnumerateArray().Select(problem => (problem.GetProperty("line").GetInt32(), problem.GetProperty("column").GetInt32())));
        foreach (var command in new[] { $"sim run {path}", $"sim explore {path} --runs 1", $"sim validate {path}" })
        {
            var (exit, output, errors) = await CommandLineTests.RunAsync(command);
            Assert.Equal(2, exit);
            Assert.Contains($"{path}:2:10: There is no key 'wrokers' in 'fleet'. Did you mean 'workers'?", output + errors, StringComparison.Ordinal);
        }

        var (unknown, _, said) = await CommandLineTests.RunAsync("sim run reconect-storm");
        Assert.Equal(2, unknown);
        Assert.Contains("Did you mean 'reconnect-storm'?", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_violation_is_shrunk_written_told_and_replayed()
    {
        // A store that takes longer to open than recovery may: the product is well, the world is not.
        var path = Path.Combine(_directory, "slow-start.yaml");
        await File.WriteAllTextAsync(path, "name: slow-start\nfleet: { workers: 5..8 }\nstore: { open: 30s..40s }\nworkload: { commandsPerSecond: 5 }\nhealAt: 40s\nduration: 60s\n");
        var runs = Path.Combine(_directory, "runs");
        var report = await JsonAsync(1, $"sim explore {path} --runs 2 --out {runs} --json");
        var shrunk = report.GetProperty("shrunk")[0];
        Assert.Equal("L5", shrunk.GetProperty("invariant").GetString());
        Assert.True(shrunk.GetProperty("deterministic").GetBoolean());
        Assert.Equal(1, shrunk.GetProperty("shrunk").GetProperty("workers").GetInt32());
        Assert.True(File.Exists(shrunk.GetProperty("reportFile").GetString()));

        var min = shrunk.GetProperty("shrunkFile").GetString()!;
        Assert.True((await JsonAsync(1, $"sim replay {min} --json")).GetProperty("identical").GetBoolean());
        var (text, story, _) = await CommandLineTests.RunAsync($"sim report {min} --format text --slice");
        Assert.Equal(0, text);
        Assert.Contains("VIOLATED L5", story, StringComparison.Ordinal);
        Assert.Contains("events happened before it; the story tells of no other", story, StringComparison.Ordinal);
        var trace = (await JsonAsync(0, $"sim report {min} --format perfetto --json")).GetProperty("file").GetString()!;
        var events = JsonElement.Parse(await File.ReadAllTextAsync(trace)).GetProperty("traceEvents");
        Assert.Contains("VIOLATED L5", events.EnumerateArray().Select(one => one.GetProperty("name").GetString()));

        var kept = Path.Combine(_directory, "kept", "regression-slow-start.yaml");
        var (exit, card, _) = await CommandLineTests.RunAsync($"sim shrink {shrunk.GetProperty("runFile").GetString()} --out {Path.Combine(_directory, "again.json")} --scenario {kept}");
        Assert.Equal(0, exit);
        Assert.Equal($"ork sim replay {Path.Combine(_directory, "again.json")} --events", card.TrimEnd().Split('\n')[^1]);
        Assert.Equal(0, (await CommandLineTests.RunAsync($"sim validate {kept}")).Exit);
    }

    private static async Task<JsonElement> JsonAsync(int exit, string arguments)
    {
        var (code, output, errors) = await CommandLineTests.RunAsync(arguments);
        Assert.True(code == exit, $"exit {code}: {output}{errors}");
        return JsonElement.Parse(output);
    }
}
