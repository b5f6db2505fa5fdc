using System.Text.Json;
using Ork.Protocol;

namespace Ork.Kernel.Tests;

/// <summary>The Command State Machine, by its rules in architecture.md.</summary>
public sealed class CommandTests
{
    private readonly CoreHarness _ork = new();

    [Fact]
    public void A_command_goes_from_acceptance_to_success_in_two_commits()
    {
        _ork.Register();
        var before = _ork.Disk.Commits;
        var id = _ork.Send();
        Assert.Equal("EXECUTING", _ork.StatusWord(id));
        var request = _ork.LastCommand();
        Assert.Equal(1, request.Payload.GetProperty("attempt").GetInt32());
        Assert.Equal(1, request.Payload.GetProperty("epoch").GetInt32());
        _ork.Succeed(request);
        var status = _ork.Status(id);
        Assert.Equal("SUCCESS", status.GetProperty("status").GetString());
        Assert.Equal(1, status.GetProperty("result").GetProperty("done").GetInt32());
        Assert.Equal(before + 2, _ork.Disk.Commits);
        Assert.Equal(["Accept", "Assign", "Send", "WorkerSucceeded"], _ork.Disk.Log.Select(row => row.Detail));
    }

    [Fact]
    public void S1_nothing_about_a_command_leaves_by_the_lane_that_does_not_wait_for_the_commit()
    {
        _ork.Register();
        var id = _ork.Send();
        _ork.Ask("command.status", $$"""{"commandId":"{{id}}","waitMs":1000}""");
        _ork.Succeed(_ork.LastCommand());
        _ork.Ask("command.cancel", $$"""{"commandId":"{{id}}"}""");
        OrkAction[] aboutCommands = [OrkAction.CommandRequest, OrkAction.CommandResult, OrkAction.CommandStatusResponse, OrkAction.CommandCancelResponse];
        var seen = _ork.Effects.Where(effect => aboutCommands.Contains(effect.Action)).ToArray();
        Assert.Equal(4, seen.Select(effect => effect.Action).Distinct().Count());
        Assert.All(seen, effect => Assert.False(effect.AtOnce));
    }

    [Fact]
    public void A_long_poll_is_answered_at_the_end_of_the_command_or_of_its_time()
    {
        _ork.Register();
        var id = _ork.Send();
        Assert.Empty(_ork.Ask("command.status", $$"""{"commandId":"{{id}}","waitMs":500}""", session: 901));
        var timedOut = Assert.Single(_ork.Pass(600), seen => seen.Session == 901);
        Assert.Equal("EXECUTING", timedOut.Payload.GetProperty("status").GetString());
        Assert.Empty(_ork.Ask("command.status", $$"""{"commandId":"{{id}}","waitMs":90000}""", session: 902));
        Assert.Empty(_ork.Ask("command.status", $$"""{"commandId":"{{id}}","waitMs":90000}""", session: 903));
        _ork.Do(InputKind.CallerGone, 903);
        var ended = Assert.Single(_ork.Succeed(_ork.LastCommand()), seen => seen.Session >= 900);
        Assert.Equal((902L, "SUCCESS"), (ended.Session, ended.Payload.GetProperty("status").GetString()));
    }

    [Fact]
    public void An_attempt_that_times_out_is_retried_with_the_same_id_and_a_higher_attempt_until_the_budget_ends()
    {
        var ork = new CoreHarness(new KernelOptions { Commands = new CommandOptions { MaxRetries = 2 }, Health = Patient, Schedule = Rare });
        ork.Register();
        var id = ork.Send();
        ork.Pass(120_000);
        var attempts = ork.Effects.Where(seen => seen.Action == OrkAction.CommandRequest).ToArray();
        Assert.Equal([1, 2, 3], attempts.Select(seen => seen.Payload.GetProperty("attempt").GetInt32()));
        Assert.All(attempts, seen => Assert.Equal(id, seen.Payload.GetProperty("commandId").GetString()));
        AssertFailed(ork.Status(id), "ERR_MAX_RETRIES_EXHAUSTED", "unknown");
    }

    [Fact]
    public void Unknown_ends_a_command_in_doubt_unless_it_is_declared_safe_to_repeat()
    {
        _ork.Register();
        var once = _ork.Send();
        _ork.Result(_ork.LastCommand(), "UNKNOWN", "null");
        AssertFailed(_ork.Status(once), "ERR_OUTCOME_UNKNOWN", "unknown");
        var safe = _ork.Send(command: "set-led", parameters: """{"on":true}""");
        Assert.False(_ork.LastCommand().Payload.TryGetProperty("reexecute", out _));
        _ork.Result(_ork.LastCommand(), "UNKNOWN", "null");
        _ork.Pass(1_000);
        Assert.True(_ork.LastCommand().Payload.GetProperty("reexecute").GetBoolean());
        _ork.Succeed(_ork.LastCommand());
        Assert.Equal("SUCCESS", _ork.StatusWord(safe));
    }

    [Fact]
    public void A_late_success_settles_an_open_command_wherever_it_stands()
    {
        var ork = new CoreHarness(new KernelOptions { Health = Patient, Schedule = Rare });
        ork.Register();
        var queued = ork.Send();
        var first = ork.LastCommand();
        var until = ork.NowMs + 10_001;
        while (ork.NowMs < until && ork.StatusWord(queued) != "QUEUED") ork.Pass(1);
        Assert.Equal("QUEUED", ork.StatusWord(queued));
        ork.Succeed(first);
        Assert.Equal("SUCCESS", ork.StatusWord(queued));
        Assert.Contains(("command", "Queued", "LateSuccess", "Success"), ork.Observer.Transitions);

        var executing = ork.Send();
        first = ork.LastCommand();
        ork.Pass(11_000);
        var second = ork.LastCommand();
        Assert.NotEqual(first.Correlation, second.Correlation);
        ork.Result(first, "FAILED", "\"late\"");
        Assert.Equal("EXECUTING", ork.StatusWord(executing));
        ork.Succeed(second);
        Assert.Equal("SUCCESS", ork.StatusWord(executing));
    }

    [Theory]
    [InlineData("SUCCESS", "SUCCESS")]
    [InlineData("FAILED", "FAILED")]
    public void A_late_answer_settles_a_command_whose_next_attempt_is_held_back(string answered, string status)
    {
        var ork = new CoreHarness(new KernelOptions { Health = Patient, Schedule = Rare });
        ork.Register();
        var id = ork.Send();
        var first = ork.LastCommand();
        ork.Do(InputKind.LinkCongested, 1);
        for (var i = 0; i < 20_000 && ork.StatusWord(id) != "DISPATCHED"; i++) ork.Pass(1);
        Assert.Equal("DISPATCHED", ork.StatusWord(id));
        ork.Result(first, answered, "\"late\"");
        Assert.Equal(status, ork.StatusWord(id));
        ork.Do(InputKind.LinkDrained, 1);
        Assert.Equal((1, 0), (ork.CommandsSent(), ork.Core.Ledger.InFlight));
    }

    [Fact]
    public void A_failure_of_which_the_Worker_says_nothing_is_its_handlers()
    {
        var ork = new CoreHarness();
        ork.Register();
        var id = ork.Send();
        ork.Result(ork.LastCommand(), "FAILED", "null");
        AssertFailed(ork.Status(id), "ERR_HANDLER_FAILED", "failed");
    }

    [Fact]
    public void S4_what_comes_after_the_end_changes_nothing()
    {
        var ork = new CoreHarness(new KernelOptions { Health = Patient, Schedule = Rare });
        ork.Register();
        var id = ork.Send();
        var first = ork.LastCommand();
        ork.Pass(11_000);
        ork.Succeed(ork.LastCommand());
        var ended = ork.Status(id).GetRawText();
        ork.Result(first, "FAILED", "\"late\"");
        Assert.Equal(ended, ork.Status(id).GetRawText());
        Assert.Contains(KernelEvent.LateAnswerIgnored, ork.Observer.Events);
    }

    [Fact]
    public void S10_cancelled_means_never_begun()
    {
        var ork = new CoreHarness(new KernelOptions { Commands = new CommandOptions { WindowPerWorker = 1 } });
        ork.Register();
        var sent = ork.Send();
        var waiting = ork.Send();
        var answer = ork.AskOne("command.cancel", $$"""{"commandId":"{{waiting}}"}""");
        Assert.Equal((true, false), (answer.GetProperty("cancelled").GetBoolean(), answer.GetProperty("stopped").GetBoolean()));
        AssertFailed(ork.Status(waiting), "ERR_CANCELLED", "not-started");
        ork.Succeed(ork.LastCommand());
        Assert.Equal(1, ork.CommandsSent());
        Assert.Equal("SUCCESS", ork.StatusWord(sent));
    }

    [Fact]
    public void A_cancel_after_sending_stops_further_attempts_and_never_claims_that_nothing_happened()
    {
        var ork = new CoreHarness(new KernelOptions { Health = Patient, Schedule = Rare });
        ork.Register();
        var id = ork.Send();
        var answer = ork.AskOne("command.cancel", $$"""{"commandId":"{{id}}"}""");
        Assert.Equal((false, true), (answer.GetProperty("cancelled").GetBoolean(), answer.GetProperty("stopped").GetBoolean()));
        Assert.Equal("EXECUTING", ork.StatusWord(id));
        ork.Pass(60_000);
        Assert.Equal(1, ork.CommandsSent());
        AssertFailed(ork.Status(id), "ERR_OUTCOME_UNKNOWN", "unknown");
    }

    [Fact]
    public void A_stopped_command_stays_stopped_over_a_restart()
    {
        _ork.Register();
        var id = _ork.Send();
        _ork.AskOne("command.cancel", $$"""{"commandId":"{{id}}"}""");
        _ork.Restart();
        AssertFailed(_ork.Status(id), "ERR_OUTCOME_UNKNOWN", "unknown");
    }

    [Fact]
    public void A_deadline_ends_a_command_that_was_not_sent_by_then()
    {
        _ork.Register();
        _ork.Do(InputKind.LinkDown, 1);
        var id = _ork.Send(extra: ",\"deadlineMs\":4000");
        Assert.Equal("QUEUED", _ork.StatusWord(id));
        _ork.Pass(4_100);
        AssertFailed(_ork.Status(id), "ERR_DEADLINE", "not-started");
    }

    [Fact]
    public void S15_one_idempotency_key_of_one_caller_is_one_command_also_after_a_restart()
    {
        _ork.Register();
        var first = _ork.Send(extra: ",\"idempotencyKey\":\"k\"");
        Assert.Equal(first, _ork.AskOne("command.request", """{"command":"reboot","idempotencyKey":"k"}""", "d1").GetProperty("commandId").GetString());
        _ork.Restart();
        Assert.Equal(first, _ork.AskOne("command.request", """{"command":"reboot","idempotencyKey":"k"}""", "d1").GetProperty("commandId").GetString());
        Assert.NotEqual(first, _ork.AskOne("command.request", """{"command":"reboot","idempotencyKey":"k"}""", "d1", caller: "uid:7").GetProperty("commandId").GetString());
        Assert.Equal(2, _ork.Disk.Commands.Count);
    }

    [Fact]
    public void A_command_waits_in_DISPATCHED_while_its_Workers_link_is_congested()
    {
        _ork.Register();
        _ork.Do(InputKind.LinkCongested, 1);
        var cancelled = _ork.Send();
        var sent = _ork.Send("d2");
        Assert.Equal("DISPATCHED", _ork.StatusWord(sent));
        Assert.True(_ork.AskOne("command.cancel", $$"""{"commandId":"{{cancelled}}"}""").GetProperty("cancelled").GetBoolean());
        Assert.Equal(0, _ork.CommandsSent());
        _ork.Do(InputKind.LinkDrained, 1);
        Assert.Equal(sent, _ork.LastCommand().Payload.GetProperty("commandId").GetString());
        Assert.Equal(1, _ork.CommandsSent());
        AssertFailed(_ork.Status(cancelled), "ERR_CANCELLED", "not-started");
    }

    [Fact]
    public void A_congested_attempt_that_times_out_or_loses_its_link_was_not_started()
    {
        var ork = new CoreHarness(new KernelOptions { Commands = new CommandOptions { MaxRetries = 0 }, Health = Patient, Schedule = Rare });
        ork.Register();
        ork.Do(InputKind.LinkCongested, 1);
        var slow = ork.Send(command: "set-led", parameters: """{"on":true}""");
        ork.Pass(1_500);
        AssertFailed(ork.Status(slow), "ERR_MAX_RETRIES_EXHAUSTED", "not-started");
        var lost = ork.Send();
        ork.Do(InputKind.LinkDown, 1);
        AssertFailed(ork.Status(lost), "ERR_MAX_RETRIES_EXHAUSTED", "not-started");
    }

    [Fact]
    public void S12_the_window_of_a_Worker_is_never_exceeded_and_no_command_rests_for_want_of_a_nudge()
    {
        var ork = new CoreHarness(new KernelOptions { Commands = new CommandOptions { WindowPerWorker = 2 } });
        ork.Register(devices: ["d0", "d1", "d2", "d3", "d4"]);
        var ids = Enumerable.Range(0, 5).Select(i => ork.Send($"d{i}")).ToArray();
        Assert.Equal(2, ork.CommandsSent());
        for (var i = 0; i < 5; i++)
        {
            Assert.InRange(ork.Core.Ledger.InFlight, 0, 2);
            ork.Succeed(ork.Effects.Where(seen => seen.Action == OrkAction.CommandRequest).ElementAt(i));
        }

        Assert.All(ids, id => Assert.Equal("SUCCESS", ork.StatusWord(id)));
    }

    [Fact]
    public void S12_beyond_the_limit_of_open_commands_a_request_is_refused_with_a_hint()
    {
        var ork = new CoreHarness(new KernelOptions { Commands = new CommandOptions { MaxOpenPerWorker = 3 } });
        ork.Register();
        for (var i = 0; i < 3; i++) ork.Send();
        var refused = ork.AskOne("command.request", """{"command":"reboot"}""", "d1");
        Assert.Equal(("REJECTED", "ERR_QUEUE_FULL"), (refused.GetProperty("status").GetString(), refused.GetProperty("error").GetString()));
        Assert.True(refused.GetProperty("retryAfterMs").GetInt32() > 0);
        Assert.Equal(3, ork.Disk.Commands.Count);
    }

    [Fact]
    public void S12_a_request_that_would_not_fit_a_Workers_frame_is_refused_and_open_bytes_are_bounded()
    {
        var ork = new CoreHarness(new KernelOptions { Commands = new CommandOptions { MaxRequestBytes = 100, MaxOpenBytes = 150 } });
        ork.Register();
        string? Error(int size) => ork.AskOne("command.request", $$$"""{"command":"reboot","params":{"x":"{{{new string('x', size)}}}"}}""", "d1") is var answer
            && answer.TryGetProperty("error", out var error) ? error.GetString() : null;
        Assert.Equal("ERR_PAYLOAD_FIELD_INVALID: params and targets exceed 100 bytes", Error(100));
        Assert.Null(Error(80));
        Assert.Equal("ERR_QUEUE_FULL", Error(80));
        ork.Succeed(ork.LastCommand());
        Assert.Null(Error(80));
    }

    [Fact]
    public void S12_a_result_beyond_its_limit_is_replaced_by_its_size()
    {
        var ork = new CoreHarness(new KernelOptions { Commands = new CommandOptions { MaxResultBytes = 5 } });
        ork.Register();
        var id = ork.Send();
        ork.Succeed(ork.LastCommand());
        Assert.Equal(("SUCCESS", 10), (ork.StatusWord(id), ork.Status(id).GetProperty("result").GetProperty("bytes").GetInt32()));
    }

    [Fact]
    public void S2_that_a_command_is_not_known_is_told_after_the_commit_that_may_be_forgetting_it()
    {
        foreach (var action in (string[])["command.status", "command.cancel"])
        {
            var told = _ork.Ask(action, """{"commandId":"gone"}""");
            Assert.Equal((false, "ERR_COMMAND_NOT_FOUND"), (told[^1].AtOnce, told[^1].Payload.GetProperty("error").GetString()));
        }
    }

    [Fact]
    public void A_wider_scope_is_one_command_for_many_devices()
    {
        _ork.Register(devices: ["d1", "d2", "d3"]);
        var answer = _ork.AskOne("command.request", """{"command":"reboot","scope":"worker","workerId":"w1"}""");
        Assert.Equal("QUEUED", answer.GetProperty("status").GetString());
        Assert.Equal(["d1", "d2", "d3"], _ork.LastCommand().Payload.GetProperty("targets").EnumerateArray().Select(target => target.GetString()));
        _ork.Succeed(_ork.LastCommand());
        _ork.AskOne("command.request", """{"command":"reboot","scope":"rack","workerId":"w1","targets":["d3","d1","d3"]}""");
        Assert.Equal(["d3", "d1"], _ork.LastCommand().Payload.GetProperty("targets").EnumerateArray().Select(target => target.GetString()));
        Assert.Equal("rack", _ork.LastCommand().Payload.GetProperty("scope").GetString());
        _ork.Succeed(_ork.LastCommand());
        _ork.AskOne("command.request", """{"command":"reboot","scope":"rack","workerId":"w1","targets":[]}""");
        Assert.Equal(["d1", "d2", "d3"], _ork.LastCommand().Payload.GetProperty("targets").EnumerateArray().Select(target => target.GetString()));
    }

    [Fact]
    public void A_fenced_kernels_command_fails_and_says_that_it_was_not_started()
    {
        _ork.Register();
        var id = _ork.Send();
        _ork.Result(_ork.LastCommand(), "FAILED", "\"ERR_STALE_EPOCH\"");
        AssertFailed(_ork.Status(id), "ERR_STALE_EPOCH", "not-started");
    }

    [Fact]
    public void A_fenced_kernels_later_attempt_says_nothing_of_the_one_before_it()
    {
        _ork.Register();
        var id = _ork.Send(command: "set-led", parameters: "{\"on\":true}");
        for (var i = 0; i < 100 && _ork.CommandsSent() < 2; i++) _ork.Pass(100);
        _ork.Result(_ork.LastCommand(), "FAILED", "\"ERR_STALE_EPOCH\"");
        AssertFailed(_ork.Status(id), "ERR_STALE_EPOCH", "unknown");
    }

    [Fact]
    public void A_fenced_kernels_attempt_says_nothing_of_one_that_a_crash_broke_off()
    {
        _ork.Register();
        var id = _ork.Send();
        _ork.Restart();
        _ork.Register(session: 2);
        Assert.Equal(2, _ork.LastCommand().Payload.GetProperty("attempt").GetInt32());
        _ork.Result(_ork.LastCommand(), "FAILED", "\"ERR_STALE_EPOCH\"");
        AssertFailed(_ork.Status(id), "ERR_STALE_EPOCH", "unknown");
    }

    [Fact]
    public void A_terminated_Workers_commands_end_and_new_ones_are_refused()
    {
        var ork = new CoreHarness(new KernelOptions { Commands = new CommandOptions { WindowPerWorker = 1 } });
        ork.Register();
        var sent = ork.Send();
        var queued = ork.Send();
        Assert.True(ork.AskOne("worker.terminate", """{"workerId":"w1"}""").GetProperty("terminated").GetBoolean());
        AssertFailed(ork.Status(sent), "ERR_WORKER_TERMINATED", "unknown");
        AssertFailed(ork.Status(queued), "ERR_WORKER_TERMINATED", "not-started");
        Assert.Equal("ERR_WORKER_NOT_ROUTABLE", ork.AskOne("command.request", """{"command":"reboot"}""", "d1").GetProperty("error").GetString());
    }

    [Fact]
    public void A_queued_command_that_its_Workers_new_contract_lacks_ends_not_started()
    {
        _ork.Register();
        _ork.Do(InputKind.LinkDown, 1);
        var id = _ork.Send();
        _ork.Register(session: 2, contract: """{"metadata":{},"capabilities":{"commands":[{"name":"other"}]}}""");
        AssertFailed(_ork.Status(id), "ERR_COMMAND_NOT_IN_CAPABILITIES: reboot", "not-started");
    }

    [Fact]
    public void A_kernel_that_stops_takes_no_more_and_leaves_what_is_in_flight_for_the_next_start()
    {
        _ork.Register();
        var id = _ork.Send();
        var keyed = _ork.Send(extra: ",\"idempotencyKey\":\"k\"");
        _ork.Do(InputKind.Stop);
        Assert.Equal("ERR_KERNEL_UNAVAILABLE", _ork.AskOne("command.request", """{"command":"reboot"}""", "d1").GetProperty("error").GetString());
        Assert.Equal(keyed, _ork.AskOne("command.request", """{"command":"reboot","idempotencyKey":"k"}""", "d1").GetProperty("commandId").GetString());
        _ork.ShutDown();
        Assert.Contains(("command", "Executing", "ShuttingDown", "Timeout"), _ork.Observer.Transitions);
        _ork.Restart();
        _ork.Register(session: 5);
        Assert.Equal(id, _ork.LastCommand().Payload.GetProperty("commandId").GetString());
    }

    [Fact]
    public void What_a_stop_left_for_the_next_start_ends_there_where_its_Worker_was_terminated_meanwhile()
    {
        _ork.Register();
        var id = _ork.Send();
        _ork.Do(InputKind.Stop);
        _ork.ShutDown();
        _ork.AskOne("worker.terminate", """{"workerId":"w1"}""");
        _ork.Restart();
        AssertFailed(_ork.Status(id), "ERR_WORKER_TERMINATED", "unknown");
    }

    [Theory]
    [InlineData("SUCCESS", "SUCCESS")]
    [InlineData("FAILED", "FAILED")]
    public void What_comes_between_the_drains_end_and_the_stop_still_counts(string answered, string status)
    {
        _ork.Register();
        var late = _ork.Send();
        var request = _ork.LastCommand();
        var stopped = _ork.Send("d2");
        _ork.Do(InputKind.Stop);
        _ork.ShutDown();
        _ork.Result(request, answered, "\"late\"");
        Assert.Equal(status, _ork.StatusWord(late));
        var cancel = _ork.AskOne("command.cancel", $$"""{"commandId":"{{stopped}}"}""");
        Assert.Equal((false, true), (cancel.GetProperty("cancelled").GetBoolean(), cancel.GetProperty("stopped").GetBoolean()));
        Assert.Equal("TIMEOUT", _ork.StatusWord(stopped));
        _ork.Restart();
        Assert.Equal(status, _ork.StatusWord(late));
        AssertFailed(_ork.Status(stopped), "ERR_OUTCOME_UNKNOWN", "unknown");
    }

    [Fact]
    public void S7_a_command_held_back_for_a_congested_link_waits_while_its_Worker_is_sick_and_leaves_when_it_is_well()
    {
        var ork = new CoreHarness(new KernelOptions { Commands = new CommandOptions { AttemptTimeoutMs = 120_000 } });
        ork.Register();
        ork.Do(InputKind.LinkCongested, 1);
        var id = ork.Send();
        ork.Pass(9_000);
        Assert.Equal(HealthState.Sick, ork.Core.Health.Of(ork.Core.Registry.FindWorker("w1")!));
        ork.Do(InputKind.LinkDrained, 1);
        Assert.Equal("DISPATCHED", ork.StatusWord(id));
        ork.Answer(ork.Effects.Last(seen => seen.Action == OrkAction.HealthPing), """{"status":"ok"}""");
        Assert.Equal("EXECUTING", ork.StatusWord(id));
        Assert.Equal(id, ork.LastCommand().Payload.GetProperty("commandId").GetString());
    }

    internal static HealthOptions Patient => new() { DeadAfter = int.MaxValue };

    internal static ScheduleOptions Rare => new() { HealthIntervalMs = 100_000_000, StateIntervalMs = 100_000_000, TelemetryIntervalMs = 100_000_000 };

    internal static void AssertFailed(JsonElement status, string error, string outcome)
    {
        Assert.Equal("FAILED", status.GetProperty("status").GetString());
        Assert.Equal(error, status.GetProperty("error").GetString());
        Assert.Equal(outcome, status.GetProperty("outcome").GetString());
    }
}
