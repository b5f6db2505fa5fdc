using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Ork.Defects;
using OrkSim;
using Spectre.Console;

// A hunt in a process of its own: hunt GEAR SECONDS SEED [SCENARIO...]
if (args is ["hunt", var named, var seconds, var from, .. var only])
{
    Hunt.Run(GearNames.Parse(named)!.Value, TimeSpan.FromSeconds(double.Parse(seconds, CultureInfo.InvariantCulture)), ulong.Parse(from, CultureInfo.InvariantCulture), only);
    return 0;
}

// A comparison in a process of its own: compare-one SCENARIO REPETITIONS BUDGET
if (args is ["compare-one", var where, var often, var most])
{
    Comparison.Run(where, int.Parse(often, CultureInfo.InvariantCulture), int.Parse(most, CultureInfo.InvariantCulture));
    return 0;
}

// A file has no width: the table's cells are not to be broken.
if (Console.IsOutputRedirected) AnsiConsole.Profile.Width = 200;
var names = new Argument<string[]>("defect") { Description = "Defects by name, or patch files; all of the catalogue where there is none.", Arity = ArgumentArity.ZeroOrMore };
var gears = new Option<string[]>("--gear") { Description = "Hunt in these gears (default: those that each defect names).", AllowMultipleArgumentsPerToken = true };
gears.AcceptOnlyFromAmong([.. Enum.GetValues<Gear>().Select(GearNames.Of)]);
var time = new Option<string>("--time") { Description = "The most a hunt for one defect in one gear may take.", DefaultValueFactory = _ => "60s" };
var seed = new Option<ulong>("--seed") { Description = "The first seed.", DefaultValueFactory = _ => 1 };
var scenarios = new Option<string[]>("--scenario") { Description = "Explore these scenarios only.", AllowMultipleArgumentsPerToken = true };
var jobs = new Option<int>("--jobs") { Description = "Hunts at once, each on a core of its own.", DefaultValueFactory = _ => Environment.ProcessorCount };
var folder = new Option<string>("--out") { Description = "Where results are kept; a campaign that was interrupted goes on from them.", DefaultValueFactory = _ => "orksim-defects" };
var fresh = new Option<bool>("--fresh") { Description = "Make hunts again whose results are kept." };
var list = new Option<bool>("--list") { Description = "List what would be hunted, and end." };
var json = new Option<bool>("--json") { Description = "Write one JSON object." };
var root = new RootCommand("Plants known bugs in a copy of the product, one at a time, and explores until something is found. Exits 1 where one is not found, or its patch does not apply any more.")
{
    names, gears, time, seed, scenarios, jobs, folder, fresh, list, json,
};
root.SetAction((parsed, cancellation) => GuardedAsync(async () =>
{
    var source = new SourceTree();
    var catalogue = Defect.ReadAll(Path.Combine(AppContext.BaseDirectory, "defects"));
    var wanted = parsed.GetValue(names) is { Length: > 0 } some ? some.Select(name => Find(name, catalogue)).ToArray() : catalogue;
    if (parsed.GetValue(list)) return List(wanted);
    var options = new CampaignOptions
    {
        Defects = wanted,
        Gears = GearsOf(parsed.GetValue(gears)),
        Time = TimeRange.ParseDuration(parsed.GetValue(time)!),
        Seed = parsed.GetValue(seed),
        Jobs = parsed.GetValue(jobs),
        Folder = Path.GetFullPath(parsed.GetValue(folder)!),
        Fresh = parsed.GetValue(fresh),
        Scenarios = parsed.GetValue(scenarios) ?? [],
    };
    return await RunAsync(new Campaign(options, source), parsed.GetValue(json), cancellation);
}, "Interrupted. The same command goes on from here."));

var deep = new Argument<string[]>("defect") { Description = "Defects by name; all that say they are deep where there is none.", Arity = ArgumentArity.ZeroOrMore };
var repetitions = new Option<int>("--repetitions") { Description = "How often each gear hunts each defect, under other seeds each time.", DefaultValueFactory = _ => 20 };
var budget = new Option<int>("--runs") { Description = "The most runs of a repetition.", DefaultValueFactory = _ => 200 };
var compare = new Command("compare", "Hunt deep defects unguided and guided with the same budget, and tell how many runs each took: median and quarters.") { deep, repetitions, budget, jobs, folder, json };
compare.SetAction((parsed, cancellation) => GuardedAsync(async () =>
{
    var catalogue = Defect.ReadAll(Path.Combine(AppContext.BaseDirectory, "defects"));
    var wanted = parsed.GetValue(deep) is { Length: > 0 } some ? some.Select(name => Find(name, catalogue)).ToArray() : [.. catalogue.Where(static defect => defect.Deep is not null)];
    return await CompareAsync(wanted, parsed.GetValue(repetitions), parsed.GetValue(budget), parsed.GetValue(jobs), Path.GetFullPath(parsed.GetValue(folder)!), parsed.GetValue(json), cancellation);
}, "Interrupted."));
root.Add(compare);

var inside = new Argument<string[]>("path") { Description = "Folders or files of the source to change.", DefaultValueFactory = _ => ["src/Ork.Kernel", "src/Ork.Worker", "src/Ork.Client", "src/Ork.Protocol"] };
var count = new Option<int>("--count") { Description = "How many to draw.", DefaultValueFactory = _ => 40 };
var mutants = new Command("mutants", "Hunt defects that nobody chose: statements left out, conditions turned round, bounds moved. Draws some of all there are, and keeps those that nothing caught as patch files.") { inside, count, gears, time, seed, scenarios, jobs, folder, fresh, list };
mutants.SetAction((parsed, cancellation) => GuardedAsync(async () =>
{
    var source = new SourceTree();
    var options = new CampaignOptions
    {
        Defects = Mutants.Draw(source.Root, parsed.GetValue(inside)!, parsed.GetValue(count), (long)parsed.GetValue(seed)),
        Gears = GearsOf(parsed.GetValue(gears)),
        Time = TimeRange.ParseDuration(parsed.GetValue(time)!),
        Jobs = parsed.GetValue(jobs),
        Folder = Path.GetFullPath(parsed.GetValue(folder)!),
        Fresh = parsed.GetValue(fresh),
        Scenarios = parsed.GetValue(scenarios) ?? [],
    };
    if (parsed.GetValue(list))
    {
        foreach (var mutant in options.Defects) Console.Out.WriteLine(mutant.Text);
        return 0;
    }

    var survivors = new Survivors(Path.Combine(options.Folder, "survivors"));
    survivors.Write(await HuntAsync(new Campaign(options, source), isQuiet: false, cancellation), AnsiConsole.Console);
    return 0;
}, "Interrupted. The same command goes on from here."));
root.Add(mutants);
return await root.Parse(args).InvokeAsync();

static async Task<int> GuardedAsync(Func<Task<int>> run, string interrupted)
{
    try
    {
        return await run();
    }
    catch (Exception e) when (e is DefectException or FormatException)
    {
        Console.Error.WriteLine(e.Message);
        return 2;
    }
    catch (OperationCanceledException)
    {
        Console.Error.WriteLine(interrupted);
        return 1;
    }
}

static Defect Find(string name, IReadOnlyList<Defect> catalogue) =>
    File.Exists(name) ? Defect.Read(name) : catalogue.FirstOrDefault(defect => defect.Name == name) ?? throw new DefectException($"There is no defect '{name}'.");

static int List(IReadOnlyList<Defect> defects)
{
    foreach (var defect in defects) Console.Out.WriteLine($"{defect.Name} ({string.Join(", ", defect.Invariants)}; {string.Join(", ", defect.Gears.Select(GearNames.Of))})\n  {defect.Bug}");
    return 0;
}

static Gear[]? GearsOf(string[]? names) => names is { Length: > 0 } ? [.. names.Select(name => GearNames.Parse(name)!.Value).Distinct()] : null;

static async Task<int> RunAsync(Campaign campaign, bool asJson, CancellationToken cancellation)
{
    var results = new Results(await HuntAsync(campaign, asJson, cancellation));
    if (asJson) WriteJson(results);
    else results.Show(AnsiConsole.Console);
    return results.Missed.Count == 0 && results.Failed.Count == 0 ? 0 : 1;
}

static async Task<IReadOnlyList<Hunted>> HuntAsync(Campaign campaign, bool isQuiet, CancellationToken cancellation)
{
    var hunts = new List<Hunted>();
    if (isQuiet || Console.IsOutputRedirected)
    {
        await campaign.RunAsync((_, _) => { }, hunt => { lock (hunts) hunts.Add(hunt); if (!isQuiet) Line(hunt, hunts.Count, campaign.Hunts.Count); }, cancellation);
        return hunts;
    }

    await AnsiConsole.Progress().AutoClear(true).Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn()).StartAsync(async progress =>
    {
        var bar = progress.AddTask("hunting", maxValue: campaign.Hunts.Count);
        await campaign.RunAsync((defect, gear) => bar.Description = $"{defect.Name} [grey]{GearNames.Of(gear)}[/]", hunt => { lock (hunts) hunts.Add(hunt); bar.Increment(1); }, cancellation);
    });
    return hunts;
}

static async Task<int> CompareAsync(IReadOnlyList<Defect> defects, int repetitions, int budget, int jobs, string folder, bool asJson, CancellationToken cancellation)
{
    var source = new SourceTree();
    var waiting = new System.Collections.Concurrent.ConcurrentQueue<Defect>(defects);
    var made = new System.Collections.Concurrent.ConcurrentDictionary<string, Comparison>(StringComparer.Ordinal);
    await Task.WhenAll(Enumerable.Range(0, Math.Max(1, jobs)).Select(number => Task.Run(async () =>
    {
        HuntingGround? ground = null;
        while (waiting.TryDequeue(out var defect))
        {
            ground ??= new HuntingGround(Path.Combine(folder, $"ground-{number + 1}"));
            made[defect.Name] = await ground.CompareAsync(source.Compile(defect.Patch), defect.Deep ?? throw new DefectException($"{defect.Name} does not say in which scenario it is deep."), repetitions, budget, cancellation);
            if (!asJson) Console.Error.WriteLine($"{made.Count} of {defects.Count}: {defect.Name}");
        }
    }, cancellation)));
    if (asJson)
    {
        Console.Out.WriteLine(JsonSerializer.Serialize(made, new JsonSerializerOptions(JsonSerializerDefaults.Web) { WriteIndented = true }));
        return 0;
    }

    var table = new Table().Border(TableBorder.Simple).AddColumn("defect").AddColumn("scenario").AddColumn("swarm: runs").AddColumn("guided: runs").AddColumn("guided / swarm");
    foreach (var defect in defects.OrderBy(static defect => defect.Name, StringComparer.Ordinal))
    {
        var one = made[defect.Name];
        table.AddRow(defect.Name, defect.Deep!, Spread(one.Swarm, budget), Spread(one.Guided, budget), string.Create(CultureInfo.InvariantCulture, $"{(double)Comparison.Median(one.Guided) / Comparison.Median(one.Swarm):F2}"));
    }

    AnsiConsole.Write(table);
    AnsiConsole.WriteLine($"Runs until found: median (first to third quarter), of {repetitions} repetitions of at most {budget} runs; * where some did not find it.");
    return 0;
}

static string Spread(IReadOnlyList<long> runs, int budget) =>
    $"{Comparison.Median(runs)} ({Comparison.Quarters(runs).First} to {Comparison.Quarters(runs).Third}){(runs.Any(count => count >= budget) ? $" *{runs.Count(count => count >= budget)}" : "")}";

static void Line(Hunted hunt, int number, int of)
{
    var what = hunt.Failure is { } failure ? $"FAILED {failure}" : hunt.Catch is { Invariant: { } invariant } found ? $"{(hunt.IsFound ? "" : "other: ")}{invariant} in {found.Scenario}: {found.Message}" : "-";
    Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{number}/{of} {hunt.Defect.Name} {GearNames.Of(hunt.Gear)} {hunt.Catch?.Runs} runs {hunt.Catch?.Seconds:F1} s {what.Split('\n')[0]}{(hunt.Kept ? " (kept)" : "")}"));
}

static void WriteJson(Results results) => Console.Out.WriteLine(JsonSerializer.Serialize(
    new
    {
        defects = results.ByDefect.Select(static defect => new
        {
            defect.Key.Name,
            defect.Key.Invariants,
            found = defect.Any(static hunt => hunt.IsFound),
            hunts = defect.Select(static hunt => new { gear = GearNames.Of(hunt.Gear), found = hunt.IsFound, hunt.Catch?.Invariant, hunt.Catch?.Scenario, hunt.Catch?.Seed, hunt.Catch?.Runs, hunt.Catch?.Seconds, hunt.Catch?.Message, hunt.Failure }),
        }),
        results.Missed,
        results.MedianSeconds,
        mostSeconds = results.Seconds.Count == 0 ? 0 : results.Seconds[^1],
    },
    new JsonSerializerOptions(JsonSerializerDefaults.Web) { WriteIndented = true }));
