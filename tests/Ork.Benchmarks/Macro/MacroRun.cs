using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using OrkSim;

namespace Ork.Benchmarks;

/// <summary>Runs the members and prints what they came to.</summary>
internal static class MacroRun
{
    internal const string Usage = """
        macro [--json] [--quick] [--only NAME,NAME] [--scale FACTOR] [--growth FILE.svg] [--dir FOLDER]
          --json    End with one JSON object of all figures.
          --quick   Short measurements, and none of those that take minutes: under 50 s in all.
          --only    Only these: commands1, commands1024, telemetry1024, recovery100k, recovery1m, storm2000, idle10k, steady1m, simSwarm, simCoyote.
          --scale   The load as a factor of the plain one.
          --growth  Measure at a tenth of the load, at the load and at ten times, and draw it.
          --dir     A folder on the disk to measure (default: the temporary folder).
        """;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    private static readonly (string Name, bool InQuick, Func<MacroScope, Task<Figure>> Measure)[] All =
    [
        ("commands1", true, Members.Commands1Async),
        ("commands1024", true, Members.Commands1024Async),
        ("telemetry1024", true, Members.Telemetry1024Async),
        ("recovery100k", true, static scope => Members.RecoveryAsync(scope, 100_000)),
        ("recovery1m", false, static scope => Members.RecoveryAsync(scope, 1_000_000)),
        ("storm2000", false, Members.Storm2000Async),
        ("idle10k", false, Members.Idle10KAsync),
        ("steady1m", false, Members.Steady1MAsync),
        ("simSwarm", false, static scope => Members.SimAsync(scope, Gear.Swarm)),
        ("simCoyote", false, static scope => Members.SimAsync(scope, Gear.Coyote)),
    ];

    internal static async Task<int> RunAsync(string[] args)
    {
        var quick = args.Contains("--quick");
        var only = Value(args, "--only")?.Split(',');
        if (only?.FirstOrDefault(name => All.All(member => member.Name != name)) is { } unknown)
        {
            Console.Error.WriteLine($"There is no member '{unknown}'.\n{Usage}");
            return 2;
        }

        var root = Directory.CreateDirectory(Path.Combine(Value(args, "--dir") ?? Path.GetTempPath(), "ork-bench-" + Environment.ProcessId)).FullName;
        var scope = new MacroScope(root, quick, double.Parse(Value(args, "--scale") ?? "1", CultureInfo.InvariantCulture));
        var figures = new Dictionary<string, Figure>();
        try
        {
            if (Value(args, "--growth") is { } picture) return await GrowthAsync(scope, picture);
            foreach (var (name, inQuick, measure) in All)
            {
                if (only is not null ? !only.Contains(name) : quick && !inQuick) continue;
                if (!Console.IsErrorRedirected) Console.Error.Write($"{name} ...\r");
                var figure = await measure(scope);
                figures.Add(name, figure);
                Print(name, figure);
            }
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }

        if (args.Contains("--json")) Console.WriteLine(JsonSerializer.Serialize(figures, Json));
        return 0;
    }

    /// <summary>The value of an option, or null where it is not given.</summary>
    internal static string? Value(string[] args, string name) => Array.IndexOf(args, name) is var at and >= 0 && at + 1 < args.Length ? args[at + 1] : null;

    private static async Task<int> GrowthAsync(MacroScope scope, string picture)
    {
        var figures = new Dictionary<(string Name, double Scale), Figure>();
        foreach (var (name, _, measure) in All.Where(static member => Growth.Names.Contains(member.Name)))
        {
            foreach (var scale in Growth.ScalesOf(name))
            {
                var figure = await measure(scope with { Scale = scale });
                figures.Add((name, scale), figure);
                Print(name, figure);
                await File.WriteAllTextAsync(picture, Growth.Draw(figures));
            }
        }

        Console.WriteLine($"drawn: {picture}");
        return 0;
    }

    private static void Print(string name, Figure figure)
    {
        Console.WriteLine($"{name}: {figure.Title}");
        Line(figure.PerSecond, "{0:n0}/s");
        Line(figure.Ms, "{0:n1} ms");
        Line(figure.Limit, (figure.PerSecond is null ? "limit {0:n2} ms" : "limit {0:n0}/s") + $" ({figure.LimitTitle})");
        Line(figure.Ratio, "ratio {0:n2}");
        Line(figure.AppendLimit, "bare append and sync of the same bytes {0:n0}/s");
        Line(figure.RecordsEach, "{0:n1} records for each");
        Line(figure.CommandsPerCommit, "{0:n1} commands a commit");
        Line(figure.P50Ms, "p50 {0:n2} ms");
        Line(figure.P99Ms, "p99 {0:n2} ms");
        Line(figure.TimeRatio, "{0:n0} times real time");
        Line(figure.MedianTimeRatio, "{0:n0} times real time the scenario in the middle");
        Line(figure.BytesEach, "{0:n0} bytes allocated for each");
        Line(figure.KernelCpuUs, "{0:n1} us of the kernel's processor time for each");
        Line(figure.CoreShare, "{0:p1} of a core");
        Line(figure.MemoryMb, "{0:n0} MB of memory");
        Line(figure.StoreMb, "{0:n0} MB of store");
    }

    private static void Line(double? value, string format)
    {
        if (value is { } number) Console.WriteLine("  " + string.Format(CultureInfo.InvariantCulture, format, number));
    }
}
