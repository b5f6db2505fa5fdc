namespace OrkSim.Tests;

/// <summary>Every scenario of the catalogue, in every gear, within its budget; each is one test.</summary>
public sealed class ExplorationTests
{
    public static TheoryData<string, string> Everything
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (var scenario in ScenarioCatalogue.All)
            {
                foreach (var gear in new[] { "swarm", "coyote", "sweep" }) data.Add(scenario.Name, gear);
            }

            foreach (var scenario in ScenarioCatalogue.Regressions) data.Add(scenario.Name, "swarm");
            data.Add(ScenarioCatalogue.OneCommand.Name, "exhaust");
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Everything))]
    public void Nothing_is_violated(string name, string gearName)
    {
        var scenario = ScenarioCatalogue.Find(name)!;
        var gear = GearNames.Parse(gearName)!.Value;
        var report = Explorer.Explore(new ExploreOptions
        {
            Scenarios = [scenario],
            Gears = [gear],
            Runs = gear switch
            {
                Gear.Swarm => scenario.Budget.Swarm,
                Gear.Coyote => scenario.Budget.Coyote,
                Gear.Sweep => scenario.Budget.Sweep,
                _ => scenario.Budget.Exhaust,
            },
            Jobs = gear == Gear.Coyote ? 1 : Environment.ProcessorCount,
            CheckEvery = 10,
            Directory = Path.Combine(AppContext.BaseDirectory, "TestResults"),
        });
        Assert.True(report.Violations.Count == 0, string.Join("\n", report.Violations.Select(found => $"{found.Invariant}: {found.Message}\n  ork sim replay {found.RunFile}")));
        Assert.True(report.Mismatches == 0, report.Mismatch);
        if (gear == Gear.Exhaust) Assert.True(report.Exhausted && report.DistinctExecutions > 10_000, $"{report.DistinctExecutions} distinct executions, exhausted: {report.Exhausted}.");
    }

    [Theory]
    [MemberData(nameof(Reaching))]
    public void What_a_scenario_is_there_to_meet_is_met(string name)
    {
        var scenario = ScenarioCatalogue.Find(name)!;
        var report = Explorer.Explore(new ExploreOptions { Scenarios = [scenario], Runs = 80, Jobs = Environment.ProcessorCount, CheckEvery = 1_000 });
        Assert.Equal("", string.Join(", ", scenario.Reaches.Where(point => report.Coverage.CountOf(point) == 0)));
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
    public void Every_transition_of_every_machine_is_met_in_the_catalogue()
    {
        var report = Explorer.Explore(new ExploreOptions { Scenarios = ScenarioCatalogue.All, Runs = 60, Jobs = Environment.ProcessorCount, CheckEvery = 1_000 });
        var missing = Coverage.Machines.SelectMany(machine => report.Coverage.MissingOf(machine).Select(row => $"{machine.Name}: {row.From} {row.Trigger} {row.To}"));
        Assert.Equal("", string.Join("\n", missing.Except(Elsewhere)));
    }

    public static TheoryData<string> Reaching => [.. ScenarioCatalogue.All.Where(scenario => scenario.Reaches.Count > 0).Select(scenario => scenario.Name)];

    /// <summary>Transitions that no run of this budget makes; the kernel's own tests make each of them. Longer explorations meet them now and then.</summary>
    private static readonly string[] Elsewhere =
    [
        "command: Dispatched Abandon Failed", "command: Dispatched LateFailure Failed", "command: Dispatched Recovered Timeout",
        "command: Timeout LateFailure Failed", "command: Timeout LateSuccess Success", "worker: IdentitySaved Terminate Terminated",
    ];
}
