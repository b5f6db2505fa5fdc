namespace Ork.Protocol;

/// <summary>
/// One of a bounded number of places for peers that are being let in. It is given back once: by who holds it, or when the peer has let it wait for longer than a peer at work
/// would. A peer that hangs goes on without a place until its own time is over, and keeps nobody out.
/// </summary>
public sealed class HeldPlace : IDisposable
{
    private readonly SemaphoreSlim _places;
    private readonly ITimer _patience;
    private int _left;

    /// <summary>Holds a place that was taken.</summary>
    /// <param name="places">Where it was taken, and goes back to.</param>
    /// <param name="patienceMs">How long it is held at most, in milliseconds.</param>
    /// <param name="time">The clock.</param>
    public HeldPlace(SemaphoreSlim places, long patienceMs, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(time);
        _places = places;
        _patience = time.CreateTimer(static place => ((HeldPlace)place!).Leave(), this, TimeSpan.FromMilliseconds(patienceMs), Timeout.InfiniteTimeSpan);
    }

    /// <summary>Gives the place back, if it is still held.</summary>
    public void Dispose()
    {
        _patience.Dispose();
        Leave();
    }

    private void Leave()
    {
        if (Interlocked.Exchange(ref _left, 1) == 0) _places.Release();
    }
}
