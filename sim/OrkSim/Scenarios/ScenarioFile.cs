using System.Globalization;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace OrkSim;

/// <summary>Something wrong with a scenario file.</summary>
/// <param name="File">The file.</param>
/// <param name="Line">The line, from 1.</param>
/// <param name="Column">The column, from 1.</param>
/// <param name="Message">What is wrong, and what was perhaps meant.</param>
public sealed record ScenarioProblem(string File, long Line, long Column, string Message)
{
    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{File}:{Line}:{Column}: {Message}");
}

/// <summary>Scenario files: YAML, every key of which is in <see cref="ScenarioSchema"/>.</summary>
public static class ScenarioFile
{
    /// <summary>The largest file that is read, in bytes.</summary>
    public const long MaxBytes = 1 << 20;

    /// <summary>Reads a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="faults">Faults it may name besides the built-in ones.</param>
    /// <exception cref="ScenarioException">It cannot be read, or says something that no scenario says; all of what is wrong with it is told.</exception>
    public static Scenario Read(string path, IReadOnlyList<IFault>? faults = null)
    {
        ArgumentNullException.ThrowIfNull(path);
        string text;
        try
        {
            if (new FileInfo(path) is { Exists: true, Length: > MaxBytes }) throw new ScenarioException($"{path} is larger than {MaxBytes >> 10} KiB: no scenario is.");
            text = File.ReadAllText(path, new System.Text.UTF8Encoding(false, throwOnInvalidBytes: true));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or System.Text.DecoderFallbackException)
        {
            throw new ScenarioException($"{path} cannot be read: {e.Message}");
        }

        var scenario = Parse(text, path, faults);
        var name = Path.GetFileNameWithoutExtension(path);
        return scenario.Name == name ? scenario : throw new ScenarioException([new ScenarioProblem(path, LineOfName(text), 1, $"The scenario is named '{scenario.Name}' but its file '{name}': they are found by their files, so both must be the same.")]);
    }

    /// <summary>Reads the text of a file.</summary>
    /// <param name="text">The text.</param>
    /// <param name="path">The name that errors give it.</param>
    /// <param name="faults">Faults it may name besides the built-in ones.</param>
    /// <exception cref="ScenarioException">It says something that no scenario says; all of what is wrong with it is told.</exception>
    public static Scenario Parse(string text, string path, IReadOnlyList<IFault>? faults = null)
    {
        ArgumentNullException.ThrowIfNull(text);
        var reader = new Reader(path, [.. FaultCatalogue.All(), .. faults ?? []]);
        var scenario = reader.Read(text);
        return reader.Problems.Count == 0 ? scenario : throw new ScenarioException(reader.Problems);
    }

    private static int LineOfName(string text) => 1 + text.Split('\n').TakeWhile(static line => !line.StartsWith("name:", StringComparison.Ordinal)).Count();

    private sealed class Reader(string path, IReadOnlyList<IFault> faults)
    {
        internal List<ScenarioProblem> Problems { get; } = [];

        internal Scenario Read(string text)
        {
            var scenario = new Scenario { Name = "" };
            if (Array.FindIndex(text.Split('\n'), static line => line.TrimStart(' ').StartsWith('\t')) is var tab and >= 0)
            {
                Problems.Add(new ScenarioProblem(path, tab + 1, 1 + text.Split('\n')[tab].IndexOf('\t', StringComparison.Ordinal), "A tab: YAML is indented with spaces."));
                return scenario;
            }

            var stream = new YamlStream();
            try
            {
                stream.Load(new StringReader(text));
            }
            catch (YamlException e)
            {
                Problems.Add(new ScenarioProblem(path, e.Start.Line, e.Start.Column, e.InnerException?.Message ?? Plain(e.Message)));
                return scenario;
            }

            if (stream.Documents.Count != 1)
            {
                Problems.Add(new ScenarioProblem(path, 1, 1, stream.Documents.Count == 0 ? "The file is empty." : "The file holds more than one document."));
                return scenario;
            }

            var root = stream.Documents[0].RootNode;
            if (root is not YamlMappingNode map)
            {
                Wrong(root, "A scenario is a map of keys, such as 'name: my-scenario'.");
                return scenario;
            }

            scenario = Section("", map, scenario);
            foreach (var required in ScenarioKeys.Required)
            {
                if (!map.Children.Keys.Any(key => key is YamlScalarNode scalar && scalar.Value == required)) Wrong(root, $"'{required}' is missing.");
            }

            if (Problems.Count == 0) CheckWhole(map, scenario);
            return scenario;
        }

        private Scenario Section(string section, YamlMappingNode map, Scenario scenario)
        {
            var keys = ScenarioKeys.All.Where(key => key.Section == section).ToDictionary(static key => key.Name, StringComparer.Ordinal);
            foreach (var (keyNode, value) in map.Children)
            {
                var name = (keyNode as YamlScalarNode)?.Value ?? "";
                var inner = section.Length == 0 ? name : section + "." + name;
                if (keys.TryGetValue(name, out var key)) scenario = Value(key, value, scenario);
                else if (ScenarioKeys.Sections.ContainsKey(inner)) scenario = value is YamlMappingNode nested ? Section(inner, nested, scenario) : WrongAnd(value, $"'{name}' holds keys of its own, such as {Example(inner)}.", scenario);
                else if (section.Length == 0 && name == "faults") scenario = scenario with { Faults = Faults(value) };
                else if (section.Length == 0 && name == "check") scenario = scenario with { Check = Ids(value) };
                else if (section.Length == 0 && name == "reaches") scenario = scenario with { Reaches = [.. Words(value, "reaches").Select(Point).OfType<string>()] };
                else Wrong(keyNode, $"There is no key '{name}'{(section.Length == 0 ? "" : $" in '{section}'")}.{Meant(section, name)}");
            }

            return scenario;
        }

        private static string Example(string section)
        {
            if (ScenarioKeys.All.FirstOrDefault(key => key.Section == section) is { } key) return $"'{key.Name}', which is {key.Takes}";
            var inner = ScenarioKeys.Sections.Keys.First(inner => Parent(inner) == section);
            return $"'{inner[(section.Length + 1)..]}', which holds {Example(inner)}";
        }

        /// <summary>A key that is near here, or the section where such a key stands.</summary>
        private static string Meant(string section, string name)
        {
            if (ScenarioKeys.All.FirstOrDefault(key => key.Name == name && key.Section != section) is { } elsewhere)
            {
                return elsewhere.Section.Length == 0 ? $" It stands at the top." : $" It stands in '{elsewhere.Section}'.";
            }

            var here = ScenarioKeys.All.Where(key => key.Section == section).Select(static key => key.Name)
                .Concat(ScenarioKeys.Sections.Keys.Where(inner => Parent(inner) == section).Select(static inner => inner[(inner.LastIndexOf('.') + 1)..]))
                .Concat(section.Length == 0 ? ScenarioKeys.Lists.Keys : []).ToArray();
            return Spelling.DidYouMean(name, here) is { Length: > 0 } near ? near : $" There are {string.Join(", ", here)}.";
        }

        private static string Parent(string section) => section.LastIndexOf('.') is var dot and >= 0 ? section[..dot] : "";

        private THost Value<THost>(IScenarioKey<THost> key, YamlNode node, THost host)
        {
            if (node is not YamlScalarNode { Value: { } text }) return WrongAnd(node, $"'{key.Name}' takes {key.Takes}.", host);
            if (key.Read(text, ref host) is { } wrong) Wrong(node, $"'{key.Name}': {wrong}");
            return host;
        }

        private List<FaultSpec> Faults(YamlNode node)
        {
            var specs = new List<FaultSpec>();
            if (node is not YamlSequenceNode list) return WrongAnd(node, "'faults' is a list: each fault begins with a dash, as in '- worker-crash: { perMinute: 6 }'.", specs);
            foreach (var item in list.Children)
            {
                if (Fault(item) is { } spec) specs.Add(spec);
            }

            return specs;
        }

        private FaultSpec? Fault(YamlNode item)
        {
            var (nameNode, body) = item is YamlMappingNode { Children.Count: 1 } map ? (map.Children[0].Key as YamlScalarNode, map.Children[0].Value) : (item as YamlScalarNode, null);
            if (nameNode?.Value is not { } name) return WrongAnd<FaultSpec?>(item, "A fault is one name with its keys, as in '- storm: { times: 1..3 }'; keys that follow it stand in its braces, or further in.", null);
            if (faults.FirstOrDefault(fault => fault.Name == name) is not { } fault)
            {
                return WrongAnd<FaultSpec?>(nameNode, $"There is no fault '{name}'.{Spelling.DidYouMean(name, faults.Select(static known => known.Name))} 'ork sim list' names them all.", null);
            }

            var spec = new FaultSpec { Kind = name };
            var keys = FaultScenarioKeys.Of(fault).ToDictionary(static key => key.Name, StringComparer.Ordinal);
            var before = Problems.Count;
            if (body is YamlMappingNode given)
            {
                foreach (var (keyNode, value) in given.Children)
                {
                    var key = (keyNode as YamlScalarNode)?.Value ?? "";
                    if (keys.TryGetValue(key, out var known)) spec = Value(known, value, spec);
                    else Wrong(keyNode, $"The fault '{name}' has no key '{key}'.{(Spelling.DidYouMean(key, keys.Keys) is { Length: > 0 } near ? near : $" It has {string.Join(", ", keys.Keys)}.")}");
                }
            }
            else if (body is not null && body is not YamlScalarNode { Value: null or "" or "~" or "null" })
            {
                Wrong(body, $"'{name}' holds keys, such as {{ times: 1 }}.");
            }

            if (Problems.Count == before && !SaysHowOften(body)) Wrong(nameNode, $"'{name}' never strikes: give it 'times' or 'perMinute'.");
            return spec;
        }

        private static bool SaysHowOften(YamlNode? body) =>
            body is YamlMappingNode keys && keys.Children.Any(static key => key.Key is YamlScalarNode { Value: { } name } && FaultScenarioKeys.HowOften.Contains(name));

        private List<string> Ids(YamlNode node)
        {
            if (node is YamlScalarNode { Value: "all" }) return [];
            var known = InvariantCatalogue.All().Select(static invariant => invariant.Id).ToArray();
            var ids = new List<string>();
            foreach (var item in Words(node, "check"))
            {
                if (known.Contains(item.Value)) ids.Add(item.Value!);
                else Wrong(item, $"There is no invariant '{item.Value}'.{Spelling.DidYouMean(item.Value!, known)} 'ork sim list' names them all.");
            }

            return ids;
        }

        private List<YamlScalarNode> Words(YamlNode node, string name) => node is YamlSequenceNode list && list.Children.All(static item => item is YamlScalarNode { Value: not null })
            ? [.. list.Children.Cast<YamlScalarNode>()]
            : WrongAnd(node, $"'{name}' is a list of words, such as [S1, S2].", new List<YamlScalarNode>());

        /// <summary>An event of the kernel's log, or, written in small letters with dashes, a point of somebody's own world.</summary>
        private string? Point(YamlScalarNode item)
        {
            var word = item.Value!;
            if (Coverage.Points.Contains(word) || (word.Contains('-', StringComparison.Ordinal) && word == word.ToLowerInvariant())) return word;
            return WrongAnd<string?>(item, $"There is no event '{word}'.{Spelling.DidYouMean(word, Coverage.Points)} Points of your own are written in small letters with dashes.", null);
        }

        /// <summary>What no key can know by itself.</summary>
        private void CheckWhole(YamlMappingNode map, Scenario scenario)
        {
            var node = map.Children.FirstOrDefault(pair => pair.Key is YamlScalarNode { Value: "duration" }).Value ?? map.Children.FirstOrDefault(pair => pair.Key is YamlScalarNode { Value: "healAt" }).Value ?? map;
            if (scenario.Duration <= scenario.HealAt) Wrong(node, $"It ends at {TimeRange.Text(scenario.Duration)}, which is not after 'healAt' ({TimeRange.Text(scenario.HealAt)}): nothing could come right.");
            if (scenario.Kernel.Contradiction() is { } refused) Wrong(map.Children.First(static pair => pair.Key is YamlScalarNode { Value: "kernel" }).Key, $"'kernel': {refused}");
            if (scenario.Workload.Mix.Reboot.Max + scenario.Workload.Mix.SetPowerMode.Max == 0) Wrong(map, "Both weights in 'workload.commands' are 0: no command could be sent.");
        }

        private void Wrong(YamlNode node, string message) => Problems.Add(new ScenarioProblem(path, node.Start.Line, node.Start.Column, message));

        private T WrongAnd<T>(YamlNode node, string message, T rest)
        {
            Wrong(node, message);
            return rest;
        }

        /// <summary>Without the position that YamlDotNet puts before it.</summary>
        private static string Plain(string message) => message.IndexOf("): ", StringComparison.Ordinal) is var at and >= 0 ? message[(at + 3)..] : message;
    }
}
