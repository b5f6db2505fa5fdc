namespace OrkSim;

/// <summary>The scenarios that come with the simulator.</summary>
public static class ScenarioCatalogue
{
    private static readonly FaultSpec Crashes = new() { Kind = "worker-crash", PerMinute = new(1, 20) };
    private static readonly FaultSpec KernelCrashes = new() { Kind = "kernel-crash", PerMinute = new(1, 12), For = TimeRange.Seconds(0.01, 4), Nasty = 0.2 };
    private static readonly FaultSpec Storms = new() { Kind = "storm", Times = new(1, 3), Fraction = new(0.5, 1) };

    /// <summary>All of them.</summary>
    public static IReadOnlyList<Scenario> All { get; } =
    [
        new()
        {
            Name = "calm-day",
            Description = "Nothing goes wrong: every command succeeds or is refused by its device.",
        },
        new()
        {
            Name = "worker-crashes",
            Description = "Workers die and come back, some with and some without their journal, while commands are in flight.",
            Fleet = new() { Slow = new(0, 0.1), Hang = new(0, 0.03) },
            Faults = [Crashes, new() { Kind = "worker-hang", PerMinute = new(0, 8) }, new() { Kind = "worker-flap", PerMinute = new(0, 3) }],
            Reaches = ["CommandRetry", "LateAnswerSettled", "LateAnswerIgnored", "JournalEnded", "JournalUnknown"],
        },
        new()
        {
            Name = "reconnect-storm",
            Description = "Every Worker loses its link at once and comes back while callers keep sending.",
            Fleet = new() { Workers = new(10, 40), DevicesPerWorker = new(1, 3) },
            Faults = [Storms, new() { Kind = "refuse-dials", PerMinute = new(0, 4), Fraction = 0.5, For = TimeRange.Seconds(0.5, 3) }],
            Reaches = ["RegistrationWaits"],
        },
        new()
        {
            Name = "kernel-restarts",
            Description = "The kernel crashes and is stopped, again and again, with commands in every state.",
            Faults = [KernelCrashes, new() { Kind = "kernel-stop", PerMinute = new(0, 4) }, new() { Kind = "kernel-freeze", PerMinute = new(0, 4) }],
            Reaches = ["Recovered", "Draining"],
        },
        new()
        {
            Name = "storm-during-restart",
            Description = "The kernel crashes in the middle of a reconnect storm.",
            Fleet = new() { Workers = new(8, 25), DevicesPerWorker = new(1, 3) },
            Faults = [Storms with { Times = 3, At = TimeRange.Seconds(5, 12) }, KernelCrashes with { PerMinute = 0, Times = new(2, 5), At = TimeRange.Seconds(5, 12) }],
        },
        new()
        {
            Name = "slow-disk",
            Description = "Commits take long, or do not end for a while.",
            Surroundings = new() { Commit = TimeRange.Milliseconds(5, 400) },
            Faults = [new() { Kind = "store-stall", PerMinute = new(1, 8), For = TimeRange.Seconds(0.2, 6) }, KernelCrashes with { PerMinute = new(0, 3) }],
        },
        new()
        {
            Name = "unknown-commit",
            Description = "Commits fail, with everything durable or nothing of it, and the kernel cannot know which.",
            Surroundings = new() { CommitUnknown = new(0, 0.01), CommitFails = new(0, 0.01) },
            Faults = [new() { Kind = "commit-unknown", PerMinute = new(1, 10) }, new() { Kind = "commit-fails", PerMinute = new(1, 10) }],
            Reaches = ["CommitFailed"],
        },
        new()
        {
            Name = "disk-full",
            Description = "The disk fills up and is emptied; once it is found damaged and brought back.",
            Faults =
            [
                new() { Kind = "disk-full", PerMinute = new(1, 6), For = TimeRange.Seconds(0.5, 8) },
                new() { Kind = "store-damaged", Times = new(0, 1), For = TimeRange.Seconds(0.5, 4) },
                KernelCrashes with { PerMinute = new(0, 3) },
            ],
            Reaches = ["CommitFailed", "StoreRetry"],
        },
        new()
        {
            Name = "two-kernels",
            Description = "A second kernel takes over while the first still lives: the first is fenced.",
            Fleet = new() { Link = LinkMode.Dial, Journal = 1, Workers = new(2, 6) },
            Faults = [new() { Kind = "two-kernels", Times = new(1, 3), At = TimeRange.Seconds(3, 20), For = TimeRange.Seconds(0.5, 6), Nasty = 0.7 }],
            Reaches = ["JournalStaleEpoch"],
        },
        new()
        {
            Name = "byzantine-workers",
            Description = "Some Workers do not keep the protocol and some callers do not either; the others must not notice.",
            Workload = new() { Broken = new(0, 2) },
            Faults = [new() { Kind = "byzantine", Times = 1, At = TimeRange.Seconds(1, 4), Fraction = new(0.2, 0.7), Nasty = new(0, 1) }, new() { Kind = "key-change", PerMinute = new(0, 4) }],
            Reaches = ["PullOnlyViolation", "AnswerInvalid", "DeviceConflict", "WorkerRefused", "RequestRefused"],
        },
        new()
        {
            Name = "wall-clock-jumps",
            Description = "Wall clocks jump by seconds and hours, and timers fire late.",
            Faults = [new() { Kind = "wall-jump", PerMinute = new(2, 20) }, new() { Kind = "late-timers", PerMinute = new(0, 6) }, KernelCrashes with { PerMinute = new(0, 4) }],
        },
        new()
        {
            Name = "cancel-races",
            Description = "Callers cancel what they have just sent, while links and kernels go and come.",
            Workload = new() { Cancel = 0.7, CommandsPerSecond = new(5, 20) },
            Surroundings = new() { HighWaterBytes = new(300, 4_000) },
            Faults = [Storms, KernelCrashes with { PerMinute = new(0, 6) }, new() { Kind = "partition", PerMinute = new(1, 10) }],
            Reaches = ["CommandStopped", "LinkCongested", "SendHeldBack"],
        },
        new()
        {
            Name = "congested-links",
            Description = "Workers read slowly or not at all for a while: commands rest assigned and unsent while they are cancelled, expire, or their kernel restarts.",
            Fleet = new() { Workers = new(2, 4), DevicesPerWorker = new(4, 8), Slow = new(0.05, 0.3), Execution = TimeRange.Milliseconds(50, 2_500) },
            Workload = new() { CommandsPerSecond = new(8, 25), Cancel = 0.3, Deadline = TimeRange.Seconds(0.5, 8) },
            Surroundings = new() { HighWaterBytes = new(200, 600) },
            Faults =
            [
                new() { Kind = "partition", PerMinute = new(20, 60), For = TimeRange.Seconds(0.5, 5) }, KernelCrashes with { PerMinute = new(0, 6) },
                new() { Kind = "kernel-stop", PerMinute = new(2, 20) }, new() { Kind = "worker-terminate", Times = new(0, 1) },
            ],
            Reaches = ["LinkCongested", "SendHeldBack", "LateAnswerSettled"],
        },
        new()
        {
            Name = "duplicate-requests",
            Description = "Callers send every request twice, and again whenever their link is lost.",
            Workload = new() { Keyed = 1, Duplicate = 0.8, CommandsPerSecond = new(3, 15) },
            Faults = [new() { Kind = "link-reset", PerMinute = new(5, 60) }, KernelCrashes],
            Reaches = ["IdempotencyHit"],
        },
        new()
        {
            Name = "device-moves",
            Description = "Devices are plugged in elsewhere, and Workers are taken out of service, with commands waiting for them.",
            Workload = new() { CommandsPerSecond = new(3, 15) },
            Faults = [new() { Kind = "device-move", PerMinute = new(2, 20), For = TimeRange.Seconds(1, 20) }, new() { Kind = "worker-terminate", Times = new(0, 2) }, Crashes with { PerMinute = new(0, 6) }],
            Reaches = ["DeviceMoved", "CommandRerouted", "WorkerTerminated"],
        },
        new()
        {
            Name = "patient-callers",
            Description = "Few commands to many Workers, with deadlines far away: what is not driven by itself rests forever.",
            Fleet = new() { Workers = new(8, 20), DevicesPerWorker = new(1, 2) },
            Workload = new() { CommandsPerSecond = new(0.3, 1.5), Deadline = TimeSpan.FromMinutes(20), Cancel = 0 },
            Faults =
            [
                Crashes, Storms, KernelCrashes with { PerMinute = new(0, 6) }, new() { Kind = "worker-hang", PerMinute = new(0, 12), For = TimeRange.Seconds(2, 9) },
                new() { Kind = "partition", PerMinute = new(0, 10), For = TimeRange.Seconds(1, 9) },
            ],
        },
        new()
        {
            Name = "cascading-failure",
            Description = "Many Workers hang at once while they still answer pings: the others must not notice.",
            Fleet = new() { Workers = new(8, 16), DevicesPerWorker = new(3, 8), Execution = TimeRange.Milliseconds(50, 400) },
            Workload = new() { CommandsPerSecond = new(10, 20), Wide = 0 },
            Faults = [new() { Kind = "worker-mute", Times = 1, At = TimeRange.Seconds(20, 22), Fraction = new(0.3, 0.6), For = TimeRange.Seconds(20, 25) }],
            HealAt = TimeSpan.FromSeconds(50),
            Duration = TimeSpan.FromSeconds(95),
            Reaches = ["CircuitOpened", "CircuitHalfOpen", "CircuitClosed", "PullHeldOff"],
        },
        new()
        {
            Name = "retry-storm",
            Description = "Links are lost and devices hang under a load of commands that may all be tried again: retries stay within their budget.",
            Fleet = new() { Workers = new(4, 10), Journal = 1, Slow = new(0, 0.2) },
            Workload = new() { CommandsPerSecond = new(10, 30), NotIdempotent = 0.1 },
            Faults = [Storms with { Times = new(2, 5) }, new() { Kind = "worker-mute", PerMinute = new(1, 6), Fraction = new(0.2, 1) }, new() { Kind = "worker-flap", PerMinute = new(1, 6) },
                new() { Kind = "operator-hold", PerMinute = new(5, 25), For = TimeRange.Seconds(0.3, 3), Nasty = 0.2 }],
            Reaches = ["RetryDelayed", "CommandRetry"],
        },
        new()
        {
            Name = "flapping-worker",
            Description = "Workers lose their links again and again, and are held off for longer each time; an operator isolates and restores some.",
            Faults = [new() { Kind = "worker-flap", PerMinute = new(4, 15), For = TimeRange.Seconds(2, 10) }, new() { Kind = "operator-hold", PerMinute = new(2, 12) }, KernelCrashes with { PerMinute = new(0, 3) }],
            Reaches = ["CircuitOpened", "CircuitClosed"],
        },
        new()
        {
            Name = "hot-device",
            Description = "Most commands are for one device: they are carried out one by one, in order, urgent ones first.",
            Fleet = new() { Workers = new(2, 4), Execution = TimeRange.Milliseconds(5, 200) },
            Workload = new() { CommandsPerSecond = new(8, 20), Hot = new(0.6, 1), Urgent = new(0, 0.3), Wide = new(0, 0.1) },
            Faults = [Crashes with { PerMinute = new(0, 6) }, KernelCrashes with { PerMinute = new(0, 4) }],
        },
        new()
        {
            Name = "wide-against-narrow",
            Description = "Commands for whole Workers among many for single devices: neither starves the other.",
            Fleet = new() { Workers = new(2, 4), DevicesPerWorker = new(4, 10), Execution = TimeRange.Milliseconds(5, 100) },
            Workload = new() { CommandsPerSecond = new(10, 25), Wide = new(0.1, 0.5), Urgent = new(0, 0.2) },
            Faults = [Crashes with { PerMinute = new(0, 6) }, KernelCrashes with { PerMinute = new(0, 4) }, new() { Kind = "device-move", PerMinute = new(0, 6) }],
        },
        new()
        {
            Name = "flood",
            Description = "One caller sends far more than can be carried out and waits for nothing; the others are accepted and served.",
            Fleet = new() { Workers = new(1, 3), DevicesPerWorker = new(2, 6), Execution = TimeRange.Milliseconds(5, 100), Journal = 1 },
            Workload = new() { CommandsPerSecond = new(1, 3), Callers = new(1, 3), Flood = new(50, 200), Wide = 0, Urgent = 0 },
            HealAt = TimeSpan.FromSeconds(20),
            Duration = TimeSpan.FromSeconds(60),
            Budget = new() { Swarm = 20, Coyote = 2 },
        },
        new()
        {
            Name = "site-curtailment",
            Description = "In the middle of a busy day the whole site is told to sleep: urgent commands for every device at once.",
            Fleet = new() { Workers = new(3, 8), DevicesPerWorker = new(4, 12), Execution = TimeRange.Milliseconds(5, 200) },
            Workload = new() { CommandsPerSecond = new(5, 20), CurtailAt = TimeRange.Seconds(5, 15) },
            Faults = [Crashes with { PerMinute = new(0, 6) }, KernelCrashes with { PerMinute = new(0, 4) }, new() { Kind = "worker-mute", PerMinute = new(0, 2), Fraction = 0.3 }],
        },
        new()
        {
            Name = "everything-at-once",
            Description = "Twenty Workers of ten devices, five commands a second, and every fault there is.",
            Fleet = new() { Workers = 20, DevicesPerWorker = 10, Slow = new(0, 0.05), Hang = new(0, 0.01) },
            Workload = new() { CommandsPerSecond = 5, Broken = new(0, 1) },
            Surroundings = new() { Stall = new(0, 0.01), CommitFails = new(0, 0.002), CommitUnknown = new(0, 0.002), HighWaterBytes = new(600, 60_000) },
            Faults =
            [
                Storms, Crashes, KernelCrashes with { PerMinute = new(0, 5) },
                .. FaultCatalogue.All().Where(fault => fault.Name is not ("storm" or "worker-crash" or "kernel-crash")).Select(fault => new FaultSpec { Kind = fault.Name, PerMinute = new(0, 3), Fraction = 0.3 }),
            ],
            HealAt = TimeSpan.FromSeconds(60),
            Duration = TimeSpan.FromSeconds(105),
        },
    ];

    /// <summary>What exploration once found in the product, each as small as it still shows: small worlds, run in the swarm.</summary>
    public static IReadOnlyList<Scenario> Regressions { get; } =
    [
        Small with
        {
            Name = "regression-wide-command-follows-nobody",
            Description = "S6: a command for all devices of a Worker was sent although one of them had left it.",
            Fleet = Few with { DevicesPerWorker = 3 },
            Workload = new() { Callers = 1, CommandsPerSecond = 10, Wide = 1, Cancel = 0, Pulls = 0, Deadline = TimeRange.Seconds(10, 20) },
            Faults = [new() { Kind = "device-move", PerMinute = 20, For = TimeRange.Seconds(1, 5), Nasty = 1 }],
        },
        Small with
        {
            Name = "regression-held-back-to-the-sick",
            Description = "S7: a command held back for a congested link was sent when the link drained, although its Worker had turned sick.",
            Fleet = Few with { Workers = 2, DevicesPerWorker = 3 },
            Workload = new() { Callers = 1, CommandsPerSecond = 20, Cancel = 0, Pulls = 0 },
            Surroundings = new() { HighWaterBytes = 500 },
            Faults = [new() { Kind = "partition", PerMinute = 40, For = TimeRange.Seconds(3, 6), Nasty = 0 }],
        },
        Small with
        {
            Name = "regression-behind-another-call",
            Description = "L3: a call of a client waited beyond its time while a more patient one was connecting.",
            Workload = new() { Callers = 1, CommandsPerSecond = 5, Cancel = 0, Pulls = 0 },
            Faults = [new() { Kind = "kernel-crash", Times = 1, At = TimeRange.Seconds(3, 6), For = TimeRange.Seconds(14, 18), Nasty = 0 }],
        },
        Small with
        {
            Name = "regression-behind-a-full-link",
            Description = "L3: a call of a client waited beyond its time for a kernel that did not read.",
            Fleet = Few with { Workers = 1 },
            Workload = new() { Callers = 1, CommandsPerSecond = 30, Cancel = 0, Pulls = 0 },
            Surroundings = new() { HighWaterBytes = 400 },
            Faults = [new() { Kind = "partition", PerMinute = 20, For = TimeRange.Seconds(13, 16), Nasty = 0 }],
        },
        Small with
        {
            Name = "regression-forgotten-ahead-of-the-disk",
            Description = "S2: a caller was told that its command is not known while the commit that forgets it was still in flight.",
            Fleet = Few with { Workers = 5, DevicesPerWorker = 8 },
            Workload = new() { Callers = 3, CommandsPerSecond = 100, Cancel = 0, Pulls = 0, Look = 1 },
            Faults = [new() { Kind = "store-stall", PerMinute = 15, For = TimeRange.Seconds(3, 7), Nasty = 0 }],
            HealAt = TimeSpan.FromSeconds(15),
            Duration = TimeSpan.FromSeconds(20),
            Budget = new() { Swarm = 20 },
        },
    ];

    private static Fleet Few => new() { Workers = 3, DevicesPerWorker = 2, Link = LinkMode.Announce, Journal = 1 };

    private static Scenario Small => new() { Name = "", Fleet = Few, HealAt = TimeSpan.FromSeconds(25), Duration = TimeSpan.FromSeconds(30), Budget = new() { Swarm = 40 } };

    /// <summary>The smallest world there is, for the gear that tries everything: one Worker, one device, one command, and a crash of the kernel anywhere.</summary>
    public static Scenario OneCommand { get; } = new()
    {
        Name = "one-command",
        Description = "One Worker, one device, one command, one crash of the kernel at any moment: every order of events there is.",
        Fleet = new()
        {
            Workers = 1, DevicesPerWorker = 1, Link = LinkMode.Announce, Journal = 1, Execution = TimeSpan.FromMilliseconds(7),
            JournalWrite = TimeSpan.FromMilliseconds(1), Fail = 0,
        },
        Workload = new() { Callers = 1, Commands = 1, Audit = false, Keyed = 1, Cancel = 0, Duplicate = 0, Wide = 0, Urgent = 0, NotIdempotent = 1, Deadline = TimeSpan.FromSeconds(10) },
        Surroundings = new() { Latency = TimeSpan.FromMilliseconds(2), Commit = TimeSpan.FromMilliseconds(1), Open = TimeSpan.FromMilliseconds(10) },
        HealAt = TimeSpan.FromSeconds(20),
        Duration = TimeSpan.FromSeconds(60),
        FifoWithinNodes = true,
        Stagger = TimeSpan.FromMilliseconds(211),
        CrashAnywhere = true,
        EndWhenSettled = true,
        Budget = new() { Exhaust = 1_000_000 },
    };

    /// <summary>One by its name, or null.</summary>
    public static Scenario? Find(string name) => Everything.FirstOrDefault(scenario => scenario.Name == name);

    /// <summary>All of them, the regressions and the smallest world.</summary>
    public static IEnumerable<Scenario> Everything => [.. All, .. Regressions, OneCommand];
}
