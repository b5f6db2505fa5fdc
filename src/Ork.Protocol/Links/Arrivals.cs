using System.Diagnostics.CodeAnalysis;

namespace Ork.Protocol;

/// <summary>
/// What arrives and is waited for: many senders, one receiver, in order, until it is closed. The bound on how much may wait is its user's. On <c>lock</c> and
/// <see cref="TaskCompletionSource"/> only, so that it is the same in production, under simulation and under systematic testing.
/// </summary>
/// <typeparam name="T">What arrives.</typeparam>
public sealed class Arrivals<T>
{
    private readonly object _gate = new();
    [SuppressMessage("Ork.Bounds", "ORK0301", Justification = "The bound is its user's: a listener takes a place for each, a link has a high-water mark.")]
    private readonly Queue<T> _waiting = new();
    private TaskCompletionSource? _arrival;
    private bool _closed;

    /// <summary>Lets something arrive.</summary>
    /// <returns>False if it is closed: nothing was taken in.</returns>
    public bool Offer(T item)
    {
        lock (_gate)
        {
            if (_closed) return false;
            _waiting.Enqueue(item);
        }

        Wake();
        return true;
    }

    /// <summary>Takes what arrived first, if anything waits.</summary>
    public bool TryTake([MaybeNullWhen(false)] out T item)
    {
        lock (_gate) return _waiting.TryDequeue(out item);
    }

    /// <summary>Waits until something may be taken or no more will come.</summary>
    /// <returns>False once it is closed and nothing waits.</returns>
    public async ValueTask<bool> WaitAsync()
    {
        while (true)
        {
            TaskCompletionSource arrival;
            lock (_gate)
            {
                if (_waiting.Count > 0) return true;
                if (_closed) return false;
                arrival = _arrival ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }

            await arrival.Task;
        }
    }

    /// <summary>Closes it: nothing more arrives; what waits may still be taken.</summary>
    public void Close()
    {
        lock (_gate) _closed = true;
        Wake();
    }

    private void Wake()
    {
        TaskCompletionSource? arrival;
        lock (_gate) (arrival, _arrival) = (_arrival, null);
        arrival?.TrySetResult();
    }
}
