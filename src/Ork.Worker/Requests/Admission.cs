namespace Ork.Worker;

/// <summary>
/// Which requests are taken in: places for handlers (<see cref="WorkerOptions.MaxHandlers"/>), how many of each kind may be past their time
/// (<see cref="WorkerOptions.MaxOverdueHandlers"/>), which commands are under way, and what a stop waits for.
/// </summary>
internal sealed class Admission(WorkerOptions options)
{
    private readonly object _gate = new();
    private readonly Dictionary<string, TaskCompletionSource<JournalAnswer?>> _running = new(StringComparer.Ordinal);
    private readonly TaskCompletionSource _drained = new();
    private int _handlers;
    private int _overdue;
    private int _overdueQueries;
    private int _commands;
    private bool _draining;

    /// <summary>Handlers' places that are taken.</summary>
    internal int Taken
    {
        get
        {
            lock (_gate) return _handlers;
        }
    }

    /// <summary>Handlers that run on past their time.</summary>
    internal int Overdue
    {
        get
        {
            lock (_gate) return _overdue + _overdueQueries;
        }
    }

    /// <summary>Commands that were taken and have not been answered.</summary>
    internal int Commands
    {
        get
        {
            lock (_gate) return _commands;
        }
    }

    /// <summary>
    /// No command is begun any more. One that comes is left without an answer, for any would cost it a retry: its kernel sends it again when the link has ended and the Worker is back.
    /// </summary>
    /// <returns>Ends when all that was begun is answered.</returns>
    internal Task Drain()
    {
        bool isDrained;
        lock (_gate)
        {
            _draining = true;
            isDrained = _commands == 0;
        }

        if (isDrained) _drained.TrySetResult();
        return _drained.Task;
    }

    /// <summary>Takes a query in: it has a place until it is answered.</summary>
    internal bool TryEnterQuery()
    {
        lock (_gate) return TryTakePlace(_overdueQueries);
    }

    /// <summary>Gives a place back.</summary>
    internal void Leave()
    {
        lock (_gate) _handlers--;
    }

    /// <summary>Takes a command in. One that is under way may be asked for again, however many others are: it is joined, and whoever waits for its end holds no place.</summary>
    internal Entry EnterCommand(string commandId, out TaskCompletionSource<JournalAnswer?>? execution)
    {
        lock (_gate)
        {
            var isUnderWay = _running.TryGetValue(commandId, out execution);
            if (!isUnderWay)
            {
                if (_draining) return Entry.Held;
                if (!TryTakePlace(_overdue)) return Entry.Busy;
                execution = new TaskCompletionSource<JournalAnswer?>(TaskCreationOptions.RunContinuationsAsynchronously);
                _running.Add(commandId, execution);
            }

            _commands++;
            return isUnderWay ? Entry.Joined : Entry.Taken;
        }
    }

    /// <summary>A command that was taken in has its answer, or will have none.</summary>
    internal void LeaveCommand()
    {
        bool isDrained;
        lock (_gate) isDrained = --_commands == 0 && _draining;
        if (isDrained) _drained.TrySetResult();
    }

    /// <summary>A command is past its time: it is still answered for when it ends, without a place until then.</summary>
    internal void MarkCommandOverdue()
    {
        lock (_gate)
        {
            _handlers--;
            _overdue++;
        }
    }

    /// <summary>A command that was past its time has ended.</summary>
    internal void EndOverdueCommand()
    {
        lock (_gate) _overdue--;
    }

    /// <summary>A query is past its time, and is answered with that.</summary>
    internal void MarkQueryOverdue()
    {
        lock (_gate) _overdueQueries++;
    }

    /// <summary>The handler of a query that was past its time has ended.</summary>
    internal void EndOverdueQuery()
    {
        lock (_gate) _overdueQueries--;
    }

    /// <summary>An execution is over: who asks for its command from now on asks the journal.</summary>
    internal void EndExecution(string commandId)
    {
        lock (_gate) _running.Remove(commandId);
    }

    /// <summary>Takes a handler's place, unless all are taken or too many of its kind are past their deadline: telemetry that hangs keeps no command from a device.</summary>
    private bool TryTakePlace(int overdue)
    {
        if (_handlers >= options.MaxHandlers || overdue >= options.MaxOverdueHandlers) return false;
        _handlers++;
        return true;
    }
}

/// <summary>How a command was taken in.</summary>
internal enum Entry
{
    /// <summary>It has a place.</summary>
    Taken,

    /// <summary>It is under way already.</summary>
    Joined,

    /// <summary>All places are taken.</summary>
    Busy,

    /// <summary>The Worker is about to stop.</summary>
    Held,
}
