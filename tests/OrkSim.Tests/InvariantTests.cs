using Ork.Kernel;
using Ork.Protocol;
using Ork.Worker;

namespace OrkSim.Tests;

/// <summary>Every invariant can fail: with its fault planted in a port, exploration reports exactly that invariant within so many runs, and nothing without it.</summary>
public sealed class InvariantTests
{
    private static readonly Scenario Day = new()
    {
        Name = "a-day",
        Fleet = new() { Workers = 3, DevicesPerWorker = 2, Journal = 1, Link = LinkMode.Announce },
        Workload = new() { Callers = 2, CommandsPerSecond = 6, Wide = 0 },
        HealAt = TimeSpan.FromSeconds(15),
        Duration = TimeSpan.FromSeconds(60),
    };

    private static readonly Scenario Restarts = Day with { Faults = [new() { Kind = "kernel-crash", PerMinute = 12, For = TimeRange.Seconds(0.05, 0.5), Nasty = 0 }] };

    private static readonly Scenario LostLinks = Day with { Faults = [new() { Kind = "worker-flap", PerMinute = 20, For = TimeRange.Seconds(0.1, 2) }] };

    [Fact]
    public void Without_a_plant_nothing_is_reported()
    {
        foreach (var scenario in new[] { Day, Restarts, LostLinks })
        {
            for (ulong seed = 1; seed <= 10; seed++) Assert.Empty(SwarmGear.Run(scenario, seed, new WatchOptions()).Result.Violations);
        }
    }

    [Fact]
    public void S1_a_store_that_says_durable_too_early() => Finds("S1", Day, 3, Plants.EarlyAcknowledgement);

    [Fact]
    public void S2_a_kernel_that_starts_without_some_of_its_commands() => Finds("S2", Restarts with { Check = ["S2"] }, 10, world =>
        Plants.Image(world, image => image with { Commands = [.. image.Commands.Where(row => row.Seq % 3 != 0 || row.Seq == image.Commands[^1].Seq || row.State is CommandState.Dispatched or CommandState.Executing)] }));

    [Fact]
    public void S3_a_journal_that_lets_everything_be_executed_again() => Finds("S3", LostLinks, 30, world =>
        Plants.Journal(world, answer => (JournalVerdict.Started, null)));

    [Fact]
    public void S4_a_store_that_writes_over_an_end() => Finds("S4", Day, 3, world =>
    {
        CommandRow? ended = null;
        Plants.Batch(world, batch =>
        {
            if (ended is { } row) batch.ChangedCommands.Add(row with { State = CommandState.Failed, Error = "changed its mind" });
            ended = batch.ChangedCommands.Where(changed => changed.State == CommandState.Success).Select(changed => (CommandRow?)changed).FirstOrDefault();
        });
    });

    [Fact]
    public void S5_a_log_with_a_transition_that_no_table_has() => Finds("S5", Day, 3, world => Plants.Batch(world, batch =>
    {
        for (var i = 0; i < batch.Log.Count; i++)
        {
            if (batch.Log[i].To == CommandState.Executing) batch.Log[i] = batch.Log[i] with { From = CommandState.Timeout };
        }
    }));

    [Fact]
    public void S6_a_store_that_gives_devices_to_another_Worker() => Finds("S6", Day, 3, world => Plants.Batch(world, batch =>
    {
        for (var i = 0; i < batch.Devices.Count; i++) batch.Devices[i] = batch.Devices[i] with { WorkerId = "w-001" };
    }));

    [Fact]
    public void S7_a_link_that_answers_pings_for_a_Worker_that_hangs() => Finds(
        "S7",
        Day with { Faults = [new() { Kind = "worker-hang", PerMinute = 12, For = TimeRange.Seconds(5, 9) }] },
        10,
        world => world.KernelOptions = world.KernelOptions with { Health = new HealthOptions { PingTimeoutMs = 1_000 } },
        world => world.Ports.Options = (_, options) => options with { Health = new HealthOptions { PingTimeoutMs = 8_000 } });

    [Fact]
    public void S8_a_log_that_shows_two_commands_in_flight_at_a_device() => Finds("S8", Day with { Fleet = Day.Fleet with { Execution = TimeRange.Milliseconds(300, 400) }, Workload = new() { CommandsPerSecond = 60, Wide = 0 } }, 3, world => Plants.Batch(world, batch =>
    {
        for (var i = 0; i < batch.NewCommands.Count; i++) batch.NewCommands[i] = batch.NewCommands[i] with { Spec = batch.NewCommands[i].Spec with { DeviceId = "d-001-01" } };
    }));

    [Fact]
    public void S9_a_kernel_whose_link_swallows_what_a_Worker_may_not_send() => Finds(
        "S9",
        Day with { Faults = [new() { Kind = "byzantine", Times = 1, At = TimeRange.Seconds(1, 2), Fraction = 1, Nasty = 1 }] },
        10,
        world => Plants.Incoming(world, node => node.Kind == NodeKind.Kernel, (connection, frame) =>
            connection is SimConnection { Other.Owner.Kind: NodeKind.Worker } && frame.Kind == FrameKind.Request ? null : frame));

    [Fact]
    public void S10_a_device_that_acts_although_the_command_was_cancelled() => Finds("S10", Day with { Workload = new() { Cancel = 1, CommandsPerSecond = 6, Wide = 0 }, Faults = LostLinks.Faults }, 30, new WatchOptions
    {
        Invariants = () => [.. InvariantCatalogue.All(), new Rogue()],
    });

    [Fact]
    public void S11_a_journal_that_says_success_of_what_nobody_did() => Finds("S11", Day, 3, world =>
        Plants.Journal(world, answer => (JournalVerdict.Ended, new JournalAnswer(CommandStatus.Success, default, null))));

    [Fact]
    public void S12_a_kernel_with_a_wider_window_than_it_may_have() => Finds(
        "S12", Day with { Fleet = Day.Fleet with { DevicesPerWorker = 10 }, Workload = new() { CommandsPerSecond = 40, Wide = 0 } }, 5,
        world => world.KernelOptions = world.KernelOptions with { Commands = world.KernelOptions.Commands with { WindowPerWorker = 2 } },
        world => world.Ports.Options = (_, options) => options with { Commands = options.Commands with { WindowPerWorker = 30 } });

    [Fact]
    public void S13_a_network_in_which_answers_overtake_each_other() => Finds(
        "S13", Day with { Network = new() { Latency = TimeRange.Milliseconds(30, 600) }, Workload = new() { CommandsPerSecond = 20, Wide = 0, Look = 1 } }, 10,
        world => world.Network.Unordered = true);

    [Fact]
    public void S14_a_journal_that_takes_commands_of_an_older_kernel() => Finds(
        "S14", ScenarioCatalogue.Find("two-kernels")! with { Check = ["S14"], Workload = new() { Mix = new() { Reboot = 0 }, Wide = 0 } }, 60, world =>
        Plants.Journal(world, answer => answer.Verdict == JournalVerdict.StaleEpoch ? (JournalVerdict.Started, null) : answer));

    [Fact]
    public void S15_a_kernel_that_starts_without_the_keys_of_its_commands() => Finds(
        "S15", Restarts with { Workload = new() { Keyed = 1, Duplicate = 0.5, CommandsPerSecond = 10, Wide = 0 } }, 30, world =>
        Plants.Image(world, image => image with { Commands = [.. image.Commands.Select(row => row with { Spec = row.Spec with { IdempotencyKey = null } })] }));

    [Fact]
    public void S16_a_kernel_that_starts_with_other_outcomes_than_its_store_has() => Finds("S16", Restarts, 20, world =>
        Plants.Image(world, image => image with { Commands = [.. image.Commands.Select(row => row with { Outcome = CommandOutcome.Unknown, Error = "misread" })] }));

    [Fact]
    public void L1_a_Worker_that_never_comes_back() => Finds("L1", Day, 3, new WatchOptions
    {
        // That it tries less and less often to no avail is another's to say.
        Invariants = () => [new Convergence()],
        Prepare = world => Plants.Incoming(world, node => node.Name == "w-002", (_, frame) => frame.Kind == FrameKind.Welcome ? null : frame),
    });

    [Fact]
    public void L2_a_Worker_that_answers_no_command_at_a_kernel_that_never_gives_up() => Finds(
        "L2",

        // That the Worker says nothing is another's to say.
        Day with { Check = ["L2"], Workload = new() { CommandsPerSecond = 3, Wide = 0, Cancel = 0, Deadline = TimeSpan.FromHours(1) } },
        3,
        world => Plants.Incoming(world, node => node.Name == "w-002", (_, frame) => Says(in frame, "command.request") ? null : frame),
        world => world.KernelOptions = world.KernelOptions with { Commands = world.KernelOptions.Commands with { MaxRetries = int.MaxValue } });

    [Fact]
    public void L3_a_caller_whose_clock_stands_still() => Finds(
        "L3", Day with { Faults = [new() { Kind = "partition", PerMinute = 30, For = TimeRange.Seconds(12, 14), Nasty = 0 }] }, 20, world =>
        world.Ports.Clock = (node, clock) => node.Kind == NodeKind.Caller ? new StuckClock(clock, TimeSpan.FromSeconds(5)) : clock);

    [Fact]
    public void L4_a_kernel_that_pings_far_too_rarely() => Finds("L4", Day, 3, world =>
        world.Ports.Options = (_, options) => options with { Schedule = options.Schedule with { HealthIntervalMs = 50_000 } });

    [Fact]
    public void L5_a_store_that_takes_too_long_to_open() => Finds("L5", Day, 1, world => Plants.SlowOpening(world, TimeSpan.FromSeconds(9)));

    [Fact]
    public void S17_a_kernel_with_a_larger_budget_than_it_may_have() => Finds(
        "S17", LostLinks with { Workload = new() { CommandsPerSecond = 30, Wide = 0 } }, 10,
        world => world.KernelOptions = world.KernelOptions with { Retries = new RetryOptions { Burst = 2, PerSecond = 0, SharePercent = 1 } },
        world => world.Ports.Options = (_, options) => options with { Retries = new RetryOptions { Burst = 1_000 } });

    [Fact]
    public void S18_a_kernel_whose_circuits_never_open() => Finds(
        "S18", Mute with { Workload = Mute.Workload with { CommandsPerSecond = 4 } }, 3, world => world.Ports.Options = (_, options) => options with { Circuits = options.Circuits with { ConsecutiveFailures = 1_000, MinExchanges = 1_000 } });

    [Fact]
    public void S18_a_kernel_that_lets_too_many_probes_through() => Finds(
        "S18", Mute, 20, world => world.Ports.Options = (_, options) => options with { Circuits = options.Circuits with { HalfOpenProbes = 50, ProbesToClose = 40 } });

    [Fact]
    public void L6_a_kernel_that_gives_a_flood_all_there_is() => Finds("L6", ScenarioCatalogue.Find("flood")! with { Check = ["L6"] }, 5, GivesAll);

    [Fact]
    public void S12_a_kernel_that_gives_a_caller_more_than_its_share() => Finds("S12", ScenarioCatalogue.Find("flood")!, 5, GivesAll);

    private static void GivesAll(SimWorld world) => world.Ports.Options = (_, options) => options with { Commands = options.Commands with { FairShare = 1_000_000 } };

    [Fact]
    public void S19_a_store_that_makes_every_command_urgent() => Finds("S19", Day, 3, world => Plants.Batch(world, batch =>
    {
        for (var i = 0; i < batch.NewCommands.Count; i++) batch.NewCommands[i] = batch.NewCommands[i] with { Spec = batch.NewCommands[i].Spec with { Priority = CommandPriority.Urgent } };
    }));

    [Fact]
    public void S20_a_store_that_writes_results_that_nobody_answered() => Finds("S20", Day, 3, world => Plants.Batch(world, batch =>
    {
        for (var i = 0; i < batch.ChangedCommands.Count; i++)
        {
            if (batch.ChangedCommands[i].State == CommandState.Success) batch.ChangedCommands[i] = batch.ChangedCommands[i] with { Result = "{\"devices\":99}"u8.ToArray() };
        }
    }));

    [Fact]
    public void S21_a_client_that_misreads_what_it_is_told() => Finds("S21", Day, 3, world => Plants.Incoming(world, node => node.Kind == NodeKind.Caller, (_, frame) =>
        Says(in frame, "command.status.response") ? new ReceivedFrame(frame.Kind, frame.Correlation, Changed(frame.Payload, "\"retries\":0", "\"retries\":7"), null) : frame));

    [Fact]
    public void S22_and_S23_hold_of_the_real_store_and_journals()
    {
        // That they can fail the defect catalogue shows: it plants bugs in the store and the journal.
        foreach (var scenario in new[] { Day, Restarts, ScenarioCatalogue.Find("worker-crashes")!, ScenarioCatalogue.Find("device-moves")! })
        {
            for (ulong seed = 1; seed <= 3; seed++) Assert.Empty(MirrorGear.Run(scenario, seed, new WatchOptions()).Result.Violations);
        }
    }

    [Fact]
    public void A_mirrored_run_is_the_run_of_the_swarm()
    {
        foreach (ulong seed in new ulong[] { 1, 2 }) Assert.Equal(SwarmGear.Run(Restarts, seed, new WatchOptions()).Result.Hash, MirrorGear.Run(Restarts, seed, new WatchOptions()).Result.Hash);
    }

    [Fact]
    public void L7_a_kernel_that_refuses_commands_where_there_is_room() => Finds(
        "L7", Day, 3, world => world.Ports.Options = (_, options) => options with { Commands = options.Commands with { MaxOpen = 1 } });

    [Fact]
    public void S24_a_kernel_that_does_not_wait_for_what_is_in_flight() => Finds(
        "S24", Stops, 3, world => world.Ports.Options = (_, options) => options with { Loop = options.Loop with { DrainMs = 1 } });

    [Fact]
    public void S25_a_kernel_that_dials_as_many_as_it_likes() => Finds(
        "S25", Dialled, 3, world => world.Ports.Options = (_, options) => options with { Links = options.Links with { MaxDials = 100 } });

    [Fact]
    public void Every_invariant_of_the_design_is_there_once()
    {
        // S22 and S23 are the mirrors', which not every run has.
        string[] expected = [.. Enumerable.Range(1, 21).Select(number => $"S{number}"), "S24", "S25", .. Enumerable.Range(1, 7).Select(number => $"L{number}")];
        Assert.Equal(expected, InvariantCatalogue.All().Select(invariant => invariant.Id));
    }

    private static readonly Scenario Stops = Day with
    {
        Fleet = Day.Fleet with { Execution = TimeRange.Milliseconds(400, 900) },
        Workload = new() { CommandsPerSecond = 20 },
        Faults = [new() { Kind = "kernel-stop", Times = 2, At = TimeRange.Seconds(3, 9) }],
    };

    private static readonly Scenario Dialled = Day with
    {
        Fleet = Day.Fleet with { Workers = 12, Link = LinkMode.Dial },
        Faults = [new() { Kind = "worker-crash", Times = 12, At = TimeRange.Seconds(1, 4), For = TimeRange.Seconds(4, 6), Nasty = 1 }],
    };

    private static readonly Scenario Mute = Day with
    {
        Fleet = Day.Fleet with { DevicesPerWorker = 10 },
        Workload = new() { CommandsPerSecond = 30, Wide = 0, Urgent = 0.5 },
        Faults = [new() { Kind = "worker-mute", Times = 1, At = TimeRange.Seconds(1, 3), Fraction = 1, For = TimeRange.Seconds(14, 20) }],
        HealAt = TimeSpan.FromSeconds(30),
    };

    private static bool Says(in ReceivedFrame frame, string action) =>
        System.Text.Encoding.UTF8.GetString(frame.Payload.Span).Contains($"\"{action}\"", StringComparison.Ordinal);

    private static byte[] Changed(ReadOnlyMemory<byte> payload, string from, string to) =>
        System.Text.Encoding.UTF8.GetBytes(System.Text.Encoding.UTF8.GetString(payload.Span).Replace(from, to, StringComparison.Ordinal));

    private static void Finds(string id, Scenario scenario, int runs, params Action<SimWorld>[] plants) =>
        Finds(id, scenario, runs, new WatchOptions { Prepare = world => { foreach (var plant in plants) plant(world); } });

    private static void Finds(string id, Scenario scenario, int runs, WatchOptions watch)
    {
        for (ulong seed = 1; seed <= (ulong)runs; seed++)
        {
            var result = SwarmGear.Run(scenario, seed, watch).Result;
            if (result.Held) continue;
            Assert.True(result.Violations[0].Invariant == id, $"Seed {seed} reports {result.Violations[0]}.");
            return;
        }

        Assert.Fail($"{id} was not reported in {runs} runs.");
    }

    /// <summary>Not an invariant but a device: it acts on every command that was cancelled.</summary>
    private sealed class Rogue : IInvariant
    {
        public string Id => "rogue";

        public string Says => "acts on what was cancelled";

        public SimEventKind Hears => SimEventKind.FrameTaken;

        public void Hear(in SimEvent happened, Facts facts)
        {
            if (happened.Message is not { Cancelled: true, CommandId: { } id } || happened.Node!.Kind != NodeKind.Caller) return;
            var row = facts.Commands[id].Row;
            facts.World.Act(facts.World.Workers[0], row.Spec.DeviceId!, id, row.Spec.Command, 1, 1);
        }
    }
}
