using System.Collections.Concurrent;
using Ork;
using Ork.Kernel;
using Ork.Protocol;
using Ork.Worker;

namespace OrkSim;

/// <summary>What a Worker under trial is handed: its place in the simulated world.</summary>
/// <param name="WorkerId">Its id.</param>
/// <param name="DeviceIds">Its devices.</param>
/// <param name="Time">Its clock; what it times by another is not simulated.</param>
/// <param name="Entropy">Its chance.</param>
public sealed record WorkerSetting(string WorkerId, IReadOnlyList<string> DeviceIds, TimeProvider Time, IEntropy Entropy);

/// <summary>Makes a Worker anew, at each start of its simulated process: what it keeps in memory is gone, as after a crash.</summary>
public delegate WorkerDefinition DefineWorker(WorkerSetting setting);

/// <summary>How a Worker is tried.</summary>
public sealed record WorkerTrialOptions
{
    /// <summary>Scenarios by name, of those that <c>ork sim list</c> lists. The default: a calm day, Workers crashing, kernels restarting, links lost all at once.</summary>
    public IReadOnlyList<string> Scenarios { get; init; } = ["calm-day", "worker-crashes", "kernel-restarts", "reconnect-storm"];

    /// <summary>Runs of each scenario, each of another seed.</summary>
    public int Runs { get; init; } = 20;

    /// <summary>One run in so many is run twice, and must be the same.</summary>
    public int CheckEvery { get; init; } = 10;

    /// <summary>Runs at once.</summary>
    public int Jobs { get; init; } = Environment.ProcessorCount;

    /// <summary>The first seed.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>False where it is no fault that a command of the contract never succeeds.</summary>
    public bool EveryCommandSucceeds { get; init; } = true;
}

/// <summary>
/// Tries somebody's own Worker: the real kernel, callers that send commands drawn from its contract, and Workers that are all the one under trial, in simulated worlds with
/// faults. Every invariant is checked, some runs are made twice, and each command of the contract must have succeeded.
/// </summary>
[OrkRole(OrkRole.Edge)]
public static class WorkerTrial
{
    /// <summary>Tries a Worker.</summary>
    /// <param name="define">Makes it. Called for every start of every Worker, from several threads.</param>
    /// <param name="options">How; null for the defaults.</param>
    /// <returns>What was met.</returns>
    /// <exception cref="ScenarioViolatedException">An invariant does not hold, a run is not deterministic, or a command never succeeded. The run is shrunk, and told in <c>TestResults</c>.</exception>
    public static ExploreReport Run(DefineWorker define, WorkerTrialOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(define);
        options ??= new WorkerTrialOptions();
        var ends = new ConcurrentDictionary<(string Command, bool Succeeded), string>();
        var watch = new WatchOptions
        {
            Prepare = world => world.Ports.Worker = define,
            Invariants = () => [.. InvariantCatalogue.All(), new CommandEnds(ends)],
        };
        var report = Explorer.Explore(new ExploreOptions
        {
            Scenarios = [.. options.Scenarios.Select(name => ScenarioCatalogue.Find(name) ?? throw new ScenarioException($"There is no scenario '{name}'."))],
            Runs = options.Runs,
            Jobs = options.Jobs,
            Seed = options.Seed,
            CheckEvery = options.CheckEvery,
            StopAtFirst = true,
            Watch = watch,
        });
        if (report.Mismatches > 0) throw new ScenarioViolatedException(report.Mismatch!);
        if (report.ViolatingRuns is [var violating, ..])
        {
            var written = ViolationReport.Write(violating, Path.Combine(AppContext.BaseDirectory, "TestResults"), new ShrinkOptions { Watch = watch });
            throw new ScenarioViolatedException(string.Join(Environment.NewLine, written.Card));
        }

        if (options.EveryCommandSucceeds) EachSucceeded(define, ends);
        return report;
    }

    private static void EachSucceeded(DefineWorker define, ConcurrentDictionary<(string Command, bool Succeeded), string> ends)
    {
        var contract = define(new WorkerSetting("w", ["d"], TimeProvider.System, new SimEntropy(1))).Contract;
        var never = contract.Commands.Keys.Where(command => !ends.ContainsKey((command, true))).Order(StringComparer.Ordinal)
            .Select(command => ends.TryGetValue((command, false), out var error) ? $"'{command}' never succeeded: {error}" : $"'{command}' was never ended: try more runs").ToArray();
        if (never.Length > 0) throw new ScenarioViolatedException(string.Join(Environment.NewLine, never));
    }

    /// <summary>Notes how commands ended, over all runs.</summary>
    private sealed class CommandEnds(ConcurrentDictionary<(string Command, bool Succeeded), string> ends) : IInvariant
    {
        public string Id => "TRIAL";

        public string Says => "Notes how commands ended.";

        public SimEventKind Hears => SimEventKind.None;

        public void Hear(in SimEvent happened, Facts facts)
        {
        }

        public void End(Facts facts)
        {
            foreach (var command in facts.Commands.Values)
            {
                if (command.Row.State == CommandState.Success) ends.TryAdd((command.Row.Spec.Command, true), "");
                else if (command.Row.State == CommandState.Failed) ends.TryAdd((command.Row.Spec.Command, false), command.Row.Error ?? "");
            }
        }
    }
}
