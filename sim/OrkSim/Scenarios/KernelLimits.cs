using Ork.Kernel;

namespace OrkSim;

/// <summary>
/// The limits and counts of the kernel's configuration that a scenario sets, each by its path in the configuration file, such as <c>commands.windowPerWorker</c>. What it
/// does not set is as in <see cref="SimDefaults.Kernel"/>.
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

    /// <summary>The kernel's options with these limits, of a concrete scenario.</summary>
    /// <exception cref="ScenarioException">There is no such limit.</exception>
    internal KernelOptions Applied(KernelOptions options) => Values.Aggregate(options, static (applied, set) => KernelLimit.Named(set.Key).Set(applied, set.Value.Min));
}

/// <summary>A limit or count of the kernel's configuration that scenarios may set.</summary>
/// <param name="Section">The section of the configuration file where it stands.</param>
/// <param name="Name">Its name there.</param>
/// <param name="Says">What it means.</param>
/// <param name="Least">The least that a kernel takes.</param>
/// <param name="Get">Reads it.</param>
/// <param name="Set">Sets it.</param>
internal sealed record KernelLimit(string Section, string Name, string Says, int Least, Func<KernelOptions, int> Get, Func<KernelOptions, int, KernelOptions> Set)
{
    /// <summary>More than a simulated world ever comes to.</summary>
    internal const int Most = 1_000_000;

    internal string Path => $"{Section}.{Name}";

    /// <summary>What applies where a scenario does not set it.</summary>
    internal IntRange Usual => Get(SimDefaults.Kernel);

    internal static IReadOnlyList<KernelLimit> All { get; } =
    [
        Loop("inboxLimit", "Inputs that may wait; a full inbox holds its senders back.", o => o.InboxLimit, (o, v) => o with { InboxLimit = v }),
        Loop("batchLimit", "Inputs one batch takes.", o => o.BatchLimit, (o, v) => o with { BatchLimit = v }),
        Loop("pendingRecordLimit", "Records that may wait behind a commit in flight.", o => o.PendingRecordLimit, (o, v) => o with { PendingRecordLimit = v }),
        Commands("maxOpen", "Commands not yet settled, over all Workers.", 1, o => o.MaxOpen, (o, v) => o with { MaxOpen = v }),
        Commands("maxOpenPerWorker", "Commands not yet settled, per Worker.", 1, o => o.MaxOpenPerWorker, (o, v) => o with { MaxOpenPerWorker = v }),
        Commands("maxOpenPerDevice", "Commands not yet settled, per device.", 1, o => o.MaxOpenPerDevice, (o, v) => o with { MaxOpenPerDevice = v }),
        Commands("fairShare", "How many times what is still free of a limit one caller may have there.", 1, o => o.FairShare, (o, v) => o with { FairShare = v }),
        Commands("windowPerWorker", "Commands in flight per Worker.", 1, o => o.WindowPerWorker, (o, v) => o with { WindowPerWorker = v }),
        Commands("maxRetries", "Retries after a first attempt.", 0, o => o.MaxRetries, (o, v) => o with { MaxRetries = v }),
        Commands("maxRecoveries", "Kernel restarts a command may be in flight at.", 0, o => o.MaxRecoveries, (o, v) => o with { MaxRecoveries = v }),
        Commands("maxSettled", "How many settled commands stay readable.", 1, o => o.MaxSettled, (o, v) => o with { MaxSettled = v }),
        Commands("maxWaiters", "Long polls that may wait at once.", 0, o => o.MaxWaiters, (o, v) => o with { MaxWaiters = v }),
        Links("maxHandshakes", "Greetings under way at once per listener.", o => o.MaxHandshakes, (o, v) => o with { MaxHandshakes = v }),
        Links("maxRegistrations", "Registrations under way at once.", o => o.MaxRegistrations, (o, v) => o with { MaxRegistrations = v }),
        Links("maxDials", "Dials under way at once.", o => o.MaxDials, (o, v) => o with { MaxDials = v }),
        Links("maxCallers", "Caller links open at once.", o => o.MaxCallers, (o, v) => o with { MaxCallers = v }),
        Links("windowPerCaller", "Requests of one caller link under way at once.", o => o.WindowPerCaller, (o, v) => o with { WindowPerCaller = v }),
        new("schedule", "maxPulls", "Scheduled telemetry and state pulls under way at once.", 1, o => o.Schedule.MaxPulls, (o, v) => o with { Schedule = o.Schedule with { MaxPulls = v } }),
        new("health", "deadAfter", "Failed pings in a row that make a Worker dead.", 1, o => o.Health.DeadAfter, (o, v) => o with { Health = o.Health with { DeadAfter = v } }),
        Pulls("windowPerWorker", "Proxied pulls under way at once per Worker.", o => o.WindowPerWorker, (o, v) => o with { WindowPerWorker = v }),
        Pulls("maxPulls", "Proxied pulls under way at once over all Workers.", o => o.MaxPulls, (o, v) => o with { MaxPulls = v }),
        Circuits("consecutiveFailures", "Exchanges in a row without an answer that open a circuit.", o => o.ConsecutiveFailures, (o, v) => o with { ConsecutiveFailures = v }),
        Circuits("failurePercent", "The share of the last exchanges without an answer that opens a circuit, in percent.", o => o.FailurePercent, (o, v) => o with { FailurePercent = v }),
        Circuits("minExchanges", "Exchanges below which their share says nothing.", o => o.MinExchanges, (o, v) => o with { MinExchanges = v }),
        Circuits("linksLostToOpen", "Links lost lately that open a circuit.", o => o.LinksLostToOpen, (o, v) => o with { LinksLostToOpen = v }),
        Circuits("halfOpenProbes", "Exchanges under way at once while a circuit is half-open.", o => o.HalfOpenProbes, (o, v) => o with { HalfOpenProbes = v }),
        Circuits("probesToClose", "Answers that close a half-open circuit.", o => o.ProbesToClose, (o, v) => o with { ProbesToClose = v }),
        Retries("sharePercent", "Retries for a hundred first attempts.", o => o.SharePercent, (o, v) => o with { SharePercent = v }),
        Retries("perSecond", "Retries a second besides.", o => o.PerSecond, (o, v) => o with { PerSecond = v }),
        Retries("burst", "Retries that may be saved up.", o => o.Burst, (o, v) => o with { Burst = v }),
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

    private static KernelLimit Pulls(string name, string says, Func<PullOptions, int> get, Func<PullOptions, int, PullOptions> set) =>
        new("pulls", name, says, 1, o => get(o.Pulls), (o, v) => o with { Pulls = set(o.Pulls, v) });

    private static KernelLimit Circuits(string name, string says, Func<CircuitOptions, int> get, Func<CircuitOptions, int, CircuitOptions> set) =>
        new("circuits", name, says, 1, o => get(o.Circuits), (o, v) => o with { Circuits = set(o.Circuits, v) });

    private static KernelLimit Retries(string name, string says, Func<RetryOptions, int> get, Func<RetryOptions, int, RetryOptions> set) =>
        new("retries", name, says, 1, o => get(o.Retries), (o, v) => o with { Retries = set(o.Retries, v) });
}
