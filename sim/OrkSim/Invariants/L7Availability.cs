using Ork.Kernel;
using Ork.Protocol;

namespace OrkSim;

/// <summary>L7: a Worker that answers is not taken for sick, nor for dead before it has missed enough pings in a row; a command for one that is well is not refused for its Worker's sake, none is refused for want of room where there is room, what is in order is refused for no reason that only a mistake gives, and what is not, for its mistake, a refusal for what may pass says when to ask again, a Worker refuses no question that it can answer, and what may be tried again is not given up as if nobody could know.</summary>
public sealed class Availability : IInvariant
{
    // What has ended, its Worker hears of a moment later.
    private static readonly long JustEnded = TimeSpan.FromMilliseconds(50).Ticks;

    private static readonly long Settle = TimeSpan.FromSeconds(2).Ticks;
    private static readonly ErrorCode[] ForTheWorkersSake = [ErrorCodes.WorkerNotRoutable, ErrorCodes.WorkerNotFound, ErrorCodes.DeviceNotFound, ErrorCodes.CircuitOpen, ErrorCodes.CommandNotInCapabilities];

    // Whether these leave a device where it was is their own affair, and a kernel that was replaced knows nothing.
    private static readonly string[] Movers = ["device-move", "worker-terminate", "worker-refit", "byzantine", "two-kernels"];

    /// <inheritdoc/>
    public string Id => "L7";

    /// <inheritdoc/>
    public string Says => "A Worker that answers is not taken for sick, nor for dead before it has missed enough pings in a row; a command for one that is well is not refused for its Worker's sake, none is refused for want of room where there is room, what is in order is refused for no reason that only a mistake gives, and what is not, for its mistake, a refusal for what may pass says when to ask again, a Worker refuses no question that it can answer, and what may be tried again is not given up as if nobody could know.";

    /// <inheritdoc/>
    public SimEventKind Hears => SimEventKind.Asked | SimEventKind.Answered | SimEventKind.FrameSent | SimEventKind.FrameTaken | SimEventKind.NodeUp | SimEventKind.Note | SimEventKind.StoreOpened | SimEventKind.CommitApplying | SimEventKind.LinkEnded;

    private readonly Dictionary<ulong, long> _asked = [];
    private readonly Dictionary<SimNode, int> _atWork = [];
    private readonly Dictionary<string, long> _linked = new(StringComparer.Ordinal);
    private readonly MissedPings _missed = new();

    // Of whom the store told the kernel what they can.
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);
    private readonly Room _room = new();

    // On which disk each Worker's journal was when it was last linked, and when that was another than the time before.
    private readonly Dictionary<string, (int Disk, long ReplacedTicks)> _journals = new(StringComparer.Ordinal);

    // When callers last lost links with kernels that did not hold the store.
    private readonly Dictionary<SimNode, long> _elsewhere = [];

    // When each device was given to another Worker.
    private readonly Dictionary<string, long> _movedTicks = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public void Hear(in SimEvent happened, Facts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        if (happened.Kind is SimEventKind.FrameSent or SimEventKind.FrameTaken && happened.Node == facts.Holder) _missed.Pinged(in happened, facts);
        if (happened.Batch is { } batch)
        {
            if (happened.Node == facts.Holder) CheckGivenUp(batch, facts);
            foreach (var row in batch.Devices)
            {
                if (facts.Owners.GetValueOrDefault(row.DeviceId) != row.WorkerId) _movedTicks[row.DeviceId] = happened.Ticks;
            }

            _room.Committed();
        }
        else if (happened.Kind == SimEventKind.LinkEnded)
        {
            if (happened.Connection!.Facts is { Peer.Kind: NodeKind.Caller } link)
            {
                _room.LinkEnded(happened.Ticks);
                if (link.KernelSide.Owner != facts.Holder) _elsewhere[link.Peer] = happened.Ticks;
            }

            if (_missed.Ended(in happened, facts) is { } hasty) facts.Violated(this, hasty);
        }
        else if (happened.Node is { Kind: NodeKind.Worker } worker)
        {
            HearWorker(worker, in happened, facts);
        }
        else if (happened.Kind == SimEventKind.Note)
        {
            if (happened.Note == KernelEvent.LinkUp && happened.Subject is { } linked) HearLinked(linked, happened.Ticks, facts);
            if (happened.Note == KernelEvent.LinkDown && happened.Subject is { } lost) _linked.Remove(lost);
            if (happened is { Note: KernelEvent.WorkerSick, Subject: { } sick } && happened.Node == facts.Holder) CheckSick(sick, happened.Ticks, facts);
            if (_missed.Hear(in happened, facts) is { } tooSoon) facts.Violated(this, tooSoon);
        }
        else if (happened.Kind == SimEventKind.StoreOpened)
        {
            _missed.Clear();
            _known.Clear();
            foreach (var row in happened.Image!.Workers)
            {
                if (row is { Terminated: false, Contract.IsEmpty: false }) _known.Add(row.WorkerId);
            }
        }
        else if (happened.Kind == SimEventKind.Asked)
        {
            _asked.Add(happened.Correlation, happened.Ticks);
        }
        else if (happened.Kind == SimEventKind.Answered)
        {
            if (Refusals.OfCall(in happened, facts) is { } reasonless) facts.Violated(this, reasonless);

            // The refusal may be much older than its arrival, but not than the question.
            if (_asked.Remove(happened.Correlation, out var asked) && happened is { Detail: { } error, Call.Order: { } order } && IsOfHolder(happened.Node!, asked, facts)) CheckWorker(error, WorkerOf(order, asked, facts), asked, facts);
        }
        else if (happened is { Kind: SimEventKind.FrameSent, Frame: FrameKind.Response } && happened.Node == facts.Holder)
        {
            if (happened.Message is { Action: OrkAction.CommandResult, Status: CommandStatus.Rejected, Error: { } refused } && refused.StartsWith(ErrorCodes.QueueFull.Code, StringComparison.Ordinal) && _room.IsLeft(IsUrgent(in happened), happened.Ticks, facts) is { } left) facts.Violated(this, left);
            if (happened.Message is { Action: OrkAction.WorkerTerminateResponse or OrkAction.WorkerHoldResponse }) CheckFound(in happened, facts);
            if ((Refusals.OfKernel(in happened, facts) ?? Refusals.OfMistake(in happened)) is { } wrong) facts.Violated(this, wrong);
        }
    }

    /// <summary>True where only the kernel that holds the store can have been asked: of two, one may not know yet that it is none any more.</summary>
    private bool IsOfHolder(SimNode caller, long askedTicks, Facts facts) =>
        _elsewhere.GetValueOrDefault(caller, -1) < askedTicks && facts.CallerLinks.TrueForAll(link => link.Peer != caller || link.KernelSide.Owner == facts.Holder);

    private void HearLinked(string workerId, long ticks, Facts facts)
    {
        _linked[workerId] = ticks;
        if (facts.World.JournalOf(workerId).At is var disk && _journals.GetValueOrDefault(workerId).Disk != disk) _journals[workerId] = (disk, ticks);
    }

    /// <summary>An operator may say of every Worker that the store has what is to become of it, linked or not.</summary>
    private void CheckFound(in SimEvent refused, Facts facts)
    {
        if (refused.Payload.Span.IndexOf("ERR_WORKER_NOT_FOUND"u8) < 0 || !refused.Connection!.Facts!.Questions.TryGetValue(refused.Correlation, out var asked)) return;
        if (EnvelopeReader.Read(asked.Envelope, out var envelope) is not null || PayloadRules.ReadWorkerId(envelope.Payload, out var worker) is not null) return;
        if (facts.Workers.ContainsKey(worker) && !facts.CommitInFlight) facts.Violated(this, $"An operator is told that there is no {worker}, which is in the store.");
    }

    private static bool IsUrgent(in SimEvent refused) =>
        refused.Connection!.Facts!.Questions.TryGetValue(refused.Correlation, out var asked) && EnvelopeReader.Read(asked.Envelope, out var envelope) is null
        && CommandRequestPayload.Read(envelope.Payload, out var order) is null && order.Priority == CommandPriority.Urgent;

    /// <summary>What may be tried again, for it is declared safe or its Worker keeps a journal that knows of it, is not given up as if nobody could know.</summary>
    private void CheckGivenUp(CommitBatch batch, Facts facts)
    {
        var moves = facts.World.Scenario.Faults.Any(static fault => Movers.Contains(fault.Kind));
        foreach (var row in batch.ChangedCommands)
        {
            if (row is not { State: CommandState.Failed, StopRequested: false, Error: { } error } || !error.StartsWith(ErrorCodes.OutcomeUnknown.Code, StringComparison.Ordinal)) continue;
            if (facts.BySeq(row.Seq) is not { Row.Spec: var spec } command) continue;
            if (row.DoubtfulFrom == 0) facts.Violated(this, $"{spec.CommandId} is given up, {error}, though no attempt of it can have been begun.");
            else if (spec.Idempotent) facts.Violated(this, $"{spec.CommandId} is given up, {error}, though it is declared safe to repeat.");
            else if (!moves && IsKnown(command, facts) && !command.Answers.Exists(static answer => answer.Status == CommandStatus.Unknown)) facts.Violated(this, $"{spec.CommandId} is given up, {error}, though {row.WorkerId} keeps a journal.");
        }
    }

    /// <summary>True where the journal that its Worker keeps is the one that knows what became of it.</summary>
    private bool IsKnown(CommandFacts command, Facts facts) =>
        facts.World.KeepsJournal(command.Row.WorkerId) && (!_journals.TryGetValue(command.Row.WorkerId, out var journal) || command.BegunTicks > journal.ReplacedTicks);

    /// <summary>Whose an order is, or null where it names one Worker and the device of another, or a device that changed hands meanwhile.</summary>
    private string? WorkerOf(Ork.Client.CommandOrder order, long askedTicks, Facts facts)
    {
        if (order.DeviceId is not { } device) return order.WorkerId;
        if (_movedTicks.GetValueOrDefault(device) >= askedTicks) return null;
        var owner = facts.Owners.GetValueOrDefault(device);
        return order.WorkerId is null || order.WorkerId == owner ? owner : null;
    }

    /// <summary>A Worker is sick when it has no link, or missed a ping on it.</summary>
    private void CheckSick(string workerId, long ticks, Facts facts)
    {
        var late = TimeSpan.FromMilliseconds(facts.World.KernelOptions.Health.PingTimeoutMs - 300).Ticks;
        var links = facts.WorkerLinks.FindAll(link => link.Peer.Name == workerId && link.KernelSide.Owner == facts.Holder);
        if (links is not [{ Greeted: true, GreetingTaken: true } link] || !facts.World.IsHonest(workerId) || link.LastPongTook >= late) return;
        if (_linked.GetValueOrDefault(workerId) < link.OpenedTicks || link.Outstanding.Values.Any(asked => asked.Action == OrkAction.HealthPing && asked.Ticks + late <= ticks)) return;
        facts.Violated(this, $"{workerId} is taken for sick, and has missed no ping on its link.");
    }

    /// <summary>A Worker is busy when it has as many requests at work as it may. Those whose link was lost are counted on, though they may have ended.</summary>
    private void HearWorker(SimNode worker, in SimEvent happened, Facts facts)
    {
        if (happened.Kind == SimEventKind.NodeUp) _atWork[worker] = 0;
        else if (happened is { Kind: SimEventKind.FrameTaken, Frame: FrameKind.Request, Message: { } asked } && CircuitDiscipline.Counts(asked.Action)) _atWork[worker] = _atWork.GetValueOrDefault(worker) + 1;
        if (happened is not { Kind: SimEventKind.FrameSent, Frame: FrameKind.Response, Message: { } answer } || answer.Action is not (OrkAction.CommandResult or OrkAction.TelemetryResponse or OrkAction.StateResponse)) return;
        var most = Math.Min(facts.World.WorkerOptions.MaxHandlers, facts.World.WorkerOptions.MaxOverdueHandlers);
        if (facts.World.IsHonest(worker.Name) && happened.Payload.Span.IndexOf("ERR_WORKER_BUSY"u8) >= 0 && RequestsAt(worker, happened.Ticks, facts) is var requests && requests < most) facts.Violated(this, $"{worker} says it is busy with {requests} requests at work; {most} may be.");

        if (answer.Action != OrkAction.CommandResult && Refusals.OfWorker(worker, in happened, facts) is { } unwilling) facts.Violated(this, unwilling);

        if (answer is { Action: OrkAction.CommandResult, Status: CommandStatus.Unknown } && facts.World.IsHonest(worker.Name) && happened.Connection!.Facts!.Questions.TryGetValue(happened.Correlation, out var order) && order.Envelope.Span.IndexOf("\"reexecute\":true"u8) >= 0) facts.Violated(this, $"{worker} says that it does not know of {answer.CommandId}, which it has leave to carry out again.");
        _atWork[worker] = _atWork.GetValueOrDefault(worker) - 1;
    }

    /// <summary>Requests that a Worker has not answered, the one that is just being answered among them, and queries that ran out of time and whose handlers are at work still.</summary>
    private int RequestsAt(SimNode worker, long ticks, Facts facts)
    {
        var atWork = facts.World.Workers.First(each => each.Node == worker).AtWork;
        var overdue = atWork.Before(ticks - TimeSpan.FromMilliseconds(SimDefaults.Worker.QueryTimeoutMs).Ticks + 1, areQueries: true);
        return _atWork.GetValueOrDefault(worker) + overdue + atWork.EndedSince(ticks - JustEnded);
    }

    private void CheckWorker(string error, string? workerId, long ticks, Facts facts)
    {
        if (workerId is not null && error.StartsWith(ErrorCodes.WorkerNotRoutable.Code, StringComparison.Ordinal)) CheckKnown(workerId, ticks, facts);
        if (workerId is null || Array.Find(ForTheWorkersSake, code => error.StartsWith(code.Code, StringComparison.Ordinal)) is not { } why) return;
        var since = ticks - Settle - (2 * facts.World.WorstLateness.Ticks);
        if (facts.AwakeTicks > since || !facts.IsServed || facts.World.Scenario.Faults.Any(static fault => Movers.Contains(fault.Kind))) return;
        if (facts.Circuits.TryGetValue(workerId, out var circuit) && (circuit.State != KernelEvent.CircuitClosed || circuit.Ticks > since)) return;
        if (facts.LinkOf(workerId) is { ContractTaken: true, SickTicks: null, WellTicks: { } well } && well < since && facts.World.IsHonest(workerId)) facts.Violated(this, $"A command for {workerId}, which is well, is refused: {why.Code}.");
    }

    /// <summary>Commands for a Worker that the store has told of and that is not found dead wait for it, linked or not.</summary>
    private void CheckKnown(string workerId, long ticks, Facts facts)
    {
        if (!facts.IsServed || facts.HeldSinceTicks > ticks || facts.Deaths.TryGetValue(workerId, out var death) && (death.IsDead || death.Ticks > ticks)) return;
        if (_known.Contains(workerId) && !facts.World.IsGone(workerId)) facts.Violated(this, $"A command for {workerId}, which is known and not dead, is refused.");
    }
}
