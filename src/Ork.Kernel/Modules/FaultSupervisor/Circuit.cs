namespace Ork.Kernel;

/// <summary>A Worker's circuit: its state, what its exchanges came to lately, and how often it opened.</summary>
internal sealed class Circuit(WorkerEntry worker, CircuitOptions options)
{
    internal CircuitState State;

    internal WorkerEntry Worker { get; } = worker;

    /// <summary>Rises with each change of state, so that an exchange is known to have begun in this one.</summary>
    internal int Ticket { get; set; }

    internal int ConsecutiveFailures { get; set; }

    /// <summary>Exchanges of the last while, by outcome.</summary>
    internal SlidingCount Answered { get; } = new(options.WindowMs);

    /// <inheritdoc cref="Answered"/>
    internal SlidingCount Failed { get; } = new(options.WindowMs);

    /// <summary>Links lost in the last while.</summary>
    internal SlidingCount LinksLost { get; } = new(options.WindowMs);

    /// <summary>Probes under way while half-open.</summary>
    internal int Probes { get; set; }

    /// <summary>Probes answered since it became half-open.</summary>
    internal int ProbesAnswered { get; set; }

    /// <summary>How often it opened in a row, without staying closed for long in between.</summary>
    internal int Opens { get; set; }

    internal long ClosedAtMs { get; set; }

    /// <summary>When it has cooled down, kernel milliseconds; 0 where it is not open by itself.</summary>
    internal long CoolAtMs { get; set; }

    internal WheelTimer? Timer { get; set; }

    /// <summary>Begins a new state with no memory of the one before.</summary>
    internal void Begin()
    {
        Ticket++;
        ConsecutiveFailures = Probes = ProbesAnswered = 0;
        Answered.Clear();
        Failed.Clear();
        LinksLost.Clear();
    }
}

/// <summary>How often something happened in the last while, counted in tenths of it.</summary>
internal sealed class SlidingCount(long windowMs)
{
    private const int Slots = 10;

    private readonly int[] _counts = new int[Slots];
    private readonly long _slotMs = Math.Max(1, windowMs / Slots);
    private long _slot;

    internal void Add(long nowMs)
    {
        Slide(nowMs);
        _counts[_slot % Slots]++;
    }

    internal int Total(long nowMs)
    {
        Slide(nowMs);
        var total = 0;
        foreach (var count in _counts) total += count;
        return total;
    }

    internal void Clear() => Array.Clear(_counts);

    private void Slide(long nowMs)
    {
        var slot = nowMs / _slotMs;
        for (var gone = Math.Max(_slot + 1, slot - Slots + 1); gone <= slot; gone++) _counts[gone % Slots] = 0;
        _slot = slot;
    }
}
