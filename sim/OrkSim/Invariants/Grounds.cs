using Ork.Kernel;
using Ork.Protocol;

namespace OrkSim;

/// <summary>Whether what a kernel records as the reason of a command's end is so (S5): operators act on it.</summary>
internal static class Grounds
{
    /// <summary>What is wrong with the reason that is recorded of an end, or null. A Worker's own word is not looked at.</summary>
    internal static string? Wrong(in TransitionRow end, CommitBatch batch, Facts facts)
    {
        if (end.To != CommandState.Failed || LogLine.TriggerOf(in end) is nameof(CommandTrigger.WorkerFailed) or nameof(CommandTrigger.LateFailure)) return null;
        foreach (var row in batch.ChangedCommands)
        {
            if (row.Seq == end.CommandSeq && row.Error is { } error && Contradiction(in row, error, end.At, batch, facts) is { } why) return $"{row.Spec.CommandId} becomes FAILED: {error}; {why}.";
        }

        return null;
    }

    private static string? Contradiction(in CommandRow row, string error, long endedAt, CommitBatch batch, Facts facts)
    {
        var options = facts.World.KernelOptions.Commands;
        if (Is(ErrorCodes.Deadline)) return !facts.World.WallJumps && endedAt < row.Spec.DeadlineAt - 1 ? $"its deadline is {row.Spec.DeadlineAt - endedAt} ms later" : null;
        if (Is(ErrorCodes.MaxRetriesExhausted)) return row.Retries < options.MaxRetries ? $"it was retried {row.Retries} times, and may be {options.MaxRetries} times" : null;
        if (Is(ErrorCodes.RecoveryExhausted)) return row.Recoveries <= options.MaxRecoveries ? $"{row.Recoveries} kernels ended on it, and {options.MaxRecoveries} may" : null;
        if (Is(ErrorCodes.WorkerTerminated)) return IsTerminated(row.WorkerId, batch, facts) ? null : $"{row.WorkerId} is in service";
        if (Is(ErrorCodes.OutcomeUnknown)) return row.Spec.Idempotent && !row.StopRequested ? "it may be repeated, and nobody stopped it" : null;
        if (Is(ErrorCodes.DeviceNotFound)) return row.Spec.DeviceId is { } device && IsThere(device, row.WorkerId, batch, facts) ? $"{device} is {row.WorkerId}'s" : null;
        return null;

        bool Is(ErrorCode code) => error.StartsWith(code.Code, StringComparison.Ordinal);
    }

    private static bool IsTerminated(string workerId, CommitBatch batch, Facts facts) =>
        facts.Workers.TryGetValue(workerId, out var row) && row.Terminated || batch.Workers.Exists(changed => changed.WorkerId == workerId && changed.Terminated);

    /// <summary>True where the device was its Worker's before the batch and stays so.</summary>
    private static bool IsThere(string deviceId, string workerId, CommitBatch batch, Facts facts) =>
        facts.Owners.GetValueOrDefault(deviceId) == workerId && !batch.RemovedDevices.Contains(deviceId) && !batch.Devices.Exists(row => row.DeviceId == deviceId);
}
