namespace Ork.Kernel.Tests;

/// <summary>The budget that all retries share: what it begins with, what fills it, and that it never holds more than it may.</summary>
public sealed class RetryBudgetTests
{
    private static readonly RetryOptions Options = new() { Burst = 3, PerSecond = 2, SharePercent = 20 };

    private readonly RetryBudget _budget = new(Options, 10_000);

    [Fact]
    public void It_begins_full_and_each_retry_takes_one()
    {
        for (var left = Options.Burst; left > 0; left--)
        {
            Assert.Equal(left, _budget.Left(10_000));
            Assert.True(_budget.TryTake(10_000));
        }

        Assert.False(_budget.TryTake(10_000));
        Assert.Equal(0, _budget.Left(10_000));
    }

    [Fact]
    public void Time_fills_it_a_retry_at_a_time_and_never_beyond_its_burst()
    {
        Empty(10_000);
        Assert.False(_budget.TryTake(10_499));
        Assert.True(_budget.TryTake(10_500));
        Assert.False(_budget.TryTake(10_999));
        Assert.Equal(1, _budget.Left(11_000));
        Assert.Equal(2, _budget.Left(11_500));
        Assert.Equal(Options.Burst, _budget.Left(3_600_000));
    }

    [Fact]
    public void First_attempts_fill_it_by_their_share()
    {
        Empty(10_000);
        for (var attempt = 1; attempt <= 4; attempt++) _budget.FirstAttempt(10_000);
        Assert.False(_budget.TryTake(10_000));
        _budget.FirstAttempt(10_000);
        Assert.True(_budget.TryTake(10_000));
    }

    private void Empty(long nowMs)
    {
        for (var left = Options.Burst; left > 0; left--) Assert.True(_budget.TryTake(nowMs));
        Assert.False(_budget.TryTake(nowMs));
    }
}
