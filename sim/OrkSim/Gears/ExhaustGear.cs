namespace OrkSim;

/// <summary>Every sequence of decisions of a very small world.</summary>
public static class ExhaustGear
{
    /// <summary>Runs every sequence, or as many as may be.</summary>
    /// <param name="scenario">A scenario that is concrete and draws little.</param>
    /// <param name="watch">How runs are watched.</param>
    /// <param name="most">At most so many runs.</param>
    /// <param name="made">Called with each run; false ends the enumeration.</param>
    /// <returns>True where every sequence was run.</returns>
    public static bool Run(Scenario scenario, WatchOptions watch, long most, Func<SimRun, bool> made)
    {
        ArgumentNullException.ThrowIfNull(made);
        var odometer = new OdometerChoices();
        for (ulong number = 1; ; number++)
        {
            var world = new SimWorld(scenario, odometer, watch);
            if (!made(new SimRun(scenario, Gear.Exhaust, number, null, world.Run()))) return false;
            if (!odometer.Advance()) return true;
            if ((long)number >= most) return false;
        }
    }
}
