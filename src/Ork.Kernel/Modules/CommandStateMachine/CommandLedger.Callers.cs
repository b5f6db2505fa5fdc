using Ork.Protocol;

namespace Ork.Kernel;

// What callers ask of the ledger: how a command stands, and that it stop.
internal sealed partial class CommandLedger
{
    private readonly Dictionary<long, HashSet<CommandWait>> _waitsOfSession = [];
    private int _waits;

    /// <summary>Questions that wait for a command's end, over all callers.</summary>
    internal int LongPolls => _waits;

    /// <summary>Answers <c>command.status</c>, at the command's end or after <c>waitMs</c> where the caller waits.</summary>
    internal void Status(in CallerRef caller, in CommandQueryPayload query, Turn turn)
    {
        if (!_byId.TryGetValue(query.CommandId, out var command))
        {
            _answers.RefuseAfterCommit(turn, caller, ErrorCodes.CommandNotFound);
            return;
        }

        if (query.WaitMs == 0 || command.IsTerminal || _waits >= _options.MaxWaiters)
        {
            _answers.AfterCommit(turn, caller, CommandPayload.Status(turn, command));
            return;
        }

        var wait = new CommandWait(command, caller.Keep());
        wait.Timer = new WheelTimer(wait, _waitEnded);
        _timers.Set(wait.Timer, turn.NowMs + query.WaitMs);
        (command.Waits ??= new List<CommandWait>(1)).Add(wait);
        if (!_waitsOfSession.TryGetValue(caller.Session, out var waits)) _waitsOfSession.Add(caller.Session, waits = []);
        waits.Add(wait);
        _waits++;
    }

    /// <summary>
    /// Answers <c>command.cancel</c>: cancelled only if no attempt can have been begun; otherwise no further one is made, and the command ends with a late
    /// answer, in doubt, or cancelled after all where its Worker refused it unbegun. An attempt that waits for the disk does not leave any more.
    /// </summary>
    internal void Cancel(in CallerRef caller, string commandId, Turn turn)
    {
        if (!_byId.TryGetValue(commandId, out var command))
        {
            _answers.RefuseAfterCommit(turn, caller, ErrorCodes.CommandNotFound);
            return;
        }

        // One that a stopping kernel has put into TIMEOUT is the next start's to end.
        var isOpen = !command.IsTerminal;
        if (isOpen && !command.IsInDoubt && command.State is CommandState.Queued or CommandState.Dispatched) GiveUpUnsent(command, CommandTrigger.Cancel, ErrorCodes.Cancelled, turn);
        else if (isOpen) Stop(command, turn);
        var cancelled = isOpen && command.IsTerminal && !command.IsInDoubt;
        var stopped = isOpen && !cancelled;
        if (stopped) _observer.Note(KernelEvent.CommandStopped, command.Spec.CommandId);
        _answers.AfterCommit(turn, caller, CommandPayload.Cancelled(turn, command, cancelled, stopped));
    }

    private void Stop(Command command, Turn turn)
    {
        command.StopRequested = true;
        turn.Touch(command);
        if (command.Ask is { HasLeft: false } waiting) _exchanges.Withdraw(waiting, ErrorCodes.Cancelled, turn);
        else GiveUpUnsent(command, CommandTrigger.Cancel, ErrorCodes.OutcomeUnknown, turn);
    }

    /// <summary>A caller's link is gone: nobody waits there any more.</summary>
    internal void CallerGone(long session)
    {
        if (!_waitsOfSession.Remove(session, out var waits)) return;
        foreach (var wait in waits)
        {
            TimerWheel.Cancel(wait.Timer!);
            wait.Command.Waits?.Remove(wait);
            _waits--;
        }
    }

    private void AnswerWaits(Command command, Turn turn)
    {
        if (command.Waits is not { Count: > 0 } waits) return;
        command.Waits = null;
        foreach (var wait in waits)
        {
            TimerWheel.Cancel(wait.Timer!);
            EndWait(wait, turn);
        }
    }

    private void EndWait(CommandWait wait, Turn turn)
    {
        wait.Command.Waits?.Remove(wait);
        if (_waitsOfSession.TryGetValue(wait.Caller.Session, out var waits))
        {
            waits.Remove(wait);
            if (waits.Count == 0) _waitsOfSession.Remove(wait.Caller.Session);
        }

        _waits--;
        _answers.AfterCommit(turn, wait.Caller, CommandPayload.Status(turn, wait.Command));
    }
}
