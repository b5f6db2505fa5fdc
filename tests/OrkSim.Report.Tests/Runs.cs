namespace OrkSim.Report.Tests;

/// <summary>Runs to tell of: a small one that violates an invariant of the test's own, and a large one.</summary>
internal static class Runs
{
    /// <summary>A device must not be rebooted a second time: somebody soon does.</summary>
    internal static WatchOptions Watch { get; } = new() { Invariants = static () => [new OneReboot()] };

    internal static Scenario Small { get; } = new()
    {
        Name = "told",
        Description = "A small world with a crash in it.",
        Fleet = new() { Workers = 3, DevicesPerWorker = 2, Journal = 1 },
        Workload = new() { Callers = 2, CommandsPerSecond = 6, Wide = 0 },
        Faults = [new() { Kind = "kernel-crash", Times = 1, At = TimeSpan.FromSeconds(2), For = TimeSpan.FromSeconds(1) }, new() { Kind = "worker-mute", Times = 1, At = TimeSpan.FromSeconds(1), For = TimeSpan.FromSeconds(3) }],
        HealAt = TimeSpan.FromSeconds(15),
        Duration = TimeSpan.FromSeconds(30),
    };

    internal static Scenario Large { get; } = Small with
    {
        Name = "told-at-length",
        Fleet = new() { Workers = 50, DevicesPerWorker = 4 },
        Workload = new() { Callers = 4, CommandsPerSecond = 40, Mix = new() { Reboot = 0 } },
        Duration = TimeSpan.FromSeconds(28),
    };

    /// <summary>A violating run, found and kept.</summary>
    internal static (SimRun Run, SimWorld World) Violating()
    {
        for (ulong seed = 1; ; seed++)
        {
            var run = SwarmGear.Run(Small, seed, Watch);
            if (!run.Result.Held) return Explorer.Again(run, Watch);
        }
    }

    internal static RunFile File(SimRun run, SimWorld world) => RunFile.From(run, world);

    private sealed class OneReboot : IInvariant
    {
        private readonly HashSet<string> _rebooted = [];

        public string Id => "X1";

        public string Says => "No device is rebooted twice.";

        public SimEventKind Hears => SimEventKind.Executed;

        public void Hear(in SimEvent happened, Facts facts)
        {
            var execution = happened.Execution!;
            if (execution.Command == "reboot" && !_rebooted.Add(execution.DeviceId)) facts.Violated(this, $"{execution.DeviceId} is rebooted again, by {execution.CommandId}.");
        }
    }
}
