using Ork.Kernel;

namespace OrkSim;

/// <summary>
/// The limits, counts and durations of the kernel's configuration that a scenario sets, each by its path in the configuration file, such as
/// <c>commands.windowPerWorker</c>. What it does not set is as in <see cref="SimDefaults.Kernel"/>.
/// </summary>
public sealed record KernelLimits
{
    /// <summary>What is set.</summary>
    public IReadOnlyDictionary<string, IntRange> Values { get; init; } = new SortedDictionary<string, IntRange>(StringComparer.Ordinal);

    /// <summary>These with one more.</summary>
    /// <param name="path">Which.</param>
    /// <param name="value">From which values a run draws.</param>
    /// <exception cref="ScenarioException">There is no such limit.</exception>
    public KernelLimits With(string path, IntRange value)
    {
        var usual = KernelLimit.Named(path).Usual;
        var values = new SortedDictionary<string, IntRange>(StringComparer.Ordinal);
        foreach (var (name, set) in Values.Where(set => set.Key != path)) values.Add(name, set);
        if (value != usual) values.Add(path, value);
        return new KernelLimits { Values = values };
    }

    /// <summary>The value of a limit.</summary>
    /// <exception cref="ScenarioException">There is no such limit.</exception>
    public IntRange Of(string path) => Values.TryGetValue(path, out var value) ? value : KernelLimit.Named(path).Usual;

    /// <summary>What a kernel would refuse of the values that may be drawn, or null.</summary>
    internal string? Contradiction() => KernelOptions.InOrder.Where(pair => Of(pair.Shorter).Max > Of(pair.Longer).Min)
        .Select(pair => $"'{pair.Longer}' ({Of(pair.Longer)}) may come to be below '{pair.Shorter}' ({Of(pair.Shorter)}): a kernel refuses that.").FirstOrDefault();

    /// <summary>The kernel's options with these limits, of a concrete scenario.</summary>
    /// <exception cref="ScenarioException">There is no such limit.</exception>
    internal KernelOptions Applied(KernelOptions options) => Values.Aggregate(options, static (applied, set) => KernelLimit.Named(set.Key).Set(applied, set.Value.Min));
}

/// <summary>A limit, count or duration of the kernel's configuration that scenarios may set.</summary>
/// <param name="Section">The section of the configuration file where it stands.</param>
/// <param name="Name">Its name there.</param>
/// <param name="Says">What it means.</param>
/// <param name="Least">The least that a kernel takes.</param>
/// <param name="Get">Reads it.</param>
/// <param name="Set">Sets it.</param>
internal sealed record KernelLimit(string Section, string Name, string Says, int Least, Func<KernelOptions, int> Get, Func<KernelOptions, int, KernelOptions> Set)
{
    /// <summary>More than a simulated world ever comes to, in milliseconds too.</summary>
    internal const int Most = 1_000_000;

    internal string Path => $"{Section}.{Name}";

    /// <summary>What applies where a scenario does not set it.</summary>
    internal IntRange Usual => Get(SimDefaults.Kernel);

    internal static IReadOnlyList<KernelLimit> All { get; } =
    [
        Loop("inboxLimit", "Inputs that may wait; a full inbox holds its senders back.", o => o.InboxLimit, (o, v) => o with { InboxLimit = v }),
        Loop("batchLimit", "Inputs one batch takes.", o => o.BatchLimit, (o, v) => o with { BatchLimit = v }),
        Loop("pendingRecordLimit", "Records that may wait behind a commit in flight.", o => o.PendingRecordLimit, (o, v) => o with { PendingRecordLimit = v }),
        Loop("drainMs", "How long commands in flight may take to end when the kernel is told to stop.", o => (int)o.DrainMs, (o, v) => o with { DrainMs = v }),
        Loop("listenMs", "How long the kernel must have been awake before it gives up a request to a Worker.", o => (int)o.ListenMs, (o, v) => o with { ListenMs = v }),
        Loop("standstillMs", "A deadline that elapses later than this tells that the kernel stood still meanwhile.", o => (int)o.StandstillMs, (o, v) => o with { StandstillMs = v }),
        Loop("retryAfterMs", "What a refused caller is told to wait before it tries again.", o => (int)o.RetryAfterMs, (o, v) => o with { RetryAfterMs = v }),
        Commands("maxOpen", "Commands not yet settled, over all Workers.", 1, o => o.MaxOpen, (o, v) => o with { MaxOpen = v }),
        Commands("maxOpenPerWorker", "Commands not yet settled, per Worker.", 1, o => o.MaxOpenPerWorker, (o, v) => o with { MaxOpenPerWorker = v }),
        Commands("maxOpenPerDevice", "Commands not yet settled, per device.", 1, o => o.MaxOpenPerDevice, (o, v) => o with { MaxOpenPerDevice = v }),
        Commands("maxOpenBytes", "Bytes of params and targets of all commands not yet settled.", 1, o => (int)o.MaxOpenBytes, (o, v) => o with { MaxOpenBytes = v }),
        Commands("maxRequestBytes", "Bytes of params and targets of one command.", 1, o => o.MaxRequestBytes, (o, v) => o with { MaxRequestBytes = v }),
        Commands("maxResultBytes", "Bytes of a result that is kept.", 1, o => o.MaxResultBytes, (o, v) => o with { MaxResultBytes = v }),
        Commands("fairShare", "How many times what is still free of a limit one caller may have there.", 1, o => o.FairShare, (o, v) => o with { FairShare = v }),
        Commands("windowPerWorker", "Commands in flight per Worker.", 1, o => o.WindowPerWorker, (o, v) => o with { WindowPerWorker = v }),
        Commands("maxRetries", "Retries after a first attempt.", 0, o => o.MaxRetries, (o, v) => o with { MaxRetries = v }),
        Commands("maxRecoveries", "Kernel restarts a command may be in flight at.", 0, o => o.MaxRecoveries, (o, v) => o with { MaxRecoveries = v }),
        Commands("maxSettled", "How many settled commands stay readable.", 1, o => o.MaxSettled, (o, v) => o with { MaxSettled = v }),
        Commands("maxWaiters", "Long polls that may wait at once.", 0, o => o.MaxWaiters, (o, v) => o with { MaxWaiters = v }),
        Commands("attemptTimeoutMs", "How long an attempt may take where the Worker's contract names no time.", 1, o => (int)o.AttemptTimeoutMs, (o, v) => o with { AttemptTimeoutMs = v }),
        Commands("defaultDeadlineMs", "The deadline of a command that brings none.", 1, o => (int)o.DefaultDeadlineMs, (o, v) => o with { DefaultDeadlineMs = v }),
        Commands("backoffBaseMs", "First ceiling of the backoff between attempts.", 1, o => (int)o.BackoffBaseMs, (o, v) => o with { BackoffBaseMs = v }),
        Commands("backoffCapMs", "Highest ceiling of that backoff.", 1, o => (int)o.BackoffCapMs, (o, v) => o with { BackoffCapMs = v }),
        Commands("retentionMs", "How long a settled command stays readable.", 1, o => (int)o.RetentionMs, (o, v) => o with { RetentionMs = v }),
        Links("maxWorkers", "Workers known at once.", o => o.MaxWorkers, (o, v) => o with { MaxWorkers = v }),
        Links("maxDevicesPerWorker", "Devices of one Worker.", o => o.MaxDevicesPerWorker, (o, v) => o with { MaxDevicesPerWorker = v }),
        Links("maxHandshakes", "Greetings under way at once per listener.", o => o.MaxHandshakes, (o, v) => o with { MaxHandshakes = v }),
        Links("maxRegistrations", "Registrations under way at once.", o => o.MaxRegistrations, (o, v) => o with { MaxRegistrations = v }),
        Links("maxDials", "Dials under way at once.", o => o.MaxDials, (o, v) => o with { MaxDials = v }),
        Links("maxCallers", "Caller links open at once.", o => o.MaxCallers, (o, v) => o with { MaxCallers = v }),
        Links("windowPerCaller", "Requests of one caller link under way at once.", o => o.WindowPerCaller, (o, v) => o with { WindowPerCaller = v }),
        Links("patienceMs", "How long a peer that is dialled, greeted or registered counts among those under way.", o => (int)o.PatienceMs, (o, v) => o with { PatienceMs = v }),
        Links("handshakeTimeoutMs", "How long a peer may take to greet.", o => (int)o.HandshakeTimeoutMs, (o, v) => o with { HandshakeTimeoutMs = v }),
        Links("registrationTimeoutMs", "How long a Worker may take to answer one question of its registration.", o => (int)o.RegistrationTimeoutMs, (o, v) => o with { RegistrationTimeoutMs = v }),
        Links("retryBaseMs", "First ceiling of the backoff between tries of a registration or a dial.", o => (int)o.RetryBaseMs, (o, v) => o with { RetryBaseMs = v }),
        Links("retryCapMs", "Highest ceiling of that backoff.", o => (int)o.RetryCapMs, (o, v) => o with { RetryCapMs = v }),
        Links("dialTimeoutMs", "How long a dial may take, handshake included.", o => (int)o.DialTimeoutMs, (o, v) => o with { DialTimeoutMs = v }),
        Links("discoveryIntervalMs", "How often discovery is asked.", o => (int)o.DiscoveryIntervalMs, (o, v) => o with { DiscoveryIntervalMs = v }),
        Links("idleCallerMs", "How long a caller's link must have had nothing under way before it may have to give way to another's.", o => (int)o.IdleCallerMs, (o, v) => o with { IdleCallerMs = v }),
        Schedule("telemetryIntervalMs", "How often telemetry is pulled.", o => (int)o.TelemetryIntervalMs, (o, v) => o with { TelemetryIntervalMs = v }),
        Schedule("healthIntervalMs", "How often a Worker is pinged.", o => (int)o.HealthIntervalMs, (o, v) => o with { HealthIntervalMs = v }),
        Schedule("stateIntervalMs", "How often states are pulled.", o => (int)o.StateIntervalMs, (o, v) => o with { StateIntervalMs = v }),
        Schedule("stepMs", "The grid of the schedule: what falls into the same so many milliseconds is asked together.", o => (int)o.StepMs, (o, v) => o with { StepMs = v }),
        new("schedule", "maxPulls", "Scheduled telemetry and state pulls under way at once.", 1, o => o.Schedule.MaxPulls, (o, v) => o with { Schedule = o.Schedule with { MaxPulls = v } }),
        new("health", "pingTimeoutMs", "How long a ping may take.", 1, o => (int)o.Health.PingTimeoutMs, (o, v) => o with { Health = o.Health with { PingTimeoutMs = v } }),
        new("health", "deadAfter", "Failed pings in a row that make a Worker dead.", 1, o => o.Health.DeadAfter, (o, v) => o with { Health = o.Health with { DeadAfter = v } }),
        Pulls("timeoutMs", "How long a pull may take.", o => (int)o.TimeoutMs, (o, v) => o with { TimeoutMs = v }),
        Pulls("windowPerWorker", "Proxied pulls under way at once per Worker.", o => o.WindowPerWorker, (o, v) => o with { WindowPerWorker = v }),
        Pulls("maxPulls", "Proxied pulls under way at once over all Workers.", o => o.MaxPulls, (o, v) => o with { MaxPulls = v }),
        Pulls("maxQueryBytes", "Bytes of one query.", o => o.MaxQueryBytes, (o, v) => o with { MaxQueryBytes = v }),
        Circuits("consecutiveFailures", "Exchanges in a row without an answer that open a circuit.", o => o.ConsecutiveFailures, (o, v) => o with { ConsecutiveFailures = v }),
        Circuits("failurePercent", "The share of the last exchanges without an answer that opens a circuit, in percent.", o => o.FailurePercent, (o, v) => o with { FailurePercent = v }),
        Circuits("minExchanges", "Exchanges below which their share says nothing.", o => o.MinExchanges, (o, v) => o with { MinExchanges = v }),
        Circuits("linksLostToOpen", "Links lost lately that open a circuit.", o => o.LinksLostToOpen, (o, v) => o with { LinksLostToOpen = v }),
        Circuits("windowMs", "The last while, in which failures and lost links are counted.", o => (int)o.WindowMs, (o, v) => o with { WindowMs = v }),
        Circuits("coolDownBaseMs", "First ceiling of the pause before an open circuit lets probes through.", o => (int)o.CoolDownBaseMs, (o, v) => o with { CoolDownBaseMs = v }),
        Circuits("coolDownCapMs", "Highest ceiling of that pause.", o => (int)o.CoolDownCapMs, (o, v) => o with { CoolDownCapMs = v }),
        Circuits("forgetAfterMs", "How long a circuit stays closed until its earlier openings are forgotten.", o => (int)o.ForgetAfterMs, (o, v) => o with { ForgetAfterMs = v }),
        Circuits("halfOpenProbes", "Exchanges under way at once while a circuit is half-open.", o => o.HalfOpenProbes, (o, v) => o with { HalfOpenProbes = v }),
        Circuits("probesToClose", "Answers that close a half-open circuit.", o => o.ProbesToClose, (o, v) => o with { ProbesToClose = v }),
        Retries("sharePercent", "Retries for a hundred first attempts.", o => o.SharePercent, (o, v) => o with { SharePercent = v }),
        Retries("perSecond", "Retries a second besides.", o => o.PerSecond, (o, v) => o with { PerSecond = v }),
        Retries("burst", "Retries that may be saved up.", o => o.Burst, (o, v) => o with { Burst = v }),
        Retries("waitMs", "How long a retry waits at most until it asks the budget again.", o => (int)o.WaitMs, (o, v) => o with { WaitMs = v }),
    ];

    private static readonly Dictionary<string, KernelLimit> ByPath = All.ToDictionary(static limit => limit.Path, StringComparer.Ordinal);

    /// <exception cref="ScenarioException">There is no such limit.</exception>
    internal static KernelLimit Named(string path) =>
        ByPath.TryGetValue(path, out var limit) ? limit : throw new ScenarioException($"There is no limit '{path}' of kernels.{Spelling.DidYouMean(path, ByPath.Keys)}");

    private static KernelLimit Loop(string name, string says, Func<LoopOptions, int> get, Func<LoopOptions, int, LoopOptions> set) =>
        new("loop", name, says, 1, o => get(o.Loop), (o, v) => o with { Loop = set(o.Loop, v) });

    private static KernelLimit Commands(string name, string says, int least, Func<CommandOptions, int> get, Func<CommandOptions, int, CommandOptions> set) =>
        new("commands", name, says, least, o => get(o.Commands), (o, v) => o with { Commands = set(o.Commands, v) });

    private static KernelLimit Links(string name, string says, Func<LinkOptions, int> get, Func<LinkOptions, int, LinkOptions> set) =>
        new("links", name, says, 1, o => get(o.Links), (o, v) => o with { Links = set(o.Links, v) });

    private static KernelLimit Schedule(string name, string says, Func<ScheduleOptions, int> get, Func<ScheduleOptions, int, ScheduleOptions> set) =>
        new("schedule", name, says, 1, o => get(o.Schedule), (o, v) => o with { Schedule = set(o.Schedule, v) });

    private static KernelLimit Pulls(string name, string says, Func<PullOptions, int> get, Func<PullOptions, int, PullOptions> set) =>
        new("pulls", name, says, 1, o => get(o.Pulls), (o, v) => o with { Pulls = set(o.Pulls, v) });

    private static KernelLimit Circuits(string name, string says, Func<CircuitOptions, int> get, Func<CircuitOptions, int, CircuitOptions> set) =>
        new("circuits", name, says, 1, o => get(o.Circuits), (o, v) => o with { Circuits = set(o.Circuits, v) });

    private static KernelLimit Retries(string name, string says, Func<RetryOptions, int> get, Func<RetryOptions, int, RetryOptions> set) =>
        new("retries", name, says, 1, o => get(o.Retries), (o, v) => o with { Retries = set(o.Retries, v) });
}
