using Ork.Protocol;

namespace Ork.Kernel.Tests;

/// <summary>A request that waits for a commit: its time begins as it leaves, and what is over by then does not leave (S18, S19, S20).</summary>
public sealed class LeavingTests
{
    private static readonly KernelOptions Quiet = new()
    {
        Schedule = new ScheduleOptions { HealthIntervalMs = 1_000_000, StateIntervalMs = 1_000_000, TelemetryIntervalMs = 1_000_000 },
        Commands = new CommandOptions { AttemptTimeoutMs = 1_000 },
        Circuits = new CircuitOptions { ConsecutiveFailures = 1, CoolDownBaseMs = 1_000, HalfOpenProbes = 1, ProbesToClose = 1 },
    };

    private readonly CoreHarness _ork = new(Quiet);

    [Fact]
    public void S18_how_long_the_disk_took_is_not_the_Workers_time()
    {
        _ork.Register();
        var id = Order();
        _ork.Pass(60_000);
        Assert.Equal(id, Assert.Single(Leave()));
        _ork.Pass(999);
        Assert.Equal(("EXECUTING", CircuitState.Closed), (_ork.StatusWord(id), Circuit()));
        _ork.Pass(1);
        Assert.Equal(("QUEUED", CircuitState.Open), (_ork.StatusWord(id), Circuit()));
    }

    [Fact]
    public void S19_what_comes_to_leave_at_its_deadline_does_not_and_was_not_started()
    {
        _ork.Register(journal: false);
        var id = Order(deadlineMs: 500);
        _ork.Pass(500);
        Assert.Empty(Leave());
        CommandTests.AssertFailed(_ork.Status(id), "ERR_DEADLINE", "not-started");
        Assert.Contains(_ork.Disk.Log, row => row is { To: CommandState.Timeout, Detail: nameof(CommandTrigger.Withdrawn) });
        Assert.Empty(_ork.Core.Registry.FindWorker("w1")!.Link!.Outstanding);
        Assert.Equal(CircuitState.Closed, Circuit());
        _ork.Succeed(Later());
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(-3_600_000)]
    public void S19_what_did_not_leave_by_its_deadline_is_not_tried_again_whatever_the_wall_clock_shows(long wallMs)
    {
        _ork.Register();
        var id = Order(deadlineMs: 500);
        _ork.Pass(500);
        _ork.WallMs = wallMs;
        Assert.Empty(Leave());
        CommandTests.AssertFailed(_ork.Status(id), "ERR_DEADLINE", "not-started");
    }

    [Theory]
    [InlineData(500, -3_600_000, "FAILED")]
    [InlineData(60_000, 3_600_000, "QUEUED")]
    public void S19_an_attempt_that_timed_out_is_followed_by_another_while_its_commands_time_lasts_whatever_the_wall_clock_shows(long deadlineMs, long wallMs, string word)
    {
        _ork.Register();
        var id = _ork.Send(extra: $",\"deadlineMs\":{deadlineMs}");
        _ork.WallMs = wallMs;
        _ork.Pass(1_000);
        Assert.Equal(word, _ork.StatusWord(id));
    }

    [Fact]
    public void S19_until_then_it_leaves()
    {
        _ork.Register();
        var id = Order(deadlineMs: 500);
        _ork.Pass(499);
        Assert.Equal(id, Assert.Single(Leave()));
    }

    [Fact]
    public void S18_a_probe_that_does_not_leave_says_nothing_and_frees_its_place()
    {
        _ork.Register();
        var id = _ork.Send(extra: ",\"deadlineMs\":5000");
        _ork.Pass(1_000);
        Assert.Equal(CircuitState.Open, Circuit());
        _ork.DiskStands();
        _ork.Pass(5_000);
        Assert.Equal(CircuitState.HalfOpen, Circuit());
        Assert.Empty(Leave());
        CommandTests.AssertFailed(_ork.Status(id), "ERR_DEADLINE", "unknown");
        Assert.Equal(CircuitState.HalfOpen, Circuit());
        _ork.Succeed(Later());
        Assert.Equal(CircuitState.Closed, Circuit());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void S20_what_lost_its_link_before_it_left_does_not_leave_and_is_sent_again_whatever_it_is(bool replaced)
    {
        _ork.Register(journal: false);
        var id = Order();
        if (replaced) _ork.Link(session: 2);
        else _ork.Do(InputKind.LinkDown, 1);
        Assert.Empty(Leave());
        Assert.Equal("QUEUED", _ork.StatusWord(id));
        _ork.Do(InputKind.LinkDown, 2);
        _ork.Register(session: 3, journal: false);
        while (_ork.CommandsSent() == 0) _ork.Pass(100);
        Assert.Equal((3L, 2), (_ork.LastCommand().Session, _ork.LastCommand().Payload.GetProperty("attempt").GetInt32()));
        _ork.Succeed(_ork.LastCommand());
        Assert.Equal("SUCCESS", _ork.StatusWord(id));
    }

    [Fact]
    public void S10_what_has_not_left_is_cancelled_and_does_not()
    {
        _ork.Register();
        var id = Order();
        _ork.Ask("command.cancel", $$"""{"commandId":"{{id}}"}""");
        Assert.Empty(Leave());
        Assert.True(_ork.Effects.Last(static seen => seen.Action == OrkAction.CommandCancelResponse).Payload.GetProperty("cancelled").GetBoolean());
        CommandTests.AssertFailed(_ork.Status(id), "ERR_CANCELLED", "not-started");
        Assert.Equal(CircuitState.Closed, Circuit());
        _ork.Succeed(Later());
    }

    [Fact]
    public void S10_a_further_attempt_of_what_may_have_been_begun_is_stopped_and_does_not_leave()
    {
        _ork.Register();
        var id = OrderBeforeThat();
        _ork.Ask("command.cancel", $$"""{"commandId":"{{id}}"}""");
        Assert.Empty(Leave());
        Assert.True(_ork.Effects.Last(static seen => seen.Action == OrkAction.CommandCancelResponse).Payload.GetProperty("stopped").GetBoolean());
        CommandTests.AssertFailed(_ork.Status(id), "ERR_OUTCOME_UNKNOWN", "unknown");
    }

    [Fact]
    public void S10_what_may_have_been_begun_is_stopped_in_the_pause_after_an_attempt_that_did_not_leave()
    {
        _ork.Register();
        var id = OrderBeforeThat();
        _ork.Do(InputKind.LinkDown, 1);
        Assert.Empty(Leave());
        Assert.Equal("QUEUED", _ork.StatusWord(id));
        Assert.True(_ork.AskOne("command.cancel", $$"""{"commandId":"{{id}}"}""").GetProperty("stopped").GetBoolean());
        CommandTests.AssertFailed(_ork.Status(id), "ERR_OUTCOME_UNKNOWN", "unknown");
    }

    [Fact]
    public void S18_a_probe_that_is_cancelled_before_it_leaves_frees_its_place()
    {
        _ork.Register();
        _ork.Send(extra: ",\"deadlineMs\":5000");
        _ork.Pass(1_000);
        Assert.Equal(CircuitState.Open, Circuit());
        _ork.DiskStands();
        while (Circuit() == CircuitState.Open) _ork.Pass(10);
        foreach (var command in _ork.Core.Ledger.All) _ork.Ask("command.cancel", $$"""{"commandId":"{{command.Spec.CommandId}}"}""");
        Assert.Empty(Leave());
        Assert.Equal(CircuitState.HalfOpen, Circuit());
        _ork.Succeed(Later());
        Assert.Equal(CircuitState.Closed, Circuit());
    }

    [Fact]
    public void S3_of_what_left_before_that_says_nothing()
    {
        _ork.Register();
        var id = OrderBeforeThat();
        _ork.Do(InputKind.LinkDown, 1);
        Assert.Empty(Leave());
        _ork.Register(session: 2, journal: false);
        CommandTests.AssertFailed(_ork.Status(id), "ERR_OUTCOME_UNKNOWN", "unknown");
    }

    /// <summary>Orders a command while the disk stands.</summary>
    private string Order(long deadlineMs = 600_000)
    {
        _ork.DiskStands();
        _ork.Ask("command.request", $$"""{"command":"reboot","params":{},"deadlineMs":{{deadlineMs}}}""", "d1");
        return _ork.Core.Ledger.All.MaxBy(static command => command.Seq)!.Spec.CommandId;
    }

    /// <summary>Orders a command whose first attempt leaves, and whose second comes while the disk stands.</summary>
    private string OrderBeforeThat()
    {
        var id = _ork.Send();
        _ork.DiskStands();
        while (_ork.Core.Ledger.All.Single().Attempt == 1) _ork.Pass(100);
        return id;
    }

    private List<string> Leave() => [.. _ork.DiskGoesOn().Where(static seen => seen.Action == OrkAction.CommandRequest).Select(static seen => seen.Payload.GetProperty("commandId").GetString()!)];

    private Seen Later()
    {
        _ork.Send();
        return _ork.LastCommand();
    }

    private CircuitState Circuit() => _ork.Core.Circuits.Of(_ork.Core.Registry.FindWorker("w1")!);
}
