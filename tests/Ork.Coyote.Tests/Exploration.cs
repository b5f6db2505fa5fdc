using Microsoft.Coyote;
using Microsoft.Coyote.Logging;
using Microsoft.Coyote.SystematicTesting;

namespace Ork.Coyote.Tests;

/// <summary>Runs a plain async test under many schedules that Coyote chooses.</summary>
internal static class Exploration
{
    /// <summary>An exploration has the process to itself.</summary>
    internal const string OneAtATime = "one testing engine at a time";

    /// <summary>Explores, and fails with the bug that was found, or with calls that Coyote does not control.</summary>
    internal static void Explore(Func<Task> test, uint schedules)
    {
        foreach (var configure in new Func<Configuration, Configuration>[] { with => with.WithRandomStrategy(), with => with.WithPrioritizationStrategy(false, 5) })
        {
            var report = Run(test, configure(Plain(schedules / 2)));
            Assert.True(report.NumOfFoundBugs == 0, string.Join("\n", report.BugReports));
            Assert.True(report.InternalErrors.Count == 0, string.Join("\n", report.InternalErrors));
            Assert.Equal("", string.Join("\n", report.UncontrolledInvocations.Where(call => !Harmless.Contains(call))));
        }
    }

    /// <summary>How many bugs exploration finds in a test that has one.</summary>
    internal static int Bugs(Func<Task> test, uint schedules) => Run(test, Plain(schedules)).NumOfFoundBugs;

    // Reported whenever a TimeProvider is handed in, and all the same in our hands: the provider is ours, and so are its timers.
    private static readonly HashSet<string> Harmless = ["System.Threading.Tasks.Task.Delay"];

    // A test that makes no step for a second, by the wall clock, is taken for stuck and ended by a thread of Coyote's while its own threads run on: on a busy machine that
    // accuses tests that are well, or crashes.
    // What can be seen to wait for nothing is reported at once, whatever this is.
    private const uint StuckMs = 60_000;

    private static Configuration Plain(uint schedules) => Configuration.Create()
        .WithTelemetryEnabled(false)
        .WithTestingIterations(schedules)
        .WithMaxSchedulingSteps(6_000)
        .WithPotentialDeadlocksReportedAsBugs(true)
        .WithDeadlockTimeout(StuckMs)
        .WithRandomGeneratorSeed(1);

    private static TestReport Run(Func<Task> test, Configuration configuration)
    {
        using var engine = TestingEngine.Create(configuration, test);
        engine.SetLogger(new TextWriterLogger(TextWriter.Null, VerbosityLevel.None));
        engine.Run();
        return engine.TestReport;
    }
}
