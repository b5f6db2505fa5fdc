using System.Diagnostics;
using System.Globalization;
using Ork;

namespace OrkSim;

/// <summary>
/// Sees whether the steps of the runs under way come to an end. Code that loops within one step is out of the scheduler's reach, and nothing can end it from
/// outside: its thread is left behind.
/// </summary>
/// <param name="patience">How long a step may take, in real time.</param>
[OrkRole(OrkRole.Edge)]
[OrkAllow(OrkEffects.Clock, "Only how long a step lasts, never what it does, hangs on the clock.")]
internal sealed class StepWatch(TimeSpan patience)
{
    private const int LooksPerPatience = 20;

    private readonly List<UnderWay> _underWay = [];
    private readonly Stopwatch _clock = Stopwatch.StartNew();

    /// <summary>How often to look.</summary>
    internal TimeSpan Between => patience / LooksPerPatience;

    /// <summary>A world's run begins.</summary>
    internal void Begin(SimWorld world, Gear gear, ulong seed)
    {
        lock (_underWay)
        {
            _underWay.RemoveAll(static run => run.World.IsOver);
            _underWay.Add(new UnderWay(world, gear, seed) { Since = _clock.Elapsed });
        }
    }

    /// <summary>The run whose step has gone on for longer than the patience lasts, or null.</summary>
    internal FoundViolation? Look()
    {
        // Who holds a step in a debugger has patience.
        if (Debugger.IsAttached) return null;
        lock (_underWay)
        {
            foreach (var run in _underWay)
            {
                var step = run.World.Scheduler.Steps;
                if (step != run.Step) (run.Step, run.Since) = (step, _clock.Elapsed);
                else if (!run.World.IsOver && _clock.Elapsed - run.Since >= patience) return Found(run);
            }
        }

        return null;
    }

    private FoundViolation Found(UnderWay run)
    {
        var (world, clock) = (run.World, run.World.Scheduler);
        var message = string.Create(
            CultureInfo.InvariantCulture,
            $"{world.AtStep?.Name ?? "Nobody"}'s step {clock.Steps} at {clock.Now.TotalSeconds:F3} s does not come to an end, after {patience.TotalSeconds:0.#} s of real time: the code under test loops.");
        return new FoundViolation(StuckException.Id, message, world.Scenario.Name, GearNames.Of(run.Gear), run.Seed, null);
    }

    private sealed class UnderWay(SimWorld world, Gear gear, ulong seed)
    {
        internal SimWorld World => world;

        internal Gear Gear => gear;

        internal ulong Seed => seed;

        internal long Step { get; set; } = -1;

        internal TimeSpan Since { get; set; }
    }
}
