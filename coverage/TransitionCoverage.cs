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

    /// <summary>Explores one scenario in one gear.</summary>
    public void Explore(Scenario scenario, Gear gear, int runs)
    {
        ArgumentNullException.ThrowIfNull(scenario);
        var report = Explorer.Explore(new ExploreOptions { Scenarios = [scenario], Gears = [gear], Runs = runs, Jobs = Environment.ProcessorCount, CheckEvery = 0 });
        Runs += report.Runs;
        Violations.AddRange(report.Violations);
        _met[(gear, scenario.Name)] = report.Coverage;
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
