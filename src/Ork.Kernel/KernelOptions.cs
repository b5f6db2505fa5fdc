namespace Ork.Kernel;

/// <summary>Every cadence, bound and limit of the kernel. Durations are milliseconds.</summary>
public sealed record KernelOptions
{
    /// <summary>How the kernel calls itself in envelopes.</summary>
    public string Name { get; init; } = "ork";

    /// <summary>True: a trigger that no state handles stops the instance. For tests; false counts, logs and ignores it.</summary>
    public bool StrictMachines { get; init; }

    /// <summary>The turn loop's bounds.</summary>
    public LoopOptions Loop { get; init; } = new();

    /// <summary>Commands.</summary>
    public CommandOptions Commands { get; init; } = new();

    /// <summary>Links, handshakes and registrations.</summary>
    public LinkOptions Links { get; init; } = new();

    /// <summary>Interval pulls.</summary>
    public ScheduleOptions Schedule { get; init; } = new();

    /// <summary>Health.</summary>
    public HealthOptions Health { get; init; } = new();

    /// <summary>Proxied pulls.</summary>
    public PullOptions Pulls { get; init; } = new();

    /// <summary>Circuits of Workers.</summary>
    public CircuitOptions Circuits { get; init; } = new();

    /// <summary>The budget for retries.</summary>
    public RetryOptions Retries { get; init; } = new();

    /// <summary>Which durations must not be above which others: what would be waited for could not come to pass, or a ceiling would lie below where it begins.</summary>
    public static IReadOnlyList<OrderedDurations> InOrder { get; } =
    [
        new("commands.backoffBaseMs", static o => o.Commands.BackoffBaseMs, "commands.backoffCapMs", static o => o.Commands.BackoffCapMs),
        new("links.retryBaseMs", static o => o.Links.RetryBaseMs, "links.retryCapMs", static o => o.Links.RetryCapMs),
        new("health.pingTimeoutMs", static o => o.Health.PingTimeoutMs, "schedule.healthIntervalMs", static o => o.Schedule.HealthIntervalMs),
        new("circuits.coolDownBaseMs", static o => o.Circuits.CoolDownBaseMs, "circuits.coolDownCapMs", static o => o.Circuits.CoolDownCapMs),
    ];
}

/// <summary>Two durations of the options of which one must not be above the other.</summary>
/// <param name="Shorter">The path of the one, in the words of the configuration file.</param>
/// <param name="ShorterOf">Reads it, in milliseconds.</param>
/// <param name="Longer">The path of the other.</param>
/// <param name="LongerOf">Reads that.</param>
public sealed record OrderedDurations(string Shorter, Func<KernelOptions, long> ShorterOf, string Longer, Func<KernelOptions, long> LongerOf);

/// <summary>Circuits of Workers.</summary>
public sealed record CircuitOptions
{
    /// <summary>Exchanges in a row without an answer that open a circuit.</summary>
    public int ConsecutiveFailures { get; init; } = 5;

    /// <summary>The last while, in which failures and lost links are counted.</summary>
    public long WindowMs { get; init; } = 30_000;

    /// <summary>The share of exchanges of that while without an answer that opens a circuit, in percent.</summary>
    public int FailurePercent { get; init; } = 50;

    /// <summary>Exchanges of that while below which their share says nothing.</summary>
    public int MinExchanges { get; init; } = 20;

    /// <summary>Links lost in that while that open a circuit: a Worker that flaps.</summary>
    public int LinksLostToOpen { get; init; } = 5;

    /// <summary>First ceiling of the pause before an open circuit lets probes through; at least half of a ceiling is kept.</summary>
    public long CoolDownBaseMs { get; init; } = 2_000;

    /// <summary>Highest ceiling of that pause: it doubles each time the circuit opens again.</summary>
    public long CoolDownCapMs { get; init; } = 60_000;

    /// <summary>How long a circuit stays closed until its earlier openings are forgotten.</summary>
    public long ForgetAfterMs { get; init; } = 60_000;

    /// <summary>Exchanges under way at once while a circuit is half-open.</summary>
    public int HalfOpenProbes { get; init; } = 3;

    /// <summary>Answers that close a half-open circuit.</summary>
    public int ProbesToClose { get; init; } = 2;
}

/// <summary>The budget for retries, over all Workers. What a kernel's restart interrupted is not counted.</summary>
public sealed record RetryOptions
{
    /// <summary>Retries for a hundred first attempts.</summary>
    public int SharePercent { get; init; } = 20;

    /// <summary>Retries a second besides, whatever the traffic.</summary>
    public int PerSecond { get; init; } = 10;

    /// <summary>Retries that may be saved up.</summary>
    public int Burst { get; init; } = 1_000;

    /// <summary>How long a retry waits at most until it asks the budget again.</summary>
    public long WaitMs { get; init; } = 1_000;
}

/// <summary>Bounds of the turn loop.</summary>
public sealed record LoopOptions
{
    /// <summary>Inputs that may wait. A full inbox holds its senders back.</summary>
    public int InboxLimit { get; init; } = 16_384;

    /// <summary>Inputs one batch takes.</summary>
    public int BatchLimit { get; init; } = 1_024;

    /// <summary>Records that may wait behind a commit in flight; beyond, new commands get <c>ERR_KERNEL_BUSY</c>.</summary>
    public int PendingRecordLimit { get; init; } = 65_536;

    /// <summary>How long commands in flight may take to end when the kernel is told to stop.</summary>
    public long DrainMs { get; init; } = 10_000;

    /// <summary>How long the kernel must have been awake before it gives up a request to a Worker: an answer that came while it stood still is not late.</summary>
    public long ListenMs { get; init; } = 50;

    /// <summary>
    /// A deadline that elapses later than this tells that the kernel stood still meanwhile: its process was stopped, its machine moved or overloaded. It listens once more then, five
    /// times at the most: one whose timers are always that late gives up what is not answered all the same.
    /// </summary>
    public long StandstillMs { get; init; } = 500;

    /// <summary>What a refused caller is told to wait before it tries again.</summary>
    public long RetryAfterMs { get; init; } = 250;
}

/// <summary>Commands.</summary>
public sealed record CommandOptions
{
    /// <summary>Commands not yet settled, over all Workers; beyond, <c>ERR_QUEUE_FULL</c>.</summary>
    public int MaxOpen { get; init; } = 200_000;

    /// <summary>Commands not yet settled, per Worker; beyond, <c>ERR_QUEUE_FULL</c>.</summary>
    public int MaxOpenPerWorker { get; init; } = 20_000;

    /// <summary>Commands not yet settled, per device; beyond, <c>ERR_QUEUE_FULL</c>.</summary>
    public int MaxOpenPerDevice { get; init; } = 1_024;

    /// <summary>
    /// How many times what is still free of a limit of open commands one caller may have there; beyond, <c>ERR_QUEUE_FULL</c>. With 4 a caller alone may have four
    /// fifths of it, and one that comes to many others that flood still finds room. Urgent commands are not counted against a share.
    /// </summary>
    public int FairShare { get; init; } = 4;

    /// <summary>Bytes of parameters and targets of all commands not yet settled; beyond, <c>ERR_QUEUE_FULL</c>.</summary>
    public long MaxOpenBytes { get; init; } = 256L * 1024 * 1024;

    /// <summary>
    /// Bytes of parameters and targets of one command. At most half of the links' frame limit, so that what the kernel adds always fits.
    /// </summary>
    public int MaxRequestBytes { get; init; } = 512 * 1024;

    /// <summary>Bytes of a result that are kept; a larger one is replaced by its size.</summary>
    public int MaxResultBytes { get; init; } = 64 * 1024;

    /// <summary>Commands in flight per Worker; fewer while it says that it has no place for so many.</summary>
    public int WindowPerWorker { get; init; } = 64;

    /// <summary>How long an attempt may take from when it leaves, where the contract says nothing.</summary>
    public long AttemptTimeoutMs { get; init; } = 10_000;

    /// <summary>The deadline of a command whose caller sets none.</summary>
    public long DefaultDeadlineMs { get; init; } = 900_000;

    /// <summary>Retries after a first attempt. That a Worker had no place for one uses up none.</summary>
    public int MaxRetries { get; init; } = 5;

    /// <summary>Kernel restarts a command may be in flight at.</summary>
    public int MaxRecoveries { get; init; } = 20;

    /// <summary>First ceiling of the backoff between attempts.</summary>
    public long BackoffBaseMs { get; init; } = 200;

    /// <summary>Highest ceiling of the backoff between attempts.</summary>
    public long BackoffCapMs { get; init; } = 30_000;

    /// <summary>How long a settled command stays readable.</summary>
    public long RetentionMs { get; init; } = 24 * 3_600_000;

    /// <summary>How many settled commands stay readable; beyond, the oldest are compacted.</summary>
    public int MaxSettled { get; init; } = 250_000;

    /// <summary>Long polls that may wait at once; beyond, they are answered without waiting.</summary>
    public int MaxWaiters { get; init; } = 100_000;
}

/// <summary>Links, handshakes and registrations.</summary>
public sealed record LinkOptions
{
    /// <summary>Workers that may be known.</summary>
    public int MaxWorkers { get; init; } = 20_000;

    /// <summary>Devices one Worker may own.</summary>
    public int MaxDevicesPerWorker { get; init; } = 10_000;

    /// <summary>
    /// How long a peer that is dialled, greeted or registered may let the kernel wait and still count among those under way, in milliseconds. It goes on after that and has all
    /// its time, but keeps nobody out: a rack without power, or a hundred Workers that hang, cost the others this and not a timeout each.
    /// </summary>
    public long PatienceMs { get; init; } = 500;

    /// <summary>Greetings under way at once per listener, those beyond <see cref="PatienceMs"/> aside; the rest wait in the backlog.</summary>
    public int MaxHandshakes { get; init; } = 64;

    /// <summary>How long a peer may take to greet.</summary>
    public long HandshakeTimeoutMs { get; init; } = 10_000;

    /// <summary>Registrations under way at once, those beyond <see cref="PatienceMs"/> aside; the rest wait their turn.</summary>
    public int MaxRegistrations { get; init; } = 128;

    /// <summary>How long a Worker may take to answer one question of its registration.</summary>
    public long RegistrationTimeoutMs { get; init; } = 10_000;

    /// <summary>First ceiling of the backoff between tries of a registration or a dial.</summary>
    public long RetryBaseMs { get; init; } = 500;

    /// <summary>Highest ceiling of that backoff.</summary>
    public long RetryCapMs { get; init; } = 30_000;

    /// <summary>Dials under way at once, those beyond <see cref="PatienceMs"/> aside.</summary>
    public int MaxDials { get; init; } = 32;

    /// <summary>How long a dial may take, handshake included.</summary>
    public long DialTimeoutMs { get; init; } = 10_000;

    /// <summary>How often discovery is asked.</summary>
    public long DiscoveryIntervalMs { get; init; } = 5_000;

    /// <summary>
    /// Caller links open at once. Where all places are taken, the link that has been idle longest, and for <see cref="IdleCallerMs"/> at least, gives way to a further one; where
    /// there is no such link, the further one is told that there is no room (<c>ERR_TOO_MANY_LINKS</c>).
    /// </summary>
    public int MaxCallers { get; init; } = 1_024;

    /// <summary>How long a caller's link must have had nothing under way before it may have to give way to another's, in milliseconds.</summary>
    public long IdleCallerMs { get; init; } = 60_000;

    /// <summary>Requests of one caller link under way at once; beyond, the link is not read.</summary>
    public int WindowPerCaller { get; init; } = 4_096;
}

/// <summary>Interval pulls.</summary>
public sealed record ScheduleOptions
{
    /// <summary>Telemetry pulls of each Worker.</summary>
    public long TelemetryIntervalMs { get; init; } = 10_000;

    /// <summary>Health pings of each Worker.</summary>
    public long HealthIntervalMs { get; init; } = 5_000;

    /// <summary>State pulls of each Worker.</summary>
    public long StateIntervalMs { get; init; } = 5_000;

    /// <summary>
    /// The grid of the schedule: what of all Workers falls into the same so many milliseconds is asked together, so that thousands of idle Workers wake the kernel a few
    /// times a second and not thousands of times. 1 spreads everything as evenly as the clock can.
    /// </summary>
    public long StepMs { get; init; } = 20;

    /// <summary>Scheduled telemetry and state pulls under way at once, over all Workers.</summary>
    public int MaxPulls { get; init; } = 256;
}

/// <summary>Health.</summary>
public sealed record HealthOptions
{
    /// <summary>How long a ping may take.</summary>
    public long PingTimeoutMs { get; init; } = 3_000;

    /// <summary>Failed pings in a row that make a Worker dead.</summary>
    public int DeadAfter { get; init; } = 3;
}

/// <summary>Proxied pulls.</summary>
public sealed record PullOptions
{
    /// <summary>How long a Worker may take to answer a pull.</summary>
    public long TimeoutMs { get; init; } = 10_000;

    /// <summary>
    /// Bytes of a query, with its id and unknown members. At most half of the links' frame limit, so that what the kernel adds always fits.
    /// </summary>
    public int MaxQueryBytes { get; init; } = 512 * 1024;

    /// <summary>Proxied pulls under way at once per Worker; beyond, <c>ERR_QUEUE_FULL</c>.</summary>
    public int WindowPerWorker { get; init; } = 256;

    /// <summary>Proxied pulls under way at once over all Workers; beyond, <c>ERR_KERNEL_BUSY</c>.</summary>
    public int MaxPulls { get; init; } = 16_384;
}
