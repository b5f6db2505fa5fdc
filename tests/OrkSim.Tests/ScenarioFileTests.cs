using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Json.Schema;
using Ork.Kernel;
using YamlDotNet.RepresentationModel;

namespace OrkSim.Tests;

/// <summary>Scenario files: what they say is what runs, and what is wrong with one is told with its place.</summary>
public sealed class ScenarioFileTests
{
    private static readonly JsonSchema Schema = JsonSchema.FromText(ScenarioSchema.Write());

    public static IEnumerable<object[]> Files => ScenarioCatalogue.All.Select(scenario => new object[] { scenario.Name });

    [Theory]
    [InlineData("name: a\nfleat: { workers: 3 }", 2, 1, "There is no key 'fleat'. Did you mean 'fleet'?")]
    [InlineData("name: a\nfleet: { wrokers: 3 }", 2, 10, "There is no key 'wrokers' in 'fleet'. Did you mean 'workers'?")]
    [InlineData("name: a\nworkers: 3", 2, 1, "It stands in 'fleet'.")]
    [InlineData("name: a\nfleet: { duration: 3s }", 2, 10, "It stands at the top.")]
    [InlineData("name: a\nfleet: { xyzzy: 3 }", 2, 10, "There are workers, devicesPerWorker,")]
    [InlineData("name: a\nfleet: { workers: three }", 2, 19, "'workers': 'three' is neither a whole number nor a range, such as 5 or 5..40.")]
    [InlineData("name: a\nfleet: { workers: 9..3 }", 2, 19, "goes down")]
    [InlineData("name: a\nfleet: { workers: 0 }", 2, 19, "outside of 1 to 500")]
    [InlineData("name: a\nfleet: { workers: -1 }", 2, 19, "neither a whole number nor a range")]
    [InlineData("name: a\nfleet: { workers: [1, 2] }", 2, 19, "takes a whole number or a range")]
    [InlineData("name: a\nfleet: { link: dail }", 2, 16, "none of announce, dial, mixed. Did you mean 'dial'?")]
    [InlineData("name: a\nfleet: 7", 2, 8, "'fleet' holds keys of its own")]
    [InlineData("name: a\nkernel: 7", 2, 9, "such as 'loop', which holds 'inboxLimit'")]
    [InlineData("name: a\nkernel: { windowPerWorker: 3 }", 2, 11, "It stands in 'kernel.commands'.")]
    [InlineData("name: a\nkernel: { commands: { maxOpen: 0 } }", 2, 32, "outside of 1 to")]
    [InlineData("name: a\nkernel: { health: { pingTimeoutMs: 500..6000 } }", 2, 1, "'schedule.healthIntervalMs' (5000) may come to be below 'health.pingTimeoutMs' (500..6000)")]
    [InlineData("name: a\nnetwork: { latency: 5 }", 2, 21, "neither a duration with its unit (us, ms, s, m or h)")]
    [InlineData("name: a\nnetwork: { latency: 5ms..1ms }", 2, 21, "goes down")]
    [InlineData("name: a\nhealAt: soon", 2, 9, "no duration with its unit")]
    [InlineData("name: a\nhealAt: 60s\nduration: 60s", 3, 11, "not after 'healAt'")]
    [InlineData("name: a\nworkload: { audit: yes }", 2, 20, "neither true nor false")]
    [InlineData("name: a\nworkload: { commands: { reboot: 0, set-power-mode: 0 } }", 1, 1, "no command could be sent")]
    [InlineData("name: a\nworkload: { commands: { rebot: 1 } }", 2, 25, "Did you mean 'reboot'?")]
    [InlineData("name: a\nfaults:\n  - strom: { times: 1 }", 3, 5, "There is no fault 'strom'. Did you mean 'storm'?")]
    [InlineData("name: a\nfaults:\n  - storm", 3, 5, "never strikes: give it 'times' or 'perMinute'")]
    [InlineData("name: a\nfaults:\n  - storm: { times: 1, downFor: 3s }", 3, 24, "The fault 'storm' has no key 'downFor'. It has perMinute, times, at, fraction.")]
    [InlineData("name: a\nfaults:\n  - worker-crash: { perMinute: 1, downfor: 3s }", 3, 35, "Did you mean 'downFor'?")]
    [InlineData("name: a\nfaults:\n  - storm:\n    times: 1", 3, 5, "A fault is one name with its keys")]
    [InlineData("name: a\nfaults: { storm: { times: 1 } }", 2, 9, "'faults' is a list")]
    [InlineData("name: a\nfaults:\n  - storm: { times: 1, at: never }", 3, 28, "neither a duration")]
    [InlineData("name: a\ncheck: [S1, S99]", 2, 13, "There is no invariant 'S99'.")]
    [InlineData("name: a\ncheck: S1", 2, 8, "'check' is a list of words")]
    [InlineData("name: a\nreaches: [CommandRetri]", 2, 11, "Did you mean 'CommandRetry'?")]
    [InlineData("name: a\nbudget: { swarm: many }", 2, 18, "no whole number from 0 to")]
    [InlineData("name: Big Name", 1, 7, "small letters, digits and dashes")]
    [InlineData("description: nameless", 1, 1, "'name' is missing")]
    [InlineData("name: a\nname: b", 2, 1, "uplicate key")]
    [InlineData("name: a\nfleet: { workers: 3\n", 3, 1, "did not find expected")]
    [InlineData("name: a\nfleet:\n\tworkers: 3", 3, 1, "A tab: YAML is indented with spaces.")]
    [InlineData("- name: a", 1, 1, "A scenario is a map of keys")]
    [InlineData("", 1, 1, "The file is empty.")]
    [InlineData("name: a\n---\nname: b", 1, 1, "more than one document")]
    public void What_is_wrong_is_told_with_its_place_and_what_was_perhaps_meant(string text, int line, int column, string message)
    {
        var problem = Assert.Throws<ScenarioException>(() => ScenarioFile.Parse(text, "a.yaml")).Problems[0];
        Assert.Contains(message, problem.Message, StringComparison.Ordinal);
        Assert.Equal(("a.yaml", (long)line, (long)column), (problem.File, problem.Line, problem.Column));
    }

    [Fact]
    public void Everything_that_is_wrong_is_told_at_once()
    {
        var problems = Assert.Throws<ScenarioException>(() => ScenarioFile.Parse("name: a\nfleet: { wrokers: 3, link: dail }\nfaults:\n  - strom\n", "a.yaml")).Problems;
        Assert.Equal([10, 28, 5], problems.Select(problem => problem.Column));
    }

    [Fact]
    public void A_file_that_is_named_otherwise_is_no_text_or_is_not_there_is_refused()
    {
        var directory = Directory.CreateTempSubdirectory("ork-scenario").FullName;
        var path = Path.Combine(directory, "b.yaml");
        Assert.Contains("cannot be read", Assert.Throws<ScenarioException>(() => ScenarioFile.Read(path)).Message, StringComparison.Ordinal);
        File.WriteAllText(path, "# first\nname: a\n");
        Assert.Equal("b.yaml:2:1", Path.GetFileName(Assert.Throws<ScenarioException>(() => ScenarioFile.Read(path)).Message.Split(": ")[0]));
        File.WriteAllBytes(path, [0xc3, 0x28]);
        Assert.Contains("cannot be read", Assert.Throws<ScenarioException>(() => ScenarioFile.Read(path)).Message, StringComparison.Ordinal);
        Directory.Delete(directory, recursive: true);
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void A_scenario_written_is_the_scenario_read(string name)
    {
        var text = ScenarioYaml.Write(ScenarioCatalogue.Find(name)!);
        Assert.Equal(text, ScenarioYaml.Write(ScenarioFile.Parse(text, name)));

        // Concrete ones too: they are what a shrunk run leaves behind.
        var concrete = ScenarioArbitrary.Concrete(ScenarioCatalogue.Find(name)!, 3);
        Assert.Equal(ScenarioYaml.Write(concrete), ScenarioYaml.Write(ScenarioFile.Parse(ScenarioYaml.Write(concrete), name)));
    }

    [Fact]
    public void A_fault_that_was_drawn_away_is_written_and_read_as_one_that_strikes_no_times()
    {
        var drawn = ScenarioFile.Parse("name: a\nfaults:\n  - storm: { times: 0, at: 3s }", "a");
        Assert.Equal(0, Assert.Single(drawn.Faults).Times.Max);
        Assert.Contains("storm: { times: 0, at: 3s }", ScenarioYaml.Write(drawn), StringComparison.Ordinal);
        Assert.True(Accepts(ScenarioYaml.Write(drawn)));
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void The_schema_takes_what_the_reader_takes(string name) => Assert.True(Accepts(ScenarioYaml.Write(ScenarioCatalogue.Find(name)!)));

    [Theory]
    [InlineData("fleat: { workers: 3 }")]
    [InlineData("fleet: { wrokers: 3 }")]
    [InlineData("fleet: { workers: three }")]
    [InlineData("fleet: { workers: 0 }")]
    [InlineData("fleet: { link: dail }")]
    [InlineData("fleet: 7")]
    [InlineData("network: { latency: 5 }")]
    [InlineData("faults:\n  - strom: { times: 1 }")]
    [InlineData("faults:\n  - storm: { }")]
    [InlineData("faults:\n  - storm: { times: 1, downFor: 3s }")]
    [InlineData("check: [S1, S99]")]
    [InlineData("reaches: [CommandRetri]")]
    public void The_schema_refuses_what_the_reader_refuses(string wrong)
    {
        Assert.Throws<ScenarioException>(() => ScenarioFile.Parse("name: a\n" + wrong, "a.yaml"));
        Assert.False(Accepts("name: a\n" + wrong));
    }

    [Fact]
    public void The_schema_beside_the_scenarios_and_the_page_of_keys_are_current()
    {
        var folder = Path.Combine(Root(), "scenarios");
        var readme = File.ReadAllText(Path.Combine(folder, "README.md"));
        if (Environment.GetEnvironmentVariable("ORK_WRITE_DOCS") == "1")
        {
            File.WriteAllText(Path.Combine(folder, ScenarioSchema.FileName), ScenarioSchema.Write());
            File.WriteAllText(Path.Combine(folder, "README.md"), readme = readme[..readme.IndexOf(ScenarioPage.First, StringComparison.Ordinal)] + ScenarioPage.Write());
        }

        Assert.Equal(ScenarioSchema.Write(), File.ReadAllText(Path.Combine(folder, ScenarioSchema.FileName)));
        Assert.Equal(ScenarioPage.Write(), readme[readme.IndexOf(ScenarioPage.First, StringComparison.Ordinal)..]);
    }

    [Fact]
    public void Scenarios_of_the_folder_are_the_built_in_ones() => Assert.Equal(
        ScenarioFolder.FilesOf(Path.Combine(Root(), "scenarios")).Select(Path.GetFileNameWithoutExtension), ScenarioCatalogue.All.Select(scenario => scenario.Name));

    [Fact]
    public void A_concrete_scenario_is_the_seeds_and_has_nothing_left_to_draw()
    {
        foreach (var scenario in ScenarioCatalogue.All)
        {
            var concrete = ScenarioArbitrary.Concrete(scenario, 5);
            Assert.Equal(ScenarioYaml.Write(concrete), ScenarioYaml.Write(ScenarioArbitrary.Concrete(scenario, 5)));
            Assert.Equal(ScenarioYaml.Write(concrete), ScenarioYaml.Write(ScenarioArbitrary.Concrete(concrete, 6) with { Faults = concrete.Faults }));
        }

        var workers = Enumerable.Range(1, 200).Select(seed => ScenarioArbitrary.Concrete(ScenarioCatalogue.Find("reconnect-storm")!, (ulong)seed).Fleet.Workers.Min).ToArray();
        Assert.Equal((10, 40), (workers.Min(), workers.Max()));
    }

    [Theory]
    [InlineData("everything-at-once", 4)]
    [InlineData("any-durations", 9)]
    public void Smaller_scenarios_are_scenarios_and_end_with_one_that_has_nothing_smaller(string name, ulong seed)
    {
        var at = ScenarioArbitrary.Concrete(ScenarioCatalogue.Find(name)!, seed);
        var steps = 0;
        while (ScenarioArbitrary.Smaller(at).FirstOrDefault() is { } smaller)
        {
            foreach (var offered in ScenarioArbitrary.Smaller(at)) ScenarioFile.Parse(ScenarioYaml.Write(offered), at.Name);
            at = smaller;
            Assert.True(++steps < 500, "It never ends.");
        }

        Assert.Empty(at.Faults);
        Assert.Equal((1, 1), (at.Fleet.Workers.Min, at.Fleet.DevicesPerWorker.Min));
    }

    [Fact]
    public void Whatever_number_the_kernel_is_configured_with_a_scenario_can_set()
    {
        foreach (var (section, name) in NumbersOf(typeof(KernelOptions)))
        {
            // Of two values one at least contradicts no other option.
            Assert.Contains(new[] { 7, 70_000 }, value =>
            {
                try
                {
                    var scenario = ScenarioFile.Parse($"name: a\nkernel: {{ {section}: {{ {name}: {value} }} }}", "a.yaml");
                    var options = JsonSerializer.SerializeToElement(new SimWorld(scenario, new SeededChoices(1), new WatchOptions()).KernelOptions, JsonSerializerOptions.Web);
                    return options.GetProperty(section).GetProperty(name).GetInt64() == value;
                }
                catch (ScenarioException e) when (e.Message.Contains("a kernel refuses that", StringComparison.Ordinal))
                {
                    return false;
                }
            });
        }
    }

    private static IEnumerable<(string Section, string Name)> NumbersOf(Type options) =>
        from section in options.GetProperties().Where(property => property.PropertyType.Namespace == options.Namespace)
        from number in section.PropertyType.GetProperties().Where(static property => property.PropertyType == typeof(int) || property.PropertyType == typeof(long))
        select (JsonNamingPolicy.CamelCase.ConvertName(section.Name), JsonNamingPolicy.CamelCase.ConvertName(number.Name));

    private static bool Accepts(string yaml)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(yaml));
        return Schema.Evaluate(JsonSerializer.SerializeToElement(Json(stream.Documents[0].RootNode))).IsValid;
    }

    private static JsonNode? Json(YamlNode node) => node switch
    {
        YamlMappingNode map => new JsonObject(map.Children.Select(pair => KeyValuePair.Create(((YamlScalarNode)pair.Key).Value!, Json(pair.Value)))),
        YamlSequenceNode list => new JsonArray([.. list.Children.Select(Json)]),
        YamlScalarNode { Value: "true" or "false" } flag => flag.Value == "true",
        YamlScalarNode { Style: YamlDotNet.Core.ScalarStyle.Plain } plain when long.TryParse(plain.Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole) => whole,
        YamlScalarNode { Style: YamlDotNet.Core.ScalarStyle.Plain } plain when double.TryParse(plain.Value, NumberStyles.Float, CultureInfo.InvariantCulture, out var real) => real,
        YamlScalarNode scalar => scalar.Value,
        _ => null,
    };

    private static string Root()
    {
        var at = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(at.FullName, "OrkSim.sln"))) at = at.Parent!;
        return at.FullName;
    }
}
