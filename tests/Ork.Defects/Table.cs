using System.Globalization;
using OrkSim;
using Spectre.Console;

namespace Ork.Defects;

/// <summary>Defect by gear, as a table and as the figures that count.</summary>
public sealed class Results(IReadOnlyList<Hunted> hunts)
{
    /// <summary>Every hunt, by defect.</summary>
    public IEnumerable<IGrouping<Defect, Hunted>> ByDefect => hunts.GroupBy(static hunt => hunt.Defect).OrderBy(static defect => defect.Key.Name, StringComparer.Ordinal);

    /// <summary>Defects that no gear found.</summary>
    public IReadOnlyList<string> Missed => [.. ByDefect.Where(static defect => !defect.Any(static hunt => hunt.IsFound)).Select(static defect => defect.Key.Name)];

    /// <summary>Hunts that could not be made: a patch that no longer applies or compiles.</summary>
    public IReadOnlyList<Hunted> Failed => [.. hunts.Where(static hunt => hunt.Failure is not null)];

    /// <summary>Seconds to the first find of each defect that was found, sorted.</summary>
    public IReadOnlyList<double> Seconds =>
        [.. ByDefect.Select(static defect => defect.Where(static hunt => hunt.IsFound).Select(static hunt => hunt.Catch!.Seconds).DefaultIfEmpty(double.NaN).Min()).Where(static seconds => !double.IsNaN(seconds)).Order()];

    /// <summary>The middle one, or 0.</summary>
    public double MedianSeconds => Seconds.Count == 0 ? 0 : Seconds[Seconds.Count / 2];

    /// <summary>Writes the table and the figures.</summary>
    public void Show(IAnsiConsole console)
    {
        ArgumentNullException.ThrowIfNull(console);
        var gears = hunts.Select(static hunt => hunt.Gear).Distinct().Order().ToArray();
        var table = new Table().Border(TableBorder.Simple).AddColumn("defect").AddColumn("must be caught by");
        foreach (var gear in gears) table.AddColumn(GearNames.Of(gear));
        foreach (var defect in ByDefect)
        {
            table.AddRow((string[])[defect.Key.Name, string.Join(", ", defect.Key.Invariants), .. gears.Select(gear => Cell(defect.FirstOrDefault(hunt => hunt.Gear == gear)))]);
        }

        console.Write(table);
        foreach (var failed in Failed.DistinctBy(static hunt => hunt.Defect)) console.MarkupLineInterpolated($"[red]{failed.Defect.Name}: {failed.Failure}[/]");
        console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{ByDefect.Count()} defects, {Seconds.Count} found; seconds to find, in the quickest gear: median {MedianSeconds:F1}, most {(Seconds.Count == 0 ? 0 : Seconds[^1]):F1}"));
        foreach (var gear in gears)
        {
            var of = hunts.Where(hunt => hunt.Gear == gear).ToArray();
            console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {GearNames.Of(gear)}: {of.Count(static hunt => hunt.IsFound)} of {of.Length}"));
        }

        if (Missed.Count > 0) console.MarkupLineInterpolated($"[red]not found: {string.Join(", ", Missed)}[/]");
    }

    private static string Cell(Hunted? hunt)
    {
        if (hunt is null) return "";
        if (hunt.Catch is not { } found) return "[red]failed[/]";
        var effort = string.Create(CultureInfo.InvariantCulture, $"{found.Runs} runs {found.Seconds:F1} s");
        return hunt.IsFound ? $"[green]{found.Invariant}[/] {effort}" : found.Invariant is { } other ? $"[yellow]{other.EscapeMarkup()}[/] {effort}" : $"[grey]- {effort}[/]";
    }
}
