using System.Diagnostics;
using OrkSim;

namespace Ork.Benchmarks;

/// <summary>What the simulator's process does.</summary>
/// <param name="Gear">The gear.</param>
/// <param name="WarmUpSeconds">Explored before what counts: every scenario has its turn.</param>
/// <param name="Seconds">Explored for the measurement.</param>
internal sealed record SimSetup(Gear Gear, double WarmUpSeconds, double Seconds);

/// <summary>How fast simulated worlds ran.</summary>
/// <param name="StepsPerSecond">Steps of the scheduler in a second, over all cores used.</param>
/// <param name="TimeRatio">Virtual seconds in a real one.</param>
/// <param name="MedianTimeRatio">The same for the scenario in the middle: half are faster. 0 where scenarios are not told apart.</param>
/// <param name="BareStepsPerSecond">Steps that only wait, in worlds where nothing else happens, on as many cores.</param>
/// <param name="BytesPerStep">Bytes allocated for a step.</param>
internal sealed record SimSpeed(double StepsPerSecond, double TimeRatio, double MedianTimeRatio, double BareStepsPerSecond, double BytesPerStep);

/// <summary>The simulator's process: explores every scenario for some seconds, with the runtime that <c>ork sim explore</c> has.</summary>
internal static class SimRole
{
    private const int Waiters = 64;
    private static readonly TimeSpan BareTime = TimeSpan.FromSeconds(2);

    /// <summary>Measures a gear.</summary>
    internal static SimSpeed Measure(SimSetup setup)
    {
        var jobs = setup.Gear == Gear.Swarm ? Environment.ProcessorCount : 1;
        Explore(setup.Gear, jobs, setup.WarmUpSeconds, seed: 1);
        var before = GC.GetTotalAllocatedBytes();
        var report = Explore(setup.Gear, jobs, setup.Seconds, seed: 1_000_000);
        var bytes = GC.GetTotalAllocatedBytes() - before;
        return new SimSpeed(report.StepsPerSecond, report.TimeRatio, Median([.. report.Paces.Select(pace => pace.TimeRatio(jobs))]), BarePerSecond(jobs), (double)bytes / report.Steps);
    }

    private static double Median(double[] ratios) => ratios.Length == 0 ? 0 : ratios.Order().ElementAt(ratios.Length / 2);

    private static ExploreReport Explore(Gear gear, int jobs, double seconds, ulong seed) => Explorer.Explore(new ExploreOptions
    {
        Scenarios = ScenarioCatalogue.All, Gears = [gear], Time = TimeSpan.FromSeconds(seconds), Jobs = jobs, Seed = seed, CheckEvery = 0,
    });

    /// <summary>What the scheduler does where a step is a timer that elapses and an await that goes on.</summary>
    private static double BarePerSecond(int jobs)
    {
        long steps = 0;
        var clock = Stopwatch.StartNew();
        var threads = Enumerable.Range(1, jobs).Select(seed => new Thread(() =>
        {
            while (clock.Elapsed < BareTime) Interlocked.Add(ref steps, Bare((ulong)seed));
        })).ToArray();
        foreach (var thread in threads) thread.Start();
        foreach (var thread in threads) thread.Join();
        return steps / clock.Elapsed.TotalSeconds;
    }

    private static long Bare(ulong seed)
    {
        var watch = new WatchOptions { Invariants = static () => [], Prepare = static world => { for (var i = 0; i < Waiters; i++) world.God.Launch(() => WaitAsync(world)); } };
        var result = SwarmGear.Run(ScenarioCatalogue.Find("quiet-site")!, seed, watch).Result;
        return result.Held ? result.Steps : throw new InvalidOperationException(result.Violations[0].Message);
    }

    private static async Task WaitAsync(SimWorld world)
    {
        while (true) await world.Delay(TimeSpan.FromMilliseconds(20));
    }
}
