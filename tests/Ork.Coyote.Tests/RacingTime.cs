namespace Ork.Coyote.Tests;

/// <summary>
/// Time that races: timers fire in the order of their due times, each whenever the schedule lets it. Runs until it is stopped, so that nothing waits forever for
/// time to pass.
/// </summary>
internal sealed class RacingTime : TimeProvider
{
    /// <summary>Timers farther away than this never fire: patience that a test means to be without end.</summary>
    private static readonly TimeSpan Far = TimeSpan.FromSeconds(30);

    private readonly object _gate = new();
    private readonly List<Timer> _timers = [];
    private long _now;
    private bool _stopped;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp()
    {
        lock (_gate) return _now;
    }

    public override DateTimeOffset GetUtcNow() => new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero).AddTicks(GetTimestamp());

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Timer(this, () => callback(state));
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Lets timers fire, until stopped or until so many have.</summary>
    internal async Task RunAsync(int most)
    {
        for (var fired = 0; fired < most; fired++)
        {
            await Task.Delay(1);
            Timer? next;
            lock (_gate)
            {
                if (_stopped) return;
                next = _timers.MinBy(timer => timer.DueTicks);
                if (next is null || next.DueTicks - _now > Far.Ticks) continue;
                _timers.Remove(next);
                _now = Math.Max(_now, next.DueTicks);
            }

            next.Fire();
        }
    }

    internal void Stop()
    {
        lock (_gate) _stopped = true;
    }

    private sealed class Timer(RacingTime time, Action fire) : ITimer
    {
        internal long DueTicks { get; private set; }

        internal void Fire() => fire();

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (time._gate)
            {
                time._timers.Remove(this);
                if (dueTime < TimeSpan.Zero) return true;
                DueTicks = time._now + dueTime.Ticks;
                time._timers.Add(this);
            }

            return true;
        }

        public void Dispose() => Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
