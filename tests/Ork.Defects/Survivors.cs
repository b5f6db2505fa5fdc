using System.Globalization;
using Spectre.Console;

namespace Ork.Defects;

/// <summary>Mutants that nothing caught, as patch files that can be read and hunted again, and how many of which folder there were.</summary>
/// <param name="folder">Where the files go; those of before are left.</param>
public sealed class Survivors(string folder)
{
    /// <summary>Writes the files and a table.</summary>
    public void Write(IReadOnlyList<Hunted> hunts, IAnsiConsole console)
    {
        ArgumentNullException.ThrowIfNull(hunts);
        ArgumentNullException.ThrowIfNull(console);

        // What does not compile is no mutant; a process that ended by itself says that something was wrong.
        var mutants = hunts.Where(static hunt => hunt.Failure is not { } failure || !failure.StartsWith(SourceTree.NotCompiled, StringComparison.Ordinal)).GroupBy(static hunt => hunt.Defect).ToArray();
        var missed = mutants.Where(static mutant => !mutant.Any(static hunt => hunt.IsFound || hunt.Failure is not null)).Select(static mutant => mutant.Key).OrderBy(static mutant => mutant.Name, StringComparer.Ordinal).ToArray();
        Directory.CreateDirectory(folder);
        foreach (var mutant in missed) File.WriteAllText(Path.Combine(folder, mutant.Name + ".patch"), mutant.Text);
        var table = new Table().Border(TableBorder.Simple).AddColumn("folder").AddColumn("mutants").AddColumn("found");
        foreach (var part in mutants.GroupBy(static mutant => FolderOf(mutant.Key), StringComparer.Ordinal).OrderBy(static part => part.Key, StringComparer.Ordinal))
        {
            table.AddRow(part.Key.EscapeMarkup(), Number(part.Count()), Number(part.Count(mutant => !missed.Contains(mutant.Key))));
        }

        console.Write(table);
        foreach (var mutant in missed) console.WriteLine($"{mutant.Name}: {mutant.Bug}");
        console.WriteLine($"{mutants.Length} mutants, {mutants.Length - missed.Length} found; those that were not are in {folder}");
    }

    private static string FolderOf(Defect mutant) => Path.GetDirectoryName(mutant.Patch.Files.Keys.First()) ?? "";

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);
}
