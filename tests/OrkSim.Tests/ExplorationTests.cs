namespace OrkSim.Tests;

/// <summary>What the scenarios together are there for.</summary>
public sealed class ExplorationTests
{
    [Fact]
    public void Workers_that_hang_cost_the_others_no_more_than_twice_their_calm_latency()
    {
        var scenario = ScenarioCatalogue.Find("cascading-failure")!;
        for (ulong seed = 1; seed <= 10; seed++)
        {
            var service = SwarmGear.Run(scenario, seed, new WatchOptions()).Result.Service;
            Assert.True(service.IsTelling && service.MeanwhileP99Ms <= 2 * service.CalmP99Ms, $"Seed {seed}: {service.CalmP99Ms} ms, meanwhile {service.MeanwhileP99Ms} ms.");
        }
    }

    [Fact]
    public void Every_transition_of_every_machine_is_met_in_the_catalogue()
    {
        var report = Explorer.Explore(new ExploreOptions { Scenarios = [.. ScenarioCatalogue.All.Where(scenario => scenario.Budget is { Exhaust: 0, Coyote: > 0 })], Runs = 30, Jobs = Environment.ProcessorCount, CheckEvery = 1_000 });
        var missing = Coverage.Machines.SelectMany(machine => report.Coverage.MissingOf(machine).Select(row => $"{machine.Name}: {row.From} {row.Trigger} {row.To}"));
        Assert.Equal("", string.Join("\n", missing.Except(Elsewhere)));
    }

    /// <summary>Transitions that no run of this budget makes; the kernel's own tests make each of them. Longer explorations meet them now and then.</summary>
    private static readonly string[] Elsewhere =
    [
        "command: Dispatched Abandon Failed", "command: Dispatched LateFailure Failed", "command: Dispatched Recovered Timeout",
        "command: Timeout LateFailure Failed", "command: Timeout LateSuccess Success", "worker: IdentitySaved Terminate Terminated",
    ];
}
