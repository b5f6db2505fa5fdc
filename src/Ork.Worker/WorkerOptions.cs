using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Ork.Protocol;

namespace Ork.Worker;

/// <summary>How a Worker is reached, and its bounds. Durations are milliseconds.</summary>
public sealed record WorkerOptions
{
    /// <summary>The kernel to announce itself to, or null where it listens.</summary>
    public LinkEndpoint? Announce { get; init; }

    /// <summary>The public-key hash the kernel must prove, or null for any on the allowlist.</summary>
    public string? KernelKey { get; init; }

    /// <summary>Where it listens to be dialled, or null where it announces itself.</summary>
    public LinkEndpoint? Listen { get; init; }

    /// <summary>Handlers that may run at once; beyond, requests are answered <c>ERR_WORKER_BUSY</c>.</summary>
    public int MaxHandlers { get; init; } = 256;

    /// <summary>Handlers of commands, and as many of queries, past their deadline that are still waited for without holding a place; beyond, as <see cref="MaxHandlers"/>.</summary>
    public int MaxOverdueHandlers { get; init; } = 1_024;

    /// <summary>The largest result or telemetry answer, in bytes.</summary>
    public int MaxResultBytes { get; init; } = 900 * 1024;

    /// <summary>How long a command's handler may take where the kernel says nothing.</summary>
    public long DefaultTimeoutMs { get; init; } = 10_000;

    /// <summary>How long a telemetry or state handler may take.</summary>
    public long QueryTimeoutMs { get; init; } = 8_000;

    /// <summary>First ceiling of the backoff between links.</summary>
    public long ReconnectBaseMs { get; init; } = 200;

    /// <summary>Highest ceiling of the backoff between links.</summary>
    public long ReconnectCapMs { get; init; } = 5_000;

    /// <summary>Highest ceiling of the backoff where another process that runs under the same id takes the link again and again.</summary>
    public long ReplacedCapMs { get; init; } = 60_000;

    /// <summary>How long connecting and greeting may take.</summary>
    public long ConnectTimeoutMs { get; init; } = 15_000;

    /// <summary>A link on which the kernel asks nothing for so long is taken for lost.</summary>
    public long SilentLinkMs { get; init; } = 60_000;

    /// <summary>How long a Worker that is told to stop waits for the commands that it has begun; none is begun meanwhile.</summary>
    public long DrainMs { get; init; } = 10_000;

    /// <summary>Kernels that may be linked at once, where it listens.</summary>
    public int MaxKernels { get; init; } = 4;
}

/// <summary>All that the outside hands a Worker.</summary>
public sealed record WorkerPorts
{
    /// <summary>The network.</summary>
    public required INetwork Network { get; init; }

    /// <summary>Jitter.</summary>
    public required IEntropy Entropy { get; init; }

    /// <summary>Time and timers.</summary>
    public required TimeProvider Time { get; init; }

    /// <summary>The memory of commands. The kernel relies on it where it has <see cref="ICommandJournal.Incarnations"/>.</summary>
    public required ICommandJournal Journal { get; init; }

    /// <summary>
    /// Starts a handler. The default runs it where the request was read, up to its first wait; a real Worker starts it elsewhere, so that one that blocks
    /// its thread does not hold up its neighbours.
    /// </summary>
#pragma warning disable ORK0010 // The runtime's handlers answer for whatever they throw.
    public Action<Func<Task>> StartHandler { get; init; } = static run => _ = run();
#pragma warning restore ORK0010

    /// <summary>Where log lines go.</summary>
    public ILogger Log { get; init; } = NullLogger.Instance;
}
