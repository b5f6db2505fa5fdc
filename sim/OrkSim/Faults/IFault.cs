namespace OrkSim;

/// <summary>
/// Something that goes wrong. Write one, hand it to the scenario, and scenarios may name it like the built-in ones. Whatever it lets go on must end with
/// <see cref="SimWorld.Heal"/> at the latest: give back what you took before you return, or do only what healing undoes.
/// </summary>
public interface IFault
{
    /// <summary>Its name in scenarios.</summary>
    string Name { get; }

    /// <summary>What it does, in a sentence.</summary>
    string Says { get; }

    /// <summary>What a scenario may say of it besides when and how often.</summary>
    FaultKeys Keys => FaultKeys.Plain;

    /// <summary>Strikes once.</summary>
    /// <param name="world">The world.</param>
    /// <param name="spec">What the scenario says of it.</param>
    /// <param name="length">How long it lasts this time.</param>
    Task StrikeAsync(SimWorld world, FaultSpec spec, TimeSpan length);
}

/// <summary>What a scenario may say of a fault besides when and how often: each key under the name that fits the fault, or null where it means nothing there.</summary>
public sealed record FaultKeys
{
    /// <summary>All of them, under plain names.</summary>
    public static FaultKeys Plain { get; } = new()
    {
        For = new FaultKey("for", "How long it lasts."),
        Fraction = new FaultKey("fraction", "The share of what could be struck that is."),
        Nasty = new FaultKey("nasty", "How likely it comes in its nastier form."),
    };

    /// <summary>Nothing.</summary>
    public static FaultKeys None { get; } = new();

    /// <summary>How long it lasts: <see cref="FaultSpec.For"/>.</summary>
    public FaultKey? For { get; init; }

    /// <summary>How much it strikes: <see cref="FaultSpec.Fraction"/>.</summary>
    public FaultKey? Fraction { get; init; }

    /// <summary>In which form it comes: <see cref="FaultSpec.Nasty"/>.</summary>
    public FaultKey? Nasty { get; init; }

    internal static FaultKeys Lasting { get; } = new() { For = new FaultKey("for", "How long it lasts.") };
}

/// <summary>A key of a fault.</summary>
/// <param name="Name">Its name in scenario files.</param>
/// <param name="Says">What it means.</param>
public sealed record FaultKey(string Name, string Says);

/// <summary>The built-in faults.</summary>
public static class FaultCatalogue
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<IFault> All() =>
    [
        new StormFault(), new LinkResetFault(), new PartitionFault(), new RefuseDialsFault(),
        new WorkerCrashFault(), new WorkerStopFault(), new WorkerFailoverFault(), new WorkerRefitFault(), new WorkerHangFault(), new WorkerUnnamedFault(), new DiscoveryCutFault(), new WorkerReaddressedFault(), new WorkerMuteFault(), new JournalFailsFault(), new OperatorHoldFault(), new WorkerFlapFault(), new WorkerTerminateFault(), new KeyChangeFault(), new DeviceMoveFault(),
        new ByzantineFault(),
        new KernelCrashFault(), new KernelStopFault(), new KernelFreezeFault(), new TwoKernelsFault(),
        new StoreStallFault(), new CommitFailsFault(), new CommitUnknownFault(), new DiskFullFault(), new StoreDamagedFault(),
        new WallJumpFault(), new LateTimersFault(),
    ];
}
