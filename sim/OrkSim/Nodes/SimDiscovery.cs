using Ork.Kernel;
using Ork.Protocol;

namespace OrkSim;

/// <summary>What tells the kernels which Workers to dial: all that listen, but those that are left out for a while.</summary>
internal sealed class SimDiscovery(SimWorld world, List<DialTarget> targets) : IWorkerDiscovery
{
    private DialTarget[] _told = [];
    private int _outages;

    private readonly HashSet<LinkEndpoint> _leftOut = [];
    private readonly Dictionary<LinkEndpoint, long> _namedTicks = [];
    private readonly Dictionary<LinkEndpoint, long> _sinceTicks = [];

    /// <summary>Where Workers listen.</summary>
    internal IReadOnlyList<DialTarget> Targets => targets;

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<DialTarget>> FindAsync()
    {
        // Where it cannot tell, what it told before still counts.
        if (_outages == 0) _told = [.. targets.Where(target => !_leftOut.Contains(target.Endpoint))];
        Note();
        return _outages == 0 ? new(_told) : throw new IOException("discovery is out of reach");
    }

    /// <summary>A Worker is no longer named, or named again.</summary>
    internal void LeaveOut(LinkEndpoint endpoint, bool isLeftOut)
    {
        if (isLeftOut) _leftOut.Add(endpoint);
        else _leftOut.Remove(endpoint);
    }

    /// <summary>A Worker listens somewhere else.</summary>
    internal void Readdress(LinkEndpoint from, LinkEndpoint to)
    {
        var place = targets.FindIndex(target => target.Endpoint == from);
        targets[place] = targets[place] with { Endpoint = to };
    }

    /// <summary>Discovery cannot tell anything, or can again.</summary>
    internal void Cut(bool isCut) => _outages = Math.Max(0, _outages + (isCut ? 1 : -1));

    /// <summary>Everybody is named.</summary>
    internal void NameAll()
    {
        _outages = 0;
        _leftOut.Clear();
    }

    /// <summary>Since when an endpoint is named again and again: 0 where it always was, null where the latest answer left it out.</summary>
    internal long? NamedSinceTicks(string endpoint) => Of(_sinceTicks, endpoint);

    /// <summary>When an endpoint was last named to a kernel, or stood for named, or null.</summary>
    internal long? NamedTicks(string endpoint) => Of(_namedTicks, endpoint);

    private void Note()
    {
        foreach (var target in targets)
        {
            if (!_told.Contains(target)) _sinceTicks.Remove(target.Endpoint);
        }

        foreach (var target in _told)
        {
            _sinceTicks.TryAdd(target.Endpoint, _namedTicks.ContainsKey(target.Endpoint) ? world.Scheduler.NowTicks : 0);
            _namedTicks[target.Endpoint] = world.Scheduler.NowTicks;
        }
    }

    private static long? Of(Dictionary<LinkEndpoint, long> ticks, string endpoint)
    {
        foreach (var (named, at) in ticks)
        {
            if (named.ToString() == endpoint) return at;
        }

        return null;
    }
}
