namespace OrkSim;

/// <summary>How Workers are reached.</summary>
public enum LinkMode
{
    /// <summary>The Worker connects and announces itself.</summary>
    Announce,

    /// <summary>The kernel dials.</summary>
    Dial,

    /// <summary>Every other one.</summary>
    Mixed,
}

/// <summary>The Workers and their devices.</summary>
public sealed record Fleet
{
    /// <summary>How many Workers.</summary>
    public IntRange Workers { get; init; } = new(3, 12);

    /// <summary>How many devices each owns.</summary>
    public IntRange DevicesPerWorker { get; init; } = new(1, 8);

    /// <summary>How they are reached.</summary>
    public LinkMode Link { get; init; } = LinkMode.Mixed;

    /// <summary>The share of Workers whose journal outlives them.</summary>
    public RealRange Journal { get; init; } = 0.7;

    /// <summary>How long a device takes.</summary>
    public TimeRange Execution { get; init; } = TimeRange.Milliseconds(5, 400);

    /// <summary>How long writing the journal takes.</summary>
    public TimeRange JournalWrite { get; init; } = TimeRange.Milliseconds(0.2, 4);

    /// <summary>How long attempts may take, as the Workers' contract has it.</summary>
    public ContractTimeouts TimeoutMs { get; init; } = new();

    /// <summary>How many handlers a Worker has places for, and as many that are past their time.</summary>
    public IntRange Handlers { get; init; } = SimDefaults.Worker.MaxHandlers;

    /// <summary>How likely a device refuses.</summary>
    public RealRange Fail { get; init; } = 0.05;

    /// <summary>How likely a device takes far longer than its deadline, while faults are on.</summary>
    public RealRange Slow { get; init; } = 0;

    /// <summary>How likely a device never comes back from a command, while faults are on.</summary>
    public RealRange Hang { get; init; } = 0;
}

/// <summary>What callers do.</summary>
public sealed record Workload
{
    /// <summary>How many callers.</summary>
    public IntRange Callers { get; init; } = new(1, 4);

    /// <summary>Commands a second, over all of them.</summary>
    public RealRange CommandsPerSecond { get; init; } = new(1, 10);

    /// <summary>How many commands in all, each caller sending its own as soon as it can; 0 for as many as the rate gives.</summary>
    public int Count { get; init; }

    /// <summary>True where an auditor keeps asking what the kernel thinks it has.</summary>
    public bool Audit { get; init; } = true;

    /// <summary>How long the auditor waits before each of its rounds.</summary>
    public TimeRange AuditEvery { get; init; } = TimeSpan.FromSeconds(4);

    /// <summary>How often each command is sent, against the others.</summary>
    public CommandMix Mix { get; init; } = new();

    /// <summary>The share that reaches all devices of a Worker.</summary>
    public RealRange Wide { get; init; } = 0.05;

    /// <summary>The share that is cancelled soon after.</summary>
    public RealRange Cancel { get; init; } = 0.05;

    /// <summary>The share that carries an idempotency key.</summary>
    public RealRange Keyed { get; init; } = 0.6;

    /// <summary>The share of keyed ones that is sent twice.</summary>
    public RealRange Duplicate { get; init; } = 0.05;

    /// <summary>The share that is looked at again and again while its caller waits for its end.</summary>
    public RealRange Look { get; init; } = 0.1;

    /// <summary>The share of calls that are telemetry or state pulls instead of commands.</summary>
    public RealRange Pulls { get; init; } = 0.1;

    /// <summary>The share that is urgent.</summary>
    public RealRange Urgent { get; init; } = 0.05;

    /// <summary>The share that goes to one device of all.</summary>
    public RealRange Hot { get; init; } = 0;

    /// <summary>Commands a second that one caller more sends to that device and its Worker, waiting for nothing.</summary>
    public RealRange Flood { get; init; } = 0;

    /// <summary>The share of the pace that is kept once the world is healed: whether it serves again shows with few commands as well, and those cost a run most of its time.</summary>
    public RealRange AfterHealing { get; init; } = 0.25;

    /// <summary>When a caller tells every device at once to sleep, urgently; never where it is 0.</summary>
    public TimeRange CurtailAt { get; init; } = TimeSpan.Zero;

    /// <summary>The deadline that callers set.</summary>
    public TimeRange Deadline { get; init; } = TimeRange.Seconds(2, 20);

    /// <summary>How long a caller waits for the end of a call.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How many callers send what no caller should, and how often a minute each.</summary>
    public IntRange Broken { get; init; } = 0;
}

/// <summary>How often each command of the simulated devices is sent, against the others.</summary>
public sealed record CommandMix
{
    /// <summary>The weight of <c>reboot</c>, which is not declared safe to repeat.</summary>
    public IntRange Reboot { get; init; } = 1;

    /// <summary>The weight of <c>set-power-mode</c>, which is idempotent.</summary>
    public IntRange SetPowerMode { get; init; } = 1;

    /// <summary>The share of commands that may not be repeated, in a concrete scenario.</summary>
    internal double RebootShare => Reboot.Min + SetPowerMode.Min == 0 ? 0 : (double)Reboot.Min / (Reboot.Min + SetPowerMode.Min);
}

/// <summary>How long an attempt of each command of the simulated devices may take, in milliseconds; 0 where the contract names no time, and the kernel's own counts.</summary>
public sealed record ContractTimeouts
{
    /// <summary>The time of <c>reboot</c>.</summary>
    public IntRange Reboot { get; init; } = 3_000;

    /// <summary>The time of <c>set-power-mode</c>.</summary>
    public IntRange SetPowerMode { get; init; } = 2_500;
}

/// <summary>The links.</summary>
public sealed record NetworkSpec
{
    /// <summary>How long a message travels.</summary>
    public TimeRange Latency { get; init; } = TimeRange.Milliseconds(0.2, 10);

    /// <summary>How likely a message is held up for long, while faults are on.</summary>
    public RealRange Stall { get; init; } = 0;

    /// <summary>Bytes on the way to a slow reader before its sender is told.</summary>
    public IntRange HighWaterBytes { get; init; } = 256 * 1024;
}

/// <summary>The kernel's disk.</summary>
public sealed record StoreSpec
{
    /// <summary>How long a commit takes.</summary>
    public TimeRange Commit { get; init; } = TimeRange.Milliseconds(0.3, 5);

    /// <summary>How long opening the store takes.</summary>
    public TimeRange Open { get; init; } = TimeRange.Milliseconds(5, 50);

    /// <summary>How likely a commit fails before it is durable, while faults are on.</summary>
    public RealRange CommitFails { get; init; } = 0;

    /// <summary>How likely a commit fails although it is durable, while faults are on.</summary>
    public RealRange CommitUnknown { get; init; } = 0;
}

/// <summary>A fault and when it strikes.</summary>
public sealed record FaultSpec
{
    /// <summary>At any time from the first second until the world is healed; written <c>any</c>.</summary>
    public static readonly TimeRange AnyTime = TimeRange.Seconds(1, 1_000_000);

    /// <summary>Which: a name of the catalogue of faults.</summary>
    public required string Kind { get; init; }

    /// <summary>How often a minute, or 0 where <see cref="Times"/> says how often in all.</summary>
    public RealRange PerMinute { get; init; } = 0;

    /// <summary>How often in all.</summary>
    public IntRange Times { get; init; } = 0;

    /// <summary>When, where <see cref="Times"/> is given.</summary>
    public TimeRange At { get; init; } = AnyTime;

    /// <summary>How long it lasts each time.</summary>
    public TimeRange For { get; init; } = TimeRange.Seconds(0.05, 8);

    /// <summary>The share of what could be struck that is.</summary>
    public RealRange Fraction { get; init; } = 1;

    /// <summary>How likely it comes in its nastier form: silently, or with what was in flight lost.</summary>
    public RealRange Nasty { get; init; } = 0.5;
}

/// <summary>How many runs a test spends on a scenario, by gear.</summary>
public sealed record Budget
{
    /// <summary>Seeds of the swarm.</summary>
    public int Swarm { get; init; } = 40;

    /// <summary>Iterations of Coyote.</summary>
    public int Coyote { get; init; } = 6;

    /// <summary>Runs of the enumeration; 0 where the scenario is too large for it.</summary>
    public int Exhaust { get; init; }

    /// <summary>Crash points of the sweep.</summary>
    public int Sweep { get; init; } = 40;

    /// <summary>Runs in a gear.</summary>
    public int Of(Gear gear) => gear switch
    {
        Gear.Swarm => Swarm,
        Gear.Coyote => Coyote,
        Gear.Sweep => Sweep,
        Gear.Exhaust => Exhaust,
        _ => 0,
    };
}

/// <summary>
/// A scenario: the world, what happens in it, and until when. Ranges are drawn anew for each run; one whose ranges are all single values is concrete, and is what
/// a run file holds.
/// </summary>
public sealed record Scenario
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>What it is about, in a sentence.</summary>
    public string Description { get; init; } = "";

    /// <summary>The Workers and their devices.</summary>
    public Fleet Fleet { get; init; } = new();

    /// <summary>What callers do.</summary>
    public Workload Workload { get; init; } = new();

    /// <summary>The links.</summary>
    public NetworkSpec Network { get; init; } = new();

    /// <summary>The kernel's disk.</summary>
    public StoreSpec Store { get; init; } = new();

    /// <summary>The kernel's limits, where they are not as usual.</summary>
    public KernelLimits Kernel { get; init; } = new();

    /// <summary>What goes wrong.</summary>
    public IReadOnlyList<FaultSpec> Faults { get; init; } = [];

    /// <summary>From when on nothing goes wrong any more and everything must come right.</summary>
    public TimeSpan HealAt { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>True: within a node continuations run in order, and only the order between nodes is chosen. For worlds to be enumerated.</summary>
    public bool FifoWithinNodes { get; init; }

    /// <summary>How long after the kernel the Workers start, and after them the callers.</summary>
    public TimeSpan Stagger { get; init; }

    /// <summary>True: the choices say before each step whether the kernel crashes there, once a run.</summary>
    public bool CrashAnywhere { get; init; }

    /// <summary>True: the run ends as soon as every command sent has ended.</summary>
    public bool EndWhenSettled { get; init; }

    /// <summary>When the run ends.</summary>
    public TimeSpan Duration { get; init; } = TimeSpan.FromSeconds(75);

    /// <summary>The invariants that are checked, by id; empty for all of them.</summary>
    public IReadOnlyList<string> Check { get; init; } = [];

    /// <summary>Situations this scenario is there to meet: events of the kernel's log, and points that a world of one's own names.</summary>
    public IReadOnlyList<string> Reaches { get; init; } = [];

    /// <summary>How many runs a test spends on it.</summary>
    public Budget Budget { get; init; } = new();
}
