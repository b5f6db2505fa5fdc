using Ork.Protocol;

namespace Ork.Kernel;

/// <summary>What one turn has to make durable, all of it or nothing.</summary>
public sealed class CommitBatch
{
    /// <summary>Workers to write, the last of each id counting.</summary>
    public List<WorkerRow> Workers { get; } = [];

    /// <summary>Devices to write, the last of each id counting.</summary>
    public List<DeviceRow> Devices { get; } = [];

    /// <summary>Devices no Worker owns any more. Applied before <see cref="Devices"/>.</summary>
    public List<string> RemovedDevices { get; } = [];

    /// <summary>Commands that the store has not seen yet.</summary>
    public List<CommandRow> NewCommands { get; } = [];

    /// <summary>Commands that the store knows and that stand otherwise now; their spec is not written again.</summary>
    public List<CommandRow> ChangedCommands { get; } = [];

    /// <summary>Rows of the command log, in order.</summary>
    public List<TransitionRow> Log { get; } = [];

    /// <summary>Commands whose retention ended, removed with their log.</summary>
    public List<long> ForgottenCommands { get; } = [];

    /// <summary>Devices that no Worker owns any more: what the batch said of them until now is taken back.</summary>
    public void Remove(IReadOnlySet<string> devices)
    {
        Devices.RemoveAll(row => devices.Contains(row.DeviceId));
        RemovedDevices.AddRange(devices);
    }

    /// <summary>How many records there are.</summary>
    public int Count => Workers.Count + Devices.Count + RemovedDevices.Count + NewCommands.Count + ChangedCommands.Count + Log.Count
        + ForgottenCommands.Count;

    /// <summary>Empties the batch for another turn.</summary>
    public void Clear()
    {
        Workers.Clear();
        Devices.Clear();
        RemovedDevices.Clear();
        NewCommands.Clear();
        ChangedCommands.Clear();
        Log.Clear();
        ForgottenCommands.Clear();
    }
}

/// <summary>All that a kernel finds in its store when it starts.</summary>
/// <param name="Epoch">This start's epoch: higher than every earlier one, and durable.</param>
/// <param name="Workers">The Workers.</param>
/// <param name="Devices">The devices.</param>
/// <param name="Commands">The commands, settled ones too, by rising <see cref="CommandRow.Seq"/>.</param>
public sealed record KernelImage(
    long Epoch, IReadOnlyList<WorkerRow> Workers, IReadOnlyList<DeviceRow> Devices, IReadOnlyList<CommandRow> Commands);

/// <summary>
/// The port to a durable store that one kernel holds alone. Contract: a commit that completed survives any crash; a commit that threw may or
/// may not have happened, and no further one is tried on the same store object.
/// </summary>
public interface IKernelStore : IAsyncDisposable
{
    /// <summary>What the store held when it was opened. Read once, then let go.</summary>
    KernelImage TakeImage();

    /// <summary>Makes a batch durable as one unit. One call at a time.</summary>
    /// <exception cref="StoreException">The batch may or may not be durable; the store object is no longer usable.</exception>
    ValueTask CommitAsync(CommitBatch batch);
}

/// <summary>Opens the store: locks, checks, migrates and loads it, and raises the epoch.</summary>
public interface IKernelStoreOpener
{
    /// <summary>Opens the store.</summary>
    /// <exception cref="StoreException"><c>ERR_STORE_LOCKED</c>, <c>ERR_STORE_DAMAGED</c>, <c>ERR_STORE_NEWER</c> or <c>ERR_STORE_UNAVAILABLE</c>.</exception>
    ValueTask<IKernelStore> OpenAsync();
}

/// <summary>A store that cannot be opened or written, with its code.</summary>
public sealed class StoreException : Exception
{
    /// <summary>A failure with a code.</summary>
    /// <param name="refusal">The code and what the case adds.</param>
    /// <param name="inner">The cause.</param>
    public StoreException(Refusal refusal, Exception? inner = null)
        : base($"{refusal.Text} ({refusal.Error.Sentence})", inner) => Refusal = refusal;

    /// <summary>The code.</summary>
    public Refusal Refusal { get; }
}

/// <summary>The port that hands scheduled telemetry on, to a metrics system for instance.</summary>
public interface ITelemetrySink
{
    /// <summary>Takes one Worker's telemetry. Must not wait; the bytes are valid during the call only.</summary>
    /// <param name="workerId">Whose.</param>
    /// <param name="utcMs">When it was received, UTC milliseconds.</param>
    /// <param name="payload">The payload of <c>telemetry.response</c>.</param>
    void Accept(string workerId, long utcMs, ReadOnlySpan<byte> payload);
}

/// <summary>A Worker that the kernel should dial.</summary>
/// <param name="Endpoint">Where.</param>
/// <param name="PeerKey">The public-key hash it must prove, or null for any the allowlist allows.</param>
public sealed record DialTarget(LinkEndpoint Endpoint, string? PeerKey);

/// <summary>The port that knows which Workers to dial. Asked again and again, so what it says may change.</summary>
public interface IWorkerDiscovery
{
    /// <summary>All targets known now. One that throws is asked again at its interval (<see cref="LinkOptions.DiscoveryIntervalMs"/>).</summary>
    ValueTask<IReadOnlyList<DialTarget>> FindAsync();
}
