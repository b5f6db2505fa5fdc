using Ork.Kernel;
using OrkSim;
using Spectre.Console;

namespace Ork.Cli.Sim;

/// <summary>What there is to run and to hold.</summary>
internal static class SimListing
{
    internal static int Show(Output output)
    {
        var listing = new
        {
            scenarios = ScenarioSource.Known().Select(scenario => new { scenario.Name, scenario.Description }),
            scenariosFrom = ScenarioSource.Where,
            gears = Enum.GetValues<Gear>().Select(GearNames.Of),
            faults = FaultCatalogue.All().Select(fault => new { fault.Name, fault.Says }),
            invariants = InvariantCatalogue.All().Select(invariant => new { invariant.Id, invariant.Says }),
            reachedPoints = Coverage.Points.Select(point => new { id = Enum.TryParse<KernelEvent>(point, out var note) ? (int)note : (int?)null, name = point }),
        };
        output.Write(listing, console =>
        {
            console.Write(Rows("scenario", listing.scenarios.Select(row => (row.Name, row.Description))));
            console.Write(Rows("fault", listing.faults.Select(row => (row.Name, row.Says))));
            console.Write(Rows("invariant", listing.invariants.Select(row => (row.Id, row.Says))));
            console.WriteLine("scenarios from: " + listing.scenariosFrom);
            console.WriteLine("gears: " + string.Join(", ", listing.gears));
            console.WriteLine("reached points: " + string.Join(", ", listing.reachedPoints.Select(point => point.name)));
        });
        return ExitCode.Done;
    }

    private static Table Rows(string title, IEnumerable<(string Name, string Says)> rows)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumn(title).AddColumn("");
        foreach (var (name, says) in rows) table.AddRow($"[bold]{name.EscapeMarkup()}[/]", says.EscapeMarkup());
        return table;
    }
}
