using System.Globalization;

namespace OrkSim;

/// <summary>
/// Every draw of a run: asks the choices, hashes each answer with the virtual time, keeps the answers where they are wanted, and compares them with an earlier
/// run of the same seed where there is one.
/// </summary>
public sealed class Draws
{
    private const int Steps = 256;
    private const int Rare = 2_000;

    /// <summary>Task.Delay counts in whole milliseconds: who waits for less does not wait at all, and who draws that again and again lets no time pass.</summary>
    internal static readonly TimeSpan ShortestGap = TimeSpan.FromMilliseconds(1);

    private readonly IChoices _choices;
    private readonly TraceHash _hash;
    private readonly List<int>? _kept;
    private readonly List<DrawSite>? _sites;
    private readonly List<ulong>? _digests;
    private readonly IReadOnlyList<ulong>? _expected;
    private int _count;

    internal Draws(IChoices choices, TraceHash hash, bool keep, bool digest, IReadOnlyList<ulong>? expected)
    {
        _choices = choices;
        _hash = hash;
        _kept = keep ? [] : null;
        _sites = keep ? [] : null;
        _digests = digest ? [] : null;
        _expected = expected;
    }

    /// <summary>How many decisions were drawn.</summary>
    public int Count => _count;

    /// <summary>The decisions, where they were kept.</summary>
    public IReadOnlyList<int> Kept => _kept ?? [];

    /// <summary>Where each was drawn, where they were kept.</summary>
    internal IReadOnlyList<DrawSite> Sites => _sites ?? [];

    /// <summary>Where this run parted from the one it is compared with, or null. Not thrown here: the code under test could catch it.</summary>
    internal string? Parted { get; private set; }

    internal IReadOnlyList<ulong> Digests => _digests ?? [];

    internal SimScheduler? Clock { get; set; }

    /// <summary>One of several alternatives. Nothing is drawn where there is only one.</summary>
    public int Pick(DrawKind kind, int limit)
    {
        if (limit <= 1) return 0;
        var site = new DrawSite(Clock?.CurrentSite ?? 0, kind);
        var value = _choices.Next(site, limit);
        _hash.Add(((ulong)(uint)value << 32) | ((uint)limit << 3) | (uint)kind, (ulong)(Clock?.NowTicks ?? 0));
        _kept?.Add(value);
        _sites?.Add(site);
        _digests?.Add(_hash.Value);
        if (_expected is not null) Compare(kind, limit, value);
        _count++;
        return value;
    }

    /// <summary>True with a probability, never where it is 0.</summary>
    public bool Chance(double probability)
    {
        if (probability <= 0) return false;
        if (probability >= 1) return true;

        // Strikes at the high end, so that a choice shrunk to 0 is one where nothing happens.
        return Pick(DrawKind.Chance, Rare) >= Rare - (int)(probability * Rare);
    }

    /// <summary>A duration in a range, in steps of a 255th of it.</summary>
    public TimeSpan Between(TimeSpan min, TimeSpan max) =>
        max <= min ? min : min + TimeSpan.FromTicks((max - min).Ticks * Pick(DrawKind.Duration, Steps) / (Steps - 1));

    /// <summary>
    /// The time until the next of what comes, on average, once in a while: from <see cref="ShortestGap"/> to twice the mean. The plainest is the longest.
    /// </summary>
    public TimeSpan Gap(TimeSpan mean) => TimeSpan.FromTicks(Math.Max(ShortestGap.Ticks, ((2 * mean) - Between(TimeSpan.Zero, 2 * mean)).Ticks));

    /// <summary>A number in a range, both ends included.</summary>
    public int Between(int min, int max) => max <= min ? min : min + Pick(DrawKind.Pick, max - min + 1);

    /// <summary>One of a list.</summary>
    public T Of<T>(IReadOnlyList<T> items)
    {
        ArgumentNullException.ThrowIfNull(items);
        return items[Pick(DrawKind.Pick, items.Count)];
    }

    private void Compare(DrawKind kind, int limit, int value)
    {
        if (_count < _expected!.Count && _expected[_count] == _hash.Value) return;
        Parted ??= string.Create(
            CultureInfo.InvariantCulture,
            $"Draw {_count} differs from the first run of the same seed: {kind} gave {value} of {limit} at {Clock?.Now.TotalSeconds:F6} s, step {Clock?.Steps}.");
    }
}

/// <summary>Two runs of the same seed were not the same.</summary>
public sealed class NotDeterministicException : Exception
{
    /// <summary>Says where they parted.</summary>
    public NotDeterministicException(string message)
        : base(message)
    {
    }
}

/// <summary>The hash of a whole trace: every draw, every frame, every record, each with its virtual time.</summary>
internal sealed class TraceHash
{
    private ulong _low = 0x243F6A8885A308D3UL;
    private ulong _high = 0x13198A2E03707344UL;

    internal ulong Value => _low ^ _high;

    internal void Add(ulong a, ulong b)
    {
        var high = Math.BigMul(_low ^ a, 0x9E3779B97F4A7C15UL, out var low);
        _low = low ^ _high;
        _high = high + (b * 0xBF58476D1CE4E5B9UL) + 1;
    }

    internal void Add(ReadOnlySpan<byte> bytes) => Add(System.IO.Hashing.XxHash3.HashToUInt64(bytes), (ulong)bytes.Length);

    internal void Add(string? text)
    {
        if (text is not null) Add(System.Runtime.InteropServices.MemoryMarshal.AsBytes(text.AsSpan()));
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{_low:x16}{_high:x16}");
}
