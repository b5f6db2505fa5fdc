using System.Diagnostics;
using System.Globalization;
using System.Xml.Linq;

namespace Ork.Coverage;

/// <summary>How many lines of an assembly the tests reached.</summary>
/// <param name="Assembly">The assembly.</param>
/// <param name="Covered">Lines that were reached.</param>
/// <param name="Lines">Lines there are.</param>
/// <param name="Missed">Lines that were not reached, by file from the top of the repository.</param>
public sealed record AssemblyCoverage(string Assembly, int Covered, int Lines, IReadOnlyDictionary<string, IReadOnlyList<int>> Missed)
{
    /// <summary>The share that was reached, in percent.</summary>
    public double Percent => Lines == 0 ? 100 : 100.0 * Covered / Lines;
}

/// <summary>Runs tests with coverage, one project after the other, and adds up what they reached. Product assemblies only.</summary>
public sealed class LineCoverage(string root, string folder, string configuration)
{
    /// <summary>Tests that take seconds each, and reach nearly everything.</summary>
    public static IReadOnlyList<string> Quick { get; } =
    [
        "Ork.Protocol.Tests", "Ork.Kernel.Tests", "Ork.Worker.Tests", "Ork.Client.Tests", "Ork.Contracts.Tests", "Ork.Storage.Tests", "Ork.Transport.Tests",
    ];

    /// <summary>Those, and the simulations, which take minutes.</summary>
    public static IReadOnlyList<string> All { get; } = [.. Quick, "Ork.Cli.Tests", "OrkSim.Tests"];

    private static readonly string[] Arguments =
    [
        "--coverlet", "--coverlet-output-format", "cobertura", "--coverlet-include", "[Ork.*]*", "--coverlet-exclude", "[Ork.*.Tests]*", "--coverlet-exclude-by-file", "**/obj/**/*.cs",
    ];

    /// <summary>Runs a project's tests.</summary>
    /// <returns>Null where they passed, else what they said.</returns>
    public async Task<string?> RunAsync(string project, CancellationToken cancellation)
    {
        var start = new ProcessStartInfo("dotnet") { WorkingDirectory = root, RedirectStandardOutput = true, RedirectStandardError = true };
        string[] arguments = ["test", "--project", Path.Combine("tests", project), "-c", configuration, .. Arguments, "--results-directory", Path.Combine(folder, "raw", project)];
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        await using var stop = cancellation.Register(() => process.Kill(entireProcessTree: true));
        var errors = process.StandardError.ReadToEndAsync(CancellationToken.None);
        var output = await process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        await process.WaitForExitAsync(CancellationToken.None);
        cancellation.ThrowIfCancellationRequested();
        return process.ExitCode == 0 ? null : $"{project}: the tests failed.\n{string.Join('\n', output.Split('\n').TakeLast(40))}\n{await errors}";
    }

    /// <summary>Makes the HTML report of what was measured, with ReportGenerator.</summary>
    /// <returns>Null where it was made, else why not.</returns>
    public async Task<string?> ReportAsync(CancellationToken cancellation)
    {
        var start = new ProcessStartInfo("dotnet") { WorkingDirectory = root, RedirectStandardOutput = true, RedirectStandardError = true };
        string[] arguments = ["tool", "run", "reportgenerator", $"-reports:{Path.Combine(folder, "raw", "**", "*.xml")}", $"-targetdir:{Path.Combine(folder, "lines")}", "-reporttypes:Html;TextSummary", "-title:Ork", "-verbosity:Error"];
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync(cancellation);
        var output = await process.StandardOutput.ReadToEndAsync(cancellation);
        await process.WaitForExitAsync(cancellation);
        return process.ExitCode == 0 ? null : $"ReportGenerator failed ('dotnet tool restore' installs it): {output}{await errors}";
    }

    /// <summary>Adds up all that was measured.</summary>
    public IReadOnlyList<AssemblyCoverage> Read()
    {
        var hits = new SortedDictionary<string, SortedDictionary<string, SortedDictionary<int, bool>>>(StringComparer.Ordinal);
        foreach (var file in Directory.EnumerateFiles(Path.Combine(folder, "raw"), "*.xml", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            var report = XDocument.Load(file);
            var source = report.Descendants("source").First().Value;
            foreach (var package in report.Descendants("package"))
            {
                foreach (var type in package.Descendants("class")) Add(hits, package.Attribute("name")!.Value, source, type);
            }
        }

        return [.. hits.Select(static assembly => new AssemblyCoverage(
            assembly.Key,
            assembly.Value.Values.Sum(static lines => lines.Values.Count(static hit => hit)),
            assembly.Value.Values.Sum(static lines => lines.Count),
            assembly.Value.Where(static file => file.Value.ContainsValue(false)).ToDictionary(static file => file.Key, static file => (IReadOnlyList<int>)[.. file.Value.Where(static line => !line.Value).Select(static line => line.Key)])))];
    }

    private void Add(SortedDictionary<string, SortedDictionary<string, SortedDictionary<int, bool>>> hits, string assembly, string source, XElement type)
    {
        // A report's names begin where all of its files lie: further down for one that has a single assembly.
        var file = Path.GetRelativePath(root, Path.Combine(source, type.Attribute("filename")!.Value));
        if (!hits.TryGetValue(assembly, out var files)) hits.Add(assembly, files = new(StringComparer.Ordinal));
        if (!files.TryGetValue(file, out var lines)) files.Add(file, lines = []);
        foreach (var line in type.Descendants("line"))
        {
            var number = int.Parse(line.Attribute("number")!.Value, CultureInfo.InvariantCulture);
            lines[number] = lines.GetValueOrDefault(number) || line.Attribute("hits")!.Value != "0";
        }
    }
}
