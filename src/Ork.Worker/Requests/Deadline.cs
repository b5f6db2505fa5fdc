namespace Ork.Worker;

/// <summary>A point in time, as a token and as a task, on the clock that is handed in.</summary>
internal sealed class Deadline : IDisposable
{
    private readonly CancellationTokenSource _source = new();
    private readonly TaskCompletionSource _passed = new();
    private readonly ITimer _timer;

    internal Deadline(TimeProvider time, long afterMs) => _timer = time.CreateTimer(_ => Pass(), null, TimeSpan.FromMilliseconds(afterMs), Timeout.InfiniteTimeSpan);

    internal CancellationToken Token => _source.Token;

    internal Task Passed => _passed.Task;

    /// <inheritdoc/>
    public void Dispose()
    {
        _timer.Dispose();
        _source.Dispose();
    }

    /// <summary>The handler is told first: who waits for the deadline goes on within the call, and disposes of what would tell it.</summary>
    private void Pass()
    {
        try
        {
            _source.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The work was done just in time.
        }
        catch (AggregateException)
        {
            // A handler's own callback threw; its handler hears of it.
        }

        _passed.TrySetResult();
    }
}
