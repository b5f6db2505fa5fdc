namespace OrkSim;

/// <summary>Every key of a scenario file but the lists: the one place where their names, meanings and limits stand.</summary>
internal static class ScenarioKeys
{
    /// <summary>The sections, with what each is about.</summary>
    internal static IReadOnlyDictionary<string, string> Sections { get; } = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["fleet"] = "The Workers and their devices.",
        ["fleet.timeoutMs"] = "How long an attempt of each command may take, in milliseconds, as the Workers' contract has it; 0 where it names no time, and the kernel's own counts.",
        ["workload"] = "What callers do.",
        ["workload.commands"] = "How often each command is sent, against the other.",
        ["network"] = "The links.",
        ["store"] = "The kernel's disk.",
        ["kernel"] = "The kernel's limits and durations, by the names that they have in its configuration file. What is usual here is far less than there: so small that runs meet it.",
        ["kernel.loop"] = "The turn loop.",
        ["kernel.commands"] = "Commands.",
        ["kernel.links"] = "Links, handshakes and registrations.",
        ["kernel.schedule"] = "Interval pulls.",
        ["kernel.health"] = "Health.",
        ["kernel.pulls"] = "Proxied pulls.",
        ["kernel.circuits"] = "Circuits of Workers.",
        ["kernel.retries"] = "The budget for retries, over all Workers.",
        ["enumerate"] = "For worlds so small that every order of events can be tried.",
        ["budget"] = "How many runs 'dotnet test' spends on it, by gear; 0 for none.",
    };

    /// <summary>Keys whose absence is an error.</summary>
    internal static IReadOnlyList<string> Required { get; } = ["name"];

    /// <summary>The lists, which stand at the top: what each holds.</summary>
    internal static IReadOnlyDictionary<string, string> Lists { get; } = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["faults"] = "What goes wrong: a list of faults, each with its own keys.",
        ["check"] = "The invariants that are checked: all, or a list of their ids.",
        ["reaches"] = "Situations this scenario is there to meet: events of the kernel's log by name, or points of a world of your own. The swarm of 'dotnet test' fails where it met one of them in no run.",
    };

    /// <summary>The keys, in the order in which they are written.</summary>
    internal static IReadOnlyList<IScenarioKey<Scenario>> All { get; } =
    [
        Top("name", "Its name, which is its file's.", Forms.Name, s => s.Name, (s, v) => s with { Name = v }),
        Top("description", "What it is about, in a sentence.", Forms.Line, s => s.Description, (s, v) => s with { Description = v }),
        Fleet("workers", "How many Workers.", Forms.Whole(1, 500, 1), f => f.Workers, (f, v) => f with { Workers = v }),
        Fleet("devicesPerWorker", "How many devices each owns.", Forms.Whole(1, 200, 1), f => f.DevicesPerWorker, (f, v) => f with { DevicesPerWorker = v }),
        Fleet("link", "How Workers are reached: they announce themselves, the kernel dials, or every third is dialled.", Forms.Word<LinkMode>(), f => f.Link, (f, v) => f with { Link = v }),
        Fleet("journal", "The share of Workers whose journal outlives them.", Forms.Real(0, 1, 1) with { Smaller = static value => value.Min switch { 1 => [], 0 => [1], _ => [1, 0] } }, f => f.Journal, (f, v) => f with { Journal = v }),
        Fleet("execution", "How long a device takes.", Forms.Times("5ms..400ms"), f => f.Execution, (f, v) => f with { Execution = v }),
        Fleet("journalWrite", "How long writing the journal takes.", Forms.Times("200us..4ms"), f => f.JournalWrite, (f, v) => f with { JournalWrite = v }),
        Fleet("handlers", "How many handlers a Worker has places for, and as many that are past their time.", Forms.Whole(1, 64, 1), f => f.Handlers, (f, v) => f with { Handlers = v }),
        Timeout("reboot", "The time of reboot.", 3_000, t => t.Reboot, (t, v) => t with { Reboot = v }),
        Timeout("set-power-mode", "The time of set-power-mode.", 2_500, t => t.SetPowerMode, (t, v) => t with { SetPowerMode = v }),
        Fleet("fail", "How likely a device refuses.", Forms.Real(0, 1, 0), f => f.Fail, (f, v) => f with { Fail = v }),
        Fleet("slow", "How likely a device takes seconds longer than its deadline, until healed.", Forms.Real(0, 1, 0), f => f.Slow, (f, v) => f with { Slow = v }),
        Fleet("hang", "How likely a device never comes back from a command, until healed.", Forms.Real(0, 1, 0), f => f.Hang, (f, v) => f with { Hang = v }),
        Work("callers", "How many callers.", Forms.Whole(1, 100, 1), w => w.Callers, (w, v) => w with { Callers = v }),
        Work("commandsPerSecond", "Commands a second, over all callers.", Forms.Real(0, 1_000, 0.5), w => w.CommandsPerSecond, (w, v) => w with { CommandsPerSecond = v }),
        Mix("reboot", "The weight of reboot, which is not declared safe to repeat.", m => m.Reboot, (m, v) => m with { Reboot = v }),
        Mix("set-power-mode", "The weight of set-power-mode, which is idempotent.", m => m.SetPowerMode, (m, v) => m with { SetPowerMode = v }),
        Work("count", "How many commands in all, each caller sending its own as soon as it can; 0 for as many as the rate gives.", Forms.Number(0, 100_000), w => w.Count, (w, v) => w with { Count = v }),
        Work("wide", "The share of commands that reaches all devices of a Worker.", Forms.Real(0, 1, 0), w => w.Wide, (w, v) => w with { Wide = v }),
        Work("urgent", "The share that is urgent.", Forms.Real(0, 1, 0), w => w.Urgent, (w, v) => w with { Urgent = v }),
        Work("hot", "The share that goes to one device of all.", Forms.Real(0, 1, 0), w => w.Hot, (w, v) => w with { Hot = v }),
        Work("cancel", "The share that is cancelled soon after.", Forms.Real(0, 1, 0), w => w.Cancel, (w, v) => w with { Cancel = v }),
        Work("keyed", "The share that carries an idempotency key.", Forms.Real(0, 1, 0), w => w.Keyed, (w, v) => w with { Keyed = v }),
        Work("duplicateRequests", "The share of keyed ones that is sent twice.", Forms.Real(0, 1, 0), w => w.Duplicate, (w, v) => w with { Duplicate = v }),
        Work("look", "The share that is looked at again and again while its caller waits for its end.", Forms.Real(0, 1, 0), w => w.Look, (w, v) => w with { Look = v }),
        Work("pulls", "The share of calls that are telemetry or state pulls instead of commands.", Forms.Real(0, 1, 0), w => w.Pulls, (w, v) => w with { Pulls = v }),
        Work("flood", "Commands a second of one caller more, which sends to the first Worker and waits for nothing.", Forms.Real(0, 5_000, 0), w => w.Flood, (w, v) => w with { Flood = v }),
        Work("afterHealing", "The share of the pace, flood included, that is kept once the world is healed.", Forms.Real(0, 1, 0.25), w => w.AfterHealing, (w, v) => w with { AfterHealing = v }),
        Work("curtailAt", "When a caller tells every device at once to sleep, urgently; 0s for never.", Forms.Times("5s..15s"), w => w.CurtailAt, (w, v) => w with { CurtailAt = v }),
        Work("deadline", "The deadline that callers set.", Forms.Times("2s..20s"), w => w.Deadline, (w, v) => w with { Deadline = v }),
        Work("timeout", "How long a caller waits for the end of a call.", Forms.Time("10s"), w => w.Timeout, (w, v) => w with { Timeout = v }),
        Work("brokenCallers", "How many callers send what no caller should.", Forms.Whole(0, 20, 0), w => w.Broken, (w, v) => w with { Broken = v }),
        Work("audit", "Whether an auditor keeps asking what the kernel thinks it has; some invariants hear nothing without.", Forms.Flag, w => w.Audit, (w, v) => w with { Audit = v }),
        Work("auditEvery", "How long the auditor waits before each of its rounds.", Forms.Times("500ms..4s"), w => w.AuditEvery, (w, v) => w with { AuditEvery = v }),
        Network("latency", "How long a message travels.", Forms.Times("1ms..80ms"), n => n.Latency, (n, v) => n with { Latency = v }),
        Network("stall", "How likely a message is held up for long, until healed.", Forms.Real(0, 1, 0), n => n.Stall, (n, v) => n with { Stall = v }),
        Network("highWaterBytes", "Bytes on the way to a slow reader before its sender is told.", Forms.Whole(100, 16 << 20, 256 * 1024), n => n.HighWaterBytes, (n, v) => n with { HighWaterBytes = v }),
        Store("commit", "How long a commit takes.", Forms.Times("300us..5ms"), d => d.Commit, (d, v) => d with { Commit = v }),
        Store("open", "How long opening the store takes.", Forms.Times("5ms..50ms"), d => d.Open, (d, v) => d with { Open = v }),
        Store("commitFails", "How likely a commit fails before it is durable, until healed.", Forms.Real(0, 1, 0), d => d.CommitFails, (d, v) => d with { CommitFails = v }),
        Store("commitUnknown", "How likely a commit fails although it is durable, until healed.", Forms.Real(0, 1, 0), d => d.CommitUnknown, (d, v) => d with { CommitUnknown = v }),
        .. KernelLimit.All.Select(Kernel),
        Top("healAt", "From when on nothing goes wrong any more and everything must come right by itself.", Forms.Time("30s"), s => s.HealAt, (s, v) => s with { HealAt = v }),
        Top("duration", "When the run ends.", Forms.Time("75s"), s => s.Duration, (s, v) => s with { Duration = v }),
        Small("fifoWithinNodes", "Within a node what is ready runs in order; only which node goes first is chosen.", Forms.Flag, s => s.FifoWithinNodes, (s, v) => s with { FifoWithinNodes = v }),
        Small("stagger", "How long after the kernel the Workers start, and after them the callers.", Forms.Time("211ms"), s => s.Stagger, (s, v) => s with { Stagger = v }),
        Small("crashAnywhere", "The choices say before each step whether the kernel crashes there, once a run.", Forms.Flag, s => s.CrashAnywhere, (s, v) => s with { CrashAnywhere = v }),
        Small("endWhenSettled", "The run ends as soon as every command sent has ended.", Forms.Flag, s => s.EndWhenSettled, (s, v) => s with { EndWhenSettled = v }),
        Runs("swarm", "Seeds of the swarm.", b => b.Swarm, (b, v) => b with { Swarm = v }),
        Runs("coyote", "Iterations of Coyote.", b => b.Coyote, (b, v) => b with { Coyote = v }),
        Runs("sweep", "Crash points of the sweep.", b => b.Sweep, (b, v) => b with { Sweep = v }),
        Runs("exhaust", "Runs of the enumeration; a scenario that has some is run in no other gear.", b => b.Exhaust, (b, v) => b with { Exhaust = v }),
    ];

    private static ScenarioKey<Scenario, T> Top<T>(string name, string says, Form<T> form, Func<Scenario, T> get, Func<Scenario, T, Scenario> set) => new("", name, says, form, get, set);

    private static ScenarioKey<Scenario, T> Fleet<T>(string name, string says, Form<T> form, Func<Fleet, T> get, Func<Fleet, T, Fleet> set) =>
        new("fleet", name, says, form, s => get(s.Fleet), (s, v) => s with { Fleet = set(s.Fleet, v) });

    private static ScenarioKey<Scenario, IntRange> Timeout(string name, string says, int plain, Func<ContractTimeouts, IntRange> get, Func<ContractTimeouts, IntRange, ContractTimeouts> set) =>
        new("fleet.timeoutMs", name, says, Forms.Whole(0, 86_400_000, plain), s => get(s.Fleet.TimeoutMs), (s, v) => s with { Fleet = s.Fleet with { TimeoutMs = set(s.Fleet.TimeoutMs, v) } });

    private static ScenarioKey<Scenario, T> Work<T>(string name, string says, Form<T> form, Func<Workload, T> get, Func<Workload, T, Workload> set) =>
        new("workload", name, says, form, s => get(s.Workload), (s, v) => s with { Workload = set(s.Workload, v) });

    private static ScenarioKey<Scenario, IntRange> Mix(string name, string says, Func<CommandMix, IntRange> get, Func<CommandMix, IntRange, CommandMix> set) =>
        new("workload.commands", name, says, Forms.Whole(0, 1_000, 0), s => get(s.Workload.Mix), (s, v) => s with { Workload = s.Workload with { Mix = set(s.Workload.Mix, v) } });

    private static ScenarioKey<Scenario, T> Network<T>(string name, string says, Form<T> form, Func<NetworkSpec, T> get, Func<NetworkSpec, T, NetworkSpec> set) =>
        new("network", name, says, form, s => get(s.Network), (s, v) => s with { Network = set(s.Network, v) });

    private static ScenarioKey<Scenario, T> Store<T>(string name, string says, Form<T> form, Func<StoreSpec, T> get, Func<StoreSpec, T, StoreSpec> set) =>
        new("store", name, says, form, s => get(s.Store), (s, v) => s with { Store = set(s.Store, v) });

    private static ScenarioKey<Scenario, IntRange> Kernel(KernelLimit limit) =>
        new("kernel." + limit.Section, limit.Name, limit.Says, Forms.Limit(limit), s => s.Kernel.Of(limit.Path), (s, v) => s with { Kernel = s.Kernel.With(limit.Path, v) });

    private static ScenarioKey<Scenario, T> Small<T>(string name, string says, Form<T> form, Func<Scenario, T> get, Func<Scenario, T, Scenario> set) => new("enumerate", name, says, form, get, set);

    private static ScenarioKey<Scenario, int> Runs(string name, string says, Func<Budget, int> get, Func<Budget, int, Budget> set) =>
        new("budget", name, says, Forms.Number(0, 100_000_000), s => get(s.Budget), (s, v) => s with { Budget = set(s.Budget, v) });
}
