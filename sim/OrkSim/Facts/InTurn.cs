namespace OrkSim;

/// <summary>Two lists one after the other, without the iterators of LINQ: checks walk through every batch.</summary>
internal static class InTurn
{
    /// <summary>What the first list holds, then what the second does.</summary>
    internal static TwoLists<T> Then<T>(this List<T> first, List<T> second) => new(first, second);
}

/// <summary>Two lists one after the other.</summary>
internal readonly struct TwoLists<T>(List<T> first, List<T> second)
{
    /// <summary>Begins with the first.</summary>
    public Enumerator GetEnumerator() => new(first, second);

    /// <summary>Where it is.</summary>
    internal struct Enumerator(List<T> first, List<T> second)
    {
        private int _at = -1;

        /// <summary>What is there.</summary>
        public readonly T Current => _at < first.Count ? first[_at] : second[_at - first.Count];

        /// <summary>Goes on.</summary>
        public bool MoveNext() => ++_at < first.Count + second.Count;
    }
}
