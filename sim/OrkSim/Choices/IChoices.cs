namespace OrkSim;

/// <summary>
/// The one source of every decision that is not the code's own: which continuation runs next, how long a message travels, whether a fault strikes,
/// what the workload sends. Give the same answers again and the run is the same.
/// </summary>
public interface IChoices
{
    /// <summary>Chooses.</summary>
    /// <param name="limit">How many alternatives there are, at least 2.</param>
    /// <returns>From 0 up to, not including, the limit. 0 is always the plainest: the oldest continuation, the shortest way, no fault.</returns>
    int Next(int limit);

    /// <summary>Where a node's own chance begins. Enumerating choices gives 0: ids and jitter are not what is enumerated.</summary>
    int Seed() => Next(int.MaxValue);

    /// <summary>Chooses at a site. Most sources do not care where.</summary>
    /// <param name="site">Where and what about.</param>
    /// <param name="limit">How many alternatives there are, at least 2.</param>
    int Next(DrawSite site, int limit) => site.Kind == DrawKind.Seed ? Seed() : Next(limit);
}

/// <summary>Where a decision is drawn, and what it is about.</summary>
/// <param name="Node">The node whose step it is, by its <see cref="SimNode.Site"/>; 0 for none.</param>
/// <param name="Kind">What it is about.</param>
public readonly record struct DrawSite(int Node, DrawKind Kind);

/// <summary>What a decision is about.</summary>
public enum DrawKind
{
    /// <summary>Which of the ready continuations runs.</summary>
    Schedule,

    /// <summary>How long something travels or lasts.</summary>
    Duration,

    /// <summary>Whether something unlikely happens.</summary>
    Chance,

    /// <summary>Which one of several is meant.</summary>
    Pick,

    /// <summary>Where a node's own chance begins.</summary>
    Seed,
}

/// <summary>Choices of a seeded generator (SplitMix64): the same on every machine.</summary>
public sealed class SeededChoices : IChoices
{
    private ulong _state;

    /// <summary>Starts at a seed.</summary>
    public SeededChoices(ulong seed) => _state = seed;

    /// <inheritdoc/>
    public int Next(int limit) => (int)(((NextBits() >> 32) * (ulong)limit) >> 32);

    internal ulong NextBits() => SplitMix.Next(ref _state);
}

/// <summary>Choices that were made before. Beyond their end everything is 0.</summary>
public sealed class RecordedChoices : IChoices
{
    private readonly IReadOnlyList<int> _choices;
    private int _next;

    /// <summary>Replays.</summary>
    public RecordedChoices(IReadOnlyList<int> choices) => _choices = choices;

    /// <summary>True once a recorded choice was not among the alternatives: this is not the run that was recorded.</summary>
    public bool Misfit { get; private set; }

    /// <inheritdoc/>
    public int Next(int limit)
    {
        if (_next >= _choices.Count) return 0;
        var choice = _choices[_next++];
        if (choice < limit) return choice;
        Misfit = true;
        return limit - 1;
    }
}

/// <summary>
/// Choices that were made before, by sites: each site goes on with its own, whatever others do. What is taken from one leaves the others as they were, which a
/// single sequence cannot. Beyond the end of a site everything is 0, or of a seeded generator where there is a seed.
/// </summary>
internal sealed class SitedChoices(IReadOnlyDictionary<DrawSite, IReadOnlyList<int>> choices, ulong? beyond = null) : IChoices
{
    private readonly Dictionary<DrawSite, int> _next = [];
    private readonly SeededChoices? _beyond = beyond is { } seed ? new SeededChoices(seed) : null;

    public int Next(int limit) => 0;

    public int Next(DrawSite site, int limit)
    {
        if (!choices.TryGetValue(site, out var mine)) return _beyond?.Next(limit) ?? 0;
        var next = _next.GetValueOrDefault(site);
        if (next >= mine.Count) return _beyond?.Next(limit) ?? 0;
        _next[site] = next + 1;
        return mine[next] % limit;
    }
}

/// <summary>Choices that were made before up to a point, and others from there.</summary>
internal sealed class ForkedChoices(IReadOnlyList<int> choices, int keep, ulong seed) : IChoices
{
    private readonly SeededChoices _others = new(seed);
    private int _next;

    public int Next(int limit) => _next < keep ? choices[_next++] % limit : _others.Next(limit);
}

/// <summary>
/// Choices that enumerate: each run takes the next sequence in lexical order, until all have been taken. Only for worlds whose every path is finite and short.
/// </summary>
public sealed class OdometerChoices : IChoices
{
    private readonly List<(int Choice, int Limit)> _digits = [];
    private int _next;

    /// <inheritdoc/>
    public int Next(int limit)
    {
        if (_next == _digits.Count) _digits.Add((0, limit));
        return _digits[_next++].Choice;
    }

    /// <inheritdoc/>
    public int Seed() => 0;

    /// <summary>Goes on to the next sequence.</summary>
    /// <returns>False when there is none.</returns>
    public bool Advance()
    {
        if (_digits.Count > _next) _digits.RemoveRange(_next, _digits.Count - _next);
        _next = 0;
        while (_digits.Count > 0)
        {
            var (choice, limit) = _digits[^1];
            if (choice + 1 < limit)
            {
                _digits[^1] = (choice + 1, limit);
                return true;
            }

            _digits.RemoveAt(_digits.Count - 1);
        }

        return false;
    }
}

internal static class SplitMix
{
    internal static ulong Next(ref ulong state)
    {
        state += 0x9E3779B97F4A7C15UL;
        var z = state;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return z ^ (z >> 31);
    }
}
