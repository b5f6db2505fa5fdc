using System.Text;
using Ork.Kernel;
using Ork.Protocol;

namespace OrkSim;

/// <summary>S20: the end that is recorded of a command is the one that its Worker answered, that a Worker had no place for it is no end, and none is recorded that a device then gives the lie; a late answer that settles does; a Worker answers what its handler said, does answer where it does not begin, and has a place for what it is at, sinks are handed what Workers answered, and envelopes say when they were written.</summary>
public sealed class AnswerFidelity : IInvariant
{
    private readonly Dictionary<(SimNode Worker, string CommandId, int Attempt, long Epoch), Handling> _handled = [];
    private readonly HashSet<(SimNode Worker, int Life, string CommandId)> _begun = [];
    private readonly SinkFeed _sinks = new();
    private readonly LateAnswers _late = new();

    private static readonly ErrorCode[] NoEnds = [ErrorCodes.WorkerBusy, ErrorCodes.JournalFailed];

    /// <inheritdoc/>
    public string Id => "S20";

    /// <inheritdoc/>
    public string Says => "The end that is recorded of a command is the one that its Worker answered, that a Worker had no place for it is no end, what is recorded as begun by nobody was refused each time, what may not be repeated and no Worker knows the outcome of is not tried again, a device does nothing that was recorded as not done, what is said to be settled by a late answer is, a Worker answers what its handler said, does answer where it does not begin, and has a place for what it is at, sinks are handed what Workers answered, and envelopes say when they were written.";

    /// <inheritdoc/>
    public SimEventKind Hears => SimEventKind.CommitApplying | SimEventKind.Executed | SimEventKind.Begun | SimEventKind.Handled | SimEventKind.FrameSent | SimEventKind.FrameTaken | SimEventKind.Handed | SimEventKind.Note | SimEventKind.StoreOpened | SimEventKind.Pulse;

    // The attempts of which a Worker said in time that it does not know what became of them; and what it was asked, until the answer is taken.
    private readonly Dictionary<string, int> _unknown = new(StringComparer.Ordinal);
    private readonly Dictionary<(int Link, ulong Correlation), (int Attempt, long Ticks)> _asked = [];

    // Those that a batch ends by the word of their Workers.
    private readonly HashSet<long> _ofTheirWorker = [];

    private static readonly long Moment = TimeSpan.FromSeconds(2).Ticks;

    // So long before the attempt's time is over the answer is surely looked at in time.
    private static readonly long Look = TimeSpan.FromMilliseconds(500).Ticks;

    /// <inheritdoc/>
    public void Hear(in SimEvent happened, Facts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        switch (happened.Kind)
        {
            case SimEventKind.Handled:
                if (happened.Handling is { } handled) _handled[(happened.Node!, handled.CommandId, handled.Attempt, handled.Epoch)] = handled;
                return;
            case SimEventKind.Begun:
                _begun.Add((happened.Node!, happened.Node!.Life, happened.Subject!));
                return;
            case SimEventKind.FrameSent:
                if (Stamps.Wrong(in happened, facts) is { } untimely) facts.Violated(this, untimely);
                if (happened.Node!.Kind == NodeKind.Worker) CheckWorker(in happened, facts);
                else if (happened is { Message: { Action: OrkAction.CommandRequest, CommandId: { } leaving } message } && happened.Node == facts.Holder && facts.Commands.TryGetValue(leaving, out var sent) && Doubts.Wrong(message, sent) is { } unseen) facts.Violated(this, unseen);
                return;
            case SimEventKind.FrameTaken or SimEventKind.Handed or SimEventKind.Note or SimEventKind.StoreOpened or SimEventKind.Pulse:
                if (happened.Kind == SimEventKind.StoreOpened) _unknown.Clear();
                else if (happened.Kind == SimEventKind.FrameTaken) Note(in happened, facts);
                else if (happened.Kind == SimEventKind.Pulse) CheckSilence(happened.Ticks, facts);
                if ((_sinks.Wrong(in happened, facts) ?? _late.Wrong(in happened, facts)) is { } wrong) facts.Violated(this, wrong);
                return;
        }

        if (happened.Execution is { } execution)
        {
            if (facts.Commands.TryGetValue(execution.CommandId, out var late) && IsSaidNotToBe(execution, late.Row)) facts.Violated(this, $"{execution.DeviceId} executes {late.Id}, which is recorded as {late.Row.Outcome}: {late.Row.Error}.");
            return;
        }

        CheckAttempts(happened.Batch!, facts);
        foreach (var line in happened.Batch!.Log)
        {
            if (line is { From: CommandState.Executing, To: CommandState.Failed }) _ofTheirWorker.Add(line.CommandSeq);
        }

        foreach (var row in happened.Batch.ChangedCommands)
        {
            if (!facts.Commands.TryGetValue(row.Spec.CommandId, out var command) || command.IsTerminal) continue;
            if (Doubts.Wrong(in row, command, happened.Batch, facts) is { } doubt) facts.Violated(this, doubt);
            if (row.State is not (CommandState.Success or CommandState.Failed)) continue;
            Check(row, command, facts);
            CheckOutcome(row, facts);
        }

        _ofTheirWorker.Clear();
    }

    /// <summary>A Worker's word, in time, that it does not know what became of an attempt.</summary>
    private void Note(in SimEvent taken, Facts facts)
    {
        if (taken.Node != facts.Holder || taken.Message is not { Action: OrkAction.CommandResult, Status: CommandStatus.Unknown, CommandId: { } id } || taken.Connection!.Facts is not { Peer.Kind: NodeKind.Worker }) return;
        if (_asked.Remove((taken.Connection.Link, taken.Correlation), out var asked) && asked.Ticks > facts.AwakeTicks && taken.Ticks - asked.Ticks < facts.World.Attempts.Shortest.Ticks - Look - facts.World.WorstLateness.Ticks) _unknown[id] = asked.Attempt;
    }

    /// <summary>A Worker that is not at a command says why: its journal failed, knows of it, or there was no place.</summary>
    private void CheckSilence(long ticks, Facts facts)
    {
        var patience = Moment + (3 * facts.World.Scenario.Fleet.JournalWrite.Max.Ticks) + (2 * facts.World.WorstLateness.Ticks);
        foreach (var link in facts.WorkerLinks)
        {
            if (link.Peer is not { IsUp: true, Frozen: false } worker || !link.KernelSide.Other.IsOpen || !facts.World.IsHonest(worker.Name)) continue;
            foreach (var (asked, about, _, _, _) in link.Questions.Values)
            {
                if (about is not null && ticks - Math.Max(asked, worker.AwakeTicks) > patience && !_begun.Contains((worker, worker.Life, about))) facts.Violated(this, $"{worker} took {about} {SimDefaults.Seconds(ticks - asked)} s ago, has not begun it, and says nothing.");
            }
        }
    }

    /// <summary>What a Worker cannot tell the outcome of, and what may not be repeated, is not tried again.</summary>
    private void CheckAttempts(CommitBatch batch, Facts facts)
    {
        if (_unknown.Count == 0) return;
        foreach (var line in batch.Log)
        {
            if (line.To == CommandState.Dispatched && facts.BySeq(line.CommandSeq) is { Row.Spec.Idempotent: false } command && _unknown.TryGetValue(command.Id, out var attempt) && line.Attempt == attempt + 1) facts.Violated(this, $"{command.Id} may not be repeated, its Worker did not know what became of attempt {attempt}, and another is made.");
        }
    }

    private void CheckWorker(in SimEvent sent, Facts facts)
    {
        if (sent.Message is { Action: OrkAction.CommandResult, CommandId: { } about } answer) CheckWord(in sent, about, answer, facts);
        else if (sent.Message is { Action: OrkAction.StateResponse }) CheckStates(in sent, facts);
    }

    /// <summary>Who asks a Worker for its state, and names no device, is told of each; who names one, of that one.</summary>
    private void CheckStates(in SimEvent sent, Facts facts)
    {
        var answer = sent.Payload.Span;
        if (facts.World.Ports.Worker is not null || !facts.World.IsHonest(sent.Node!.Name) || answer.IndexOf("\"REJECTED\""u8) >= 0) return;
        if (answer.IndexOf("\"deviceId\":null"u8) < 0)
        {
            if (answer.IndexOf("\"state\":{\"mode\":"u8) < 0) facts.Violated(this, $"{sent.Node} is asked for one device's state, and tells another thing.");
            return;
        }

        foreach (var worker in facts.World.Workers)
        {
            if (worker.Node != sent.Node) continue;
            foreach (var device in worker.DeviceIds)
            {
                if (answer.IndexOf(Encoding.UTF8.GetBytes($"\"{device}\":")) < 0) facts.Violated(this, $"{sent.Node} tells the states of its devices, and nothing of {device}.");
            }
        }
    }

    /// <summary>Where its handler came to an end for this attempt, that is what its Worker says.</summary>
    private void CheckWord(in SimEvent sent, string about, WireMessage answer, Facts facts)
    {
        if (sent.Connection!.Facts is not { } link || !facts.World.IsHonest(sent.Node!.Name) || !link.Outstanding.TryGetValue(sent.Correlation, out var asked) || asked.CommandId != about) return;
        if (answer.Status == CommandStatus.Unknown) _asked[(sent.Connection.Link, sent.Correlation)] = (asked.Attempt, asked.Ticks);
        if (answer.Error?.StartsWith(ErrorCodes.JournalFailed.Code, StringComparison.Ordinal) == true && JournalOf(sent.Node, facts).FailedTicks < asked.Ticks) facts.Violated(this, $"{sent.Node} says of {about} that its journal failed, which it did not since it was asked.");

        if (answer.Error?.StartsWith(ErrorCodes.WorkerBusy.Code, StringComparison.Ordinal) == true && WorkerOf(sent.Node, facts).AtWork.IsAt(about)) facts.Violated(this, $"{sent.Node} has no place for {about}, which it is at.");

        // It is at it, or has its end; only one that was started again since can have lost it.
        if (answer.Status == CommandStatus.Unknown && JournalOf(sent.Node, facts).FailedTicks < 0 && _begun.Contains((sent.Node, sent.Node.Life, about))) facts.Violated(this, $"{sent.Node} says that it does not know of {about}, which it began itself since it was started.");
        if (!_handled.TryGetValue((sent.Node, about, asked.Attempt, link.Epoch), out var handled)) return;
        if (handled.Succeeded != (answer.Status == CommandStatus.Success)) facts.Violated(this, $"{sent.Node} says of {about} {answer.Status}, {answer.Error}; its handler {(handled.Succeeded ? "succeeded" : "failed")}.");
        else if (handled.Error != answer.Error) facts.Violated(this, $"{sent.Node} says of {about} {answer.Error}; its handler said {handled.Error}.");
    }

    private static SimJournal JournalOf(SimNode node, Facts facts) => WorkerOf(node, facts).Journal;

    private static SimWorker WorkerOf(SimNode node, Facts facts) => facts.World.Workers.First(worker => worker.Node == node);

    private void Check(CommandRow row, CommandFacts command, Facts facts)
    {
        // Of a Worker that executes and says that it did not begin nobody can know.
        if (row.Outcome == CommandOutcome.NotStarted && command.Executions.Find(execution => facts.World.IsHonest(execution.WorkerId)) is { } executed) facts.Violated(this, $"{command.Id} is recorded as not started, and {executed.DeviceId} executed it.");
        if (row.State == CommandState.Success && !command.Answers.Exists(answer => answer.Status == CommandStatus.Success && SameResult(row, answer)))
        {
            facts.Violated(this, $"{command.Id} becomes SUCCESS with a result that its Worker did not answer.");
        }

        if (row.State == CommandState.Failed && Array.Exists(NoEnds, code => row.Error?.StartsWith(code.Code, StringComparison.Ordinal) == true))
        {
            facts.Violated(this, $"{command.Id} becomes FAILED for good: {row.Error}; its Worker could not take it just then.");
        }

        if (row is { State: CommandState.Failed, Outcome: CommandOutcome.Failed } && !command.Answers.Exists(answer => answer.Status is CommandStatus.Failed or CommandStatus.Rejected && SameError(row, answer) && SameResult(row, answer)))
        {
            facts.Violated(this, $"{command.Id} becomes FAILED by its Worker, {row.Error}, which did not answer so, or with another result.");
        }
    }

    /// <summary>What is known of the device: from EXECUTING a command fails by its Worker's word alone; who was fenced off says nothing of what an earlier attempt did.</summary>
    private void CheckOutcome(in CommandRow row, Facts facts)
    {
        var isFenced = row.Error?.StartsWith(ErrorCodes.StaleEpoch.Code, StringComparison.Ordinal) == true;
        var isRight = row.Outcome switch
        {
            CommandOutcome.None => row.State == CommandState.Success,
            CommandOutcome.Failed => row.State == CommandState.Failed && !isFenced,
            CommandOutcome.NotStarted => row.State == CommandState.Failed && row.DoubtfulFrom == 0,
            _ => row.State == CommandState.Failed && row.DoubtfulFrom > 0 && (isFenced || !_ofTheirWorker.Contains(row.Seq)),
        };
        if (!isRight) facts.Violated(this, $"{row.Spec.CommandId} ends {row.State}, {row.Error}, with the outcome {row.Outcome}, at attempt {row.Attempt}{(row.DoubtfulFrom > 0 ? "" : ", and none can have been begun")}.");
    }

    /// <summary>Of a long one the beginning is kept; one that gives no reason failed in its handler.</summary>
    private static bool SameError(in CommandRow row, WireMessage answer) =>
        (answer.Error ?? ErrorCodes.HandlerFailed.Code) is var told && (told == row.Error || row.Error is { Length: Bounds.MostOfAnError } kept && told.StartsWith(kept, StringComparison.Ordinal));

    /// <summary>What is too large is not kept.</summary>
    private static bool SameResult(in CommandRow row, WireMessage answer) => row.Result.Span.SequenceEqual(answer.Result.Span) || row.Result.Length < answer.Result.Length && row.Result.Span.IndexOf("TOO_LARGE"u8) >= 0;

    private static bool IsSaidNotToBe(Execution execution, in CommandRow row) => row.State == CommandState.Failed
        && (row.Outcome == CommandOutcome.NotStarted || row.Outcome == CommandOutcome.Failed && row.Attempt == execution.Attempt && row.Spec.Targets is null);
}
