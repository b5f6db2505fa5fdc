namespace OrkSim;

/// <summary>Something that happens at a virtual time.</summary>
internal abstract class AgendaItem
{
    internal long DueTicks;
    internal long Order;

    /// <summary>Its place in the agenda, -1 while it has none.</summary>
    internal int Place = -1;

    /// <summary>Rises whenever it is set or cancelled, so that one already taken from the agenda knows that it no longer counts.</summary>
    internal int Version;

    /// <summary>The node it belongs to, or null for the world's own.</summary>
    internal SimNode? Node { get; init; }

    /// <summary>The node's life it was made in.</summary>
    internal int Life { get; init; }

    internal abstract void Run();
}

/// <summary>What is due when: a binary heap that knows where its items are, ordered by time and then by when they were set.</summary>
internal sealed class Agenda
{
    private AgendaItem[] _heap = new AgendaItem[256];
    private long _orders;

    internal int Count { get; private set; }

    internal long NextTicks => Count == 0 ? long.MaxValue : _heap[0].DueTicks;

    internal void Set(AgendaItem item, long dueTicks)
    {
        item.DueTicks = dueTicks;
        item.Order = ++_orders;
        item.Version++;
        if (item.Place < 0)
        {
            if (Count == _heap.Length) Array.Resize(ref _heap, Count * 2);
            item.Place = Count;
            _heap[Count++] = item;
        }

        Up(item.Place);
        Down(item.Place);
    }

    internal void Cancel(AgendaItem item)
    {
        item.Version++;
        if (item.Place >= 0) RemoveAt(item.Place);
    }

    internal AgendaItem Take()
    {
        var item = _heap[0];
        RemoveAt(0);
        return item;
    }

    private void RemoveAt(int place)
    {
        var item = _heap[place];
        var last = _heap[--Count];
        _heap[Count] = null!;
        item.Place = -1;
        if (last == item) return;
        _heap[place] = last;
        last.Place = place;
        Up(place);
        Down(last.Place);
    }

    private static bool Before(AgendaItem a, AgendaItem b) => a.DueTicks < b.DueTicks || (a.DueTicks == b.DueTicks && a.Order < b.Order);

    private void Up(int place)
    {
        var item = _heap[place];
        while (place > 0)
        {
            var parent = (place - 1) >> 1;
            if (!Before(item, _heap[parent])) break;
            _heap[place] = _heap[parent];
            _heap[place].Place = place;
            place = parent;
        }

        _heap[place] = item;
        item.Place = place;
    }

    private void Down(int place)
    {
        var item = _heap[place];
        while (true)
        {
            var child = (place << 1) + 1;
            if (child >= Count) break;
            if (child + 1 < Count && Before(_heap[child + 1], _heap[child])) child++;
            if (!Before(_heap[child], item)) break;
            _heap[place] = _heap[child];
            _heap[place].Place = place;
            place = child;
        }

        _heap[place] = item;
        item.Place = place;
    }
}
