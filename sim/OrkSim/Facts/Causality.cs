namespace OrkSim;

/// <summary>
/// Which event could have caused which: a vector clock a node, as Mattern and Fidge have it. A node's own events follow each other; a frame taken follows the frame
/// sent; a store opened follows what was made durable; what a device does follows what it did under another Worker; what happens to a node follows the fault.
/// </summary>
internal sealed class Causality
{
    private readonly List<int[]> _clocks = [];
    private readonly Dictionary<string, int[]> _devices = new(StringComparer.Ordinal);
    private readonly List<int> _saw = [];
    private int[] _store = [];

    /// <summary>A node's clock as it stands: how many events of each node it could know of.</summary>
    internal int[] Snapshot(int node)
    {
        Grow(node);
        return (int[])_clocks[node].Clone();
    }

    /// <summary>Counts an event, and says what its node could know of since then and not before.</summary>
    /// <param name="happened">The event.</param>
    /// <param name="world">The node of the world itself: what it did comes before what happens to nodes.</param>
    /// <returns>Pairs of a node and how many of its events, or null where there are none.</returns>
    internal int[]? Count(in SimEvent happened, int world)
    {
        var node = happened.Node?.Id ?? world;
        Grow(node);
        Grow(world);
        _saw.Clear();
        if (happened.Cause is { } cause) Merge(node, cause);
        switch (happened.Kind)
        {
            case SimEventKind.NodeUp or SimEventKind.NodeDown or SimEventKind.LinkEnded:
                Merge(node, _clocks[world]);
                break;
            case SimEventKind.StoreOpened:
                Merge(node, _store);
                break;
            case SimEventKind.Executed when _devices.TryGetValue(happened.Execution!.DeviceId, out var before):
                Merge(node, before);
                break;
        }

        _clocks[node][node]++;
        if (happened.Kind == SimEventKind.CommitDurable) _store = Snapshot(node);
        else if (happened.Kind == SimEventKind.Executed) _devices[happened.Execution!.DeviceId] = Snapshot(node);
        return _saw.Count == 0 ? null : [.. _saw];
    }

    private void Merge(int node, int[] other)
    {
        Grow(node);
        for (var i = 0; i < other.Length; i++)
        {
            if (i == node || other[i] == 0) continue;
            Grow(i);
            if (_clocks[node].Length <= i) _clocks[node] = Longer(_clocks[node], i);
            if (other[i] <= _clocks[node][i]) continue;
            _clocks[node][i] = other[i];
            _saw.Add(i);
            _saw.Add(other[i]);
        }
    }

    private void Grow(int node)
    {
        while (_clocks.Count <= node) _clocks.Add([]);
        if (_clocks[node].Length <= node) _clocks[node] = Longer(_clocks[node], node);
    }

    private static int[] Longer(int[] clock, int index)
    {
        var longer = new int[index + 1];
        clock.CopyTo(longer, 0);
        return longer;
    }
}
