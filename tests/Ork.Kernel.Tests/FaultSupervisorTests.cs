using Ork.Protocol;

namespace Ork.Kernel.Tests;

/// <summary>The Fault Supervisor by itself: what opens a circuit to the exchange, for how long, and what is forgotten.</summary>
public sealed class FaultSupervisorTests
{
    private static readonly CircuitOptions Options = new()
    {
        ConsecutiveFailures = 4, MinExchanges = 6, FailurePercent = 50, WindowMs = 10_000, LinksLostToOpen = 3, CoolDownBaseMs = 1_000, CoolDownCapMs = 60_000, ForgetAfterMs = 20_000,
        HalfOpenProbes = 2, ProbesToClose = 2,
    };

    private readonly Turn _turn = new();
    private readonly TimerWheel _timers = new(1_000);
    private readonly WorkerEntry _worker = new("w1", "k1");
    private readonly RecordingObserver _observer = new();
    private readonly FaultSupervisor _circuits;
    private int _changes;

    public FaultSupervisorTests()
    {
        _circuits = new FaultSupervisor(Options, new RetryOptions(), CircuitMachine.Build(_observer, strict: true), _timers, new SeededEntropy(3), _observer, (_, _) => _changes++, 1_000);
        At(1_000);
    }

    [Theory]
    [InlineData("fff", "f", true)]
    [InlineData("fffa", "f", false)]
    [InlineData("aaaff", "f", true)]
    [InlineData("aaaaff", "f", false)]
    [InlineData("aff", "af", false)]
    public void S18_a_circuit_opens_by_failures_in_a_row_or_by_their_share_of_enough_exchanges(string before, string then, bool opens)
    {
        foreach (var exchange in before) Exchange(exchange);
        Assert.Equal(CircuitState.Closed, _circuits.Of(_worker));
        foreach (var exchange in then) Exchange(exchange);
        Assert.Equal(opens ? CircuitState.Open : CircuitState.Closed, _circuits.Of(_worker));
    }

    [Fact]
    public void S18_what_is_older_than_the_window_counts_no_more()
    {
        foreach (var exchange in "affaf") Exchange(exchange);
        At(1_000 + Options.WindowMs);
        Exchange('f');
        Assert.Equal(CircuitState.Closed, _circuits.Of(_worker));
    }

    [Fact]
    public void S18_a_lost_link_fails_no_exchange_and_many_within_the_window_open_the_circuit()
    {
        for (var i = 0; i < 20; i++) _circuits.End(_worker, _circuits.Begin(_worker), ErrorCodes.LinkLost, _turn);
        Lose(1_000, 2_000);
        At(2_000 + Options.WindowMs);
        Lose(2_000 + Options.WindowMs);
        Assert.Equal(CircuitState.Closed, _circuits.Of(_worker));
        Lose(2_100 + Options.WindowMs, 2_200 + Options.WindowMs);
        Assert.Equal(CircuitState.Open, _circuits.Of(_worker));
    }

    [Fact]
    public void S18_what_began_before_the_circuit_changed_says_nothing_of_it_now()
    {
        var late = _circuits.Begin(_worker);
        Trip();
        CoolDown();
        _circuits.Begin(_worker);
        _circuits.End(_worker, late, ErrorCodes.WorkerTimeout, _turn);
        Assert.Equal(CircuitState.HalfOpen, _circuits.Of(_worker));
    }

    [Fact]
    public void S18_half_open_lets_as_many_probes_through_as_it_may_and_their_answers_close_it_with_nothing_remembered()
    {
        Trip();
        Assert.False(_circuits.Admits(_worker));
        CoolDown();
        var (first, second) = (Begin(), Begin());
        Assert.False(_circuits.Admits(_worker));
        var changes = _changes;
        _circuits.End(_worker, first, null, _turn);
        Assert.Equal((CircuitState.HalfOpen, true, changes + 1), (_circuits.Of(_worker), _circuits.Admits(_worker), _changes));
        _circuits.End(_worker, second, null, _turn);
        Assert.Equal(CircuitState.Closed, _circuits.Of(_worker));
        foreach (var exchange in "fff") Exchange(exchange);
        Assert.Equal(CircuitState.Closed, _circuits.Of(_worker));
    }

    [Fact]
    public void S18_each_opening_doubles_the_pause_until_the_circuit_was_closed_for_long()
    {
        for (var opening = 0; opening < 4; opening++)
        {
            Assert.InRange(OpenFor(), 500L << opening, 1_000L << opening);
            Close();
        }

        At(_turn.NowMs + Options.ForgetAfterMs - 1);
        Assert.InRange(OpenFor(), 500L << 4, 1_000L << 4);
        Close();
        At(_turn.NowMs + Options.ForgetAfterMs);
        Assert.InRange(OpenFor(), 500, 1_000);
        Assert.Equal(1, _circuits.OpensOf(_worker));
    }

    [Fact]
    public void A_Worker_that_is_held_closed_or_gone_has_no_circuit_that_opens_or_cools_down()
    {
        _worker.Hold = CircuitHold.Closed;
        foreach (var exchange in "ffffffff") Exchange(exchange);
        Assert.Equal(CircuitState.Closed, _circuits.Of(_worker));
        _worker.Hold = CircuitHold.None;
        Trip();
        _circuits.Forget(_worker);
        var events = _observer.Events.Count;
        At(_turn.NowMs + 60_000);
        Assert.Equal(events, _observer.Events.Count);
    }

    private void At(long nowMs)
    {
        _turn.NowMs = nowMs;
        _timers.Advance(nowMs, _turn);
    }

    private int Begin()
    {
        Assert.True(_circuits.Admits(_worker));
        return _circuits.Begin(_worker);
    }

    private void Exchange(char end) => _circuits.End(_worker, _circuits.Begin(_worker), end == 'f' ? ErrorCodes.WorkerTimeout : null, _turn);

    private void Lose(params long[] atMs)
    {
        foreach (var at in atMs)
        {
            At(at);
            _circuits.LinkLost(_worker, _turn);
        }
    }

    private void Trip()
    {
        for (var failure = 0; failure < Options.ConsecutiveFailures; failure++) Exchange('f');
        Assert.Equal(CircuitState.Open, _circuits.Of(_worker));
    }

    private long OpenFor()
    {
        Trip();
        return CoolDown();
    }

    private long CoolDown()
    {
        var opened = _turn.NowMs;
        while (_circuits.Of(_worker) == CircuitState.Open && _turn.NowMs - opened < 120_000) At(_timers.NextDueMs ?? opened + 120_000);
        return _turn.NowMs - opened;
    }

    private void Close()
    {
        for (var probe = 0; probe < Options.ProbesToClose; probe++) Exchange('a');
        Assert.Equal(CircuitState.Closed, _circuits.Of(_worker));
    }
}

/// <summary>Counts of a sliding window, a tenth of it at a time.</summary>
public sealed class SlidingCountTests
{
    private readonly SlidingCount _count = new(1_000);

    [Fact]
    public void What_was_added_counts_for_the_window_and_no_longer()
    {
        foreach (var at in new[] { 10_000, 10_050, 10_400, 10_950 }) _count.Add(at);
        Assert.Equal([4, 4, 2, 1, 0], new[] { 10_950L, 10_999, 11_000, 11_400, 12_000 }.Select(_count.Total));
    }

    [Fact]
    public void Much_later_nothing_of_before_is_left_wherever_it_stood()
    {
        for (var at = 10_000; at < 11_000; at += 100) _count.Add(at);
        Assert.Equal(10, _count.Total(10_999));
        _count.Add(987_654);
        Assert.Equal(1, _count.Total(987_654));
    }

    [Fact]
    public void Cleared_it_is_empty()
    {
        _count.Add(10_000);
        _count.Clear();
        Assert.Equal(0, _count.Total(10_000));
    }
}
