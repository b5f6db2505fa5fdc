using System.Globalization;
using System.Text;

namespace Ork.Benchmarks;

/// <summary>How cost grows: figures at a tenth of the load, at the load, and at ten times, drawn as one picture.</summary>
internal static class Growth
{
    private const int Width = 300;
    private const int Height = 190;
    private const int Margin = 44;

    private static readonly double[] Scales = [0.1, 1, 10];

    /// <summary>What is drawn of a member.</summary>
    private static readonly (string Name, string Load, double Plain, string Unit, Func<Figure, double?> Of)[] Panels =
    [
        ("commands1024", "commands in flight", 1_024, "commands/s", static figure => figure.PerSecond),
        ("commands1024", "commands in flight", 1_024, "p99 ms", static figure => figure.P99Ms),
        ("telemetry1024", "pulls in flight", 1_024, "pulls/s", static figure => figure.PerSecond),
        ("recovery100k", "stranded commands", 100_000, "ms to serving", static figure => figure.Ms),
        ("storm2000", "TLS Workers", 2_000, "ms until all are ready", static figure => figure.Ms),
        ("idle10k", "idle Workers", 10_000, "share of a core", static figure => figure.CoreShare),
    ];

    /// <summary>The members that are drawn.</summary>
    internal static IEnumerable<string> Names => Panels.Select(static panel => panel.Name).Distinct();

    /// <summary>Twenty thousand links and more are beyond what one process may have open here.</summary>
    internal static IEnumerable<double> ScalesOf(string member) => member is "storm2000" or "idle10k" ? Scales.Take(2) : Scales;

    /// <summary>Draws what was measured.</summary>
    internal static string Draw(IReadOnlyDictionary<(string Name, double Scale), Figure> figures)
    {
        var svg = new StringBuilder();
        var rows = (Panels.Length + 2) / 3;
        svg.Append(CultureInfo.InvariantCulture, $"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {3 * Width} {rows * Height}\" font-family=\"sans-serif\" font-size=\"11\">\n");
        svg.Append("<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n");
        for (var i = 0; i < Panels.Length; i++) Panel(svg, i % 3 * Width, i / 3 * Height, i, figures);
        return svg.Append("</svg>\n").ToString();
    }

    private static void Panel(StringBuilder svg, int left, int top, int index, IReadOnlyDictionary<(string Name, double Scale), Figure> figures)
    {
        var panel = Panels[index];
        var points = ScalesOf(panel.Name).Where(scale => figures.ContainsKey((panel.Name, scale)))
            .Select(scale => (Load: panel.Plain * scale, Value: panel.Of(figures[(panel.Name, scale)]) ?? double.NaN)).ToArray();
        if (points.Length == 0) return;
        var most = points.Max(static point => point.Value) * 1.15;
        double X(double load) => left + Margin + (Math.Log10(load / (panel.Plain * Scales[0])) / 2 * (Width - (2 * Margin)));
        double Y(double value) => top + Height - Margin - (value / most * (Height - (2 * Margin)));
        var floor = top + Height - Margin;
        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{left + Margin}\" y=\"{top + 24}\" font-weight=\"bold\">{panel.Unit}</text>\n");
        svg.Append(CultureInfo.InvariantCulture, $"<line x1=\"{left + Margin}\" y1=\"{floor}\" x2=\"{left + Width - Margin + 12}\" y2=\"{floor}\" stroke=\"#999\"/>\n");
        svg.Append(CultureInfo.InvariantCulture, $"<polyline fill=\"none\" stroke=\"#0b6\" stroke-width=\"2\" points=\"{string.Join(' ', points.Select(point => string.Create(CultureInfo.InvariantCulture, $"{X(point.Load):f1},{Y(point.Value):f1}")))}\"/>\n");
        foreach (var (load, value) in points)
        {
            svg.Append(CultureInfo.InvariantCulture, $"<circle cx=\"{X(load):f1}\" cy=\"{Y(value):f1}\" r=\"3\" fill=\"#0b6\"/>");
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{X(load):f1}\" y=\"{Y(value) - 8:f1}\" text-anchor=\"middle\">{(value < 10 ? value.ToString("0.##", CultureInfo.InvariantCulture) : value.ToString("n0", CultureInfo.InvariantCulture))}</text>");
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{X(load):f1}\" y=\"{floor + 15}\" text-anchor=\"middle\" fill=\"#666\">{load:n0}</text>\n");
        }

        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{left + (Width / 2)}\" y=\"{floor + 31}\" text-anchor=\"middle\" fill=\"#666\">{panel.Load}</text>\n");
    }
}
