using Ork.Kernel;

namespace OrkSim;

/// <summary>
/// Which attempt is recorded as the first that its Worker may have begun: of those that left, the first that was not refused unbegun (S20). What was never begun may be cancelled, moved and
/// sent again, whatever it is; so none is passed over that was, and what was refused in time is in nobody's way.
/// </summary>
internal static class Doubts
{
    /// <summary>Looks at an attempt that leaves the kernel which holds the store.</summary>
    /// <returns>What is wrong, or null.</returns>
    internal static string? Wrong(WireMessage sent, CommandFacts command) =>
        command.Row.DoubtfulFrom == 0 || command.Row.DoubtfulFrom > sent.Attempt ? $"Attempt {sent.Attempt} of {command.Id} leaves, and it is recorded as {Begun(command.Row.DoubtfulFrom)}." : null;

    /// <summary>Looks at what a batch records of a command.</summary>
    /// <returns>What is wrong, or null.</returns>
    internal static string? Wrong(in CommandRow row, CommandFacts command, CommitBatch batch, Facts facts)
    {
        var told = row.DoubtfulFrom;
        var (isSent, isOver) = (false, false);
        foreach (var line in command.Log.Then(batch.Log))
        {
            if (line.CommandSeq != row.Seq) continue;
            if (line.To == CommandState.Executing)
            {
                isSent |= line.Attempt == told;
                if ((told == 0 || line.Attempt < told) && command.LeftTicks.ContainsKey(line.Attempt) && !command.Unbegun.ContainsKey(line.Attempt)) return $"{command.Id} is recorded as {Begun(told)}, and attempt {line.Attempt} was not refused.";
            }

            // By an answer that was of no use, or its time.
            isOver |= line.Attempt == told && line.From == CommandState.Executing && LogLine.TriggerOf(in line) is nameof(CommandTrigger.AttemptTimedOut) or nameof(CommandTrigger.WorkerBusy) or nameof(CommandTrigger.JournalFailed);
        }

        if (told == 0) return null;
        if (Stayed(row.Seq, told, command, batch)) return $"{command.Id} is recorded as perhaps begun with attempt {told}, which was over before it could leave.";
        if (!isSent) return $"{command.Id} is recorded as perhaps begun with attempt {told}, which was not sent.";
        return isOver && command.Unbegun.TryGetValue(told, out var isInTime) && isInTime && facts.World.IsHonest(row.WorkerId) ? $"{command.Id} is recorded as perhaps begun with attempt {told}, which was refused unbegun." : null;
    }

    /// <summary>True where an attempt did not leave: it is withdrawn or given up for its time, and there is no trace of it, or with the very batch that it waited for.</summary>
    private static bool Stayed(long seq, int attempt, CommandFacts command, CommitBatch batch)
    {
        if (command.LeftTicks.ContainsKey(attempt)) return false;
        var waits = batch.Log.Exists(line => line.CommandSeq == seq && line.Attempt == attempt && line.To == CommandState.Executing);
        return batch.Log.Exists(line => line.CommandSeq == seq && line.Attempt == attempt && line.From == CommandState.Executing
            && (LogLine.TriggerOf(in line) is nameof(CommandTrigger.AttemptTimedOut) or nameof(CommandTrigger.Withdrawn) || (waits && LogLine.TriggerOf(in line) is nameof(CommandTrigger.LinkLost))));
    }

    private static string Begun(int from) => from == 0 ? "begun by nobody" : $"begun with attempt {from} at the earliest";
}
