using Ork.Protocol;

namespace OrkSim.Tests;

/// <summary>What the simulator itself promises.</summary>
public sealed class SimulatorTests
{
    private static readonly Scenario Storm = ScenarioCatalogue.Find("everything-at-once")!;

    [Fact]
    public void The_same_seed_is_the_same_run_and_another_seed_is_another()
    {
        foreach (var scenario in ScenarioCatalogue.All.Where(scenario => scenario.Budget.Exhaust == 0))
        {
            var first = SwarmGear.Run(scenario, 11, new WatchOptions()).Result;
            Assert.Equal(first.Hash, SwarmGear.Run(scenario, 11, new WatchOptions()).Result.Hash);
            Assert.NotEqual(first.Hash, SwarmGear.Run(scenario, 12, new WatchOptions()).Result.Hash);
        }
    }

    [Fact]
    public void What_is_read_of_a_frame_that_was_given_back_is_nonsense()
    {
        byte[] before = [], after = [];
        var world = new SimWorld(ScenarioArbitrary.Concrete(ScenarioCatalogue.Find("calm-day")!, 4), new SeededChoices(4), new WatchOptions());
        world.Start("reader", async () =>
        {
            await world.Delay(TimeSpan.FromSeconds(2));
            var link = await world.NetworkOf("reader").ConnectAsync(LinkEndpoint.Tcp("kernel", 7400), null, CancellationToken.None);
            link.Send(FrameKind.Hello, 0, []);
            var welcome = (await link.ReceiveAsync())!.Value;
            before = welcome.Payload.ToArray();
            welcome.Release();
            after = welcome.Payload.ToArray();
            link.Close(null);
        });
        Assert.Empty(world.Run().Violations);
        Assert.NotNull(Greeting.TryRead(before));
        Assert.Equal(before.Length, after.Length);
        Assert.Empty(before.Intersect(after));
    }

    [Fact]
    public void Guided_runs_are_the_same_runs_under_the_same_seed_and_each_replays_from_its_decisions()
    {
        var (one, other) = (new GuidedGear(Storm, 3, new WatchOptions()), new GuidedGear(Storm, 3, new WatchOptions()));
        for (var i = 0; i < 12; i++)
        {
            var run = one.Next();
            Assert.Equal(run.Result.Hash, other.Next().Result.Hash);
            Assert.Equal(run.Result.Hash, new SimWorld(run.Scenario, new RecordedChoices(run.Result.Choices), new WatchOptions()).Run().Hash);
        }

        Assert.True(one.Corpus > 1 && one.Met > 100, $"{one.Corpus} kept, {one.Met} situations.");
    }

    [Fact]
    public void Being_watched_changes_nothing()
    {
        var plain = SwarmGear.Run(Storm, 3, new WatchOptions()).Result;
        var watched = SwarmGear.Run(Storm, 3, new WatchOptions { Trace = true, KeepChoices = true, KeepDigests = true }).Result;
        Assert.Equal((plain.Hash, plain.Steps, plain.Draws), (watched.Hash, watched.Steps, watched.Draws));
        Assert.Equal(watched.Draws, watched.Choices.Count);
    }

    [Fact]
    public void A_run_that_differs_is_reported_at_the_first_draw_that_does()
    {
        var first = SwarmGear.Run(Storm, 5, new WatchOptions { KeepDigests = true }).Result;
        var digests = first.Digests.ToArray();
        digests[700] ^= 1;
        var e = Assert.Throws<NotDeterministicException>(() => SwarmGear.Run(Storm, 5, new WatchOptions { Expected = digests }));
        Assert.StartsWith("Draw 700 differs from the first run of the same seed:", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_kernel_that_is_not_deterministic_is_found_out()
    {
        var calls = 0;
        var watch = new WatchOptions { Prepare = world => world.Ports.Options = (_, options) => options with { Commands = options.Commands with { BackoffBaseMs = 200 + calls++ } } };
        var report = Explorer.Explore(new ExploreOptions { Scenarios = [ScenarioCatalogue.Find("worker-crashes")!], Runs = 10, CheckEvery = 1, Watch = watch });
        Assert.True(report.Mismatches > 0);
        Assert.Contains("differs from the first run of the same seed", report.Mismatch, StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_is_written_and_replayed_to_the_identical_trace()
    {
        var path = Path.Combine(Directory.CreateTempSubdirectory("orksim").FullName, "deep", "run.json");
        var run = SwarmGear.Run(Storm, 21, new WatchOptions());
        var (again, world) = Explorer.Again(run, new WatchOptions());
        RunFile.From(again, world).Write(path);

        var file = RunFile.Read(path);
        var replayed = file.Replay(new WatchOptions(), out _);
        Assert.Equal(run.Result.Hash, file.Hash);
        Assert.Equal(run.Result.Hash, replayed.Result.Hash);
        Assert.Equal((run.Result.Steps, "held", 2), (replayed.Result.Steps, file.Verdict, file.FormatVersion));
        Assert.NotEmpty(file.Events);
        Directory.Delete(Path.GetDirectoryName(Path.GetDirectoryName(path))!, recursive: true);
    }

    [Fact]
    public void A_file_that_is_no_run_is_refused_with_a_reason()
    {
        var path = Path.GetTempFileName();
        File.WriteAllText(path, "{\"formatVersion\":99}");
        Assert.Contains(path, Assert.Throws<ScenarioException>(() => RunFile.Read(path)).Message, StringComparison.Ordinal);
        Assert.Contains("no run file", Assert.Throws<ScenarioException>(() => RunFile.Read(path + ".missing")).Message, StringComparison.Ordinal);
        File.Delete(path);
    }

    [Fact]
    public void Work_that_leaves_the_scheduler_fails_the_run_with_the_call_that_did_it()
    {
        var watch = new WatchOptions { Faults = [new PoolFault()] };
        var result = SwarmGear.RunConcrete(Quiet with { Faults = [new() { Kind = "pool", Times = 1, At = TimeSpan.FromSeconds(2) }] }, 1, watch).Result;
        var violation = Assert.Single(result.Violations);
        Assert.Equal("POOL", violation.Invariant);
        Assert.Contains(nameof(PoolFault), violation.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Anybody_may_add_an_invariant_and_a_fault()
    {
        var seen = new List<string>();
        var watch = new WatchOptions { Faults = [new Bell()], Invariants = () => [new NoBell(seen)] };
        var result = SwarmGear.RunConcrete(Quiet with { Faults = [new() { Kind = "bell", Times = 1, At = TimeSpan.FromSeconds(1) }] }, 1, watch).Result;
        Assert.Equal(("X1", "the bell rang"), (result.Violations[0].Invariant, result.Violations[0].Message));
        Assert.Equal(["bell"], seen);
    }

    [Fact]
    public void A_scenario_that_names_an_unknown_fault_is_refused() => Assert.Contains(
        "no fault 'earthquake'",
        Assert.Throws<ScenarioException>(() => SwarmGear.RunConcrete(Quiet with { Faults = [new() { Kind = "earthquake" }] }, 1, new WatchOptions())).Message,
        StringComparison.Ordinal);

    [Fact]
    public void A_world_that_spins_is_stopped_and_says_so()
    {
        var result = SwarmGear.RunConcrete(Quiet with { Faults = [new() { Kind = "spin", Times = 1, At = TimeSpan.FromSeconds(1) }] }, 1, new WatchOptions { Faults = [new Spin()] }).Result;
        Assert.Equal("STUCK", Assert.Single(result.Violations).Invariant);
    }

    [Theory]
    [InlineData(Gear.Swarm, 2)]
    [InlineData(Gear.Coyote, 1)]
    public void A_step_that_never_ends_ends_the_exploration_and_is_told(Gear gear, int jobs)
    {
        using var loop = new Loop();
        var report = Explorer.Explore(new ExploreOptions
        {
            Scenarios = [Quiet with { Faults = [new() { Kind = "loop", Times = 1, At = TimeSpan.FromSeconds(1) }] }],
            Gears = [gear],
            Runs = 10,
            Seed = 7,
            Jobs = jobs,
            StepPatience = TimeSpan.FromSeconds(1),
            Watch = new WatchOptions { Faults = [loop] },
        });
        var found = Assert.Single(report.Violations);
        Assert.Equal((StuckException.Id, "quiet", GearNames.Of(gear)), (found.Invariant, found.Scenario, found.Gear));
        Assert.InRange(found.Seed, 7UL, 8UL);
        Assert.Matches("^fault loop's step [0-9]+ at 1.000 s does not come to an end", found.Message);
        Assert.Equal((0, 1), (report.Runs, report.ViolationCounts.Single().Runs));
        Assert.Empty(report.ViolatingRuns);
    }

    [Fact]
    public void Callers_that_always_draw_the_shortest_gap_let_time_pass()
    {
        var flood = Quiet with { Workload = new() { Callers = 1, Count = 1, Flood = 2_000 } };
        var result = new SimWorld(flood, new ShortestGaps(), new WatchOptions()).Run();
        Assert.Empty(result.Violations);
        Assert.Equal(flood.Duration.TotalSeconds, result.SimulatedSeconds);
    }

    [Fact]
    public void The_odometer_takes_every_sequence_once()
    {
        var odometer = new OdometerChoices();
        var seen = new HashSet<string>();
        do
        {
            var first = odometer.Next(3);
            Assert.True(seen.Add(first == 1 ? $"1{odometer.Next(2)}{odometer.Next(4)}" : $"{first}"));
        }
        while (odometer.Advance());
        Assert.Equal(1 + 8 + 1, seen.Count);
    }

    [Fact]
    public void Ranges_are_read_and_written_the_same_way()
    {
        var scenario = ScenarioCatalogue.Find("reconnect-storm")!;
        var text = System.Text.Json.JsonSerializer.Serialize(scenario);
        Assert.Equal(text, System.Text.Json.JsonSerializer.Serialize(System.Text.Json.JsonSerializer.Deserialize<Scenario>(text)));
        Assert.Equal("1ms..80ms", TimeRange.Milliseconds(1, 80).ToString());
        Assert.Equal("90s", TimeRange.Seconds(90, 90).ToString());
    }

    [Fact]
    public async Task Coyotes_own_trace_gives_the_same_run_again()
    {
        await Task.CompletedTask;
        SimRun? first = null;
        var trace = CoyoteGear.Explore(ScenarioCatalogue.Find("calm-day")!, CoyoteStrategy.Random, 4, 3, new WatchOptions(), run =>
        {
            first = run;
            return false;
        });
        Assert.NotNull(trace);
        var again = CoyoteGear.Reproduce(first!.Scenario, CoyoteStrategy.Random, 4, trace, new WatchOptions());
        Assert.Equal(first.Result.Hash, again.Result.Hash);
    }

    private static Scenario Quiet { get; } = new()
    {
        Name = "quiet",
        Fleet = new() { Workers = 1, DevicesPerWorker = 1 },
        Workload = new() { Callers = 1, CommandsPerSecond = 1 },
        HealAt = TimeSpan.FromSeconds(5),
        Duration = TimeSpan.FromSeconds(8),
    };

    /// <summary>As a strategy may choose that goes where it went before: no duration but the longest, so no gap but the shortest; else what is plainest.</summary>
    private sealed class ShortestGaps : IChoices
    {
        public int Next(int limit) => 0;

        public int Next(DrawSite site, int limit) => site.Kind == DrawKind.Duration ? limit - 1 : 0;
    }

    private sealed class PoolFault : IFault
    {
        public string Name => "pool";

        public string Says => "queues work to the thread pool";

        public Task StrikeAsync(SimWorld world, FaultSpec spec, TimeSpan length)
        {
            ThreadPool.QueueUserWorkItem(_ => { });
            return Task.CompletedTask;
        }
    }

    private sealed class Spin : IFault
    {
        public string Name => "spin";

        public string Says => "never lets time pass";

        public async Task StrikeAsync(SimWorld world, FaultSpec spec, TimeSpan length)
        {
            while (true) await Task.Yield();
        }
    }

    /// <summary>Loops until it is disposed of, so that nothing of it is left when its test is over.</summary>
    private sealed class Loop : IFault, IDisposable
    {
        private volatile bool _isOver;

        public string Name => "loop";

        public string Says => "never comes to the end of a step";

        public Task StrikeAsync(SimWorld world, FaultSpec spec, TimeSpan length)
        {
            while (!_isOver) Thread.SpinWait(1_000);
            return Task.CompletedTask;
        }

        public void Dispose() => _isOver = true;
    }

    private sealed class Bell : IFault
    {
        public string Name => "bell";

        public string Says => "rings";

        public Task StrikeAsync(SimWorld world, FaultSpec spec, TimeSpan length) => Task.CompletedTask;
    }

    private sealed class NoBell(List<string> seen) : IInvariant
    {
        public string Id => "X1";

        public string Says => "no bell rings";

        public SimEventKind Hears => SimEventKind.Fault;

        public void Hear(in SimEvent happened, Facts facts)
        {
            seen.Add(happened.Subject!);
            facts.Violated(this, "the bell rang");
        }
    }
}
