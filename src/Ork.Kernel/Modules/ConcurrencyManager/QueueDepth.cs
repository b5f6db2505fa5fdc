namespace Ork.Kernel;

/// <summary>
/// How much stands in a bounded queue, and whose. A caller may have no more in it than a share of what is still free (dynamic threshold, after Choudhury and
/// Hahne): one that floods leaves room for others, however many flood, and alone it may have nearly all.
/// </summary>
internal sealed class QueueDepth
{
    private readonly Dictionary<string, int> _byCaller = new(StringComparer.Ordinal);

    internal int Total { get; private set; }

    /// <summary>True where a caller with so many in a queue of this depth has its share.</summary>
    internal static bool HasItsShare(int own, int total, int limit, int fairShare) => own > 0 && own >= (long)fairShare * (limit - total);

    internal bool HasItsShare(string caller, int limit, int fairShare) => HasItsShare(_byCaller.GetValueOrDefault(caller), Total, limit, fairShare);

    internal void Add(string caller)
    {
        Total++;
        _byCaller[caller] = _byCaller.GetValueOrDefault(caller) + 1;
    }

    internal void Remove(string caller)
    {
        Total--;
        if (--_byCaller[caller] is var left && left == 0) _byCaller.Remove(caller);
        else _byCaller[caller] = left;
    }
}
