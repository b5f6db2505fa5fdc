using Ork.Protocol;

namespace Ork.Kernel.Tests;

/// <summary>Recovery, by architecture.md: on start, without anyone's help.</summary>
public sealed class RecoveryTests
{
    private readonly CoreHarness _ork = new();

    [Fact]
    public void Each_start_raises_the_epoch_and_commands_carry_it()
    {
        _ork.Register();
        var id = _ork.Send();
        Assert.Equal(1, _ork.LastCommand().Payload.GetProperty("epoch").GetInt64());
        _ork.Restart();
        _ork.Register(session: 2);
        Assert.Equal((id, 2L, 2), (_ork.LastCommand().Payload.GetProperty("commandId").GetString(), _ork.LastCommand().Payload.GetProperty("epoch").GetInt64(),
            _ork.LastCommand().Payload.GetProperty("attempt").GetInt32()));
    }

    [Fact]
    public void Workers_and_devices_come_back_as_discovered_and_commands_are_answered_for_at_once()
    {
        _ork.Register();
        var queued = Queue();
        _ork.Restart();
        Assert.Equal(WorkerState.Discovered, _ork.Core.Registry.FindWorker("w1")!.State);
        Assert.NotNull(_ork.Core.Registry.FindDevice("d2"));
        Assert.Equal("QUEUED", _ork.StatusWord(queued));
        Assert.Equal("QUEUED", _ork.StatusWord(_ork.Send()));
    }

    [Fact]
    public void What_was_in_flight_goes_through_TIMEOUT_back_to_QUEUED_and_is_driven()
    {
        _ork.Register();
        var id = _ork.Send();
        _ork.Restart();
        Assert.Equal("QUEUED", _ork.StatusWord(id));
        Assert.Contains(("command", "Executing", "Recovered", "Timeout"), _ork.Observer.Transitions);
        Assert.Contains(("command", "Timeout", "Retry", "Queued"), _ork.Observer.Transitions);
        _ork.Register(session: 2);
        _ork.Succeed(_ork.LastCommand());
        Assert.Equal("SUCCESS", _ork.StatusWord(id));
    }

    [Fact]
    public void What_was_in_flight_at_a_Worker_without_a_journal_ends_in_doubt_unless_safe_to_repeat()
    {
        _ork.Register(journal: false);
        var once = _ork.Send();
        var safe = _ork.Send(command: "set-led", parameters: """{"on":true}""");
        _ork.Restart();
        Assert.Equal("ERR_OUTCOME_UNKNOWN", _ork.Status(once).GetProperty("error").GetString());
        Assert.Equal("QUEUED", _ork.StatusWord(safe));
    }

    [Fact]
    public void A_command_that_was_only_dispatched_is_safe_whatever_its_Worker()
    {
        _ork.Register(journal: false);
        _ork.Do(InputKind.LinkCongested, 1);
        var id = _ork.Send();
        Assert.Equal("DISPATCHED", _ork.StatusWord(id));
        _ork.Restart();
        Assert.Equal("QUEUED", _ork.StatusWord(id));
        Assert.Contains(("command", "Dispatched", "Recovered", "Timeout"), _ork.Observer.Transitions);
    }

    [Fact]
    public void More_restarts_than_allowed_in_flight_exhaust_a_command()
    {
        var ork = new CoreHarness(new KernelOptions { Commands = new CommandOptions { MaxRecoveries = 2 } });
        ork.Register();
        var id = ork.Send();
        for (var restart = 0; restart < 3; restart++)
        {
            ork.Restart();
            if (restart < 2) ork.Register(session: 10 + restart);
        }

        Assert.Equal("ERR_RECOVERY_EXHAUSTED", ork.Status(id).GetProperty("error").GetString());
    }

    [Fact]
    public void Deadlines_that_passed_while_the_kernel_was_down_are_kept()
    {
        _ork.Register();
        _ork.Do(InputKind.LinkDown, 1);
        var id = _ork.Send(extra: ",\"deadlineMs\":1000");
        _ork.Restart();
        _ork.Pass(2_000);
        Assert.Equal("ERR_DEADLINE", _ork.Status(id).GetProperty("error").GetString());
    }

    [Fact]
    public void S16_memory_after_recovery_is_what_the_store_says()
    {
        _ork.Register();
        for (var i = 0; i < 20; i++)
        {
            _ork.Send(i % 2 == 0 ? "d1" : "d2");
            if (i % 3 == 0) _ork.Succeed(_ork.LastCommand());
        }

        for (var restart = 0; restart < 2; restart++)
        {
            _ork.Restart();
            var stored = _ork.Disk.Commands.Select(row => (row.Seq, row.State, row.Attempt, row.Retries, row.Recoveries, row.Transitions));
            var held = _ork.Core.Ledger.All.OrderBy(command => command.Seq)
                .Select(command => (command.Seq, command.State, command.Attempt, command.Retries, command.Recoveries, command.Transitions));
            Assert.Equal(stored, held);
        }
    }

    [Fact]
    public void A_terminated_Worker_stays_so_over_a_restart()
    {
        _ork.Register();
        _ork.AskOne("worker.terminate", """{"workerId":"w1"}""");
        _ork.Restart();
        var closed = Assert.Single(_ork.Link(session: 2));
        Assert.Equal(ErrorCodes.WorkerTerminated, ((Refusal)closed.Detail!).Error);
        _ork.Pass(60_000);
        Assert.DoesNotContain(_ork.Observer.Events, what => what is KernelEvent.WorkerSick or KernelEvent.WorkerDead);
    }

    [Fact]
    public void An_unchanged_Worker_that_comes_back_writes_nothing()
    {
        _ork.Register();
        _ork.Restart();
        var before = _ork.Disk.Commits;
        _ork.Register(session: 2);
        Assert.Equal(before, _ork.Disk.Commits);
    }

    private string Queue()
    {
        _ork.Do(InputKind.LinkDown, 1);
        return _ork.Send();
    }
}
