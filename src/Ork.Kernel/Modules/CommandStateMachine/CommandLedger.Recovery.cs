using Ork.Protocol;

namespace Ork.Kernel;

// How the ledger comes back after a start, and how it lets settled commands go.
internal sealed partial class CommandLedger
{
    /// <summary>
    /// Loads the commands of the store and sweeps them: what was in flight goes through TIMEOUT to QUEUED or FAILED, past deadlines fail, the rest waits to
    /// be driven when its Worker is routable.
    /// </summary>
    internal void Load(KernelImage image, Turn turn)
    {
        var settled = new List<Command>();
        _byId.EnsureCapacity(image.Commands.Count);
        foreach (var row in image.Commands)
        {
            _lastSeq = Math.Max(_lastSeq, row.Seq);
            if (_routes.FindWorker(row.WorkerId) is not { } worker) continue;
            var command = FromRow(row, worker);
            Index(command);
            if (command.IsTerminal) settled.Add(command);
            else TrackOpen(command, turn);
        }

        foreach (var command in settled.OrderBy(command => command.UpdatedAt).ThenBy(command => command.Seq)) Retain(command, LeftOfRetentionMs(command, turn), turn);
        foreach (var command in _byId.Values.Where(command => !command.IsTerminal).OrderBy(command => command.Seq).ToArray()) Sweep(command, turn);
    }

    private static Command FromRow(CommandRow row, WorkerEntry worker) => new(row.Seq, row.Spec, worker)
    {
        State = row.State,
        Attempt = row.Attempt,
        Retries = row.Retries,
        Recoveries = row.Recoveries,
        Transitions = row.Transitions,
        SentEver = row.SentEver,
        DoubtfulFrom = row.DoubtfulFrom,
        StopRequested = row.StopRequested,
        Result = row.Result.ToArray(),
        Error = row.Error,
        Outcome = row.Outcome,
        UpdatedAt = row.UpdatedAt,
        Stored = true,
    };

    private void Sweep(Command command, Turn turn)
    {
        if (command.State == CommandState.Queued)
        {
            if (turn.UtcMs >= command.Spec.DeadlineAt) GiveUpUnsent(command, CommandTrigger.DeadlinePassed, ErrorCodes.Deadline, turn);
            else Enqueue(command, turn);
            return;
        }

        command.Recoveries++;
        command.Blameless = true;
        if (command.State != CommandState.Timeout) Move(command, CommandTrigger.Recovered, turn);
        var why = WhyNoFurtherAttempt(command) is { } forGood ? forGood
            : command.Worker.State == WorkerState.Terminated ? ErrorCodes.WorkerTerminated
            : command.Recoveries > _options.MaxRecoveries ? ErrorCodes.RecoveryExhausted
            : turn.UtcMs >= command.Spec.DeadlineAt ? ErrorCodes.Deadline
            : null;
        if (why is not null)
        {
            Settle(command, CommandTrigger.GiveUp, why.Code, Doubt(command), turn);
            return;
        }

        Move(command, CommandTrigger.Retry, turn);
        Enqueue(command, turn);
    }

    /// <summary>What the wall clock, which is all that a start has, says is left of a command's retention.</summary>
    private long LeftOfRetentionMs(Command command, Turn turn) => Math.Clamp(command.UpdatedAt + _options.RetentionMs - turn.UtcMs, 0, _options.RetentionMs);

    /// <summary>
    /// Keeps a settled command for a while, by the time that passes: a wall clock that is set forward, as that of a machine which starts without one, must not make the kernel forget the keys by
    /// which orders are safe to repeat (S15).
    /// </summary>
    private void Retain(Command command, long forMs, Turn turn)
    {
        command.Shrink();
        command.ForgetMs = turn.NowMs + forMs;
        _settled.Enqueue(command);
        while (_settled.Count > _options.MaxSettled) Forget(_settled.Dequeue(), turn);
        if (!_retention.IsSet) Compact(turn);
    }

    private void Compact(Turn turn)
    {
        // Bounded per turn, so that a day's end never makes one long turn.
        const int most = 4_096;
        var forgotten = 0;
        while (forgotten < most && _settled.TryPeek(out var oldest) && oldest.ForgetMs <= turn.NowMs)
        {
            Forget(_settled.Dequeue(), turn);
            forgotten++;
        }

        if (forgotten > 0) _observer.Note(KernelEvent.Compacted, "commands", forgotten.ToString(System.Globalization.CultureInfo.InvariantCulture));
        if (_settled.TryPeek(out var next)) _timers.Set(_retention, Math.Max(next.ForgetMs, turn.NowMs + 10));
    }

    private void Forget(Command command, Turn turn)
    {
        _byId.Remove(command.Spec.CommandId);
        if (command.Spec.IdempotencyKey is { } key && _byKey.GetValueOrDefault((command.Spec.Caller, key)) == command)
        {
            _byKey.Remove((command.Spec.Caller, key));
        }

        turn.Records.ForgottenCommands.Add(command.Seq);
    }
}
