using System.Diagnostics.CodeAnalysis;

namespace Ork.Kernel;

/// <summary>
/// The kernel's inbox: many senders, one reader, bounded. On <c>lock</c> and <see cref="TaskCompletionSource"/> only, so that it is the same
/// in production, under simulation and under systematic testing.
/// </summary>
/// <typeparam name="T">What is sent.</typeparam>
public sealed class Mailbox<T>
{
    private readonly object _gate = new();
    private readonly Queue<T> _items = new();
    [SuppressMessage("Ork.Bounds", "ORK0301", Justification = "One for each session at most: a session that is held back sends nothing more.")]
    private readonly Queue<TaskCompletionSource<bool>> _senders = new();
    private readonly int _limit;
    private TaskCompletionSource<bool>? _reader;
    private (bool IsThere, T Item) _urgent;
    private bool _closed;

    /// <summary>Makes an empty mailbox.</summary>
    /// <param name="limit">Items that may wait before senders are held back.</param>
    public Mailbox(int limit) => _limit = limit;

    /// <summary>How many items wait.</summary>
    public int Count
    {
        get
        {
            lock (_gate) return _items.Count;
        }
    }

    /// <summary>Sends an item, waiting while the mailbox is full.</summary>
    /// <returns>False if the mailbox is closed: the item was not taken.</returns>
    public async ValueTask<bool> PostAsync(T item)
    {
        while (true)
        {
            TaskCompletionSource<bool> room;
            TaskCompletionSource<bool>? reader = null;
            lock (_gate)
            {
                if (_closed) return false;
                if (_items.Count < _limit)
                {
                    _items.Enqueue(item);
                    (reader, _reader) = (_reader, null);
                    room = null!;
                }
                else
                {
                    room = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
                    _senders.Enqueue(room);
                }
            }

            if (room is null)
            {
                reader?.TrySetResult(true);
                return true;
            }

            await room.Task;
        }
    }

    /// <summary>
    /// Sends an item past the limit. Only for what is bounded by itself: a commit's result, a timer's tick, a link's end.
    /// </summary>
    public void PostControl(T item)
    {
        TaskCompletionSource<bool>? reader;
        lock (_gate)
        {
            if (_closed) return;
            _items.Enqueue(item);
            (reader, _reader) = (_reader, null);
        }

        reader?.TrySetResult(true);
    }

    /// <summary>Sends an item before all others. Only for what there is one of at a time: a commit's result.</summary>
    /// <exception cref="InvalidOperationException">The one before was not taken yet.</exception>
    public void PostUrgent(T item)
    {
        TaskCompletionSource<bool>? reader;
        lock (_gate)
        {
            if (_closed) return;
            if (_urgent.IsThere) throw new InvalidOperationException("An urgent item waits already.");
            _urgent = (true, item);
            (reader, _reader) = (_reader, null);
        }

        reader?.TrySetResult(true);
    }

    /// <summary>Takes an urgent item, if there is one.</summary>
    public bool TryTakeUrgent([MaybeNullWhen(false)] out T item)
    {
        lock (_gate)
        {
            (var isThere, item) = _urgent;
            _urgent = default;
            return isThere;
        }
    }

    /// <summary>Waits until there is something to take.</summary>
    /// <returns>False once the mailbox is closed and empty.</returns>
    public ValueTask<bool> WaitAsync()
    {
        lock (_gate)
        {
            if (_items.Count > 0 || _urgent.IsThere || _closed) return new ValueTask<bool>(_items.Count > 0 || _urgent.IsThere);
            _reader = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
            return new ValueTask<bool>(_reader.Task);
        }
    }

    /// <summary>Takes up to <paramref name="most"/> items and lets as many held-back senders go on.</summary>
    public void Take(List<T> into, int most)
    {
        ArgumentNullException.ThrowIfNull(into);
        List<TaskCompletionSource<bool>>? released = null;
        lock (_gate)
        {
            while (most-- > 0 && _items.TryDequeue(out var item)) into.Add(item);
            for (var room = _limit - _items.Count; room > 0 && _senders.TryDequeue(out var sender); room--) (released ??= []).Add(sender);
        }

        if (released is null) return;
        foreach (var sender in released) sender.TrySetResult(true);
    }

    /// <summary>Closes the mailbox: nothing more is taken in, held-back senders and the reader go on.</summary>
    /// <returns>What was still waiting.</returns>
    public IReadOnlyList<T> Close()
    {
        TaskCompletionSource<bool>[] released;
        TaskCompletionSource<bool>? reader;
        T[] left;
        lock (_gate)
        {
            _closed = true;
            left = [.. _items];
            _items.Clear();
            released = [.. _senders];
            _senders.Clear();
            (reader, _reader) = (_reader, null);
        }

        foreach (var sender in released) sender.TrySetResult(false);
        reader?.TrySetResult(false);
        return left;
    }
}
