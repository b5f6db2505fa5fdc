namespace Ork.Kernel.Tests;

/// <summary>A Worker that has no place for a command: that uses up no retry, and the kernel finds out how many places there are (S12, S17).</summary>
public sealed class PlacesTests
{
    private const int Devices = 16;

    private readonly CoreHarness _ork = new(new KernelOptions
    {
        Schedule = new ScheduleOptions { HealthIntervalMs = 1_000_000, StateIntervalMs = 1_000_000, TelemetryIntervalMs = 1_000_000 },
        Commands = new CommandOptions { WindowPerWorker = 8, MaxRetries = 0, BackoffBaseMs = 100, BackoffCapMs = 1_000, AttemptTimeoutMs = 1_000_000 },
    });

    [Fact]
    public void S17_that_it_has_no_place_uses_up_no_retry_and_ends_with_the_deadline_only()
    {
        Register();
        var id = _ork.Send(extra: ",\"deadlineMs\":60000");
        while (_ork.StatusWord(id) != "FAILED")
        {
            if (_ork.StatusWord(id) == "EXECUTING") Refuse(_ork.LastCommand());
            else _ork.Pass(50);
        }

        CommandTests.AssertFailed(_ork.Status(id), "ERR_DEADLINE", "not-started");
        Assert.Single(_ork.Observer.Events, KernelEvent.WorkerBusy);
        Assert.Equal(0, _ork.Status(id).GetProperty("retries").GetInt32());
        Assert.InRange(_ork.Status(id).GetProperty("attempt").GetInt32(), 20, 300);
    }

    [Fact]
    public void S17_that_it_has_no_place_takes_nothing_from_the_budget()
    {
        Register();
        var left = _ork.Core.Circuits.RetriesLeft(_ork.NowMs);
        foreach (var command in Order(8)) Refuse(command);
        PassUntilSent(9);
        Assert.True(_ork.Core.Circuits.RetriesLeft(_ork.NowMs) >= left, "A retry was taken from the budget.");
    }

    [Fact]
    public void S12_it_is_sent_no_more_than_it_had_places_for()
    {
        Register();
        var sent = Order(Devices);
        Assert.Equal(8, sent.Count);
        foreach (var command in sent.Skip(3)) Refuse(command);
        Assert.Equal(8, _ork.CommandsSent());
        _ork.Succeed(sent[0]);
        Assert.Equal(9, _ork.CommandsSent());
    }

    [Theory]
    [InlineData("SUCCESS", "null")]
    [InlineData("FAILED", "\"a fuse\"")]
    public void L2_after_as_many_as_it_had_places_for_it_is_tried_with_more_however_those_ended(string status, string error)
    {
        Register();
        var sent = Order(Devices);
        foreach (var command in sent.Skip(2)) Refuse(command);
        _ork.Result(sent[0], status, error);
        Assert.Equal(9, _ork.CommandsSent());
        _ork.Result(sent[1], status, error);
        Assert.Equal(11, _ork.CommandsSent());
        foreach (var most in new[] { 12, 13, 15 })
        {
            _ork.Result(Sent()[most - 4], status, error);
            Assert.Equal(most, _ork.CommandsSent());
        }
    }

    [Fact]
    public void S12_one_that_has_no_place_although_it_is_at_nothing_is_left_alone_for_a_while()
    {
        Register();
        var sent = Order(Devices);
        foreach (var command in sent) Refuse(command);
        Assert.Equal(8, _ork.CommandsSent());
        PassUntilSent(9);
        Refuse(_ork.LastCommand());
        Assert.Equal(9, _ork.CommandsSent());
        PassUntilSent(10);
        _ork.Succeed(_ork.LastCommand());
        Assert.True(_ork.CommandsSent() > 10, "Places came free, and nothing is sent.");
    }

    [Fact]
    public void One_that_is_busy_with_what_it_was_sent_is_nothing_to_hear_of()
    {
        Register();
        foreach (var command in Order(5)) Refuse(command);
        Assert.DoesNotContain(KernelEvent.WorkerBusy, _ork.Observer.Events);
    }

    [Fact]
    public void S12_one_that_registers_again_is_sent_a_whole_window()
    {
        Register();
        foreach (var command in Order(Devices)) Refuse(command);
        _ork.Do(InputKind.LinkDown, 1);
        _ork.Pass(2_000);
        Register(session: 2);
        Assert.Equal(16, _ork.CommandsSent());
    }

    [Fact]
    public void What_is_cancelled_meanwhile_does_not_keep_the_others()
    {
        Register();
        var id = _ork.Send("d0");
        Refuse(_ork.LastCommand());
        _ork.AskOne("command.cancel", $$"""{"commandId":"{{id}}"}""");
        _ork.Ask("command.request", """{"command":"reboot","params":{}}""", "d1");
        Assert.Equal(1, _ork.CommandsSent());
        PassUntilSent(2);
    }

    private void Register(long session = 1) => _ork.Register(session, devices: [.. Enumerable.Range(0, Devices).Select(static i => $"d{i}")]);

    private List<Seen> Order(int count)
    {
        for (var i = 0; i < count; i++) _ork.Send($"d{i}");
        return Sent();
    }

    private List<Seen> Sent() => [.. _ork.Effects.Where(static seen => seen.Action == Ork.Protocol.OrkAction.CommandRequest)];

    private void Refuse(Seen command) => _ork.Result(command, "FAILED", "\"ERR_WORKER_BUSY\"");

    private void PassUntilSent(int count)
    {
        for (var i = 0; i < 200 && _ork.CommandsSent() < count; i++) _ork.Pass(10);
        Assert.Equal(count, _ork.CommandsSent());
    }
}
