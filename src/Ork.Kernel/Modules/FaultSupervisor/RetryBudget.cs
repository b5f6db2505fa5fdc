namespace Ork.Kernel;

/// <summary>
/// How many retries the kernel may make: a share of its first attempts, a trickle, and a burst (token bucket). In any span of time the retries are at most
/// the burst, the trickle and the share of that span's first attempts (S17). Counted in thousandths.
/// </summary>
internal sealed class RetryBudget(RetryOptions options, long nowMs)
{
    private readonly long _most = options.Burst * 1_000L;
    private long _level = options.Burst * 1_000L;
    private long _filledMs = nowMs;

    /// <summary>Retries that could be made now.</summary>
    internal long Left(long nowMs)
    {
        Fill(nowMs, 0);
        return _level / 1_000;
    }

    internal void FirstAttempt(long nowMs) => Fill(nowMs, options.SharePercent * 10L);

    internal bool TryTake(long nowMs)
    {
        Fill(nowMs, 0);
        if (_level < 1_000) return false;
        _level -= 1_000;
        return true;
    }

    private void Fill(long nowMs, long more)
    {
        _level = Math.Min(_most, _level + more + ((nowMs - _filledMs) * options.PerSecond));
        _filledMs = nowMs;
    }
}
