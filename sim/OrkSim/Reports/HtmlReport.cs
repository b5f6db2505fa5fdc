using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace OrkSim;

/// <summary>How a report is made.</summary>
public sealed record HtmlReportOptions
{
    /// <summary>Where the run file is, for the command that replays it.</summary>
    public string RunFile { get; init; } = "run.json";

    /// <summary>True: the page begins with nothing shown that did not happen before the violation.</summary>
    public bool OnlyBefore { get; init; }

    /// <summary>Faults that the scenario may name besides the built-in ones.</summary>
    public IReadOnlyList<IFault> Faults { get; init; } = [];
}

/// <summary>A run as one page that needs nothing else: no network, no other file.</summary>
public static class HtmlReport
{
    private const string Folder = "report/";

    /// <summary>Writes the page.</summary>
    public static void Write(RunFile file, string path, HtmlReportOptions options)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } directory) Directory.CreateDirectory(directory);
        File.WriteAllText(path, Page(file, options), new UTF8Encoding(false));
    }

    /// <summary>The page.</summary>
    public static string Page(RunFile file, HtmlReportOptions options)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentNullException.ThrowIfNull(options);

        // The default encoder writes < and > escaped, so that no envelope can end the element.
        var data = DataOf(new RunReading(file), options).ToJsonString(JsonSerializerOptions.Default);
        return Part("report.html")
            .Replace("{{title}}", System.Net.WebUtility.HtmlEncode($"{file.Scenario.Name}, {file.Gear}, seed {file.Seed}: {file.Verdict}"), StringComparison.Ordinal)
            .Replace("{{css}}", Part("report.css"), StringComparison.Ordinal)
            .Replace("{{js}}", Part("report.js"), StringComparison.Ordinal)
            .Replace("{{data}}", data, StringComparison.Ordinal);
    }

    private static JsonObject DataOf(RunReading reading, HtmlReportOptions options)
    {
        var file = reading.File;
        var story = Story.Of(reading, onlyBefore: reading.Violation is not null);
        var violation = file.Violations is [var first, ..] ? first : null;
        return new JsonObject
        {
            ["scenario"] = file.Scenario.Name,
            ["description"] = file.Scenario.Description,
            ["yaml"] = ScenarioYaml.Write(file.Scenario, options.Faults),
            ["gear"] = file.Gear,
            ["seed"] = file.Seed.ToString(System.Globalization.CultureInfo.InvariantCulture),
            ["commit"] = file.Commit,
            ["verdict"] = file.Verdict,
            ["steps"] = file.Steps,
            ["seconds"] = file.SimulatedSeconds,
            ["hash"] = file.Hash,
            ["size"] = JsonSerializer.SerializeToNode(file.Size, JsonSerializerOptions.Web),
            ["shrunkFrom"] = JsonSerializer.SerializeToNode(file.ShrunkFrom, JsonSerializerOptions.Web),
            ["violation"] = violation is null ? null : new JsonObject { ["id"] = violation.Invariant, ["says"] = violation.Says, ["message"] = violation.Message, ["step"] = violation.Step, ["seconds"] = violation.Seconds },
            ["replay"] = $"ork sim replay {options.RunFile} --events",
            ["onlyBefore"] = options.OnlyBefore && violation is not null,
            ["nodes"] = new JsonArray([.. file.Nodes.Select(static node => new JsonObject { ["name"] = node.Name, ["kind"] = node.Kind.ToString() })]),
            ["events"] = EventsOf(file.Events),
            ["arrivals"] = Numbers(reading.Arrivals),
            ["about"] = Words(reading.About),
            ["story"] = new JsonArray([.. story.Lines.Select(static line => new JsonObject { ["event"] = line.Event, ["ms"] = line.Ms, ["who"] = line.Who, ["text"] = line.Text })]),
            ["storyLeftOut"] = story.LeftOut,
            ["storyNames"] = JsonSerializer.SerializeToNode(story.Names),
            ["machines"] = new JsonArray([.. Coverage.Machines.Select(MachineOf)]),
        };
    }

    /// <summary>Events by columns, words by their numbers in one table: a third of the size, and quick to read.</summary>
    private static JsonObject EventsOf(IReadOnlyList<EventLine> events)
    {
        var words = new List<string>();
        var numbers = new Dictionary<string, int>(StringComparer.Ordinal);
        int Number(string? word)
        {
            if (word is null) return -1;
            if (numbers.TryGetValue(word, out var number)) return number;
            numbers.Add(word, words.Count);
            words.Add(word);
            return words.Count - 1;
        }

        var columns = new JsonObject
        {
            ["ms"] = new JsonArray([.. events.Select(static line => (JsonNode)line.Ms)]),
            ["step"] = new JsonArray([.. events.Select(static line => (JsonNode)line.Step)]),
            ["kind"] = Numbers(events.Select(line => Number(line.Kind))),
            ["node"] = Numbers(events.Select(line => Number(line.Node))),
            ["peer"] = Numbers(events.Select(line => Number(line.Peer))),
            ["link"] = Numbers(events.Select(static line => line.Link ?? -1)),
            ["frame"] = Numbers(events.Select(line => Number(line.Frame))),
            ["correlation"] = new JsonArray([.. events.Select(static line => (JsonNode)(line.Correlation ?? 0))]),
            ["subject"] = Numbers(events.Select(line => Number(line.Subject))),
            ["detail"] = Numbers(events.Select(line => Number(line.Detail))),
            ["forMs"] = new JsonArray([.. events.Select(static line => (JsonNode)(line.ForMs ?? 0))]),
            ["about"] = new JsonArray([.. events.Select(line => line.About is null ? null : Numbers(line.About.Select(Number)))]),
            ["saw"] = new JsonArray([.. events.Select(static line => line.Saw is null ? null : Numbers(line.Saw))]),
        };
        columns["words"] = Words(words);
        return columns;
    }

    private static JsonObject MachineOf(Ork.Kernel.IMachineDefinition machine) => new()
    {
        ["name"] = machine.Name,
        ["initial"] = machine.ToMermaid().Split("[*] --> ")[^1].Trim(),
        ["transitions"] = new JsonArray([.. machine.Transitions.Select(static row => new JsonArray(row.From, row.Trigger, row.To))]),
    };

    private static JsonArray Numbers(IEnumerable<int> numbers) => new([.. numbers.Select(static number => (JsonNode)number)]);

    private static JsonArray Words(IEnumerable<string> words) => new([.. words.Select(static word => (JsonNode)word)]);

    private static string Part(string name)
    {
        using var reader = new StreamReader(typeof(HtmlReport).Assembly.GetManifestResourceStream(Folder + name)!);
        return reader.ReadToEnd();
    }
}
