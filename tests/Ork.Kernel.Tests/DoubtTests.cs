namespace Ork.Kernel.Tests;

/// <summary>What its Worker says that it did not begin is not in doubt: as good as never sent (S10, S20).</summary>
public sealed class DoubtTests
{
    private const string Busy = "\"ERR_WORKER_BUSY\"";

    private readonly CoreHarness _ork = new();

    [Theory]
    [InlineData(Busy)]
    [InlineData("\"ERR_JOURNAL_FAILED\"")]
    public void What_was_refused_unbegun_is_sent_again_although_nothing_makes_it_safe_to_repeat(string error)
    {
        _ork.Register(journal: false);
        var id = _ork.Send();
        Refuse(error);
        Assert.Equal("QUEUED", _ork.StatusWord(id));
        SendAgain();
        _ork.Succeed(_ork.LastCommand());
        Assert.Equal(("SUCCESS", 2), (_ork.StatusWord(id), _ork.Status(id).GetProperty("attempt").GetInt32()));
    }

    [Theory]
    [InlineData(Busy, CommandTrigger.WorkerBusy)]
    [InlineData("\"ERR_JOURNAL_FAILED\"", CommandTrigger.JournalFailed)]
    public void S5_the_log_says_why_its_Worker_did_not_take_an_attempt(string error, CommandTrigger why)
    {
        _ork.Register();
        _ork.Send();
        Refuse(error);
        Assert.Contains(_ork.Disk.Log, row => row.To == CommandState.Timeout && row.Detail == why.ToString());
    }

    [Fact]
    public void S3_that_there_is_no_place_for_an_attempt_says_nothing_of_one_before_it()
    {
        _ork.Register();
        var id = _ork.Send();
        _ork.Do(InputKind.LinkDown, 1);
        _ork.Register(session: 2);
        SendAgain();
        Refuse(Busy);
        Assert.False(Cancel(id).Cancelled);
        CommandTests.AssertFailed(_ork.Status(id), "ERR_OUTCOME_UNKNOWN", "unknown");
    }

    [Fact]
    public void S3_one_that_was_refused_once_is_in_doubt_from_its_next_attempt_on()
    {
        _ork.Register(journal: false);
        var id = _ork.Send();
        Refuse(Busy);
        SendAgain();
        _ork.Do(InputKind.LinkDown, 1);
        CommandTests.AssertFailed(_ork.Status(id), "ERR_OUTCOME_UNKNOWN", "unknown");
    }

    [Fact]
    public void S10_between_two_attempts_what_was_refused_unbegun_is_cancelled()
    {
        _ork.Register();
        var id = _ork.Send();
        Refuse(Busy);
        Assert.Equal((true, false), Cancel(id));
        CommandTests.AssertFailed(_ork.Status(id), "ERR_CANCELLED", "not-started");
    }

    [Fact]
    public void What_was_stopped_and_is_then_refused_unbegun_ends_as_cancelled()
    {
        _ork.Register();
        var id = _ork.Send();
        Assert.Equal((false, true), Cancel(id));
        Refuse(Busy);
        CommandTests.AssertFailed(_ork.Status(id), "ERR_CANCELLED", "not-started");
    }

    [Fact]
    public void What_was_refused_unbegun_follows_its_device_to_another_Worker()
    {
        _ork.Register(devices: ["d1"]);
        var id = _ork.Send();
        Refuse(Busy);
        _ork.Do(InputKind.LinkDown, 1);
        _ork.Pass(20_000);
        _ork.Register(session: 2, workerId: "w2", devices: ["d1"], key: "k2");
        Assert.Equal((2L, id), (_ork.LastCommand().Session, _ork.LastCommand().Payload.GetProperty("commandId").GetString()));
    }

    [Fact]
    public void What_was_refused_until_its_retries_were_used_up_was_not_started()
    {
        var ork = new CoreHarness(new KernelOptions { Commands = new CommandOptions { MaxRetries = 0 } });
        ork.Register();
        var id = ork.Send();
        ork.Result(ork.LastCommand(), "FAILED", "\"ERR_JOURNAL_FAILED\"");
        CommandTests.AssertFailed(ork.Status(id), "ERR_MAX_RETRIES_EXHAUSTED", "not-started");
    }

    [Fact]
    public void That_nothing_is_in_doubt_is_known_after_a_restart()
    {
        _ork.Register();
        var id = _ork.Send();
        Refuse(Busy);
        _ork.Restart();
        _ork.Register(session: 2, journal: false);
        Assert.Equal((2L, id), (_ork.LastCommand().Session, _ork.LastCommand().Payload.GetProperty("commandId").GetString()));
    }

    [Fact]
    public void A_fenced_attempt_after_a_refused_one_says_that_nothing_was_started()
    {
        _ork.Register();
        var id = _ork.Send();
        Refuse(Busy);
        SendAgain();
        _ork.Result(_ork.LastCommand(), "FAILED", "\"ERR_STALE_EPOCH\"");
        CommandTests.AssertFailed(_ork.Status(id), "ERR_STALE_EPOCH", "not-started");
    }

    [Fact]
    public void A_late_word_of_an_older_kernels_attempt_says_nothing_of_the_latest()
    {
        _ork.Register();
        var id = _ork.Send(command: "set-led", parameters: "{\"on\":true}");
        var first = _ork.LastCommand();
        SendAgain();
        var sent = _ork.CommandsSent();
        for (var i = 0; i < 400 && _ork.StatusWord(id) == "EXECUTING"; i++) _ork.Pass(10);
        Assert.Equal(sent, _ork.CommandsSent());
        _ork.Result(first, "FAILED", "\"ERR_STALE_EPOCH\"");
        CommandTests.AssertFailed(_ork.Status(id), "ERR_STALE_EPOCH", "unknown");
    }

    [Fact]
    public void S10_what_a_stopping_kernel_left_unsent_is_stopped_now_and_cancelled_by_the_next_start()
    {
        _ork.Register();
        _ork.Do(InputKind.LinkCongested, 1);
        var id = _ork.Send();
        _ork.Do(InputKind.Stop);
        _ork.ShutDown();
        Assert.Equal((false, true), Cancel(id));
        _ork.Restart();
        CommandTests.AssertFailed(_ork.Status(id), "ERR_CANCELLED", "not-started");
        _ork.Register(session: 2);
        Assert.Equal(0, _ork.CommandsSent());
    }

    private void Refuse(string error) => _ork.Result(_ork.LastCommand(), "FAILED", error);

    /// <summary>Lets time pass until the next attempt is sent.</summary>
    private void SendAgain()
    {
        var sent = _ork.CommandsSent();
        for (var i = 0; i < 1_000 && _ork.CommandsSent() == sent; i++) _ork.Pass(10);
        Assert.Equal(sent + 1, _ork.CommandsSent());
    }

    private (bool Cancelled, bool Stopped) Cancel(string id)
    {
        var answer = _ork.AskOne("command.cancel", $$"""{"commandId":"{{id}}"}""");
        return (answer.GetProperty("cancelled").GetBoolean(), answer.GetProperty("stopped").GetBoolean());
    }
}
