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

    /// <summary>Strikes once.</summary>
    /// <param name="world">The world.</param>
    /// <param name="spec">What the scenario says of it.</param>
    /// <param name="length">How long it lasts this time.</param>
    Task StrikeAsync(SimWorld world, FaultSpec spec, TimeSpan length);
}

/// <summary>The built-in faults.</summary>
public static class FaultCatalogue
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<IFault> All() =>
    [
        new StormFault(), new LinkResetFault(), new PartitionFault(), new RefuseDialsFault(),
        new WorkerCrashFault(), new WorkerHangFault(), new WorkerMuteFault(), new OperatorHoldFault(), new WorkerFlapFault(), new WorkerTerminateFault(), new KeyChangeFault(), new DeviceMoveFault(),
        new ByzantineFault(),
        new KernelCrashFault(), new KernelStopFault(), new KernelFreezeFault(), new TwoKernelsFault(),
        new StoreStallFault(), new CommitFailsFault(), new CommitUnknownFault(), new DiskFullFault(), new StoreDamagedFault(),
        new WallJumpFault(), new LateTimersFault(),
    ];
}
