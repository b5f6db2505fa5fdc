using System.Globalization;
using System.Net;
using System.Text;
using Ork.Kernel;
using OrkSim;

namespace Ork.Coverage;

/// <summary>The page of what explorations met: self-contained, for any browser, offline.</summary>
internal sealed class TransitionPage(TransitionCoverage met)
{
    private readonly StringBuilder _html = new();

    internal string Write()
    {
        using var style = new StreamReader(typeof(TransitionPage).Assembly.GetManifestResourceStream("page.css")!);
        _html.Append("<!doctype html><html lang='en'><head><meta charset='utf-8'><meta name='viewport' content='width=device-width'><title>Transitions met</title><style>").Append(style.ReadToEnd()).Append("</style></head><body>");
        var total = met.Total;
        _html.Append(CultureInfo.InvariantCulture, $"<h1>Transitions met</h1><p>{met.Runs:N0} simulated runs of {met.Scenarios.Count} scenarios in the gears {string.Join(", ", TransitionCoverage.Gears.Select(GearNames.Of))}.</p>");
        Summary(total);
        foreach (var machine in OrkSim.Coverage.Machines) Machine(machine, total);
        Points(total);
        return _html.Append("</body></html>").ToString();
    }

    private void Summary(OrkSim.Coverage total)
    {
        _html.Append("<table><thead><tr><th>machine<th>transitions<th>met<th>never met<th>illegal, attempted<th>refused</tr></thead><tbody>");
        foreach (var machine in OrkSim.Coverage.Machines)
        {
            var missing = total.MissingOf(machine);
            var (attempted, refused) = TransitionCoverage.TryIllegal(machine);
            _html.Append(CultureInfo.InvariantCulture, $"<tr><td><a href='#{machine.Name}'>{machine.Name}</a><td>{machine.Transitions.Count}<td>{machine.Transitions.Count - missing.Count}<td class='{(missing.Count > 0 ? "never" : "")}'>{Text(string.Join(", ", missing.Select(static row => $"{row.From} {row.Trigger}")))}<td>{attempted}<td class='{(attempted == refused ? "" : "never")}'>{refused}</tr>");
        }

        _html.Append("</tbody></table><p>Illegal: every trigger in every state where the table has none is fired, by this page, at the machine itself; refused means that it said so and the state is as it was.</p>");
    }

    private void Machine(IMachineDefinition machine, OrkSim.Coverage total)
    {
        var counts = total.CountsOf(machine.Name);
        _html.Append(CultureInfo.InvariantCulture, $"<h2 id='{machine.Name}'>{machine.Name}</h2>").Append(MachineDiagram.Draw(machine, counts));
        _html.Append("<table><thead><tr><th><th>from<th>trigger<th>to<th>met");
        foreach (var gear in TransitionCoverage.Gears) _html.Append("<th>").Append(GearNames.Of(gear));
        _html.Append("<th>scenarios</tr></thead><tbody>");
        var byGear = TransitionCoverage.Gears.Select(gear => met.Of(gear).CountsOf(machine.Name)).ToArray();
        var byScenario = met.Scenarios.Select(scenario => (scenario, counts: met.Of(scenario).CountsOf(machine.Name))).ToArray();
        for (var i = 0; i < machine.Transitions.Count; i++)
        {
            var row = machine.Transitions[i];
            _html.Append(CultureInfo.InvariantCulture, $"<tr class='{(counts.ContainsKey(row) ? "" : "never")}'><td>{i + 1}<td>{row.From}<td>{row.Trigger}<td>{row.To}<td>{counts.GetValueOrDefault(row):N0}");
            foreach (var gear in byGear) _html.Append(CultureInfo.InvariantCulture, $"<td>{gear.GetValueOrDefault(row):N0}");
            var where = byScenario.Where(one => one.counts.ContainsKey(row)).OrderByDescending(one => one.counts[row]).ToArray();
            _html.Append(CultureInfo.InvariantCulture, $"<td><details><summary>{where.Length} of {byScenario.Length}</summary>{string.Join("<br>", where.Select(one => string.Create(CultureInfo.InvariantCulture, $"{one.scenario} {one.counts[row]:N0}")))}</details></tr>");
        }

        _html.Append("</tbody></table>");
    }

    private void Points(OrkSim.Coverage total)
    {
        _html.Append("<h2 id='points'>Points reached</h2><table><thead><tr><th>point<th>met");
        foreach (var gear in TransitionCoverage.Gears) _html.Append("<th>").Append(GearNames.Of(gear));
        _html.Append("</tr></thead><tbody>");
        foreach (var point in OrkSim.Coverage.Points)
        {
            _html.Append(CultureInfo.InvariantCulture, $"<tr class='{(total.CountOf(point) > 0 ? "" : "never")}'><td>{point}<td>{total.CountOf(point):N0}");
            foreach (var gear in TransitionCoverage.Gears) _html.Append(CultureInfo.InvariantCulture, $"<td>{met.Of(gear).CountOf(point):N0}");
            _html.Append("</tr>");
        }

        _html.Append("</tbody></table>");
    }

    private static string Text(string text) => WebUtility.HtmlEncode(text);
}
