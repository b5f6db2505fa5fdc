namespace OrkSim;

/// <summary>The scenarios that come with the simulator: the files of the folder <c>scenarios</c>, as they were when it was built.</summary>
public static class ScenarioCatalogue
{
    private const string Folder = "scenarios/";
    private const string Ending = ".yaml";

    private static readonly Lazy<IReadOnlyList<Scenario>> Built = new(Load);

    /// <summary>All of them, by name.</summary>
    public static IReadOnlyList<Scenario> All => Built.Value;

    /// <summary>One by its name, or null.</summary>
    public static Scenario? Find(string name) => All.FirstOrDefault(scenario => scenario.Name == name);

    private static Scenario[] Load()
    {
        var assembly = typeof(ScenarioCatalogue).Assembly;
        return [.. assembly.GetManifestResourceNames().Where(static name => name.StartsWith(Folder, StringComparison.Ordinal) && name.EndsWith(Ending, StringComparison.Ordinal)).Order(StringComparer.Ordinal).Select(name =>
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
            return ScenarioFile.Parse(reader.ReadToEnd(), name);
        })];
    }
}
