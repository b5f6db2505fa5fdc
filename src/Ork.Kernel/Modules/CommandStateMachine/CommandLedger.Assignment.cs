using Ork.Protocol;

namespace Ork.Kernel;

// What is assigned when, and how it leaves: a Worker's window, its circuit and health, the budget of retries, and its link's output.
internal sealed partial class CommandLedger
{
    private readonly List<WorkerEntry> _toDrive = [];
    private readonly HashSet<WorkerEntry> _isToDrive = [];
    private bool _drivesLater;

    /// <inheritdoc/>
    public void Drive(WorkerEntry worker, Turn turn)
    {
        if (_drivesLater)
        {
            if (_isToDrive.Add(worker)) _toDrive.Add(worker);
            return;
        }

        AssignNext(worker, turn);
        while (_locks.TryTakeNudged(out var nudged)) AssignNext(nudged, turn);
    }

    /// <summary>From here on nothing is assigned until <see cref="AssignAll"/>: several things are due at once, and all are heard before any of them is acted on.</summary>
    internal void AssignLater() => _drivesLater = true;

    /// <summary>Assigns what may be assigned since <see cref="AssignLater"/>.</summary>
    internal void AssignAll(Turn turn)
    {
        _drivesLater = false;
        foreach (var worker in _toDrive) Drive(worker, turn);
        _toDrive.Clear();
        _isToDrive.Clear();
    }

    /// <summary>
    /// A Worker's link can take output again, or the Worker is well again: what was held back leaves, in order. Not to one that turned sick meanwhile (S7):
    /// there it waits for its attempt's timeout, or for the Worker's recovery.
    /// </summary>
    internal void SendHeldBack(WorkerEntry worker, Turn turn)
    {
        if (!_queues.TryGetValue(worker, out var queue)) return;
        var isFree = false;
        while (worker.Link is { Congested: false } && IsRoutable(worker) && _circuits.Admits(worker) && queue.FirstHeldBack is { } command)
        {
            if (IsLate(command, turn))
            {
                LeaveFlight(command);
                EndLate(command, turn);
                isFree = true;
                continue;
            }

            WorkerQueue.LetGo(command);
            Send(command, turn);
        }

        if (isFree) Drive(worker, turn);
    }

    private void AssignNext(WorkerEntry worker, Turn turn)
    {
        if (_draining || !_queues.TryGetValue(worker, out var queue)) return;
        while (queue.HasPlace && IsRoutable(worker) && _circuits.Admits(worker) && _locks.NextFor(worker) is { } command)
        {
            if (IsLate(command, turn)) EndLate(command, turn);
            else if (FitsTheBudget(command, turn)) Assign(command, queue, turn);
            else AwaitTheBudget(command, turn);
        }
    }

    /// <summary>
    /// True where an open command's deadline has passed, by the clock that its timer goes by: the wall clock may stand a moment before it, or jump. The timer may have elapsed while the command
    /// was executing, or not yet: a kernel that stood still takes what came meanwhile before its own timers.
    /// </summary>
    private static bool IsLate(Command command, Turn turn) => command.DeadlineTimer is not { IsSet: true } deadline || deadline.DueMs <= turn.NowMs;

    private void EndLate(Command command, Turn turn) => Settle(command, CommandTrigger.DeadlinePassed, ErrorCodes.Deadline.Code, Doubt(command), turn);

    private bool IsRoutable(WorkerEntry worker) => worker.IsLinkedAndReady && _health.IsRoutable(worker);

    /// <summary>First attempts always fit, and so does the repetition of what a kernel's stop interrupted, or a Worker had no place for: none of these is a Worker's failure.</summary>
    private bool FitsTheBudget(Command command, Turn turn) => !command.SentEver || command.Blameless || _circuits.TryTakeRetry(turn.NowMs);

    private void AwaitTheBudget(Command command, Turn turn)
    {
        _observer.Note(KernelEvent.RetryDelayed, command.Spec.CommandId);
        _locks.Rest(command);
        WakeAfter(command, _entropy.FullJitterMs(0, _retryWaitMs, _retryWaitMs), turn);
    }

    private void Assign(Command command, WorkerQueue queue, Turn turn)
    {
        _locks.Acquire(command);
        queue.InFlight++;
        command.Attempt++;
        Move(command, CommandTrigger.Assign, turn);
        if (!command.Worker.Link!.Congested)
        {
            Send(command, turn);
            return;
        }

        _observer.Note(KernelEvent.SendHeldBack, command.Spec.CommandId);
        queue.HoldBack(command);
        command.Timer ??= new WheelTimer(command, _timerElapsed);
        _timers.Set(command.Timer, turn.NowMs + command.Spec.TimeoutMs);
    }

    private void Send(Command command, Turn turn)
    {
        if (command.Timer is { } timer) TimerWheel.Cancel(timer);
        if (!command.SentEver) _circuits.FirstAttempt(turn.NowMs);
        command.SentEver = true;
        if (!command.IsInDoubt) command.DoubtfulFrom = command.Attempt;
        Move(command, CommandTrigger.Send, turn);
        command.Ask = _exchanges.Send(
            command.Worker.Link!, OrkAction.CommandRequest, CommandPayload.ToWorker(turn, command, _epoch), command.Spec.TimeoutMs, this, command,
            turn.AfterCommit, turn, deviceId: command.Spec.DeviceId, attempt: command.Attempt, leaveByMs: command.DeadlineTimer!.DueMs);
    }
}
