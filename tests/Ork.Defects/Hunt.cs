using System.Diagnostics;
using System.Text.Json;
using OrkSim;

namespace Ork.Defects;

/// <summary>How a hunt for one defect in one gear ended.</summary>
/// <param name="Invariant">What was violated, or null where nothing was.</param>
/// <param name="Message">What was seen.</param>
/// <param name="Scenario">In which scenario.</param>
/// <param name="Seed">Under which seed, or in which run.</param>
/// <param name="Runs">Runs made.</param>
/// <param name="Seconds">Real seconds on one core, the build not counted.</param>
public sealed record Catch(string? Invariant, string? Message, string? Scenario, ulong Seed, long Runs, double Seconds);

/// <summary>One exploration, in a process of its own that has the patched assemblies: it ends at the first violation, or when its time is over.</summary>
public static class Hunt
{
    // Some bugs loop without an end inside one step; to find that should not take much of a hunt's time.
    private static readonly TimeSpan StepPatience = TimeSpan.FromSeconds(15);

    /// <summary>The child's side: explores every scenario of the catalogue in a gear, and writes what it caught.</summary>
    public static void Run(Gear gear, TimeSpan time, ulong seed, IReadOnlyList<string> scenarios)
    {
        var wanted = ScenarioCatalogue.All.Where(scenario => scenarios.Count == 0 ? scenario.Budget.Exhaust == 0 : scenarios.Contains(scenario.Name)).ToArray();
        var clock = Stopwatch.StartNew();
        var report = Explorer.Explore(new ExploreOptions { Scenarios = wanted, Gears = [gear], Time = time, Seed = seed, Jobs = 1, CheckEvery = 0, StopAtFirst = true, StepPatience = StepPatience });
        var found = report.Violations.Count > 0 ? report.Violations[0] : null;
        Console.Out.WriteLine(JsonSerializer.Serialize(new Catch(found?.Invariant, found?.Message, found?.Scenario, found?.Seed ?? 0, report.Runs, clock.Elapsed.TotalSeconds)));
    }
}

/// <summary>How many runs each of two gears took to find the same defect, in so many repetitions under other seeds.</summary>
/// <param name="Budget">The most runs of a repetition: as many stand for a defect that was not found.</param>
/// <param name="Swarm">Unguided.</param>
/// <param name="Guided">Guided.</param>
public sealed record Comparison(int Budget, IReadOnlyList<long> Swarm, IReadOnlyList<long> Guided)
{
    private const ulong Apart = 1_000_000;

    /// <summary>The child's side.</summary>
    public static void Run(string scenario, int repetitions, int budget)
    {
        var wanted = ScenarioCatalogue.Find(scenario) ?? throw new DefectException($"There is no scenario '{scenario}'.");
        var (swarm, guided) = (new List<long>(), new List<long>());
        for (var i = 0; i < repetitions; i++)
        {
            swarm.Add(RunsToFind(wanted, Gear.Swarm, 1 + ((ulong)i * Apart), budget));
            guided.Add(RunsToFind(wanted, Gear.Guided, 1 + ((ulong)i * Apart), budget));
        }

        Console.Out.WriteLine(JsonSerializer.Serialize(new Comparison(budget, swarm, guided)));
    }

    /// <summary>The middle one of some numbers of runs.</summary>
    public static long Median(IReadOnlyList<long> runs) => runs.Order().ElementAt(runs.Count / 2);

    /// <summary>The first and the third quarter of some numbers of runs.</summary>
    public static (long First, long Third) Quarters(IReadOnlyList<long> runs) => (runs.Order().ElementAt(runs.Count / 4), runs.Order().ElementAt(3 * runs.Count / 4));

    private static long RunsToFind(Scenario scenario, Gear gear, ulong seed, int budget) =>
        Explorer.Explore(new ExploreOptions { Scenarios = [scenario], Gears = [gear], Runs = budget, Seed = seed, Jobs = 1, CheckEvery = 0, StopAtFirst = true }).Runs;
}

/// <summary>A place where hunts take place, one after the other: a copy of this program whose assemblies are exchanged for patched ones.</summary>
public sealed class HuntingGround
{
    private readonly string _folder;

    /// <summary>Copies this program.</summary>
    /// <param name="folder">Where to; what is there is replaced.</param>
    public HuntingGround(string folder)
    {
        _folder = folder;
        if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
        Directory.CreateDirectory(folder);
        foreach (var file in Directory.EnumerateFiles(AppContext.BaseDirectory)) File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        var native = Path.Combine(AppContext.BaseDirectory, "runtimes");
        foreach (var file in Directory.Exists(native) ? Directory.EnumerateFiles(native, "*", SearchOption.AllDirectories) : [])
        {
            var copy = Path.Combine(folder, Path.GetRelativePath(AppContext.BaseDirectory, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
    }

    /// <summary>Hunts.</summary>
    /// <param name="assemblies">The patched assemblies.</param>
    /// <param name="gear">The gear.</param>
    /// <param name="time">The most it may take.</param>
    /// <param name="seed">The first seed.</param>
    /// <param name="scenarios">Only these scenarios; all where there is none.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="DefectException">The process failed: what it said.</exception>
    public async Task<Catch> HuntAsync(IReadOnlyDictionary<string, byte[]> assemblies, Gear gear, TimeSpan time, ulong seed, IReadOnlyList<string> scenarios, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(scenarios);
        return JsonSerializer.Deserialize<Catch>(await RunAsync(assemblies, ["hunt", GearNames.Of(gear), Number(time.TotalSeconds), Number(seed), .. scenarios], cancellation))!;
    }

    /// <summary>Compares the unguided and the guided gear.</summary>
    /// <param name="assemblies">The patched assemblies.</param>
    /// <param name="scenario">The scenario to explore.</param>
    /// <param name="repetitions">How often, each time under other seeds.</param>
    /// <param name="budget">The most runs of a repetition.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="DefectException">The process failed: what it said.</exception>
    public async Task<Comparison> CompareAsync(IReadOnlyDictionary<string, byte[]> assemblies, string scenario, int repetitions, int budget, CancellationToken cancellation) =>
        JsonSerializer.Deserialize<Comparison>(await RunAsync(assemblies, ["compare-one", scenario, Number(repetitions), Number(budget)], cancellation))!;

    private async Task<string> RunAsync(IReadOnlyDictionary<string, byte[]> assemblies, IReadOnlyList<string> arguments, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(assemblies);
        foreach (var (name, bytes) in assemblies) await File.WriteAllBytesAsync(Path.Combine(_folder, name), bytes, cancellation);
        try
        {
            var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
            foreach (var argument in (string[])[Path.Combine(_folder, "Ork.Defects.dll"), .. arguments]) start.ArgumentList.Add(argument);

            // One core a hunt: what counts is what a core finds.
            start.Environment["DOTNET_PROCESSOR_COUNT"] = "1";
            foreach (var (name, value) in ExplorationRuntime.Variables(cores: 1, TimeSpan.Zero)) start.Environment[name] = value;
            using var process = Process.Start(start)!;
            await using var stop = cancellation.Register(() => process.Kill(entireProcessTree: true));
            var errors = process.StandardError.ReadToEndAsync(CancellationToken.None);
            var output = await process.StandardOutput.ReadToEndAsync(CancellationToken.None);
            await process.WaitForExitAsync(CancellationToken.None);
            cancellation.ThrowIfCancellationRequested();
            return process.ExitCode == 0 ? output : throw new DefectException($"The hunt failed:\n{await errors}");
        }
        finally
        {
            foreach (var name in assemblies.Keys) File.Copy(Path.Combine(AppContext.BaseDirectory, name), Path.Combine(_folder, name), overwrite: true);
        }
    }

    private static string Number(double value) => value.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
