namespace OrkSim;

/// <summary>Every crash point of a passing run: the run again, crashed before step 1, 2, 3 ... N.</summary>
public static class SweepGear
{
    /// <summary>The crash points of a run.</summary>
    /// <param name="steps">How many steps the passing run had.</param>
    /// <param name="nodes">Which nodes to crash, one after the other.</param>
    /// <param name="most">At most so many points, evenly spread; 0 for all.</param>
    public static IEnumerable<CrashPoint> Points(long steps, IReadOnlyList<string> nodes, long most)
    {
        ArgumentNullException.ThrowIfNull(nodes);
        var all = steps * nodes.Count;
        var stride = most > 0 && all > most ? (double)all / most : 1;
        for (double at = 0; at < all; at += stride)
        {
            var point = (long)at;
            yield return new CrashPoint(1 + (point % steps), nodes[(int)(point / steps)]);
        }
    }

    /// <summary>The nodes a sweep crashes unless told otherwise: the kernel, and the first Worker.</summary>
    public static IReadOnlyList<string> Nodes { get; } = ["kernel", "w-001"];
}
