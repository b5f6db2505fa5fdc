using System.Text.Json;
using System.Text.Json.Nodes;

namespace OrkSim;

/// <summary>The JSON schema of scenario files, from which editors complete and check them. Made from the same table that the reader goes by.</summary>
public static class ScenarioSchema
{
    /// <summary>The file beside scenarios that editors read.</summary>
    public const string FileName = "scenario.schema.json";

    /// <summary>The schema.</summary>
    /// <param name="faults">Faults that scenarios may name besides the built-in ones.</param>
    public static string Write(IReadOnlyList<IFault>? faults = null)
    {
        var usual = new Scenario { Name = "" };
        var schema = Section("", usual);
        schema.Insert(0, "$schema", "https://json-schema.org/draft/2020-12/schema");
        schema.Insert(1, "title", "A scenario of OrkSim");
        schema["required"] = new JsonArray([.. ScenarioKeys.Required.Select(static name => (JsonNode)name)]);
        var properties = schema["properties"]!.AsObject();
        properties["faults"] = Described(ScenarioKeys.Lists["faults"], new JsonObject { ["type"] = "array", ["items"] = Faults([.. FaultCatalogue.All(), .. faults ?? []]) });
        properties["check"] = Described(ScenarioKeys.Lists["check"], new JsonObject
        {
            ["anyOf"] = new JsonArray(
                new JsonObject { ["const"] = "all" },
                new JsonObject { ["type"] = "array", ["items"] = Enumerated(InvariantCatalogue.All().Select(static invariant => invariant.Id)) }),
        });
        properties["reaches"] = Described(ScenarioKeys.Lists["reaches"], new JsonObject
        {
            ["type"] = "array",
            ["items"] = new JsonObject { ["anyOf"] = new JsonArray(Enumerated(Coverage.Points), new JsonObject { ["type"] = "string", ["pattern"] = "^[a-z0-9]+(-[a-z0-9]+)+$" }) },
        });
        return schema.ToJsonString(new JsonSerializerOptions { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }) + "\n";
    }

    private static JsonObject Section(string section, Scenario usual)
    {
        var properties = new JsonObject();
        foreach (var key in ScenarioKeys.All.Where(key => key.Section == section)) properties[key.Name] = Described(WithUsual(key.Says, key.Write(usual)), key.Schema());
        foreach (var (inner, says) in ScenarioKeys.Sections)
        {
            var dot = inner.LastIndexOf('.');
            if ((dot < 0 ? "" : inner[..dot]) == section) properties[inner[(dot + 1)..]] = Described(says, Section(inner, usual));
        }

        return new JsonObject { ["type"] = "object", ["additionalProperties"] = false, ["properties"] = properties };
    }

    private static JsonObject Faults(IReadOnlyList<IFault> faults)
    {
        var properties = new JsonObject();
        foreach (var fault in faults)
        {
            var usual = new FaultSpec { Kind = fault.Name };
            var keys = new JsonObject();
            foreach (var key in FaultScenarioKeys.Of(fault)) keys[key.Name] = Described(WithUsual(key.Says, key.Write(usual)), key.Schema());
            properties[fault.Name] = Described(fault.Says, new JsonObject
            {
                ["type"] = "object", ["additionalProperties"] = false, ["properties"] = keys,
                ["anyOf"] = new JsonArray([.. FaultScenarioKeys.HowOften.Select(static name => new JsonObject { ["required"] = new JsonArray(name) })]),
            });
        }

        return new JsonObject { ["type"] = "object", ["minProperties"] = 1, ["maxProperties"] = 1, ["additionalProperties"] = false, ["properties"] = properties };
    }

    private static string WithUsual(string says, string usual) => usual.Length == 0 ? says : $"{says} Usually {usual}.";

    private static JsonObject Described(string says, JsonObject schema)
    {
        schema.Insert(0, "description", says);
        return schema;
    }

    private static JsonObject Enumerated(IEnumerable<string> words) => new() { ["enum"] = new JsonArray([.. words.Select(static word => (JsonNode)word)]) };
}
