namespace OrkSim;

/// <summary>How commands to Workers that never hung were served, before any Worker hung and while some did: what a failure costs the others.</summary>
public sealed class Service
{
    private readonly List<double> _calm = [];
    private readonly List<double> _meanwhile = [];
    private long? _firstTicks;
    private int _hanging;

    /// <summary>Retries sent.</summary>
    public int Retries { get; private set; }

    /// <summary>First attempts sent.</summary>
    public int FirstAttempts { get; private set; }

    /// <summary>Commands settled before any Worker hung.</summary>
    public int Calm => _calm.Count;

    /// <summary>Commands accepted while Workers hung.</summary>
    public int Meanwhile => _meanwhile.Count;

    /// <summary>99th percentile from acceptance to end, milliseconds, before any Worker hung.</summary>
    public double CalmP99Ms => P99(_calm);

    /// <summary>The same, of commands accepted while Workers hung.</summary>
    public double MeanwhileP99Ms => P99(_meanwhile);

    /// <summary>True where there is something to compare.</summary>
    public bool IsTelling => Calm > 0 && Meanwhile > 0;

    internal void Hung(long ticks)
    {
        _firstTicks ??= ticks;
        _hanging++;
    }

    internal void WentOn() => _hanging--;

    internal void Sent(int attempt)
    {
        if (attempt == 1) FirstAttempts++;
        else Retries++;
    }

    internal void Settled(long acceptedTicks, long ticks)
    {
        var ms = TimeSpan.FromTicks(ticks - acceptedTicks).TotalMilliseconds;
        if (_firstTicks is not { } first || ticks < first) _calm.Add(ms);
        else if (acceptedTicks >= first && _hanging > 0) _meanwhile.Add(ms);
    }

    private static double P99(List<double> values) => values.Count == 0 ? 0 : Math.Round(values.Order().ElementAt((int)(values.Count * 0.99)), 1);
}
