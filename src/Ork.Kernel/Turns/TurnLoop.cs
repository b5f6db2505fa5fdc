using Ork.Protocol;

namespace Ork.Kernel;

/// <summary>Carries out effects: the kernel's shell.</summary>
internal interface IEffectRunner
{
    /// <summary>Carries out a batch, in order. Must not wait.</summary>
    void Release(EffectBatch effects);
}

/// <summary>
/// The one loop that owns the core: take inputs, let the core handle them, make the turn durable with one commit, release what it leads to. While
/// a commit is in flight the next turn fills, and effects of the lane that never waits for the disk keep leaving.
/// </summary>
internal sealed class TurnLoop
{
    // A full batch takes milliseconds, for which the disk would stand idle.
    private const int InputsBetweenLooks = 64;

    private readonly KernelOptions _options;
    private readonly KernelCore _core;
    private readonly IKernelStore _store;
    private readonly Mailbox<Input> _inbox;
    private readonly IEffectRunner _effects;
    private readonly KernelClock _clock;
    private readonly IKernelObserver _observer;
    private readonly List<Input> _batch = [];
    private readonly ITimer _timer;
    private Turn _open;
    private Turn? _inFlight;

    // One is open, one is committed, and of one is told what came of it.
    private readonly Turn[] _ring = [new(), new(), new()];
    private long _turns;
    private long? _armedForMs;
    private long? _drainUntilMs;
    private bool _shutDown;
    private bool _stopped;

    /// <summary>Makes the loop.</summary>
    /// <param name="options">Bounds.</param>
    /// <param name="core">The core, just recovered.</param>
    /// <param name="recovery">The turn in which it recovered.</param>
    /// <param name="store">The store.</param>
    /// <param name="inbox">Where inputs come from.</param>
    /// <param name="effects">Where effects go.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="observer">Hears of commits.</param>
    internal TurnLoop(
        KernelOptions options, KernelCore core, Turn recovery, IKernelStore store, Mailbox<Input> inbox, IEffectRunner effects, KernelClock clock,
        IKernelObserver observer)
    {
        _options = options;
        _core = core;
        _store = store;
        _inbox = inbox;
        _effects = effects;
        _clock = clock;
        _observer = observer;
        _turns = recovery.Number;
        _ring[_turns % _ring.Length] = _open = recovery;
        _timer = clock.Time.CreateTimer(_ => _inbox.PostControl(new Input(InputKind.Tick)), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>True once a commit has succeeded: the store works.</summary>
    internal bool HasCommitted { get; private set; }

    /// <summary>Runs until the kernel has stopped.</summary>
    /// <exception cref="StoreException">A commit failed: memory is ahead of the disk, so this instance must be thrown away.</exception>
    internal async Task RunAsync()
    {
        try
        {
            StartCommit();
            while (!_stopped)
            {
                ArmTimer();
                if (!await _inbox.WaitAsync()) return;
                _inbox.Take(_batch, _options.Loop.BatchLimit);
                HandleBatch();
                StartCommit();
            }
        }
        finally
        {
            await _timer.DisposeAsync();
        }
    }

    private void HandleBatch()
    {
        _clock.Stamp(_open);
        LookForCommit();
        for (var i = 0; i < _batch.Count; i++)
        {
            if (i % InputsBetweenLooks == InputsBetweenLooks - 1) LookForCommit();
            var input = _batch[i];
            switch (input.Kind)
            {
                case InputKind.Tick:
                    _armedForMs = null;
                    break;
                case InputKind.Pulse:
                    ((TaskCompletionSource)input.Detail!).TrySetResult();
                    break;
                default:
                    if (input.Kind == InputKind.Stop) _drainUntilMs = _open.NowMs + _options.Loop.DrainMs;
                    _core.Handle(in input, _open);
                    input.Frame.Release();
                    break;
            }
        }

        _batch.Clear();
        _core.AdvanceTimers(_open);
        EndIfDrained();
        _effects.Release(_open.AtOnce);
        _open.AtOnce.Clear();
    }

    private void StartCommit()
    {
        if (_inFlight is not null) return;
        if (_open.IsEmpty)
        {
            _stopped = _shutDown;
            return;
        }

        var turn = _open;
        _open = _ring[++_turns % _ring.Length];
        _open.Begin(_turns);
        _clock.Stamp(_open);
        turn.Seal();
        if (turn.Records.Count == 0)
        {
            _core.Leave(turn, _open);
            _effects.Release(turn.AfterCommit);
            _stopped = _shutDown;
            return;
        }

        _inFlight = turn;
        _ = CommitAsync(turn.Records);
    }

    /// <summary>Never throws: how the commit ended comes back as an input, before all that waits.</summary>
    private async Task CommitAsync(CommitBatch records)
    {
        Exception? failure = null;
        var started = _clock.Time.GetTimestamp();
        try
        {
            await _store.CommitAsync(records);
            _observer.Committed(records.Count, _clock.Time.GetElapsedTime(started));
        }
        catch (Exception e)
        {
            failure = e;
        }

        _inbox.PostUrgent(new Input(InputKind.CommitEnded, Detail: failure));
    }

    /// <summary>Between any two inputs a commit may turn out to have ended.</summary>
    private void LookForCommit()
    {
        if (_inbox.TryTakeUrgent(out var ended)) EndCommit((Exception?)ended.Detail);
    }

    private void EndCommit(Exception? failure)
    {
        if (failure is not null) throw failure as StoreException ?? new StoreException(ErrorCodes.StoreUnavailable, failure);
        HasCommitted = true;
        var ended = _inFlight!;
        _inFlight = null;

        // The disk does not wait for what there is to say of the commit before. A turn with nothing to record would be released at once, ahead of that.
        if (_open.RecordCount > 0 && !_shutDown) StartCommit();
        _core.Leave(ended, _open);
        _effects.Release(ended.AfterCommit);
        if (_inFlight is not { } next) return;
        _effects.Release(next.AtOnce);
        next.AtOnce.Clear();
    }

    /// <summary>Stopping: when nothing is in flight, or the time for it is over, what is left is recorded for the next start.</summary>
    private void EndIfDrained()
    {
        if (_drainUntilMs is not { } until || _shutDown || (_core.Ledger.InFlight > 0 && _open.NowMs < until)) return;
        _core.Ledger.ShutDown(_open);
        _shutDown = true;
    }

    private void ArmTimer()
    {
        var dueMs = _core.Timers.NextDueMs;
        if (_drainUntilMs is { } until && !_shutDown) dueMs = Math.Min(dueMs ?? until, until);
        if (dueMs is null || (_armedForMs is { } armed && armed <= dueMs)) return;
        _armedForMs = dueMs;
        _timer.Change(TimeSpan.FromMilliseconds(Math.Max(0, dueMs.Value - _clock.NowMs)), Timeout.InfiniteTimeSpan);
    }
}
