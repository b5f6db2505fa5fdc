using OrkSim;

namespace Ork.Cli.Sim;

/// <summary>
/// Where scenarios come from: a file by its path, a name in the folder <c>scenarios</c> of the working directory, or a name of those that were built in.
/// </summary>
internal static class ScenarioSource
{
    internal const string Folder = "scenarios";

    private const string All = "all";

    /// <summary>What names mean; <c>all</c> means the folder's where there is one.</summary>
    internal static Scenario[] Find(IEnumerable<string> names) => [.. names.SelectMany(static name => name == All ? Known() : [Find(name)])];

    /// <summary>One scenario.</summary>
    internal static Scenario Find(string name)
    {
        if (IsPath(name)) return ScenarioFile.Read(name);
        if (Directory.Exists(name) && !File.Exists(Inside(name))) throw new ScenarioException($"{name} is a folder: name a file of it, such as {Path.Combine(name, "my-scenario.yaml")}.");
        if (File.Exists(Inside(name))) return ScenarioFile.Read(Inside(name));
        return ScenarioCatalogue.Find(name) ?? throw new ScenarioException($"There is no scenario '{name}'.{Meant(name)} 'ork sim list' names them all; a file is given by its path.");
    }

    /// <summary>Every scenario a name may mean, those of the folder before those built in.</summary>
    internal static Scenario[] Known() => HasFolder ? [.. ScenarioFolder.FilesOf(Folder).Select(static file => ScenarioFile.Read(file))] : [.. ScenarioCatalogue.All];

    /// <summary>Where the known ones are.</summary>
    internal static string Where => HasFolder ? Path.GetFullPath(Folder) : "built in";

    private static bool HasFolder => Directory.Exists(Folder) && ScenarioFolder.FilesOf(Folder).Count > 0;

    private static string Inside(string name) => Path.Combine(Folder, name + ".yaml");

    private static bool IsPath(string name) => name.EndsWith(".yaml", StringComparison.Ordinal) || name.EndsWith(".yml", StringComparison.Ordinal);

    private static string Meant(string name)
    {
        var names = (HasFolder ? ScenarioFolder.FilesOf(Folder).Select(static file => Path.GetFileNameWithoutExtension(file)) : ScenarioCatalogue.All.Select(static scenario => scenario.Name)).ToArray();
        var near = Spelling.Nearest(name, names) ?? Array.Find(names, candidate => candidate.Contains(name, StringComparison.OrdinalIgnoreCase) || candidate.Split('-').Intersect(name.Split('-')).Any());
        return near is null ? "" : $" Did you mean '{near}'?";
    }
}
