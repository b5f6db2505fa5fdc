namespace Ork.Kernel;

/// <summary>Reads the clock for the core, which never does so itself.</summary>
/// <param name="time">The BCL's port to time.</param>
internal sealed class KernelClock(TimeProvider time)
{
    private readonly long _start = time.GetTimestamp();

    /// <summary>The port.</summary>
    internal TimeProvider Time { get; } = time;

    /// <summary>Monotonic milliseconds since the kernel started.</summary>
    internal long NowMs => (long)Time.GetElapsedTime(_start).TotalMilliseconds;

    /// <summary>Gives a turn its time.</summary>
    internal void Stamp(Turn turn)
    {
        turn.NowMs = NowMs;
        turn.UtcMs = Time.GetUtcNow().ToUnixTimeMilliseconds();
    }
}
