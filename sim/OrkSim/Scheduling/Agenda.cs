namespace OrkSim;

/// <summary>Something that happens at a virtual time.</summary>
internal abstract class AgendaItem
{
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
    // The order stands beside the item: a comparison touches nothing else.
    private Slot[] _heap = new Slot[256];
    private long _orders;

    internal int Count { get; private set; }

    internal long NextTicks => Count == 0 ? long.MaxValue : _heap[0].DueTicks;

    internal void Set(AgendaItem item, long dueTicks)
    {
        item.Version++;
        if (item.Place < 0)
        {
            if (Count == _heap.Length) Array.Resize(ref _heap, Count * 2);
            item.Place = Count++;
        }

        _heap[item.Place] = new Slot(dueTicks, ++_orders, item);
        Settle(item.Place);
    }

    internal void Cancel(AgendaItem item)
    {
        item.Version++;
        if (item.Place >= 0) RemoveAt(item.Place);
    }

    internal AgendaItem Take()
    {
        var item = _heap[0].Item;
        RemoveAt(0);
        return item;
    }

    private void RemoveAt(int place)
    {
        _heap[place].Item.Place = -1;
        var last = _heap[--Count];
        _heap[Count] = default;
        if (place == Count) return;
        _heap[place] = last;
        Settle(place);
    }

    private void Settle(int place)
    {
        var slot = _heap[place];
        Down(Up(place, in slot), in slot);
    }

    private int Up(int place, in Slot slot)
    {
        while (place > 0)
        {
            var parent = (place - 1) >> 1;
            if (!slot.IsBefore(in _heap[parent])) break;
            Put(place, in _heap[parent]);
            place = parent;
        }

        return place;
    }

    private void Down(int place, in Slot slot)
    {
        while (true)
        {
            var child = (place << 1) + 1;
            if (child >= Count) break;
            if (child + 1 < Count && _heap[child + 1].IsBefore(in _heap[child])) child++;
            if (!_heap[child].IsBefore(in slot)) break;
            Put(place, in _heap[child]);
            place = child;
        }

        Put(place, in slot);
    }

    private void Put(int place, in Slot slot)
    {
        _heap[place] = slot;
        slot.Item.Place = place;
    }

    private readonly record struct Slot(long DueTicks, long Order, AgendaItem Item)
    {
        internal bool IsBefore(in Slot other) => DueTicks < other.DueTicks || (DueTicks == other.DueTicks && Order < other.Order);
    }
}
