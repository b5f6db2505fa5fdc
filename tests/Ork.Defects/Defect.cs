using System.Text;
using OrkSim;

namespace Ork.Defects;

/// <summary>A defect that cannot be read, applied or built.</summary>
public sealed class DefectException(string message) : Exception(message);

/// <summary>
/// One known bug: a patch of the source with a head that says what real-world bug it is, which invariants must catch it and which gears should. The file is one that
/// <c>git apply</c> takes.
/// </summary>
/// <param name="Name">Its name, which is the file's.</param>
/// <param name="Bug">What goes wrong in the real world.</param>
/// <param name="Invariants">The invariants of which one must catch it.</param>
/// <param name="Gears">The gears of which each should find it.</param>
/// <param name="Deep">The scenario in which many runs are needed to meet it, for the comparison of gears; null where it is met soon.</param>
/// <param name="Text">The file.</param>
/// <param name="Patch">What it changes.</param>
public sealed record Defect(string Name, string Bug, IReadOnlyList<string> Invariants, IReadOnlyList<Gear> Gears, string? Deep, string Text, SourcePatch Patch)
{
    private static readonly string[] Heads = ["Defect", "Bug", "Invariant", "Gears"];

    /// <summary>The catalogue: every file of a folder, by name.</summary>
    /// <exception cref="DefectException">There is no such folder, or a file of it is no defect.</exception>
    public static IReadOnlyList<Defect> ReadAll(string folder)
    {
        if (!Directory.Exists(folder)) throw new DefectException($"There is no folder {folder}.");
        var defects = Directory.EnumerateFiles(folder, "*.patch").Order(StringComparer.Ordinal).Select(Read).ToArray();
        return defects.Length > 0 ? defects : throw new DefectException($"{folder} holds no defects (*.patch).");
    }

    /// <summary>Reads a file.</summary>
    /// <exception cref="DefectException">It is no defect.</exception>
    public static Defect Read(string path)
    {
        var text = File.ReadAllText(path, Encoding.UTF8);
        var name = Path.GetFileNameWithoutExtension(path);
        var head = text.Split('\n').TakeWhile(static line => !line.StartsWith("--- ", StringComparison.Ordinal)).Where(static line => line.Contains(": ", StringComparison.Ordinal))
            .ToDictionary(static line => line[..line.IndexOf(':', StringComparison.Ordinal)], static line => line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim(), StringComparer.Ordinal);
        if (Heads.FirstOrDefault(key => !head.ContainsKey(key)) is { } missing) throw new DefectException($"{path}: its head lacks '{missing}:'.");
        if (head["Defect"] != name) throw new DefectException($"{path}: it is named '{head["Defect"]}' in its head.");
        var gears = Listed(head["Gears"]).Select(gear => GearNames.Parse(gear) ?? throw new DefectException($"{path}: there is no gear '{gear}'.")).ToArray();
        return new Defect(name, head["Bug"], Listed(head["Invariant"]), gears, head.GetValueOrDefault("Deep"), text, SourcePatch.Read(path, text));
    }

    private static string[] Listed(string text) => text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
}
