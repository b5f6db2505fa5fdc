using Ork.Kernel;
using OrkSim;

namespace Ork.Coverage;

/// <summary>What explorations met, by gear and scenario.</summary>
public sealed class TransitionCoverage
{
    private readonly Dictionary<(Gear Gear, string Scenario), OrkSim.Coverage> _met = [];

    /// <summary>The gears explored.</summary>
    public static IReadOnlyList<Gear> Gears { get; } = [Gear.Swarm, Gear.Coyote, Gear.Sweep, Gear.Guided];

    /// <summary>All of it together.</summary>
    public OrkSim.Coverage Total => Sum(static _ => true);

    /// <summary>Runs made.</summary>
    public long Runs { get; private set; }

    /// <summary>What was violated, where something was.</summary>
    public List<FoundViolation> Violations { get; } = [];

    /// <summary>What a gear met.</summary>
    public OrkSim.Coverage Of(Gear gear) => Sum(key => key.Gear == gear);

    /// <summary>What was met in a scenario.</summary>
    public OrkSim.Coverage Of(string scenario) => Sum(key => key.Scenario == scenario);

    /// <summary>The scenarios explored.</summary>
    public IReadOnlyList<string> Scenarios => [.. _met.Keys.Select(static key => key.Scenario).Distinct().Order(StringComparer.Ordinal)];

    /// <summary>
    /// Scenarios that may make what was never made, the likeliest first: in which a machine often left that state in another way than the usual one, and often heard that trigger in another state; all of them where nothing tells one from the other.
    /// </summary>
    /// <param name="most">How many for each transition.</param>
    public IReadOnlyList<string> LikelyFor(int most)
    {
        var total = Total;
        var likely = new HashSet<string>(StringComparer.Ordinal);
        foreach (var machine in OrkSim.Coverage.Machines)
        {
            foreach (var missing in total.MissingOf(machine))
            {
                var usual = total.CountsOf(machine.Name).Where(row => row.Key.From == missing.From).OrderByDescending(static row => row.Value).Select(static row => row.Key).FirstOrDefault();
                var hopes = Scenarios.Select(name => (Name: name, Hope: HopeOf(Of(name).CountsOf(machine.Name), missing, usual))).OrderByDescending(static of => of.Hope).ToArray();
                if (hopes[0].Hope == hopes[^1].Hope) return Scenarios;
                likely.UnionWith(hopes.Take(most).Select(static of => of.Name));
            }
        }

        return [.. likely];
    }

    // A few runs may have met one of both by chance only, or not at all.
    private static double HopeOf(IReadOnlyDictionary<MachineTransition, long> counts, MachineTransition missing, MachineTransition? usual) =>
        (1.0 + counts.Where(row => row.Key.From == missing.From && row.Key != usual).Sum(static row => row.Value)) * (1.0 + counts.Where(row => row.Key.Trigger == missing.Trigger).Sum(static row => row.Value));

    /// <summary>Explores one scenario in one gear.</summary>
    public void Explore(Scenario scenario, Gear gear, int runs, ulong seed)
    {
        ArgumentNullException.ThrowIfNull(scenario);
        var report = Explorer.Explore(new ExploreOptions { Scenarios = [scenario], Gears = [gear], Runs = runs, Seed = seed, Jobs = Environment.ProcessorCount, CheckEvery = 0 });
        Runs += report.Runs;
        Violations.AddRange(report.Violations);
        if (!_met.TryAdd((gear, scenario.Name), report.Coverage)) _met[(gear, scenario.Name)].Add(report.Coverage);
    }

    /// <summary>Tries every trigger that a machine's table does not have, in every state.</summary>
    /// <returns>How many there are, and how many were refused and left the state as it was.</returns>
    public static (int Attempted, int Refused) TryIllegal(IMachineDefinition machine)
    {
        ArgumentNullException.ThrowIfNull(machine);
        return machine.Name switch
        {
            "command" => Try(CommandMachine.Build(new SilentObserver(), false)),
            "dispatch" => Try(DispatchMachine.Build(new SilentObserver(), false)),
            "health" => Try(HealthMachine.Build(new SilentObserver(), false)),
            "lock" => Try(DeviceLockMachine.Build(new SilentObserver(), false)),
            "circuit" => Try(CircuitMachine.Build(new SilentObserver(), false)),
            "job" => Try(JobMachine.Build(new SilentObserver(), false)),
            _ => Try(WorkerMachine.Build(new SilentObserver(), false)),
        };
    }

    private static (int Attempted, int Refused) Try<TState, TTrigger>(ModuleMachine<TState, TTrigger> machine)
        where TState : struct, Enum
        where TTrigger : struct, Enum
    {
        var (attempted, refused) = (0, 0);
        foreach (var state in Enum.GetValues<TState>())
        {
            foreach (var trigger in Enum.GetValues<TTrigger>())
            {
                if (machine.Transitions.Any(row => row.From == state.ToString() && row.Trigger == trigger.ToString())) continue;
                attempted++;
                var now = state;
                if (!machine.Fire(ref now, trigger, "page") && now.Equals(state)) refused++;
            }
        }

        return (attempted, refused);
    }

    private OrkSim.Coverage Sum(Func<(Gear Gear, string Scenario), bool> wanted)
    {
        var sum = new OrkSim.Coverage();
        foreach (var (key, met) in _met)
        {
            if (wanted(key)) sum.Add(met);
        }

        return sum;
    }
}
