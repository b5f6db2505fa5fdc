using System.Text;
using System.Text.Json;

namespace OrkSim;

/// <summary>Scenarios as the files that <see cref="ScenarioFile"/> reads: only what is not as usual is written.</summary>
public static class ScenarioYaml
{
    private const int Width = 140;
    private static readonly Scenario Usual = new() { Name = "" };

    /// <summary>Writes a scenario.</summary>
    /// <param name="scenario">The scenario.</param>
    /// <param name="faults">Faults it may name besides the built-in ones.</param>
    public static string Write(Scenario scenario, IReadOnlyList<IFault>? faults = null)
    {
        ArgumentNullException.ThrowIfNull(scenario);
        var text = new StringBuilder();
        var sections = new List<string>();
        foreach (var key in ScenarioKeys.All)
        {
            var top = key.Section.Split('.')[0];
            if (key.Name == "healAt") WriteFaults(text, scenario, [.. FaultCatalogue.All(), .. faults ?? []]);
            if (top.Length == 0)
            {
                if (!key.IsSame(scenario, Usual)) text.Append(key.Name).Append(": ").Append(Scalar(key.Write(scenario))).Append('\n');
            }
            else if (!sections.Contains(top) && top != "budget" && Flow(top, scenario) is { Length: > 0 } flow)
            {
                text.Append(top).Append(flow).Append('\n');
            }

            sections.Add(top);
        }

        if (scenario.Check.Count > 0) text.Append("check: [").AppendJoin(", ", scenario.Check).Append("]\n");
        if (scenario.Reaches.Count > 0) text.Append("reaches: [").AppendJoin(", ", scenario.Reaches).Append("]\n");
        if (Flow("budget", scenario) is { Length: > 0 } budget) text.Append("budget").Append(budget).Append('\n');
        return text.ToString();
    }

    /// <summary>What is not as usual in a section, after its name: nothing, or from the colon on.</summary>
    private static string Flow(string section, Scenario scenario, string indent = "  ")
    {
        var parts = ScenarioKeys.All.Where(key => key.Section == section && !key.IsSame(scenario, Usual)).Select(key => $"{key.Name}: {Scalar(key.Write(scenario))}").ToList();
        foreach (var inner in ScenarioKeys.Sections.Keys.Where(inner => inner.StartsWith(section + ".", StringComparison.Ordinal)))
        {
            if (Flow(inner, scenario, indent + "  ") is { Length: > 0 } nested) parts.Add($"{inner[(section.Length + 1)..]}{nested}");
        }

        return parts.Count == 0 ? "" : Braced(parts, indent);
    }

    private static void WriteFaults(StringBuilder text, Scenario scenario, IFault[] known)
    {
        if (scenario.Faults.Count == 0) return;
        text.Append("faults:\n");
        foreach (var spec in scenario.Faults)
        {
            var fault = Array.Find(known, fault => fault.Name == spec.Kind) ?? throw new ScenarioException($"There is no fault '{spec.Kind}'.");
            var parts = FaultScenarioKeys.Write(fault, spec).Select(static key => $"{key.Name}: {key.Value}").ToList();
            text.Append("  - ").Append(spec.Kind).Append(Braced(parts, "      ")).Append('\n');
        }
    }

    private static string Braced(List<string> parts, string indent)
    {
        var line = ": { " + string.Join(", ", parts) + " }";
        return line.Length < Width - 18 ? line : ":\n" + string.Join("\n", parts.Select(part => indent + part));
    }

    private static string Scalar(string value) =>
        value.Length == 0 || value.Contains(": ", StringComparison.Ordinal) || value.Contains(" #", StringComparison.Ordinal) || value.AsSpan().IndexOfAny("\n\"{}[]&*!|>%@`") >= 0
            || !(char.IsLetterOrDigit(value[0]) || value[0] == '.') || value is "true" or "false" or "null" || value.Trim() != value
            ? value is "true" or "false" ? value : JsonSerializer.Serialize(value, Relaxed) : value;

    private static readonly JsonSerializerOptions Relaxed = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
}
