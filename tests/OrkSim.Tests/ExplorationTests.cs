using Ork.Kernel;

namespace OrkSim.Tests;

/// <summary>What the scenarios together are there for.</summary>
public sealed class ExplorationTests
{
    [Theory]
    [InlineData(null)]
    [InlineData(1)]
    public void What_is_for_none_of_the_gears_is_said_and_not_explored(int? seconds)
    {
        var options = new ExploreOptions { Scenarios = [ScenarioCatalogue.Find("one-command")!], Time = seconds is { } time ? TimeSpan.FromSeconds(time) : null };
        Assert.Equal("Nothing to explore: one-command is not for the gear swarm.", Assert.Throws<ScenarioException>(() => Explorer.Explore(options)).Message);
    }

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
    public void A_kernel_that_stood_still_takes_nobody_for_sick_whose_answer_lay_in_its_inbox()
    {
        var scenario = ScenarioCatalogue.Find("frozen-kernel")!;
        var freezes = scenario with
        {
            Network = scenario.Network with { Latency = new TimeRange(TimeSpan.FromMilliseconds(200), TimeSpan.FromMilliseconds(900)) },

            // Not while Workers register: their links give up, which is another matter.
            Faults = [.. scenario.Faults.Where(static fault => fault.Kind == "kernel-freeze").Select(static fault => fault with { At = TimeRange.Seconds(10, 30), PerMinute = 0, Times = 4 })],
        };
        Assert.Equal(0, Explore([freezes], 20).CountOf(KernelEvent.WorkerSick));
    }

    [Fact]
    public void Every_transition_of_every_machine_is_met_in_the_catalogue()
    {
        // What is rare is made likely somewhere: commands that rest assigned and unsent by congested links, an operator's word at a
        // half-open circuit by a retry storm, jobs of a Worker that goes by everything at once.
        var met = new Coverage();
        met.Add(Explore(ScenarioCatalogue.All.Where(scenario => scenario.Budget is { Exhaust: 0, Coyote: > 0 }), 6));
        met.Add(Explore([ScenarioCatalogue.Find("congested-links")!], 120));
        met.Add(Explore([ScenarioCatalogue.Find("everything-at-once")!], 120));
        met.Add(Explore([ScenarioCatalogue.Find("retry-storm")!], 40));
        met.Add(Explore([ScenarioCatalogue.Find("isolated-workers")!], 40));
        met.Add(Explore([ScenarioCatalogue.Find("jammed-and-terminated")!], 20));
        var missing = Coverage.Machines.SelectMany(machine => met.MissingOf(machine).Select(row => $"{machine.Name}: {row.From} {row.Trigger} {row.To}"));
        Assert.Equal("", string.Join("\n", missing.Except(Elsewhere)));
    }

    private static Coverage Explore(IEnumerable<Scenario> scenarios, int runs) =>
        Explorer.Explore(new ExploreOptions { Scenarios = [.. scenarios], Runs = runs, Jobs = Environment.ProcessorCount, CheckEvery = 0 }).Coverage;

    /// <summary>Transitions that no run of this budget makes; the kernel's own tests make each of them. Longer explorations meet them now and then.</summary>
    private static readonly string[] Elsewhere =
    [
        "command: Dispatched LateFailure Failed", "command: Dispatched Recovered Timeout",
        "command: Timeout LateFailure Failed", "command: Timeout LateSuccess Success", "worker: IdentitySaved Terminate Terminated",
    ];
}
