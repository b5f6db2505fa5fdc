using System.Numerics;

namespace Ork.Kernel;

/// <summary>A timer on the <see cref="TimerWheel"/>: made once for what it times, then set and cancelled at no cost.</summary>
/// <param name="subject">What it times.</param>
/// <param name="elapsed">What happens to it when it is due; one delegate serves all timers of a kind.</param>
internal sealed class WheelTimer(object subject, Action<object, Turn> elapsed)
{
    private object? _subject = subject;

    /// <summary>A timer with a delegate of its own, for what there are few of.</summary>
    internal WheelTimer(Action<Turn> elapsed)
        : this(elapsed, static (own, turn) => ((Action<Turn>)own)(turn))
    {
    }

    internal WheelTimer? Next;
    internal WheelTimer? Previous;

    /// <summary>When it is due, kernel milliseconds.</summary>
    internal long DueMs { get; set; }

    /// <summary>True between being set and being due or cancelled.</summary>
    internal bool IsSet => Next is not null;

    internal void Elapse(Turn turn) => elapsed(_subject!, turn);

    /// <summary>Gives a timer that is not set another subject, or none until it has one again: what comes and goes by the thousand need not make a timer each.</summary>
    internal void Rebind(object? subject) => _subject = subject;

    internal void Unlink()
    {
        if (Next is null) return;
        Next.Previous = Previous;
        Previous!.Next = Next;
        Next = Previous = null;
    }
}

/// <summary>
/// All timers of the kernel: a hierarchical timing wheel with a resolution of one millisecond. Setting, cancelling and elapsing cost O(1)
/// however many timers there are; timers due at the same millisecond elapse in the order they were set, cascades aside.
/// </summary>
internal sealed class TimerWheel
{
    private const int Bits = 6;
    private const int Slots = 1 << Bits;
    private const int Levels = 6;

    private readonly WheelTimer[] _heads = new WheelTimer[Levels * Slots];
    private readonly ulong[] _occupied = new ulong[Levels];

    // No timer of the slot is due before. May be too early once the first of them is cancelled, and is put right when that time has come.
    private readonly long[] _earliest = new long[Levels * Slots];

    /// <summary>Starts the wheel at a time.</summary>
    /// <param name="nowMs">Kernel milliseconds.</param>
    internal TimerWheel(long nowMs)
    {
        NowMs = nowMs;
        for (var i = 0; i < _heads.Length; i++)
        {
            var head = new WheelTimer(static _ => { });
            head.Next = head.Previous = head;
            _heads[i] = head;
        }
    }

    /// <summary>The time up to which timers have elapsed.</summary>
    internal long NowMs { get; private set; }

    /// <summary>
    /// When the wheel must be advanced next, or null while no timer is set. Never later than the next timer; earlier only where that was set by one that was
    /// cancelled since.
    /// </summary>
    internal long? NextDueMs
    {
        get
        {
            long? next = null;
            for (var level = 0; level < Levels; level++)
            {
                if (NextSlot(level) is not { } at) continue;
                var dueMs = Earliest(level, at);
                if (next is null || dueMs < next) next = dueMs;
            }

            return next;
        }
    }

    /// <summary>Sets a timer; one already set is moved. A due time that has passed elapses at the next millisecond.</summary>
    internal void Set(WheelTimer timer, long dueMs)
    {
        timer.Unlink();
        timer.DueMs = Math.Max(dueMs, NowMs + 1);
        Place(timer);
    }

    /// <summary>Cancels a timer, if it is set. The slot's mark is cleared when its time comes.</summary>
    internal static void Cancel(WheelTimer timer) => timer.Unlink();

    /// <summary>Lets every timer due until <paramref name="nowMs"/> elapse, in order of their due times.</summary>
    internal void Advance(long nowMs, Turn turn)
    {
        while (NextSlotMs is { } at && at <= nowMs)
        {
            NowMs = at;
            for (var level = Levels - 1; level > 0; level--)
            {
                if ((at & ((1L << (Bits * level)) - 1)) == 0) Cascade(level, (int)(at >> (Bits * level)) & (Slots - 1));
            }

            Elapse((int)at & (Slots - 1), turn);
        }

        NowMs = Math.Max(NowMs, nowMs);
    }

    /// <summary>When the next slot's time comes, on whichever level.</summary>
    private long? NextSlotMs
    {
        get
        {
            long? next = null;
            for (var level = 0; level < Levels; level++)
            {
                if (NextSlot(level) is { } at && (next is null || at < next)) next = at;
            }

            return next;
        }
    }

    /// <summary>When the time of a level's next slot with a timer comes.</summary>
    private long? NextSlot(int level)
    {
        var position = NowMs >> (Bits * level);
        var current = (int)position & (Slots - 1);
        while (_occupied[level] != 0)
        {
            var distance = BitOperations.TrailingZeroCount(BitOperations.RotateRight(_occupied[level], (current + 1) & (Slots - 1))) + 1;
            var slot = (current + distance) & (Slots - 1);
            var head = _heads[(level * Slots) + slot];
            if (head.Next != head) return (position + distance) << (Bits * level);
            _occupied[level] &= ~(1UL << slot);
        }

        return null;
    }

    private long Earliest(int level, long slotMs)
    {
        var index = (level * Slots) + ((int)(slotMs >> (Bits * level)) & (Slots - 1));
        if (_earliest[index] > NowMs) return _earliest[index];

        // A timer beyond the wheel's reach is placed again when its slot's time comes.
        var earliestMs = slotMs + (1L << (Bits * level)) - 1;
        var head = _heads[index];
        for (var timer = head.Next!; timer != head; timer = timer.Next!) earliestMs = Math.Min(earliestMs, timer.DueMs);
        return _earliest[index] = earliestMs;
    }

    private void Place(WheelTimer timer)
    {
        var delta = timer.DueMs - NowMs;
        var level = 0;
        while (level < Levels - 1 && delta >= 1L << (Bits * (level + 1))) level++;

        // Beyond the wheel's reach: the farthest slot, from where it is placed again.
        var at = Math.Min(timer.DueMs, NowMs + (1L << (Bits * Levels)) - 1);
        var slot = (int)(at >> (Bits * level)) & (Slots - 1);
        var index = (level * Slots) + slot;
        var head = _heads[index];
        _earliest[index] = head.Next == head ? at : Math.Min(_earliest[index], at);
        _occupied[level] |= 1UL << slot;
        timer.Previous = head.Previous;
        timer.Next = head;
        head.Previous!.Next = timer;
        head.Previous = timer;
    }

    private void Cascade(int level, int slot)
    {
        var head = _heads[(level * Slots) + slot];
        if ((_occupied[level] & (1UL << slot)) == 0) return;
        _occupied[level] &= ~(1UL << slot);

        // The last of the slot is fixed first: a timer beyond the wheel's reach may come back to the same slot.
        var last = head.Previous!;
        while (head.Next != head)
        {
            var timer = head.Next!;
            timer.Unlink();
            Place(timer);
            if (timer == last) break;
        }
    }

    private void Elapse(int slot, Turn turn)
    {
        _occupied[0] &= ~(1UL << slot);
        var head = _heads[slot];
        while (head.Next != head)
        {
            var timer = head.Next!;
            timer.Unlink();
            timer.Elapse(turn);
        }
    }
}
