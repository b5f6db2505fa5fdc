using Ork.Kernel;
using Ork.Protocol;

namespace OrkSim;

/// <summary>
/// S5: every recorded transition is in the table of the Command State Machine, follows the one before and is what the command's row tells; what a Worker is said to have
/// answered, it answered to that attempt, and why a command ended is so; no machine met a trigger its state does not handle.
/// </summary>
public sealed class LegalTransitions : IInvariant
{
    /// <inheritdoc/>
    public string Id => "S5";

    /// <inheritdoc/>
    public string Says => "Every recorded transition is in the table of the Command State Machine, follows the one before and is what the command's row tells; what a Worker is said to have answered, it answered to that attempt, and why a command ended is so; no machine met a trigger its state does not handle.";

    /// <inheritdoc/>
    public SimEventKind Hears => SimEventKind.CommitApplying | SimEventKind.Note;

    // From architecture.md, not from the machine: what is checked must not be its own witness.
    private static readonly HashSet<(CommandState From, CommandState To)> Table =
    [
        (CommandState.New, CommandState.Queued),
        (CommandState.Queued, CommandState.Dispatched), (CommandState.Queued, CommandState.Failed), (CommandState.Queued, CommandState.Success),
        (CommandState.Dispatched, CommandState.Executing), (CommandState.Dispatched, CommandState.Timeout), (CommandState.Dispatched, CommandState.Failed),
        (CommandState.Dispatched, CommandState.Success),
        (CommandState.Executing, CommandState.Success), (CommandState.Executing, CommandState.Failed), (CommandState.Executing, CommandState.Timeout),
        (CommandState.Timeout, CommandState.Queued), (CommandState.Timeout, CommandState.Failed), (CommandState.Timeout, CommandState.Success),
    ];

    private readonly Dictionary<long, (int Number, CommandState State, long At)> _last = [];

    /// <inheritdoc/>
    public void Hear(in SimEvent happened, Facts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        if (happened.Kind == SimEventKind.Note)
        {
            if (happened.Note == KernelEvent.IllegalTransition) facts.Violated(this, $"{happened.Subject}: {happened.Detail}");
            return;
        }

        foreach (var row in happened.Batch!.Log)
        {
            var (number, state, _) = _last.GetValueOrDefault(row.CommandSeq, (0, CommandState.New, 0));
            if (row.Number != number + 1 || row.From != state) facts.Violated(this, $"Command {row.CommandSeq}: transition {row.Number} from {row.From} follows {number} to {state}.");
            if (!Table.Contains((row.From, row.To))) facts.Violated(this, $"Command {row.CommandSeq}: {row.From} to {row.To} ({row.Detail}) is in no table.");
            if (facts.BySeq(row.CommandSeq) is { } command && Misquoted(row, command) is { } said) facts.Violated(this, $"{command.Id} becomes {row.To} by the answer to attempt {row.Attempt} ({row.Detail}), which {said}.");
            if (row.To is CommandState.Failed && !WhySaid(row, happened.Batch)) facts.Violated(this, $"Command {row.CommandSeq} becomes FAILED, and its log says of it only: {row.Detail}.");
            if (Grounds.Wrong(in row, happened.Batch, facts) is { } groundless) facts.Violated(this, groundless);
            _last[row.CommandSeq] = (row.Number, row.To, row.At);
        }

        foreach (var row in happened.Batch.NewCommands.Then(happened.Batch.ChangedCommands))
        {
            if (_last.TryGetValue(row.Seq, out var last) && row.UpdatedAt != last.At) facts.Violated(this, $"Command {row.Seq} became {last.State} at {last.At}, and its row says that it is so since {row.UpdatedAt}.");
        }

        foreach (var seq in happened.Batch.ForgottenCommands) _last.Remove(seq);
    }

    /// <summary>The log of a command that failed says why, in the words of its end.</summary>
    private static bool WhySaid(in TransitionRow row, CommitBatch batch)
    {
        foreach (var changed in batch.ChangedCommands)
        {
            if (changed.Seq == row.CommandSeq) return changed.Error is null || row.Detail.EndsWith(changed.Error, StringComparison.Ordinal);
        }

        return true;
    }

    /// <summary>The answer to the attempt in flight is recorded as what it was: a late one, to an earlier attempt, is recorded as such, and what was in time is not as none.</summary>
    /// <returns>What was said instead, or null.</returns>
    private static string? Misquoted(in TransitionRow row, CommandFacts command)
    {
        var recorded = LogLine.TriggerOf(in row);
        if (recorded is nameof(CommandTrigger.AttemptTimedOut)) return row.From == CommandState.Executing && command.Unbegun.GetValueOrDefault(row.Attempt) ? "was refused in time" : null;
        if (recorded is not (nameof(CommandTrigger.WorkerSucceeded) or nameof(CommandTrigger.WorkerFailed) or nameof(CommandTrigger.WorkerBusy) or nameof(CommandTrigger.JournalFailed) or nameof(CommandTrigger.WorkerUnsure))) return null;
        if (!command.Answered.TryGetValue(row.Attempt, out var answer)) return "has none";
        return answer is null || recorded.SequenceEqual(QuoteOf(answer)) ? null : $"says {answer.Status} {answer.Error}";
    }

    private static string QuoteOf(WireMessage answer) =>
        answer.Status == CommandStatus.Success ? nameof(CommandTrigger.WorkerSucceeded)
        : answer.Status == CommandStatus.Unknown ? nameof(CommandTrigger.WorkerUnsure)
        : answer.Error?.StartsWith(ErrorCodes.WorkerBusy.Code, StringComparison.Ordinal) == true ? nameof(CommandTrigger.WorkerBusy)
        : answer.Error?.StartsWith(ErrorCodes.JournalFailed.Code, StringComparison.Ordinal) == true ? nameof(CommandTrigger.JournalFailed)
        : nameof(CommandTrigger.WorkerFailed);
}
