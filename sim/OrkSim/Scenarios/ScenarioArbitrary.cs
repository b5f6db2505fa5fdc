using FsCheck;
using FsCheck.Fluent;

namespace OrkSim;

/// <summary>
/// Concrete scenarios of a scenario's ranges, for FsCheck: how they are drawn, and how one is made smaller while it still shows what it shows.
/// </summary>
public static class ScenarioArbitrary
{
    private const int FewFaults = 3;

    /// <summary>For properties over scenarios: <c>Prop.ForAll(ScenarioArbitrary.Of(scenario), concrete => ...)</c>.</summary>
    public static Arbitrary<Scenario> Of(Scenario scenario) => Arb.From(Draw(scenario), Smaller);

    /// <summary>The concrete scenario of a seed: the same in any process.</summary>
    public static Scenario Concrete(Scenario scenario, ulong seed) => Draw(scenario).Sample(1, new Rnd(seed), 0)[0];

    /// <summary>Smaller ones, the boldest first: fewer faults, Workers and callers, a shorter time, plainer everything.</summary>
    public static IEnumerable<Scenario> Smaller(Scenario concrete)
    {
        ArgumentNullException.ThrowIfNull(concrete);
        // What makes every later run shorter comes first.
        foreach (var smaller in SmallerAllOver(concrete)) yield return smaller;
        foreach (var key in ScenarioKeys.All.Where(static key => IsSize(key)))
        {
            foreach (var smaller in key.Smaller(concrete)) yield return smaller;
        }

        foreach (var smaller in FewerFaults(concrete)) yield return smaller;
        foreach (var smaller in Shorter(concrete)) yield return smaller;
        foreach (var key in ScenarioKeys.All.Where(static key => key.Section.Length > 0 && key.Section is not ("enumerate" or "budget" or "workload.commands") && !IsSize(key)))
        {
            foreach (var smaller in key.Smaller(concrete).Where(static smaller => smaller.Kernel.Contradiction() is null)) yield return smaller;
        }

        for (var i = 0; i < concrete.Faults.Count; i++)
        {
            foreach (var smaller in Plainer(concrete.Faults[i])) yield return concrete with { Faults = Replaced(concrete.Faults, i, smaller) };
        }
    }

    /// <summary>Fewer Workers with as many commands each: what happens at one of them is then as likely as before.</summary>
    private static IEnumerable<Scenario> SmallerAllOver(Scenario concrete)
    {
        var workers = concrete.Fleet.Workers.Min;
        foreach (var fewer in new[] { 1, 2, workers / 4, workers / 2 }.Where(fewer => fewer > 0 && fewer < workers).Distinct())
        {
            var share = (double)fewer / workers;
            yield return concrete with
            {
                Fleet = concrete.Fleet with { Workers = fewer },
                Workload = concrete.Workload with
                {
                    CommandsPerSecond = concrete.Workload.CommandsPerSecond.Min <= 0 ? 0 : Math.Round(Math.Max(0.1, concrete.Workload.CommandsPerSecond.Min * share), 2),
                    Callers = Math.Max(1, (int)(concrete.Workload.Callers.Min * share)),
                },
            };
        }
    }

    private static bool IsSize(IScenarioKey<Scenario> key) => key.Name is "workers" or "devicesPerWorker" or "callers" or "commandsPerSecond";

    private static Gen<Scenario> Draw(Scenario scenario)
    {
        ArgumentNullException.ThrowIfNull(scenario);
        var keys = Gen.CollectToArray(ScenarioKeys.All.Select(key => key.Draw(scenario)).OfType<Gen<Func<Scenario, Scenario>>>());
        var faults = Gen.CollectToArray(scenario.Faults.Select(fault => Draw(fault, scenario.Faults.Count >= FewFaults)));
        return keys.Zip(faults, (drawn, specs) => drawn.Aggregate(scenario, static (one, draw) => draw(one)) with { Faults = [.. specs.OfType<FaultSpec>()] });
    }

    /// <summary>Where there are several faults each is there or not, with an even chance: what all of them together hide, some of them show (swarm testing).</summary>
    private static Gen<FaultSpec?> Draw(FaultSpec fault, bool mayBeAbsent)
    {
        var keys = Gen.CollectToArray(FaultScenarioKeys.Of(Named(fault)).Select(key => key.Draw(fault)).OfType<Gen<Func<FaultSpec, FaultSpec>>>());
        var there = mayBeAbsent ? Gen.Choose(0, 1).Select(static side => side == 1) : Gen.Constant(true);
        return there.Zip(keys, (isThere, drawn) => isThere ? drawn.Aggregate(fault, static (one, draw) => draw(one)) : null);
    }

    private static IEnumerable<Scenario> FewerFaults(Scenario concrete)
    {
        var faults = concrete.Faults;
        for (var span = faults.Count; span >= 1; span /= 2)
        {
            for (var at = 0; at < faults.Count; at += span) yield return concrete with { Faults = [.. faults.Take(at), .. faults.Skip(at + span)] };
        }

        // A fault that strikes again and again often shows as much when it strikes a few times.
        for (var i = 0; i < concrete.Faults.Count; i++)
        {
            if (concrete.Faults[i].PerMinute.Max <= 0) continue;
            for (var times = 1; times <= 3; times++) yield return concrete with { Faults = Replaced(concrete.Faults, i, concrete.Faults[i] with { PerMinute = 0, Times = times }) };
        }
    }

    private static IEnumerable<Scenario> Shorter(Scenario concrete)
    {
        var least = TimeSpan.FromSeconds(1);
        var tail = concrete.Duration - concrete.HealAt;
        for (var healAt = least; healAt < concrete.HealAt; healAt += (concrete.HealAt - healAt) / 2)
        {
            if (concrete.HealAt - healAt < least) break;
            yield return concrete with { HealAt = healAt, Duration = healAt + tail };
        }

        if (tail > 2 * least) yield return concrete with { Duration = concrete.HealAt + TimeSpan.FromTicks(tail.Ticks / 2) };
    }

    private static IEnumerable<FaultSpec> Plainer(FaultSpec fault) => FaultScenarioKeys.Of(Named(fault)).SelectMany(key => key.Smaller(fault))
        .Where(static smaller => smaller.Times.Max > 0 || smaller.PerMinute.Max > 0);

    private static List<FaultSpec> Replaced(IReadOnlyList<FaultSpec> faults, int index, FaultSpec by)
    {
        var list = new List<FaultSpec>(faults) { [index] = by };
        return list;
    }

    /// <summary>The keys of a built-in fault, or of a fault of one's own, which may have them all.</summary>
    private static IFault Named(FaultSpec spec) => FaultCatalogue.All().FirstOrDefault(fault => fault.Name == spec.Kind) ?? new Own(spec.Kind);

    private sealed class Own(string name) : IFault
    {
        public string Name => name;

        public string Says => "";

        public Task StrikeAsync(SimWorld world, FaultSpec spec, TimeSpan length) => Task.CompletedTask;
    }
}
