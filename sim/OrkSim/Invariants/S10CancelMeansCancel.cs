using Ork.Kernel;
using Ork.Protocol;

namespace OrkSim;

/// <summary>S10: a command whose cancel was acknowledged is never executed by a device, one that was stopped is not tried again, its attempt that waits for the disk does not leave, and whatever has not ended is one or the other.</summary>
public sealed class CancelMeansCancel : IInvariant
{
    /// <inheritdoc/>
    public string Id => "S10";

    /// <inheritdoc/>
    public string Says => "A command whose cancel was acknowledged is never executed by a device, one that was stopped is not tried again, its attempt that waits for the disk does not leave, and whatever has not ended is one or the other.";

    /// <inheritdoc/>
    public SimEventKind Hears => SimEventKind.Executed | SimEventKind.FrameTaken | SimEventKind.FrameSent | SimEventKind.CommitSubmitted | SimEventKind.CommitApplying | SimEventKind.StoreOpened;

    // Those that the latest batch stops.
    private readonly HashSet<string> _stopping = new(StringComparer.Ordinal);

    // When a command's end first came to the disk.
    private readonly Dictionary<string, long> _ended = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public void Hear(in SimEvent happened, Facts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        if (happened.Kind is SimEventKind.CommitSubmitted or SimEventKind.StoreOpened)
        {
            if (happened.Node == facts.Holder) NoteStopping(happened.Batch);
            return;
        }

        if (happened.Batch is { } batch)
        {
            CheckStopped(batch, facts);
            foreach (var row in batch.ChangedCommands)
            {
                if (row.State is CommandState.Success or CommandState.Failed) _ended.TryAdd(row.Spec.CommandId, happened.Ticks);
            }

            return;
        }

        if (happened.Kind == SimEventKind.FrameSent)
        {
            CheckUntouched(in happened, facts);
            if (happened.Node == facts.Holder && happened.Message is { Action: OrkAction.CommandRequest, CommandId: { } leaving } && _stopping.Contains(leaving)) facts.Violated(this, $"{leaving} was stopped while its attempt {happened.Message.Attempt} waited for the disk, and that leaves.");
            if (happened.Message is not { Stopped: true, CommandId: { } asked } || !facts.Commands.TryGetValue(asked, out var stopped)) return;
            if (!stopped.IsTerminal && !stopped.Row.StopRequested) facts.Violated(this, $"{asked} is told to be stopped, and that is not on the disk.");
            if (stopped.IsTerminal && happened.Connection!.Facts!.Questions.TryGetValue(happened.Correlation, out var question) && _ended.GetValueOrDefault(asked, long.MaxValue) < question.Ticks) facts.Violated(this, $"{asked} is told to be stopped, and had ended before that was asked for.");
            return;
        }

        var id = happened.Kind == SimEventKind.Executed ? happened.Subject : happened.Message is { Cancelled: true, CommandId: { } told } ? told : null;
        if (id is null || !facts.Commands.TryGetValue(id, out var command)) return;
        if (command.ToldCancelled && command.Executions.Count > 0) facts.Violated(this, $"{id} was told to be cancelled, and {command.Executions[0].DeviceId} executed it.");
    }

    /// <summary>Only what has ended is beyond a cancel: all else is cancelled, or stopped.</summary>
    private void CheckUntouched(in SimEvent sent, Facts facts)
    {
        if (sent.Node != facts.Holder || sent.Message is not { Action: OrkAction.CommandCancelResponse, Cancelled: false, Stopped: false, Status: not CommandStatus.Rejected, CommandId: { } id }) return;
        if (facts.Commands.TryGetValue(id, out var command) && !command.IsTerminal) facts.Violated(this, $"{id} is {command.Row.State}, and who cancels it is told that there is nothing to cancel or to stop.");
    }

    /// <summary>What was stopped while its Worker was asked, and was then refused by it.</summary>
    private static bool IsEndOfTheUnbegun(in CommandRow row) =>
        row is { State: CommandState.Failed, Error: { } error } && (error == ErrorCodes.Cancelled.Code || error.StartsWith(ErrorCodes.StaleEpoch.Code, StringComparison.Ordinal));

    private void NoteStopping(CommitBatch? batch)
    {
        _stopping.Clear();
        if (batch is null) return;
        foreach (var row in batch.NewCommands.Then(batch.ChangedCommands))
        {
            if (row.StopRequested) _stopping.Add(row.Spec.CommandId);
        }
    }

    private void CheckStopped(CommitBatch batch, Facts facts)
    {
        foreach (var row in batch.ChangedCommands)
        {
            if (row is { StopRequested: true, DoubtfulFrom: 0, State: not CommandState.Timeout } && !IsEndOfTheUnbegun(row)) facts.Violated(this, $"Command {row.Seq} is stopped, and no attempt of it can have been begun: it could have been cancelled.");
            if (!row.StopRequested && facts.BySeq(row.Seq) is { Row.StopRequested: true } forgotten) facts.Violated(this, $"{forgotten.Id} was stopped, and that is recorded no longer.");
        }

        foreach (var row in batch.Log)
        {
            if (row.To == CommandState.Dispatched && facts.BySeq(row.CommandSeq) is { Row.StopRequested: true } stopped) facts.Violated(this, $"{stopped.Id} was stopped, and attempt {row.Attempt} of it is made.");
        }
    }
}
