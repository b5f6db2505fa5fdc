using System.Text.Json;

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
        Assert.Equal(28, report.GetProperty("coverage").GetProperty("command").GetProperty("total").GetInt32());
        Assert.Contains("Started", report.GetProperty("reached").GetProperty("hit").EnumerateArray().Select(point => point.GetString()));
        var again = await JsonAsync(0, $"sim explore reconnect-storm calm-day --runs 8 --jobs 1 --out {_directory} --json");
        Assert.Equal(report.GetProperty("hash").GetString(), again.GetProperty("hash").GetString());
    }

    [Fact]
    public async Task The_list_names_what_there_is()
    {
        var list = await JsonAsync(0, "sim list --json");
        Assert.Equal(24, list.GetProperty("invariants").GetArrayLength());
        Assert.Contains("everything-at-once", list.GetProperty("scenarios").EnumerateArray().Select(row => row.GetProperty("name").GetString()));
        Assert.Contains("two-kernels", list.GetProperty("faults").EnumerateArray().Select(row => row.GetProperty("name").GetString()));
    }

    private static async Task<JsonElement> JsonAsync(int exit, string arguments)
    {
        var (code, output, errors) = await CommandLineTests.RunAsync(arguments);
        Assert.True(code == exit, $"exit {code}: {output}{errors}");
        return JsonElement.Parse(output);
    }
}
