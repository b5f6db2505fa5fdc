namespace OrkSim;

/// <summary>Where the decisions of runs come from.</summary>
public enum Gear
{
    /// <summary>A seeded generator; each seed also draws which faults there are and how strong.</summary>
    Swarm,

    /// <summary>Coyote's controlled nondeterminism, in the hands of its strategies.</summary>
    Coyote,

    /// <summary>A passing run again and again, crashed at one step after the other.</summary>
    Sweep,

    /// <summary>Every sequence of decisions of a very small world.</summary>
    Exhaust,

    /// <summary>A seeded generator too, but runs that met something new are kept, and gone on from.</summary>
    Guided,

    /// <summary>As the swarm, with the real store and the real journals checked against their models.</summary>
    Mirror,
}

/// <summary>The names of the gears.</summary>
public static class GearNames
{
    /// <summary>The gear's name.</summary>
    public static string Of(Gear gear) => gear switch
    {
        Gear.Swarm => "swarm",
        Gear.Coyote => "coyote",
        Gear.Sweep => "sweep",
        Gear.Guided => "guided",
        Gear.Mirror => "mirror",
        _ => "exhaust",
    };

    /// <summary>The gear of a name, or null.</summary>
    public static Gear? Parse(string name) => Enum.GetValues<Gear>().Cast<Gear?>().FirstOrDefault(gear => Of(gear!.Value) == name);
}

/// <summary>One run that was made: what of, how, and how it ended.</summary>
/// <param name="Scenario">The concrete scenario.</param>
/// <param name="Gear">The gear.</param>
/// <param name="Seed">The seed, or the number of the run where the gear has none.</param>
/// <param name="Crash">Where the sweep crashed what, or null.</param>
/// <param name="Result">How it ended.</param>
public sealed record SimRun(Scenario Scenario, Gear Gear, ulong Seed, CrashPoint? Crash, RunResult Result);

/// <summary>Where a sweep crashes what.</summary>
/// <param name="Step">Before which step.</param>
/// <param name="Node">Which node: <c>kernel</c> or a Worker.</param>
public sealed record CrashPoint(long Step, string Node);
