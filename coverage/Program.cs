using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Ork.Coverage;
using OrkSim;
using Spectre.Console;

var folder = new Option<string>("--out") { Description = "Where the reports go.", DefaultValueFactory = _ => "coverage/report" };
var quick = new Option<bool>("--quick") { Description = "Leave out the tests that simulate for minutes, and explore less." };
var runs = new Option<int?>("--runs") { Description = "Runs of the swarm for each scenario (default: 20, with --quick 6); of the other gears a share of that." };
var seek = new Option<double?>("--seek") { Description = "Seconds to go on for with further seeds, where some transition was never met; ends as soon as all are (default: 180, with --quick 90)." };
var configuration = new Option<string>("--configuration") { Description = "The configuration of the tests: one that is built already saves time.", DefaultValueFactory = _ => "Release" };
var linesOnly = new Option<bool>("--lines") { Description = "Line coverage only." };
var transitionsOnly = new Option<bool>("--transitions") { Description = "Transition coverage only." };
var json = new Option<bool>("--json") { Description = "End with one JSON object." };
var root = new RootCommand("Runs the tests with coverage and explores every scenario; writes an HTML report of the lines reached (OUT/lines/index.html), a page of the error codes produced (OUT/codes.html) and one of the transitions met (OUT/transitions.html), and prints a line for each assembly and machine. Exits 1 where a test fails or an exploration finds something.")
{
    folder, quick, runs, seek, configuration, linesOnly, transitionsOnly, json,
};
root.SetAction(async (parsed, cancellation) =>
{
    var to = Path.GetFullPath(parsed.GetValue(folder)!);
    var only = parsed.GetValue(linesOnly) || parsed.GetValue(transitionsOnly);
    var problems = new List<string>();
    IReadOnlyList<AssemblyCoverage> lines = [];
    ErrorCodeCoverage? codes = null;
    TransitionCoverage? transitions = null;
    try
    {
        if (!only || parsed.GetValue(linesOnly)) lines = await MeasureAsync(to, parsed.GetValue(configuration)!, parsed.GetValue(quick) ? LineCoverage.Quick : LineCoverage.All, problems, cancellation);
        if (lines.Count > 0) codes = ReadCodes(to, lines);
        if (!only || parsed.GetValue(transitionsOnly)) transitions = Explore(to, parsed.GetValue(runs) ?? (parsed.GetValue(quick) ? 6 : 20), TimeSpan.FromSeconds(parsed.GetValue(seek) ?? (parsed.GetValue(quick) ? 90 : 180)), problems, cancellation);
    }
    catch (OperationCanceledException)
    {
        Console.Error.WriteLine("Interrupted.");
        return 1;
    }

    Say(lines, codes, transitions);
    foreach (var problem in problems) Console.Error.WriteLine(problem);
    if (parsed.GetValue(json)) Console.Out.WriteLine(Json(lines, codes, transitions, problems));
    return problems.Count > 0 ? 1 : 0;
});
return await root.Parse(args).InvokeAsync();

static async Task<IReadOnlyList<AssemblyCoverage>> MeasureAsync(string to, string configuration, IReadOnlyList<string> projects, List<string> problems, CancellationToken cancellation)
{
    if (Directory.Exists(Path.Combine(to, "raw"))) Directory.Delete(Path.Combine(to, "raw"), recursive: true);
    var coverage = new LineCoverage(Repository(), to, configuration);
    for (var i = 0; i < projects.Count; i++)
    {
        Progress($"{i + 1} of {projects.Count}: {projects[i]}");
        if (await coverage.RunAsync(projects[i], cancellation) is { } failed) problems.Add(failed);
    }

    Progress("reporting");
    if (await coverage.ReportAsync(cancellation) is { } failure) problems.Add(failure);
    return coverage.Read();
}

static ErrorCodeCoverage ReadCodes(string to, IReadOnlyList<AssemblyCoverage> lines)
{
    var codes = ErrorCodeCoverage.Read(Repository(), lines);
    File.WriteAllText(Path.Combine(to, "codes.html"), codes.Page());
    return codes;
}

static TransitionCoverage Explore(string to, int runs, TimeSpan seek, List<string> problems, CancellationToken cancellation)
{
    var met = new TransitionCoverage();
    var scenarios = ScenarioCatalogue.All.Where(static scenario => scenario.Budget.Exhaust == 0).ToArray();
    for (var i = 0; i < scenarios.Length; i++)
    {
        foreach (var gear in TransitionCoverage.Gears)
        {
            cancellation.ThrowIfCancellationRequested();
            Progress($"{i + 1} of {scenarios.Length}: {scenarios[i].Name}, {GearNames.Of(gear)}");

            // Under one seed scenarios draw alike, which of their faults strike for one: each has seeds of its own.
            met.Explore(scenarios[i], gear, gear == Gear.Coyote ? Math.Max(1, runs / 3) : runs, (ulong)((i * 1_000) + ((int)gear * 100) + 1));
        }
    }

    Seek(met, scenarios, seek, cancellation);
    problems.AddRange(met.Violations.Select(static found => $"{found.Invariant} in {found.Scenario}, {found.Gear}, seed {found.Seed}: {found.Message}"));
    Directory.CreateDirectory(to);
    File.WriteAllText(Path.Combine(to, "transitions.html"), new TransitionPage(met).Write());
    return met;
}

// Some transitions take two rare things at once: a few runs of each scenario meet them at some seeds only.
static void Seek(TransitionCoverage met, Scenario[] scenarios, TimeSpan most, CancellationToken cancellation)
{
    const int likeliest = 5;
    const int runs = 12;
    var began = Stopwatch.GetTimestamp();
    for (var round = 2UL; met.LikelyFor(likeliest) is { Count: > 0 } likely; round++)
    {
        foreach (var scenario in scenarios.Where(scenario => likely.Contains(scenario.Name)))
        {
            cancellation.ThrowIfCancellationRequested();
            if (Stopwatch.GetElapsedTime(began) > most) return;
            Progress($"looking for what was never met, round {round - 1}: {scenario.Name}");
            met.Explore(scenario, Gear.Swarm, runs, 1_000_000 + round);
        }
    }
}

static void Progress(string what)
{
    if (Console.IsErrorRedirected) Console.Error.WriteLine(what);
    else Console.Error.Write($"\r\u001b[K{what}");
}

static void Say(IReadOnlyList<AssemblyCoverage> lines, ErrorCodeCoverage? codes, TransitionCoverage? transitions)
{
    if (!Console.IsErrorRedirected) Console.Error.Write("\r\u001b[K");
    foreach (var assembly in lines) Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"coverage: {assembly.Assembly} {assembly.Percent:F1} % of {assembly.Lines:N0} lines"));
    if (codes is not null) Console.Out.WriteLine($"coverage: {codes.Rows.Count - codes.Missing.Count} of {codes.Rows.Count} error codes produced by a test that names them{(codes.Missing.Count == 0 ? "" : "; never: " + string.Join(", ", codes.Missing))}");
    if (transitions is null) return;
    var total = transitions.Total;
    foreach (var machine in OrkSim.Coverage.Machines)
    {
        var missing = total.MissingOf(machine);
        var (attempted, refused) = TransitionCoverage.TryIllegal(machine);
        Console.Out.WriteLine($"coverage: machine {machine.Name} {machine.Transitions.Count - missing.Count} of {machine.Transitions.Count} transitions met, {refused} of {attempted} illegal ones refused{(missing.Count == 0 ? "" : "; never met: " + string.Join(", ", missing.Select(static row => $"{row.From} {row.Trigger}")))}");
    }

    var wanted = OrkSim.Coverage.Points.Except(OrkSim.Coverage.Mistakes).ToArray();
    var missed = wanted.Where(point => total.CountOf(point) == 0).ToArray();
    var mistakes = OrkSim.Coverage.Mistakes.Where(point => total.CountOf(point) > 0).ToArray();
    Console.Out.WriteLine($"coverage: {wanted.Length - missed.Length} of {wanted.Length} points met{(missed.Length == 0 ? "" : "; never met: " + string.Join(", ", missed))}; {(mistakes.Length == 0 ? $"none of the {OrkSim.Coverage.Mistakes.Count} that only a mistake of the kernel leads to" : "and by a mistake of the kernel: " + string.Join(", ", mistakes))}");
}

static string Json(IReadOnlyList<AssemblyCoverage> lines, ErrorCodeCoverage? codes, TransitionCoverage? transitions, List<string> problems) => JsonSerializer.Serialize(
    new
    {
        assemblies = lines.Select(static assembly => new { assembly.Assembly, assembly.Covered, assembly.Lines, assembly.Percent, assembly.Missed }),
        codesMissed = codes?.Missing,
        machines = transitions is null ? null : OrkSim.Coverage.Machines.Select(machine => new
        {
            machine.Name,
            total = machine.Transitions.Count,
            missing = transitions.Total.MissingOf(machine).Select(static row => $"{row.From} {row.Trigger} {row.To}"),
        }),
        pointsMissed = transitions is null ? null : OrkSim.Coverage.Points.Where(point => transitions.Total.CountOf(point) == 0),
        problems,
    },
    new JsonSerializerOptions(JsonSerializerDefaults.Web) { WriteIndented = true });

static string Repository()
{
    for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
    {
        if (File.Exists(Path.Combine(at.FullName, "OrkSim.sln"))) return at.FullName;
    }

    throw new InvalidOperationException($"There is no OrkSim.sln in {AppContext.BaseDirectory} or above it.");
}
