using Ork.Protocol;

namespace Ork.Kernel;

/// <summary>
/// The Command State Machine: every accepted command from QUEUED to its end. Each transition is recorded in the turn that makes it, so what it
/// leads to leaves the kernel only after it is durable (S1).
/// </summary>
internal sealed partial class CommandLedger : ICommandLedger, IAnswerHandler
{
    private const int MaxErrorLength = 1_024;

    // In a row: one that stands still for that long an operator wants to hear of.
    private const int BusyToTell = 5;

    private readonly CommandOptions _options;
    private readonly ModuleMachine<CommandState, CommandTrigger> _machine;
    private readonly IWorkerRoutes _routes;
    private readonly IHealth _health;
    private readonly ICircuits _circuits;
    private readonly IDeviceLocks _locks;
    private readonly Exchanges _exchanges;
    private readonly TimerWheel _timers;
    private readonly IEntropy _entropy;
    private readonly Answers _answers;
    private readonly IKernelObserver _observer;
    private readonly long _epoch;
    private readonly long _retryWaitMs;
    private readonly Dictionary<string, Command> _byId = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Caller, string Key), Command> _byKey = [];
    private readonly Dictionary<WorkerEntry, WorkerQueue> _queues = [];
    private readonly Queue<Command> _settled = new();
    private readonly WheelTimer _retention;
    private readonly Action<object, Turn> _timerElapsed;
    private readonly Action<object, Turn> _restElapsed;
    private readonly Action<object, Turn> _deadlinePassed;
    private readonly Action<object, Turn> _waitEnded;
    private long _lastSeq;
    private long _openBytes;
    private bool _draining;

    internal CommandLedger(
        CommandOptions options, ModuleMachine<CommandState, CommandTrigger> machine, IWorkerRoutes routes, IHealth health, ICircuits circuits,
        IDeviceLocks locks, Exchanges exchanges, TimerWheel timers, IEntropy entropy, Answers answers, IKernelObserver observer, long epoch, long retryWaitMs)
    {
        _options = options;
        _machine = machine;
        _routes = routes;
        _health = health;
        _circuits = circuits;
        _locks = locks;
        _exchanges = exchanges;
        _timers = timers;
        _entropy = entropy;
        _answers = answers;
        _observer = observer;
        _epoch = epoch;
        _retryWaitMs = retryWaitMs;
        _retention = new WheelTimer(turn => Compact(turn));
        _timerElapsed = (command, at) => TimerElapsed((Command)command, at);
        _restElapsed = (worker, at) => Drive((WorkerEntry)worker, at);
        _deadlinePassed = (command, at) => DeadlinePassed((Command)command, at);
        _waitEnded = (wait, at) => EndWait((CommandWait)wait, at);
    }

    /// <summary>Commands not settled; never above the limit (S12).</summary>
    internal int Open => _locks.Open;

    /// <summary>What their parameters and targets take, in bytes; never above the limit (S12).</summary>
    internal long OpenBytes => _openBytes;

    /// <summary>Settled commands still readable; never above the limit (S12).</summary>
    internal int Settled => _settled.Count;

    /// <summary>Commands assigned or sent, over all Workers.</summary>
    internal int InFlight => _queues.Values.Sum(queue => queue.InFlight);

    /// <summary>Commands accepted since this start.</summary>
    internal long AcceptedTotal { get; private set; }

    /// <summary>Commands that succeeded since this start.</summary>
    internal long SucceededTotal { get; private set; }

    /// <summary>Commands that failed since this start.</summary>
    internal long FailedTotal { get; private set; }

    /// <summary>Every command known, for comparison with the store (S16).</summary>
    internal IEnumerable<Command> All => _byId.Values;

    /// <inheritdoc/>
    public Command? FindByKey(string caller, string key) => _byKey.GetValueOrDefault((caller, key));

    /// <inheritdoc/>
    public Refusal? Admit(long requestBytes) =>
        requestBytes > _options.MaxRequestBytes ? Refusal.With(ErrorCodes.PayloadFieldInvalid, $"params and targets exceed {_options.MaxRequestBytes} bytes")
        : _openBytes + requestBytes > _options.MaxOpenBytes ? ErrorCodes.QueueFull
        : null;

    /// <inheritdoc/>
    public Command Accept(CommandSpec spec, WorkerEntry worker, Turn turn)
    {
        var command = new Command(++_lastSeq, spec, worker);
        AcceptedTotal++;
        Index(command);
        Move(command, CommandTrigger.Accept, turn);
        TrackOpen(command, turn);
        _locks.Want(command);
        Drive(worker, turn);
        return command;
    }

    /// <summary>How many commands of a Worker wait and are in flight.</summary>
    internal (int Queued, int InFlight) DepthOf(WorkerEntry worker) =>
        _queues.TryGetValue(worker, out var queue) ? (_locks.OpenOf(worker) - queue.InFlight, queue.InFlight) : (0, 0);

    /// <summary>A Worker's link is gone. Commands that were sent have been told by their exchange; those held back are told here.</summary>
    internal void LinkLost(WorkerEntry worker, Turn turn)
    {
        if (!_queues.TryGetValue(worker, out var queue)) return;
        while (queue.FirstHeldBack is { } command) EndAttempt(command, CommandTrigger.LinkLost, turn);
    }

    /// <summary>A Worker is out of service for good: nothing of it is sent any more.</summary>
    internal void Abandon(WorkerEntry worker, Turn turn)
    {
        foreach (var command in OpenOf(worker)) GiveUpUnsent(command, CommandTrigger.Abandon, ErrorCodes.WorkerTerminated, turn);
    }

    /// <summary>Devices left a Worker: queued commands follow their device, or end where it has no owner any more.</summary>
    internal void DevicesLeft(WorkerEntry formerOwner, Turn turn)
    {
        foreach (var command in OpenOf(formerOwner)) FollowDevice(command, turn);
    }

    private void Enqueue(Command command, Turn turn)
    {
        _locks.Want(command);
        FollowDevice(command, turn);
    }

    /// <summary>
    /// Makes a queued command follow its device, whenever it comes to the queue or the device leaves: no Worker is sent a command for a device that is no longer
    /// its own (S6). A wider command has one Worker for all its devices and cannot follow one of them: it ends.
    /// </summary>
    private void FollowDevice(Command command, Turn turn)
    {
        if (command.State != CommandState.Queued) return;
        if (command.Spec.DeviceId is not { } deviceId)
        {
            if (command.Spec.Targets?.FirstOrDefault(target => _routes.FindDevice(target)?.Owner != command.Worker) is not { } gone) return;
            GiveUpUnsent(command, CommandTrigger.Abandon, Refusal.With(ErrorCodes.DeviceNotFound, $"{gone} left {command.Worker.WorkerId}"), turn);
            return;
        }

        var owner = _routes.FindDevice(deviceId)?.Owner;
        if (owner == command.Worker) return;
        if (owner is null) GiveUpUnsent(command, CommandTrigger.Abandon, ErrorCodes.DeviceNotFound, turn);
        else if (command.IsInDoubt && !command.Spec.Idempotent) GiveUpUnsent(command, CommandTrigger.Abandon, ErrorCodes.OutcomeUnknown, turn);
        else Reroute(command, owner, turn);
    }

    /// <summary>A Worker comes back without the journal that it had, or with one that does not know what was sent before: what only the journal made safe to repeat ends (S3).</summary>
    internal void JournalReplaced(WorkerEntry worker, Turn turn)
    {
        var inDoubt = OpenOf(worker).Where(static command => command.IsInDoubt && !command.Spec.Idempotent).ToArray();
        _observer.Note(KernelEvent.JournalReplaced, worker.WorkerId, $"{inDoubt.Length} commands end as unknown");
        foreach (var command in inDoubt) GiveUpUnsent(command, CommandTrigger.Abandon, ErrorCodes.OutcomeUnknown, turn);
    }

    /// <summary>
    /// A Worker is registered, perhaps with another contract than its commands were accepted under: those it lacks end. The others are driven.
    /// </summary>
    internal void WorkerReady(WorkerEntry worker, Turn turn)
    {
        if (_queues.TryGetValue(worker, out var queue)) queue.Reopen();
        foreach (var command in OpenOf(worker))
        {
            if (worker.Contract!.Find(command.Spec.Command) is null) GiveUpUnsent(command, CommandTrigger.Abandon, Refusal.With(ErrorCodes.CommandNotInCapabilities, command.Spec.Command), turn);
        }

        Drive(worker, turn);
    }

    /// <summary>The kernel stops: nothing is assigned any more.</summary>
    internal void Drain() => _draining = true;

    /// <summary>The kernel stops now: what is in flight is left for the next start to decide.</summary>
    internal void ShutDown(Turn turn)
    {
        foreach (var command in _byId.Values.Where(command => command.InFlight).OrderBy(command => command.Seq).ToArray())
        {
            LeaveFlight(command);
            Move(command, CommandTrigger.ShuttingDown, turn);
        }
    }

    /// <inheritdoc/>
    public void Answered(Ask ask, in Envelope answer, Turn turn)
    {
        var command = (Command)ask.Subject;
        var refusal = CommandResultPayload.Read(answer.Payload, out var result);
        if (refusal is null && result.CommandId != command.Spec.CommandId) refusal = Refusal.With(ErrorCodes.WorkerAnswerInvalid, "another commandId");
        if (refusal is not null)
        {
            _exchanges.Invalid(ask, refusal.Text, turn);
        }
        else if (command.IsTerminal)
        {
            _observer.Note(KernelEvent.LateAnswerIgnored, command.Spec.CommandId);
        }
        else if (command.State == CommandState.Executing && command.Attempt == ask.Attempt)
        {
            TakeAnswer(command, ask.Attempt, in result, turn);
        }
        else
        {
            TakeLateAnswer(command, ask.Attempt, in result, turn);
        }
    }

    /// <inheritdoc/>
    public void Unanswered(Ask ask, ErrorCode why, Turn turn)
    {
        var command = (Command)ask.Subject;
        if (command.State != CommandState.Executing || command.Attempt != ask.Attempt) return;
        if (!ask.HasLeft) WasNotBegun(command, ask.Attempt);
        EndAttempt(command, why == ErrorCodes.LinkLost ? CommandTrigger.LinkLost : ask.HasLeft ? CommandTrigger.AttemptTimedOut : CommandTrigger.Withdrawn, turn);
    }

    /// <summary>Why no further attempt may be made, ever; null where one may. What was stopped and never begun is cancelled.</summary>
    private static ErrorCode? WhyNoFurtherAttempt(Command command) =>
        !command.IsInDoubt ? command.StopRequested ? ErrorCodes.Cancelled : null
        : command.StopRequested || !IsSafeToRepeat(command) ? ErrorCodes.OutcomeUnknown
        : null;

    private static bool IsSafeToRepeat(Command command) => command.Spec.Idempotent || command.Worker.HasJournal;

    private void TakeAnswer(Command command, int attempt, in CommandResultPayload result, Turn turn)
    {
        if (result.Status == CommandStatus.Success)
        {
            LeaveFlight(command);
            QueueOf(command.Worker).Taken();
            Settle(command, CommandTrigger.WorkerSucceeded, null, CommandOutcome.None, turn, result.Result);
            Drive(command.Worker, turn);
            return;
        }

        if (result.Status == CommandStatus.Unknown)
        {
            if (command.Spec.Idempotent) _observer.Note(KernelEvent.UnknownReexecuted, command.Spec.CommandId);
            EndAttempt(command, CommandTrigger.WorkerUnsure, turn);
            return;
        }

        if (WhyNotTaken(in result) is { } why)
        {
            WasNotBegun(command, attempt);
            EndAttempt(command, why, turn);
            return;
        }

        LeaveFlight(command);
        QueueOf(command.Worker).Taken();
        Settle(command, CommandTrigger.WorkerFailed, result.Error ?? ErrorCodes.HandlerFailed.Code, OutcomeOf(command, attempt, result.Error), turn, result.Result);
        Drive(command.Worker, turn);
    }

    private void TakeLateAnswer(Command command, int attempt, in CommandResultPayload result, Turn turn)
    {
        var failedForGood = result.Status == CommandStatus.Failed && command.State != CommandState.Executing && WhyNotTaken(in result) is null;
        if (result.Status != CommandStatus.Success && !failedForGood)
        {
            _observer.Note(KernelEvent.LateAnswerIgnored, command.Spec.CommandId);
            return;
        }

        _observer.Note(KernelEvent.LateAnswerSettled, command.Spec.CommandId);
        if (command.InFlight) LeaveFlight(command);
        if (result.Status == CommandStatus.Success) Settle(command, CommandTrigger.LateSuccess, null, CommandOutcome.None, turn, result.Result);
        else Settle(command, CommandTrigger.LateFailure, result.Error ?? ErrorCodes.HandlerFailed.Code, OutcomeOf(command, attempt, result.Error), turn, result.Result);
        Drive(command.Worker, turn);
    }

    /// <summary>A Worker that refuses a command for its epoch did not begin this attempt; of earlier ones that says nothing.</summary>
    private CommandOutcome OutcomeOf(Command command, int attempt, string? error)
    {
        if (error is null || !IsCode(error, ErrorCodes.StaleEpoch)) return CommandOutcome.Failed;
        _observer.Note(KernelEvent.Fenced, command.Worker.WorkerId, command.Spec.CommandId);
        WasNotBegun(command, attempt);
        return Doubt(command);
    }

    /// <summary>Why the Worker could not take the attempt just then, and did not begin it; null where it did not say so.</summary>
    private static CommandTrigger? WhyNotTaken(in CommandResultPayload result) =>
        result.Error is not { } error ? null
        : IsCode(error, ErrorCodes.WorkerBusy) ? CommandTrigger.WorkerBusy
        : IsCode(error, ErrorCodes.JournalFailed) ? CommandTrigger.JournalFailed
        : null;

    /// <summary>An attempt did not leave, or the Worker says that it did not begin it. Where that was the only one that it could have begun, nothing is in doubt any more.</summary>
    private static void WasNotBegun(Command command, int attempt)
    {
        if (command.DoubtfulFrom == attempt && command.Attempt == attempt) command.DoubtfulFrom = 0;
    }

    private static bool IsCode(string error, ErrorCode code) => error.StartsWith(code.Code, StringComparison.Ordinal);

    /// <summary>An attempt ended without a usable answer: through TIMEOUT to the next attempt or to the end.</summary>
    private void EndAttempt(Command command, CommandTrigger trigger, Turn turn)
    {
        LeaveFlight(command);
        if (trigger == CommandTrigger.WorkerBusy) LeaveAlone(command.Worker, turn);
        Move(command, trigger, turn);
        Decide(command, trigger, turn);
        Drive(command.Worker, turn);
    }

    /// <summary>
    /// TIMEOUT is left at once: retried if that is safe and the budget lasts, given up otherwise. That its Worker had no place for it is nobody's failure and uses up no retry and none of the
    /// budget: it is asked again, less and less often, until the deadline.
    /// </summary>
    private void Decide(Command command, CommandTrigger ended, Turn turn)
    {
        var isBusy = ended == CommandTrigger.WorkerBusy;
        var why = ended == CommandTrigger.WorkerUnsure && !command.Spec.Idempotent ? ErrorCodes.OutcomeUnknown
            : WhyNoFurtherAttempt(command) is { } forGood ? forGood
            : command.Worker.State == WorkerState.Terminated ? ErrorCodes.WorkerTerminated
            : IsLate(command, turn) ? ErrorCodes.Deadline
            : !isBusy && command.Retries >= _options.MaxRetries ? ErrorCodes.MaxRetriesExhausted
            : null;
        if (why is not null)
        {
            Settle(command, CommandTrigger.GiveUp, why.Code, Doubt(command), turn);
            return;
        }

        var delayMs = PauseMs(isBusy ? command.TimesBusy++ : command.Retries++);
        command.Blameless = isBusy;
        Move(command, CommandTrigger.Retry, turn);
        _observer.Note(KernelEvent.CommandRetry, command.Spec.CommandId);
        WakeAfter(command, delayMs, turn);
    }

    /// <summary>A Worker had no place for a command. Where it is at none, it is busy with what the kernel does not know of: nothing is sent to it for a while.</summary>
    private void LeaveAlone(WorkerEntry worker, Turn turn)
    {
        var queue = QueueOf(worker);
        queue.Refused();
        if (queue.InFlight > 0) return;
        if (queue.TimesBusy == BusyToTell) _observer.Note(KernelEvent.WorkerBusy, worker.WorkerId, $"no place {BusyToTell} times in a row, and at no command of this kernel's");
        queue.Rest ??= new WheelTimer(worker, _restElapsed);
        _timers.Set(queue.Rest, turn.NowMs + 1 + PauseMs(queue.TimesBusy));
    }

    private long PauseMs(int times) => _entropy.FullJitterMs(times, _options.BackoffBaseMs, _options.BackoffCapMs);

    private void WakeAfter(Command command, long delayMs, Turn turn)
    {
        command.Timer ??= new WheelTimer(command, _timerElapsed);
        _timers.Set(command.Timer, turn.NowMs + 1 + delayMs);
    }

    /// <summary>What is known of the device when a command ends without a Worker's word.</summary>
    private static CommandOutcome Doubt(Command command) => command.IsInDoubt ? CommandOutcome.Unknown : CommandOutcome.NotStarted;

    private void TimerElapsed(Command command, Turn turn)
    {
        if (command.State == CommandState.Dispatched)
        {
            EndAttempt(command, CommandTrigger.AttemptTimedOut, turn);
        }
        else if (command.State == CommandState.Queued)
        {
            Enqueue(command, turn);
            Drive(command.Worker, turn);
        }
    }

    private void DeadlinePassed(Command command, Turn turn)
    {
        if (command.State is CommandState.Queued or CommandState.Dispatched) GiveUpUnsent(command, CommandTrigger.DeadlinePassed, ErrorCodes.Deadline, turn);
    }

    /// <summary>Ends a command by a decision of the kernel's or a caller's; one that is executing is left to its answer or its timeout,
    /// one that a stopping kernel has put into TIMEOUT to the next start.</summary>
    private void GiveUpUnsent(Command command, CommandTrigger trigger, Refusal why, Turn turn)
    {
        if (command.State is not (CommandState.Queued or CommandState.Dispatched)) return;
        if (command.InFlight) LeaveFlight(command);
        Settle(command, trigger, why.Text, Doubt(command), turn);
        Drive(command.Worker, turn);
    }

    private void Reroute(Command command, WorkerEntry owner, Turn turn)
    {
        QueueOf(command.Worker).Open.Remove(command);
        _locks.Reassign(command, owner);
        QueueOf(owner).Open.Add(command);
        turn.Touch(command);
        _observer.Note(KernelEvent.CommandRerouted, command.Spec.CommandId, owner.WorkerId);
        Drive(owner, turn);
    }

    private void LeaveFlight(Command command)
    {
        if (command.Timer is { } timer) TimerWheel.Cancel(timer);
        command.Ask = null;
        WorkerQueue.LetGo(command);
        QueueOf(command.Worker).InFlight--;
        _locks.Release(command);
    }

    private void Settle(
        Command command, CommandTrigger trigger, string? error, CommandOutcome outcome, Turn turn, ReadOnlyMemory<byte> result = default)
    {
        command.Error = error is { Length: > MaxErrorLength } ? error[..MaxErrorLength] : error;
        command.Outcome = outcome;
        command.Result = result.Length <= _options.MaxResultBytes ? result.ToArray() : CommandPayload.TooLarge(result.Length);
        Move(command, trigger, turn);
        if (command.Timer is { } timer) TimerWheel.Cancel(timer);
        if (command.DeadlineTimer is { } deadline) TimerWheel.Cancel(deadline);
        QueueOf(command.Worker).Open.Remove(command);
        _locks.Leave(command);
        _openBytes -= command.Spec.RequestBytes;
        if (command.State == CommandState.Success) SucceededTotal++;
        else FailedTotal++;
        AnswerWaits(command, turn);
        _observer.Settled(command.ToRow());
        Retain(command, _options.RetentionMs, turn);
    }

    private void Move(Command command, CommandTrigger trigger, Turn turn)
    {
        var from = command.State;
        if (!_machine.Fire(ref command.State, trigger, command.Spec.CommandId)) return;
        command.UpdatedAt = turn.UtcMs;
        turn.Touch(command);
        var detail = command.Error is null ? NameOf(trigger) : $"{trigger}: {command.Error}";
        turn.Records.Log.Add(new TransitionRow(command.Seq, ++command.Transitions, from, command.State, turn.UtcMs, command.Attempt, detail));
    }

    private static string NameOf(CommandTrigger trigger) => Enum.GetName(trigger)!;

    private void TrackOpen(Command command, Turn turn)
    {
        _openBytes += command.Spec.RequestBytes;
        QueueOf(command.Worker).Open.Add(command);
        _locks.Enter(command);
        command.DeadlineTimer = new WheelTimer(command, _deadlinePassed);
        _timers.Set(command.DeadlineTimer, turn.NowMs + Math.Max(1, command.Spec.DeadlineAt - turn.UtcMs));
    }

    private void Index(Command command)
    {
        _byId.Add(command.Spec.CommandId, command);
        if (command.Spec.IdempotencyKey is { } key) _byKey[(command.Spec.Caller, key)] = command;
    }

    private Command[] OpenOf(WorkerEntry worker) =>
        _queues.TryGetValue(worker, out var queue) ? [.. queue.Open.OrderBy(command => command.Seq)] : [];

    private WorkerQueue QueueOf(WorkerEntry worker)
    {
        if (!_queues.TryGetValue(worker, out var queue)) _queues.Add(worker, queue = new WorkerQueue(_options.WindowPerWorker));
        return queue;
    }
}
