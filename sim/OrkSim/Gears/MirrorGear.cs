namespace OrkSim;

/// <summary>The runs of the swarm, with the real store and the real journals checked against their models: whatever a run commits, they are handed too.</summary>
public static class MirrorGear
{
    /// <summary>Runs a seed of a scenario.</summary>
    public static SimRun Run(Scenario scenario, ulong seed, WatchOptions watch) =>
        SwarmGear.Run(scenario, seed, InvariantCatalogue.Watching(watch, Gear.Mirror)) with { Gear = Gear.Mirror };
}
