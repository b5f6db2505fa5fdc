using System.Globalization;
using System.Text;
using Ork.Kernel;

namespace Ork.Coverage;

/// <summary>
/// A machine as a drawing: its states on a circle in the order of the table, each transition an arrow with its number in the table below. What was never made is red
/// and dashed.
/// </summary>
internal static class MachineDiagram
{
    private const int Width = 720;
    private const int Height = 440;
    private const int BoxWidth = 108;
    private const int BoxHeight = 30;

    /// <summary>Draws a machine.</summary>
    /// <param name="machine">The machine.</param>
    /// <param name="counts">How often each transition was made.</param>
    internal static string Draw(IMachineDefinition machine, IReadOnlyDictionary<MachineTransition, long> counts)
    {
        var states = machine.Transitions.SelectMany(static row => (string[])[row.From, row.To]).Distinct().ToArray();
        var places = states.Select((state, index) => (state, place: Place(index, states.Length))).ToDictionary(static one => one.state, static one => one.place, StringComparer.Ordinal);
        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture, $"<svg viewBox='0 0 {Width} {Height}' role='img' aria-label='{machine.Name}'><defs>{Marker("met")}{Marker("never")}</defs>");
        for (var i = 0; i < machine.Transitions.Count; i++)
        {
            var row = machine.Transitions[i];
            var siblings = machine.Transitions.Where(other => Joins(other, row)).ToArray();
            Arrow(svg, places[row.From], places[row.To], Array.IndexOf(siblings, row), siblings.Length, i + 1, counts.GetValueOrDefault(row), row);
        }

        foreach (var (state, (x, y)) in places)
        {
            svg.Append(CultureInfo.InvariantCulture, $"<rect class='state' x='{x - (BoxWidth / 2)}' y='{y - (BoxHeight / 2)}' width='{BoxWidth}' height='{BoxHeight}' rx='7'/><text class='state' x='{x}' y='{y + 4}'>{state}</text>");
        }

        return svg.Append("</svg>").ToString();
    }

    private static bool Joins(MachineTransition one, MachineTransition other) => one.From == other.From && one.To == other.To;

    private static string Marker(string kind) =>
        $"<marker id='{kind}' viewBox='0 0 10 10' refX='9' refY='5' markerWidth='7' markerHeight='7' orient='auto-start-reverse'><path class='{kind} head' d='M0 0L10 5L0 10z'/></marker>";

    private static (int X, int Y) Place(int index, int of)
    {
        var angle = (2 * Math.PI * index / of) - Math.PI;
        return ((int)((Width / 2) + (Math.Cos(angle) * ((Width / 2) - BoxWidth + 20))), (int)((Height / 2) + (Math.Sin(angle) * ((Height / 2) - 40))));
    }

    /// <summary>An arc from box to box; several between the same two bend more and more, and the way back bends to the other side.</summary>
    private static void Arrow(StringBuilder svg, (int X, int Y) from, (int X, int Y) to, int number, int of, int label, long count, MachineTransition row)
    {
        var (dx, dy) = ((double)(to.X - from.X), (double)(to.Y - from.Y));
        var length = Math.Max(1, Math.Sqrt((dx * dx) + (dy * dy)));
        var bend = 26 + (number * 26) - (of > 2 ? 13 * (of - 2) : 0);
        var middle = (X: ((from.X + to.X) / 2) - (dy / length * bend), Y: ((from.Y + to.Y) / 2) + (dx / length * bend));
        var (start, end) = (Edge(from, middle), Edge(to, middle));
        var kind = count > 0 ? "met" : "never";
        var at = (X: ((start.X + end.X) / 4) + (middle.X / 2), Y: ((start.Y + end.Y) / 4) + (middle.Y / 2));
        svg.Append(CultureInfo.InvariantCulture, $"<g><title>{row.From} -{row.Trigger}-> {row.To}: {count:N0}</title><path class='{kind} way' marker-end='url(#{kind})' d='M{start.X:F1} {start.Y:F1}Q{middle.X:F1} {middle.Y:F1} {end.X:F1} {end.Y:F1}'/>");
        svg.Append(CultureInfo.InvariantCulture, $"<circle class='{kind} label' cx='{at.X:F1}' cy='{at.Y:F1}' r='9'/><text class='label' x='{at.X:F1}' y='{at.Y + 3.5:F1}'>{label}</text></g>");
    }

    private static (double X, double Y) Edge((int X, int Y) box, (double X, double Y) towards)
    {
        var (dx, dy) = (towards.X - box.X, towards.Y - box.Y);
        var scale = Math.Min(BoxWidth / 2.0 / Math.Max(0.001, Math.Abs(dx)), BoxHeight / 2.0 / Math.Max(0.001, Math.Abs(dy)));
        return (box.X + (dx * Math.Min(1, scale)), box.Y + (dy * Math.Min(1, scale)));
    }
}
