using System.Numerics;
using System.Runtime.InteropServices;
using Ork.Kernel;

namespace OrkSim;

/// <summary>
/// What a run met, finer than its coverage: which transition of a Worker, command or device followed which, which of all followed which, how often an event of the log
/// came, and in which states things were when a fault struck. A run that met what no other did is worth going on from.
/// </summary>
internal sealed class Situations(Draws draws)
{
    private const int States = 8;

    private readonly Dictionary<(string Machine, string Entity), int> _last = [];
    private readonly Dictionary<string, int> _machines = new(StringComparer.Ordinal);
    private readonly List<int[]> _standing = [];
    private readonly Dictionary<ulong, int> _met = [];
    private readonly int[] _notes = new int[256];
    private ulong _before;

    private enum About
    {
        Pair,
        Meanwhile,
        Often,
        Struck,
    }

    /// <summary>Every situation, with how many decisions had been drawn when it was first met.</summary>
    internal IReadOnlyList<(ulong Situation, int Draw)> Met => [.. _met.Select(static met => (met.Key, met.Value))];

    /// <summary>A kernel begins: nothing stands in any state yet.</summary>
    internal void Began()
    {
        _last.Clear();
        foreach (var standing in _standing) Array.Clear(standing);
    }

    internal void Moved(string machine, string entity, int cell, int from, int to)
    {
        var number = NumberOf(machine);
        var standing = _standing[number];
        if (standing[from] > 0) standing[from]--;
        standing[to]++;
        ref var last = ref CollectionsMarshal.GetValueRefOrAddDefault(_last, (machine, entity), out _);
        Add(About.Pair, (ulong)number, (ulong)last, (ulong)cell);
        last = cell + 1;

        // Jobs come by the clock, between any two others.
        if (machine == "job") return;
        var now = ((ulong)number << 32) | (uint)cell;
        Add(About.Meanwhile, 0, _before, now);
        _before = now;
    }

    internal void Noted(KernelEvent what)
    {
        var count = ++_notes[(int)what];
        if (BitOperations.IsPow2(count) && count <= States) Add(About.Often, (ulong)what, (ulong)count, 0);
    }

    internal void Struck(string fault)
    {
        var kind = System.IO.Hashing.XxHash3.HashToUInt64(MemoryMarshal.AsBytes(fault.AsSpan()));
        for (var machine = 0; machine < _standing.Count; machine++)
        {
            for (var state = 0; state < States; state++)
            {
                if (_standing[machine][state] > 0) Add(About.Struck, kind, (ulong)machine, (ulong)state);
            }
        }
    }

    private void Add(About about, ulong a, ulong b, ulong c)
    {
        var hash = ((ulong)about + 1) * 0x9E3779B97F4A7C15UL;
        foreach (var part in (ReadOnlySpan<ulong>)[a, b, c]) hash = BitOperations.RotateLeft((hash ^ part) * 0xBF58476D1CE4E5B9UL, 29);
        _met.TryAdd(hash, draws.Count);
    }

    private int NumberOf(string machine)
    {
        if (_machines.TryGetValue(machine, out var number)) return number;
        _machines.Add(machine, number = _standing.Count);
        _standing.Add(new int[States]);
        return number;
    }
}
