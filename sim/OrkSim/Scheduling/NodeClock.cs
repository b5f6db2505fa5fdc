namespace OrkSim;

/// <summary>A node's clock: monotonic time is the world's, the wall clock may be off and jump.</summary>
internal sealed class NodeClock(SimNode node) : TimeProvider
{
    /// <summary>The wall clock when a world begins.</summary>
    internal static readonly DateTimeOffset Origin = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <inheritdoc/>
    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <inheritdoc/>
    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    /// <inheritdoc/>
    public override long GetTimestamp() => node.World.Scheduler.NowTicks;

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() => Origin.AddTicks(node.World.Scheduler.NowTicks + node.WallOffset.Ticks);

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new SimTimer(node, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    private sealed class SimTimer : AgendaItem, ITimer
    {
        private readonly SimNode _node;
        private readonly TimerCallback _callback;
        private readonly object? _state;
        private TimeSpan _period;

        internal SimTimer(SimNode node, TimerCallback callback, object? state)
        {
            Node = node;
            Life = node.Life;
            _node = node;
            _callback = callback;
            _state = state;
        }

        /// <inheritdoc/>
        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            _period = period;
            if (dueTime < TimeSpan.Zero) _node.World.Scheduler.Cancel(this);
            else _node.World.Scheduler.Set(this, dueTime + _node.World.Lateness());
            return true;
        }

        /// <inheritdoc/>
        public void Dispose() => _node.World.Scheduler.Cancel(this);

        /// <inheritdoc/>
        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }

        internal override void Run()
        {
            if (_period > TimeSpan.Zero) _node.World.Scheduler.Set(this, _period);
            _callback(_state);
        }
    }
}
