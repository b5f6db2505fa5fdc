namespace OrkSim;

/// <summary>Seeded runs: the same seed is the same run, in any process.</summary>
public static class SwarmGear
{
    /// <summary>Runs a seed of a scenario.</summary>
    public static SimRun Run(Scenario scenario, ulong seed, WatchOptions watch) => RunConcrete(ScenarioArbitrary.Concrete(scenario, seed), seed, watch);

    /// <summary>Runs a concrete scenario under a seed.</summary>
    public static SimRun RunConcrete(Scenario concrete, ulong seed, WatchOptions watch, CrashPoint? crash = null)
    {
        var world = new SimWorld(concrete, new SeededChoices(seed), watch);
        if (crash is not null) world.CrashAtStep(crash.Step, crash.Node);
        return new SimRun(concrete, crash is null ? Gear.Swarm : Gear.Sweep, seed, crash, world.Run());
    }
}
