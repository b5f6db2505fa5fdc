namespace OrkSim.Tests;

/// <summary>Violating runs made small, and what is told of them.</summary>
public sealed class ShrinkTests
{
    private static readonly Scenario Day = new()
    {
        Name = "a-day",
        Fleet = new() { Workers = 8, DevicesPerWorker = 3, Journal = 1, Link = LinkMode.Announce },
        Workload = new() { Callers = 3, CommandsPerSecond = 12 },
        Faults =
        [
            new() { Kind = "kernel-crash", PerMinute = 4, For = TimeRange.Seconds(0.05, 0.5), Nasty = 0 }, new() { Kind = "worker-crash", PerMinute = 10, For = TimeRange.Seconds(0.1, 2) },
            new() { Kind = "partition", PerMinute = 6, For = TimeRange.Seconds(0.1, 1) },
        ],
        HealAt = TimeSpan.FromSeconds(25),
        Duration = TimeSpan.FromSeconds(60),
    };

    /// <summary>A device's second execution after some kernel has crashed: needs a crash, and two commands for one device.</summary>
    private static readonly WatchOptions Watch = new() { Invariants = static () => [new QuietAfterACrash()] };

    private static readonly Lazy<(SimRun Run, ShrinkResult Result)> Shrunk = new(() =>
    {
        var run = Explorer.Again(Found(), Watch).Run;
        return (run, Shrinker.Shrink(run, new ShrinkOptions { Watch = Watch, Limit = TimeSpan.FromMinutes(5) }));
    });

    [Fact]
    public void What_is_left_violates_the_same_invariant_with_a_tenth_of_the_events_and_only_the_fault_it_needs()
    {
        var (run, result) = Shrunk.Value;
        Assert.Equal("X2", result.After.Result.Violations[0].Invariant);
        var (before, after) = (run.Result.Size, result.After.Result.Size);
        Assert.True(after.Events * 10 <= before.Events, $"{before} to {after}");
        Assert.Equal((1, 1), (after.Faults, after.Workers));
        Assert.False(result.RanOut);
    }

    [Fact]
    public void Shrinking_is_deterministic_however_many_runs_are_made_at_once()
    {
        var (run, result) = Shrunk.Value;
        foreach (var jobs in new[] { 1, 3 })
        {
            var again = Shrinker.Shrink(run, new ShrinkOptions { Watch = Watch, Limit = TimeSpan.FromMinutes(5), Jobs = jobs });
            Assert.Equal(result.After.Result.Hash, again.After.Result.Hash);
            Assert.True(result.Deterministic && again.Deterministic);
        }
    }

    [Fact]
    public void The_shrunk_run_is_written_and_replays_to_the_identical_trace()
    {
        var directory = Directory.CreateTempSubdirectory("ork-shrink").FullName;
        var (_, result) = Shrunk.Value;
        var written = ViolationReport.Write(result, "found.run.json", Path.Combine(directory, "min.json"), Path.Combine(directory, "min.html"), []);
        var file = RunFile.Read(written.ShrunkFile);
        Assert.Equal(file.Hash, file.Replay(Watch).Result.Hash);
        Assert.Equal(written.Found, file.ShrunkFrom);
        Assert.True(File.Exists(written.ReportFile));
        Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public void A_failure_fits_on_a_card_whose_last_line_replays_it()
    {
        var (_, result) = Shrunk.Value;
        var file = RunFile.From(result.After, result.World, result.Before.Result.Size);
        var card = FailureCard.Lines(file, result, "min.json", "found.json", "min.html");
        Assert.InRange(card.Count, 10, FailureCard.MostLines);
        Assert.Equal("ork sim replay min.json --events", card[^1]);
        var text = string.Join('\n', card);
        foreach (var said in new[] { "VIOLATED X2", "a-day, gear swarm", "commit", "step", "virtual time", "Workers", "faults", "events", "happened before the violation", "identical, hash", "min.html" })
        {
            Assert.Contains(said, text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_run_that_holds_is_not_shrunk()
    {
        var run = SwarmGear.Run(ScenarioCatalogue.Find("calm-day")!, 1, new WatchOptions { KeepChoices = true });
        Assert.Contains("violates nothing", Assert.Throws<ScenarioException>(() => Shrinker.Shrink(run, new ShrinkOptions())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_time_limit_ends_it_with_what_there_is()
    {
        var run = Explorer.Again(Found(), Watch).Run;
        var result = Shrinker.Shrink(run, new ShrinkOptions { Watch = Watch, Limit = TimeSpan.Zero });
        Assert.True(result.RanOut);
        Assert.Equal(run.Result.Hash, result.After.Result.Hash);
    }

    [Fact]
    public void A_failing_file_of_a_folder_is_told_with_its_card_and_its_report()
    {
        var folder = Directory.CreateTempSubdirectory("ork-folder").FullName;
        File.WriteAllText(Path.Combine(folder, "a-day.yaml"), ScenarioYaml.Write(Day with { Budget = new() { Swarm = 30, Coyote = 0, Sweep = 0 } }));
        File.WriteAllText(Path.Combine(folder, "broken.yaml"), "name: broken\nfleat: 3\n");
        Assert.Equal(["a-day.yaml swarm", "broken.yaml swarm"], ScenarioFolder.Tests(folder).Select(row => string.Join(' ', row)));

        var card = Assert.Throws<ScenarioViolatedException>(() => ScenarioFolder.Run(folder, "a-day.yaml", "swarm", Watch)).Message;
        var report = card.Split('\n').Single(line => line.StartsWith("report", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1];
        Assert.True(File.Exists(report) && report.Contains("TestResults", StringComparison.Ordinal), report);
        Assert.Contains("fleat", Assert.Throws<ScenarioException>(() => ScenarioFolder.Run(folder, "broken.yaml", "swarm")).Message, StringComparison.Ordinal);
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void Fscheck_draws_scenarios_and_shrinks_one_that_fails_a_property_by_itself()
    {
        var seen = new List<int>();
        var arbitrary = ScenarioArbitrary.Of(ScenarioCatalogue.Find("reconnect-storm")!);
        var failure = Assert.ThrowsAny<Exception>(() => FsCheck.Check.One(FsCheck.Config.QuickThrowOnFailure, FsCheck.Fluent.Prop.ForAll(arbitrary, concrete =>
        {
            seen.Add(concrete.Fleet.Workers.Min);
            return concrete.Fleet.Workers.Min < 12;
        })));
        Assert.Contains("Falsifiable", failure.Message, StringComparison.Ordinal);
        Assert.Equal(12, seen.Where(workers => workers >= 12).Min());
    }

    private static SimRun Found()
    {
        for (ulong seed = 1; ; seed++)
        {
            var run = SwarmGear.RunConcrete(Day, seed, Watch);
            if (!run.Result.Held && run.Result.Size is { Events: > 2_000, Faults: > 3 }) return run;
        }
    }

    private sealed class QuietAfterACrash : IInvariant
    {
        private readonly HashSet<string> _executed = [];
        private bool _crashed;

        public string Id => "X2";

        public string Says => "After a crash of the kernel no device acts that has acted before.";

        public SimEventKind Hears => SimEventKind.Executed | SimEventKind.NodeDown;

        public void Hear(in SimEvent happened, Facts facts)
        {
            if (happened.Kind == SimEventKind.NodeDown) _crashed |= happened.Node!.Kind == NodeKind.Kernel;
            else if (!_executed.Add(happened.Execution!.DeviceId) && _crashed) facts.Violated(this, $"{happened.Execution.DeviceId} acts on {happened.Execution.CommandId}.");
        }
    }
}
