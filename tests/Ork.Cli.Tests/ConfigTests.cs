using System.Text.Json;
using Ork.Cli.Commands;
using Ork.Cli.Hosting;
using Ork.Kernel;
using Ork.Kernel.Tests;

namespace Ork.Cli.Tests;

public sealed class ConfigTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("ork-config").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void What_a_file_does_not_say_keeps_its_default()
    {
        var config = Load("""{ "kernel": { "commands": { "maxRetries": 0, /* never */ "attemptTimeoutMs": 700, } } }""").Validated();
        Assert.Equal((0, 700L), (config.Kernel.Commands.MaxRetries, config.Kernel.Commands.AttemptTimeoutMs));
        Assert.Equal(new CommandOptions().WindowPerWorker, config.Kernel.Commands.WindowPerWorker);
    }

    [Theory]
    [InlineData("""{ "kernal": {} }""", "kernal")]
    [InlineData("""{ "kernel": { "commands": { "maxRetires": 3 } } }""", "maxRetires")]
    [InlineData("""{ "kernel": { "commands": { "maxRetries": "3" } } }""", "$.kernel.commands.maxRetries")]
    [InlineData("{\n  \"data\": \n}", "ork.json:3:")]
    public void A_file_that_cannot_be_read_says_where_and_why(string json, string expected) =>
        Assert.Contains(expected, Assert.Throws<ConfigException>(() => Load(json)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("""{ "kernel": { "loop": { "inboxLimit": 0 } } }""", "kernel.loop.inboxLimit: must be above 0")]
    [InlineData("""{ "kernel": { "schedule": { "stateIntervalMs": -5 } } }""", "kernel.schedule.stateIntervalMs: must be above 0")]
    [InlineData("""{ "kernel": { "commands": null } }""", "kernel.commands: must not be null")]
    [InlineData("""{ "listen": null }""", "listen: must not be null")]
    [InlineData("""{ "discovery": { "static": [null] } }""", "discovery.static: must not hold null")]
    [InlineData("""{ "listen": ["http://x"] }""", "listen: 'http://x' is not unix:/path, of 108 bytes at most, or tcp://host:port")]
    [InlineData("""{ "allowWorkers": ["me"] }""", "'me' is not a key: sha256: and 64 hex digits")]
    [InlineData("""{ "maxFrameBytes": 5 }""", "maxFrameBytes: must be from 1024 to 67108864")]
    [InlineData("""{ "otlp": "somewhere" }""", "otlp: 'somewhere' is not a URL")]
    [InlineData("""{ "kernel": { "health": { "pingTimeoutMs": 60000 } } }""", "kernel.schedule.healthIntervalMs: must not be below kernel.health.pingTimeoutMs")]
    [InlineData("""{ "kernel": { "commands": { "backoffCapMs": 5 } } }""", "kernel.commands.backoffCapMs: must not be below kernel.commands.backoffBaseMs")]
    [InlineData("""{ "kernel": { "links": { "retryCapMs": 5 } } }""", "kernel.links.retryCapMs: must not be below kernel.links.retryBaseMs")]
    [InlineData("""{ "kernel": { "circuits": { "coolDownCapMs": 5 } } }""", "kernel.circuits.coolDownCapMs: must not be below kernel.circuits.coolDownBaseMs")]
    public void A_value_that_cannot_be_used_is_named(string json, string expected) =>
        Assert.Contains(expected, Assert.Throws<ConfigException>(() => Load(json).Validated()).Message, StringComparison.Ordinal);

    [Fact]
    public void All_problems_are_told_at_once()
    {
        var message = Assert.Throws<ConfigException>(() => Load("""{ "listen": ["x"], "otlp": "y" }""").Validated()).Message;
        Assert.Equal(2, message.Split('\n').Length);
    }

    [Fact]
    public void The_printed_configuration_can_be_read_back_and_names_every_bound()
    {
        var json = JsonSerializer.Serialize(new KernelConfig { Data = "/x" }, KernelConfig.Json);
        Assert.Equal(json, JsonSerializer.Serialize(Load(json), KernelConfig.Json));
        foreach (var section in typeof(KernelOptions).GetProperties().Where(property => property.PropertyType.IsClass && property.PropertyType != typeof(string)))
        {
            foreach (var bound in section.PropertyType.GetProperties()) Assert.Contains($"\"{JsonNamingPolicy.CamelCase.ConvertName(bound.Name)}\"", json, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Discovery_reads_its_folder_again_and_passes_over_what_is_half_written()
    {
        var key = "sha256:" + new string('a', 64);
        var log = new Lines();
        var discovery = new ConfiguredDiscovery(new DiscoveryConfig { Static = [new StaticTarget("tcp://127.0.0.1:1")], Directory = _directory }, log);
        Assert.Single(await discovery.FindAsync());
        File.WriteAllText(Path.Combine(_directory, "a"), $"unix:/a {key}\n");
        File.WriteAllText(Path.Combine(_directory, "b"), "unix:/b sha256:12");
        File.WriteAllText(Path.Combine(_directory, "c"), "");
        File.WriteAllText(Path.Combine(_directory, "d"), $"unix:/a another of the same");
        File.WriteAllText(Path.Combine(_directory, "e"), $"unix:/a {key[..^1]}b");
        string[] found = ["tcp://127.0.0.1:1 ", $"unix:/a {key}"];
        Assert.Equal(found, (await discovery.FindAsync()).Select(target => $"{target.Endpoint} {target.PeerKey}"));

        // What is found wrong twice in a row is not about to be right.
        Assert.Empty(log.Text);
        for (var i = 0; i < 3; i++) Assert.Equal(found, (await discovery.FindAsync()).Select(target => $"{target.Endpoint} {target.PeerKey}"));
        Assert.Equal(["b", "d"], log.Text.Select(line => Path.GetFileName(line.Split(": what follows the endpoint is no key")[0])));
        File.WriteAllText(Path.Combine(_directory, "b"), "wrong in another way");
        for (var i = 0; i < 3; i++) await discovery.FindAsync();
        Assert.EndsWith("b: it does not begin with unix:/path, of 108 bytes at most, or tcp://host:port", Assert.Single(log.Text.Skip(2)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_discovery_folder_that_is_not_there_tells_nothing_rather_than_that_there_is_nobody()
    {
        var folder = Path.Combine(_directory, "targets");
        var discovery = new ConfiguredDiscovery(new DiscoveryConfig { Static = [new StaticTarget("tcp://127.0.0.1:1")], Directory = folder }, new Lines());
        await Assert.ThrowsAsync<DirectoryNotFoundException>(async () => await discovery.FindAsync());
        Directory.CreateDirectory(folder);
        Assert.Single(await discovery.FindAsync());
    }

    [Fact]
    public void Parameters_are_JSON_where_they_can_be_and_text_otherwise()
    {
        Assert.Equal("""{"n":1.5,"b":true,"s":"low","q":"1","o":{"x":[1]},"e":"","eq":"a=b"}""",
            CommandCommands.ParseParams(["n=1.5", "b=true", "s=low", "q=\"1\"", "o={\"x\":[1]}", "e=", "eq=a=b"])!.ToJsonString());
        Assert.Null(CommandCommands.ParseParams(["novalue"]));
        Assert.Null(CommandCommands.ParseParams(["=x"]));
    }

    private KernelConfig Load(string json)
    {
        var path = Path.Combine(_directory, "ork.json");
        File.WriteAllText(path, json);
        var config = KernelConfig.Load(path);
        File.Delete(path);
        return config;
    }
}
