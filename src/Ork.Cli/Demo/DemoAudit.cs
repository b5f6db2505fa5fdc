using Ork.Cli.Fleet;
using Ork.Kernel;
using Ork.Protocol;
using Ork.Storage.Sqlite;

namespace Ork.Cli.Demo;

/// <summary>
/// Holds three accounts of a demonstration against each other: what the callers were told, what the store holds, and what the devices wrote down by
/// themselves. The devices' word is the truth.
/// </summary>
internal static class DemoAudit
{
    internal static async Task<DemoReport> RunAsync(DemoPlan plan, DemoRun run)
    {
        await using var store = await new SqliteKernelStoreOpener(run.StoreDirectory).OpenAsync();
        var stored = store.TakeImage().Commands.ToDictionary(row => row.Spec.CommandId, StringComparer.Ordinal);
        var executions = ExecutionLog.Read(run.ExecutionsPath);
        var accepted = run.Commands.Where(sent => sent.CommandId is not null).DistinctBy(sent => sent.CommandId).ToArray();
        var repeated = executions.Where(entry => entry.Value.Count > 1).ToArray();
        var unsafely = repeated.Where(entry => !(stored.TryGetValue(entry.Key, out var row) && row.Spec.Idempotent)).ToArray();
        return new DemoReport
        {
            Accepted = accepted.Length,
            Succeeded = accepted.Count(sent => sent.End?.Status == CommandStatus.Success),
            Failed = accepted.Count(sent => sent.End?.Status == CommandStatus.Failed),
            Lost = accepted.Count(sent => IsLost(sent, stored)),
            ExecutedTwice = unsafely.Length,
            FalseSuccess = accepted.Count(sent => SaysSuccess(sent, stored) && !WasExecuted(sent, executions)),
            KernelKills = run.KernelKillsAt.Count,
            WorkerKills = run.WorkerKillsAt.Count,
            HungWorkers = plan.HangWorkers,
            CircuitsOpened = run.CircuitsOpened,
            OthersServed = run.Latencies(duringHang: true).Count,
            CalmP99Ms = P99(run.Latencies(duringHang: false)),
            HangP99Ms = P99(run.Latencies(duringHang: true)),
            RecoveryMs = run.RecoveryMs,
            CommandsPerSecond = Math.Round(accepted.Length / run.Elapsed.TotalSeconds, 1),
            WallSeconds = Math.Round(run.Elapsed.TotalSeconds, 2),
            SafeRepetitions = repeated.Length - unsafely.Length,
            Failures = accepted.Where(sent => sent.End?.Error is not null).GroupBy(sent => sent.End!.Error!).OrderBy(group => group.Key, StringComparer.Ordinal)
                .ToDictionary(group => group.Key, group => group.Count()),
            Seed = plan.Seed,
            Directory = run.Directory,
        };
    }

    private static double P99(IReadOnlyList<double> sorted) => sorted.Count == 0 ? 0 : Math.Round(sorted[(int)(sorted.Count * 0.99)], 1);

    private static bool IsLost(Sent sent, Dictionary<string, CommandRow> stored) =>
        sent.End is not { IsTerminal: true } end || !stored.TryGetValue(sent.CommandId!, out var row) || (CommandStatus)row.State != end.Status;

    private static bool SaysSuccess(Sent sent, Dictionary<string, CommandRow> stored) =>
        sent.End?.Status == CommandStatus.Success || (stored.TryGetValue(sent.CommandId!, out var row) && row.State == CommandState.Success);

    private static bool WasExecuted(Sent sent, IReadOnlyDictionary<string, List<Execution>> executions) =>
        executions.TryGetValue(sent.CommandId!, out var list)
        && list.Exists(execution => execution.DeviceId == sent.Order.DeviceId && execution.Command == sent.Order.Command);
}
