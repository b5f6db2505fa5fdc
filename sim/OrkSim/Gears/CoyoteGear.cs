using Microsoft.Coyote;
using Microsoft.Coyote.Random;
using Microsoft.Coyote.SystematicTesting;

namespace OrkSim;

/// <summary>Coyote's ways of choosing.</summary>
public enum CoyoteStrategy
{
    /// <summary>Evenly at random.</summary>
    Random,

    /// <summary>Random, with a bias that is drawn anew for each run.</summary>
    Probabilistic,

    /// <summary>Learns from run to run to go where it has not been.</summary>
    QLearning,
}

/// <summary>The same world, its decisions those of Coyote's controlled nondeterminism inside a testing engine.</summary>
public static class CoyoteGear
{
    /// <summary>The strategies by turns.</summary>
    public static IReadOnlyList<CoyoteStrategy> Strategies { get; } = Enum.GetValues<CoyoteStrategy>();

    /// <summary>Explores a scenario.</summary>
    /// <param name="scenario">The scenario; drawn anew for each run.</param>
    /// <param name="strategy">How Coyote chooses.</param>
    /// <param name="seed">Where its chance begins.</param>
    /// <param name="iterations">How many runs at most.</param>
    /// <param name="watch">How runs are watched; decisions are always kept.</param>
    /// <param name="made">Called with each run; false ends the exploration.</param>
    /// <returns>Coyote's reproducible trace of the run that ended it, or null.</returns>
    public static string? Explore(Scenario scenario, CoyoteStrategy strategy, ulong seed, int iterations, WatchOptions watch, Func<SimRun, bool> made)
    {
        ArgumentNullException.ThrowIfNull(scenario);
        ArgumentNullException.ThrowIfNull(watch);
        ArgumentNullException.ThrowIfNull(made);
        var number = seed;
        Exception? failure = null;
        var stopped = false;
        using var engine = TestingEngine.Create(Configure(strategy, seed).WithTestingIterations((uint)iterations), () =>
        {
            if (stopped) return;
            try
            {
                var concrete = ScenarioArbitrary.Concrete(scenario, number);
                var result = new SimWorld(concrete, new CoyoteChoices(number), watch with { KeepChoices = true }).Run();
                if (made(new SimRun(concrete, Gear.Coyote, number++, null, result))) return;
            }
            catch (Exception e) when (e.GetType().Namespace != "Microsoft.Coyote.Runtime")
            {
                failure = e;
            }

            stopped = true;
            Microsoft.Coyote.Specifications.Specification.Assert(false, "ended");
        });
        engine.SetLogger(new Microsoft.Coyote.Logging.TextWriterLogger(TextWriter.Null, Microsoft.Coyote.Logging.VerbosityLevel.None));
        engine.Run();
        if (failure is not null) System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
        return stopped ? engine.ReproducibleTrace : null;
    }

    /// <summary>Runs one run again from Coyote's own trace of it.</summary>
    public static SimRun Reproduce(Scenario concrete, CoyoteStrategy strategy, ulong seed, string trace, WatchOptions watch)
    {
        ArgumentNullException.ThrowIfNull(watch);
        SimRun? run = null;
        using var engine = TestingEngine.Create(Configure(strategy, seed).WithReproducibleTrace(trace), () =>
        {
            run = new SimRun(concrete, Gear.Coyote, seed, null, new SimWorld(concrete, new CoyoteChoices(seed), watch with { KeepChoices = true }).Run());
        });
        engine.SetLogger(new Microsoft.Coyote.Logging.TextWriterLogger(TextWriter.Null, Microsoft.Coyote.Logging.VerbosityLevel.None));
        engine.Run();
        return run!;
    }

    // A run has one thread, which waits for nobody: there is no deadlock to be found. A machine that is slow is taken for one, and the run's thread interrupted.
    private const uint NoDeadlockMs = 7 * 24 * 3_600 * 1_000;

    private static Configuration Configure(CoyoteStrategy strategy, ulong seed)
    {
        var configuration = Configuration.Create()
            .WithTelemetryEnabled(false)
            .WithVerbosityEnabled(Microsoft.Coyote.Logging.VerbosityLevel.None)
            .WithPartiallyControlledConcurrencyAllowed(true)
            .WithSystematicFuzzingFallbackEnabled(false)
            .WithPotentialDeadlocksReportedAsBugs(false)
            .WithDeadlockTimeout(NoDeadlockMs)
            .WithMaxSchedulingSteps(100_000_000)
            .WithRandomGeneratorSeed((uint)seed);
        return strategy switch
        {
            CoyoteStrategy.Random => configuration.WithRandomStrategy(),
            CoyoteStrategy.Probabilistic => configuration.WithProbabilisticStrategy(3),
            _ => configuration.WithQLearningStrategy(),
        };
    }

    /// <summary>
    /// Asks Coyote. Of many alternatives it chooses one of a few ranges, and a generator of the run the one within: learning strategies keep a table of every
    /// alternative, and must not drown in durations.
    /// </summary>
    private sealed class CoyoteChoices(ulong seed) : IChoices
    {
        private const int Ranges = 16;

        private readonly Generator _generator = Generator.Create();
        private readonly SeededChoices _within = new(seed);

        public int Next(int limit)
        {
            if (limit <= Ranges) return _generator.NextInteger(limit);
            var range = _generator.NextInteger(Ranges);
            var first = (int)((long)limit * range / Ranges);
            return first + _within.Next((int)((long)limit * (range + 1) / Ranges) - first);
        }
    }
}
