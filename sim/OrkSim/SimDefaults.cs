using System.Globalization;
using Ork.Client;
using Ork.Kernel;
using Ork.Protocol;
using Ork.Worker;

namespace OrkSim;

/// <summary>The options of simulated kernels, Workers and callers: the product's, with patience shortened so that a run of a minute sees every timeout and its end, and limits so small that runs meet them.</summary>
public static class SimDefaults
{
    /// <summary>Virtual ticks as seconds, as messages tell them.</summary>
    internal static string Seconds(long ticks) => TimeSpan.FromTicks(ticks).TotalSeconds.ToString("F1", CultureInfo.InvariantCulture);

    /// <summary>How long live Workers may take to be Ready and Healthy after the last fault (L1).</summary>
    public static readonly TimeSpan ConvergenceBound = TimeSpan.FromSeconds(40);

    /// <summary>How long an accepted command may take to its end after the last fault (L2).</summary>
    public static readonly TimeSpan SettlementBound = TimeSpan.FromSeconds(40);

    /// <summary>How long one that was never sent may rest where nothing stands in its way.</summary>
    public static readonly TimeSpan FirstNudgeBound = TimeSpan.FromSeconds(0.6);

    /// <summary>How long a kernel may take from its start to serving, its store being well (L5).</summary>
    public static readonly TimeSpan RecoveryBound = TimeSpan.FromSeconds(5);

    /// <summary>The kernel's options.</summary>
    public static KernelOptions Kernel { get; } = new()
    {
        StrictMachines = true,
        Loop = new LoopOptions { InboxLimit = 6, BatchLimit = 4, PendingRecordLimit = 40, DrainMs = 750 },
        Commands = new CommandOptions
        {
            MaxOpen = 200,
            MaxOpenBytes = 7 * 1024,
            MaxResultBytes = 1_024,
            MaxOpenPerWorker = 48,
            MaxOpenPerDevice = 24,
            WindowPerWorker = 8,
            AttemptTimeoutMs = 9_000,
            DefaultDeadlineMs = 20_000,
            BackoffCapMs = 3_000,
            MaxSettled = 400,
            MaxRecoveries = 2,
            MaxWaiters = 64,
            RetentionMs = 25_000,
        },
        Links = new LinkOptions
        {
            MaxDevicesPerWorker = 40,
            PatienceMs = 200,
            MaxHandshakes = 8,
            HandshakeTimeoutMs = 3_000,
            MaxRegistrations = 4,
            RegistrationTimeoutMs = 3_000,
            RetryCapMs = 5_000,
            MaxDials = 4,
            DialTimeoutMs = 3_000,
            MaxCallers = 24,
            IdleCallerMs = 2_000,
            WindowPerCaller = 24,
            DiscoveryIntervalMs = 2_000,
        },
        Schedule = new ScheduleOptions { MaxPulls = 8, StepMs = 1 },
        Pulls = new PullOptions { TimeoutMs = 4_000, WindowPerWorker = 3, MaxPulls = 6, MaxQueryBytes = 512 },
        Circuits = new CircuitOptions { CoolDownBaseMs = 1_000, CoolDownCapMs = 6_000, WindowMs = 20_000, MinExchanges = 10, ForgetAfterMs = 20_000, HalfOpenProbes = 2, ProbesToClose = 3 },
        Retries = new RetryOptions { Burst = 10, PerSecond = 2 },
    };

    /// <summary>The callers' options, but for their names and how long they wait.</summary>
    public static ClientOptions Client { get; } = new() { Endpoint = LinkEndpoint.Tcp("kernel", 7400), WorkersPerPage = 3 };

    /// <summary>The Workers' options.</summary>
    public static WorkerOptions Worker { get; } = new()
    {
        DefaultTimeoutMs = 9_000,
        QueryTimeoutMs = 3_000,
        ConnectTimeoutMs = 5_000,
        SilentLinkMs = 15_000,
        MaxHandlers = 8,
        MaxOverdueHandlers = 8,
        MaxResultBytes = 2_048,
        DrainMs = 1_500,
    };
}
