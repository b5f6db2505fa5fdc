using System.CommandLine;
using Ork.Cli.Sim;
using OrkSim;
using Spectre.Console;

namespace Ork.Cli.Commands;

/// <summary><c>ork sim</c>: the kernel in a simulated world.</summary>
internal static class SimCommands
{
    internal static Command Create()
    {
        return new Verb("sim", "Run the kernel in a simulated world: find and replay what goes wrong.") { List(), Run(), Explore(), Replay(), Shrink(), Report(), New(), Validate() }
            .WithExample("ork sim explore all --time 60s");
    }

    private static Verb List()
    {
        var json = Shared.Json();
        var list = new Verb("list", "List scenarios, faults, invariants, gears and reached points.") { json }.WithExample("ork sim list");
        list.SetAction(parsed =>
        {
            return SimRuns.Guard(parsed.GetValue(json), SimListing.Show);
        });
        return list;
    }

    private static Verb Run()
    {
        var scenario = new Argument<string>("scenario") { Description = "A scenario of 'ork sim list', or a file." };
        var seed = new Option<ulong>("--seed") { Description = "Chooses everything that is left to chance.", DefaultValueFactory = _ => 1 };
        var gear = new Option<string>("--gear") { Description = "swarm or coyote.", DefaultValueFactory = _ => "swarm" }.AcceptOnly("swarm", "coyote");
        var file = new Option<string?>("--out") { Description = "Write the run to this file, with every decision and event." };
        var json = Shared.Json();
        var run = new Verb("run", "Run one scenario once.") { scenario, seed, gear, file, json }.WithExample("ork sim run everything-at-once --seed 7 --out run.json");
        run.SetAction(parsed => SimRuns.Guard(parsed.GetValue(json), output => SimRuns.Run(
            output, ScenarioSource.Find(parsed.GetValue(scenario)!), parsed.GetValue(seed), parsed.GetValue(gear)!, parsed.GetValue(file))));
        return run;
    }

    private static Verb Explore()
    {
        var scenarios = new Argument<string[]>("scenario") { Description = "Scenarios of 'ork sim list', files, or 'all'.", Arity = ArgumentArity.OneOrMore };
        var gears = new Option<string[]>("--gear") { Description = "swarm, coyote, sweep, guided, mirror or exhaust; may be given more than once (default: swarm).", AllowMultipleArgumentsPerToken = true };
        gears.AcceptOnlyFromAmong([.. Enum.GetValues<Gear>().Select(GearNames.Of)]);
        var runs = new Option<long?>("--runs") { Description = "Runs for each scenario and gear." };
        var time = new Option<string?>("--time") { Description = "Time for all of it, 60s or 10m or 2h (default: 60s, unless --runs is given)." };
        var jobs = new Option<int>("--jobs") { Description = "Runs at once.", DefaultValueFactory = _ => Environment.ProcessorCount };
        var seed = new Option<ulong>("--seed") { Description = "The first seed.", DefaultValueFactory = _ => 1 };
        var check = new Option<int>("--check-every") { Description = "Run one seed in so many twice and compare draw by draw, of those one in five with the real store and journals mirrored.", DefaultValueFactory = _ => 20 };
        var crash = new Option<string[]>("--crash") { Description = "What the sweep crashes: kernel, or a Worker such as w-003; may be given more than once (default: kernel and w-001).", AllowMultipleArgumentsPerToken = true };
        var directory = new Option<string?>("--out") { Description = "Folder for the run files of violations (default: orksim-runs)." };
        var first = new Option<bool>("--first") { Description = "Stop at the first violation." };
        var noShrink = new Option<bool>("--no-shrink") { Description = "Do not shrink what is found, and write no reports." };
        var limit = Limit();
        var json = Shared.Json();
        jobs.Validators.Add(result => { if (result.Tokens.Count == 1 && int.TryParse(result.Tokens[0].Value, out var number) && number < 1) result.AddError("--jobs must be 1 or more."); });
        check.Validators.Add(result => { if (result.Tokens.Count == 1 && int.TryParse(result.Tokens[0].Value, out var number) && number < 1) result.AddError("--check-every must be 1 or more."); });
        var explore = new Verb("explore", "Run scenarios again and again, in every way there is, and look for what does not hold.")
        {
            scenarios, gears, runs, time, jobs, seed, check, crash, directory, first, noShrink, limit, json,
        }.WithExample("ork sim explore everything-at-once --time 60s", "ork sim explore all --gear swarm --gear coyote --gear sweep --runs 50 --json");
        explore.SetAction((parsed, _) => SimRuns.GuardAsync(parsed.GetValue(json), output => SimExploration.RunAsync(output, new ExploreOptions
        {
            Scenarios = ScenarioSource.Find(parsed.GetValue(scenarios)!),
            Gears = Gears(parsed.GetValue(gears)),
            Runs = parsed.GetValue(runs),
            Time = parsed.GetValue(time) is { } text ? Duration("--time", text) : parsed.GetValue(runs) is null ? TimeSpan.FromSeconds(60) : null,
            Jobs = parsed.GetValue(jobs),
            Seed = parsed.GetValue(seed),
            CheckEvery = parsed.GetValue(check),
            SweepNodes = parsed.GetValue(crash) is { Length: > 0 } nodes ? nodes : SweepGear.Nodes,
            Directory = parsed.GetValue(directory) ?? "orksim-runs",
            StopAtFirst = parsed.GetValue(first),
        }, parsed.GetValue(noShrink) ? null : new ShrinkOptions { Limit = Duration("--shrink-limit", parsed.GetValue(limit)!), Jobs = parsed.GetValue(jobs) })));
        return explore;
    }

    private static Verb Replay()
    {
        var file = new Argument<string>("run.json") { Description = "A file that 'ork sim run' or 'ork sim explore' wrote." };
        var events = new Option<bool>("--events") { Description = "Print what happens." };
        var until = new Option<long?>("--until") { Description = "Stop at this step." };
        var json = Shared.Json();
        var replay = new Verb("replay", "Run a run again, to the identical trace; exit 3 if it is not.") { file, events, until, json }
            .WithExample("ork sim replay run.json --events --until 1200");
        replay.SetAction(parsed => SimRuns.Guard(parsed.GetValue(json), output => SimRuns.Replay(
            output, parsed.GetValue(file)!, parsed.GetValue(events), parsed.GetValue(until))));
        return replay;
    }

    private static Verb Shrink()
    {
        var file = new Argument<string>("run.json") { Description = "A violating run that 'ork sim run' or 'ork sim explore' wrote." };
        var to = new Option<string?>("--out") { Description = "The shrunk run; its report is written beside it (default: the file's name with .min.json)." };
        var scenario = new Option<string?>("--scenario") { Description = "Also write the shrunk scenario to this file, to keep it as a regression (scenarios/regression-NAME.yaml)." };
        var limit = Limit();
        var jobs = new Option<int>("--jobs") { Description = "Runs at once.", DefaultValueFactory = _ => Environment.ProcessorCount };
        var json = Shared.Json();
        var shrink = new Verb("shrink", "Make a violating run as small as it can be while it still violates the same invariant.") { file, to, scenario, limit, jobs, json }
            .WithExample("ork sim shrink run.json --out min.json");
        shrink.SetAction(parsed => SimRuns.Guard(parsed.GetValue(json), output => SimReports.Shrink(
            output, parsed.GetValue(file)!, parsed.GetValue(to) ?? Path.ChangeExtension(parsed.GetValue(file)!, ".min.json"), parsed.GetValue(scenario),
            new ShrinkOptions { Limit = Duration("--shrink-limit", parsed.GetValue(limit)!), Jobs = Math.Max(1, parsed.GetValue(jobs)) })));
        return shrink;
    }

    private static Verb Report()
    {
        var file = new Argument<string>("run.json") { Description = "A file that 'ork sim run', 'ork sim explore' or 'ork sim shrink' wrote." };
        var format = new Option<string>("--format") { Description = "html, a page for any browser; text, a story for a terminal; perfetto, a trace for the Perfetto UI.", DefaultValueFactory = _ => "html" }.AcceptOnly("html", "text", "perfetto");
        var to = new Option<string?>("--out") { Description = "The file to write (default: beside the run; text goes to the terminal)." };
        var slice = new Option<bool>("--slice") { Description = "Only what happened before the violation, by the events' vector clocks." };
        var json = Shared.Json();
        var report = new Verb("report", "Tell a run: as a page, as a text, or as a trace.") { file, format, to, slice, json }
            .WithExample("ork sim report run.json --out report.html", "ork sim report run.json --format text --slice");
        report.SetAction(parsed => SimRuns.Guard(parsed.GetValue(json), output => SimReports.Report(
            output, parsed.GetValue(file)!, parsed.GetValue(format)!, parsed.GetValue(to), parsed.GetValue(slice))));
        return report;
    }

    private static Verb New()
    {
        var name = new Argument<string>("name") { Description = "The scenario's name: small letters, digits and dashes." };
        var folder = new Option<string>("--folder") { Description = "Where it is written.", DefaultValueFactory = _ => ScenarioSource.Folder };
        var json = Shared.Json();
        var create = new Verb("new", "Write a commented scenario to start from.") { name, folder, json }.WithExample("ork sim new my-bad-day");
        create.SetAction(parsed => SimRuns.Guard(parsed.GetValue(json), output => SimFiles.New(output, parsed.GetValue(name)!, parsed.GetValue(folder)!)));
        return create;
    }

    private static Verb Validate()
    {
        var files = new Argument<string[]>("file") { Description = "Scenario files, or folders of them.", Arity = ArgumentArity.OneOrMore };
        var json = Shared.Json();
        var validate = new Verb("validate", "Check scenario files; exit 2 if something is wrong with one.") { files, json }.WithExample("ork sim validate scenarios");
        validate.SetAction(parsed => SimRuns.Guard(parsed.GetValue(json), output => SimFiles.Validate(output, parsed.GetValue(files)!)));
        return validate;
    }

    private static Option<string> Limit() => new("--shrink-limit") { Description = "The most time that shrinking a run may take.", DefaultValueFactory = _ => "55s" };

    private static Option<string> AcceptOnly(this Option<string> option, params string[] values)
    {
        option.AcceptOnlyFromAmong(values);
        return option;
    }

    private static Gear[] Gears(string[]? names) => names is null or [] ? [Gear.Swarm] : [.. names.Select(name => GearNames.Parse(name)!.Value).Distinct()];

    private static TimeSpan Duration(string option, string text)
    {
        try
        {
            var time = TimeRange.ParseDuration(text);
            return time > TimeSpan.Zero ? time : throw new ScenarioException($"{option} {text} must be above 0.");
        }
        catch (FormatException)
        {
            throw new ScenarioException($"{option} {text} is no duration: 60s, 10m and 2h are.");
        }
    }
}
