using Ork.Protocol;

namespace Ork.Kernel.Tests;

/// <summary>The Fault Supervisor: a failing Worker is held off and comes back by probes; retries fit a budget; an operator's word holds.</summary>
public sealed class CircuitTests
{
    private static readonly KernelOptions Quiet = new()
    {
        Schedule = new ScheduleOptions { HealthIntervalMs = 1_000_000, StateIntervalMs = 1_000_000, TelemetryIntervalMs = 1_000_000 },
        Circuits = new CircuitOptions { ConsecutiveFailures = 3, CoolDownBaseMs = 4_000, CoolDownCapMs = 10_000, HalfOpenProbes = 2, ProbesToClose = 2, MinExchanges = 10 },
    };

    private readonly CoreHarness _ork = new(Quiet);

    [Fact]
    public void S18_failures_in_a_row_open_the_circuit_and_nothing_is_sent_through_it()
    {
        Open();
        Assert.Equal(CircuitState.Open, State());
        var sent = _ork.CommandsSent();
        AssertRefused("ERR_CIRCUIT_OPEN", _ork.AskOne("command.request", """{"command":"reboot"}""", "d9"));
        AssertRefused("ERR_CIRCUIT_OPEN", _ork.AskOne("telemetry.pull", """{"query":{"type":"metrics"}}""", "d9"));
        _ork.Pass(1_000);
        Assert.Equal(sent, _ork.CommandsSent());
        Assert.DoesNotContain(_ork.Effects, seen => seen.Action is OrkAction.TelemetryPull);
    }

    [Fact]
    public void S18_half_open_it_lets_a_few_probes_through_and_their_answers_close_it()
    {
        Open();
        for (var i = 4; i < 8; i++) _ork.Send($"d{i}", extra: ",\"priority\":\"urgent\"");
        var sent = _ork.CommandsSent();
        _ork.Pass(4_001);
        Assert.Equal(CircuitState.HalfOpen, State());
        Assert.Equal(sent + 2, _ork.CommandsSent());
        _ork.Succeed(_ork.LastCommand());
        Assert.Equal((CircuitState.HalfOpen, sent + 3), (State(), _ork.CommandsSent()));
        _ork.Succeed(_ork.LastCommand());
        Assert.Equal(CircuitState.Closed, State());
        Assert.True(_ork.CommandsSent() > sent + 3, "A closed circuit drives what waited.");
    }

    [Fact]
    public void A_failed_probe_opens_it_again_and_for_longer()
    {
        Open();
        var first = Measure(CircuitState.Open);
        for (var i = 4; i < 8; i++) _ork.Send($"d{i}", command: "set-led", parameters: """{"on":true}""");
        Assert.Equal(CircuitState.HalfOpen, State());
        _ork.Pass(1_000);
        Assert.Equal(CircuitState.Open, State());
        var second = Measure(CircuitState.Open);
        Assert.InRange(first, 1_999, 4_001);
        Assert.InRange(second, 3_999, 8_001);
        Assert.Contains(("circuit", "HalfOpen", "ProbeFailed", "Open"), _ork.Observer.Transitions);
    }

    [Fact]
    public void Answers_that_are_of_no_use_open_it_as_silence_does()
    {
        _ork.Register(devices: Devices());
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(CircuitState.Closed, State());
            _ork.Send($"d{i}");
            _ork.Answer(_ork.LastCommand(), "{}");
        }

        Assert.Equal(CircuitState.Open, State());
        Assert.Equal(3, _ork.Observer.Exchanges.Count(seen => seen == (OrkAction.CommandRequest, ErrorCodes.WorkerAnswerInvalid)));
        Assert.DoesNotContain((OrkAction.CommandRequest, null), _ork.Observer.Exchanges);
    }

    [Fact]
    public void A_share_of_failures_opens_it_too()
    {
        _ork.Register(devices: Devices());
        for (var i = 0; i < 5 && State() == CircuitState.Closed; i++)
        {
            Led(i);
            _ork.Send("d9");
            _ork.Succeed(_ork.LastCommand());
            _ork.Pass(1_000);
        }

        Assert.Equal(CircuitState.Open, State());
    }

    [Fact]
    public void A_Worker_that_flaps_is_held_off_and_one_lost_link_with_many_commands_is_nothing()
    {
        for (var i = 0; i < 5; i++)
        {
            Assert.Equal(CircuitState.Closed, State());
            _ork.Register(session: i + 1, devices: Devices());
            for (var device = 0; device < 9; device++) _ork.Send($"d{device}");
            _ork.Do(InputKind.LinkDown, i + 1);
        }

        Assert.Equal(CircuitState.Open, State());
    }

    [Fact]
    public void Pings_and_registrations_pass_an_open_circuit()
    {
        Open();
        var asked = _ork.Link(9);
        Assert.Contains(asked, seen => seen.Action == OrkAction.HealthPing);
        Assert.Contains(asked, seen => seen.Action == OrkAction.IdentityRequest);
    }

    [Fact]
    public void An_operators_hold_survives_restarts_until_it_is_restored()
    {
        _ork.Register(devices: Devices());
        Assert.Equal("Open", _ork.AskOne("worker.hold", """{"workerId":"w1","hold":"open"}""").GetProperty("circuit").GetString());
        _ork.Pass(100_000);
        _ork.Restart();
        _ork.Register(devices: Devices());
        AssertRefused("ERR_CIRCUIT_OPEN", _ork.AskOne("command.request", """{"command":"reboot","priority":"urgent"}""", "d1"));
        Assert.Equal("Closed", _ork.AskOne("worker.hold", """{"workerId":"w1","hold":"none"}""").GetProperty("circuit").GetString());
        _ork.Send();
        Assert.Equal(1, _ork.CommandsSent());
    }

    [Fact]
    public void Commands_that_wait_for_an_isolated_Worker_leave_when_it_is_restored()
    {
        _ork.Register(devices: Devices());
        _ork.Send("d1");
        var waiting = _ork.Send("d1");
        _ork.AskOne("worker.hold", """{"workerId":"w1","hold":"open"}""");
        _ork.Succeed(_ork.LastCommand());
        Assert.Equal("QUEUED", _ork.StatusWord(waiting));
        _ork.AskOne("worker.hold", """{"workerId":"w1","hold":"none"}""");
        Assert.Equal("EXECUTING", _ork.StatusWord(waiting));
    }

    [Fact]
    public void A_circuit_held_closed_does_not_open()
    {
        _ork.Register(devices: Devices());
        _ork.AskOne("worker.hold", """{"workerId":"w1","hold":"closed"}""");
        for (var i = 0; i < 6; i++) Led(i);
        _ork.Pass(1_500);
        Assert.Equal(CircuitState.Closed, State());
    }

    [Theory]
    [InlineData("""{"hold":"open"}""", "ERR_PAYLOAD_WORKER_ID_REQUIRED")]
    [InlineData("""{"workerId":"nobody","hold":"open"}""", "ERR_WORKER_NOT_FOUND")]
    [InlineData("""{"workerId":"w1","hold":"ajar"}""", "ERR_PAYLOAD_FIELD_INVALID: hold must be none, open or closed")]
    public void A_hold_that_cannot_be_is_refused(string payload, string error)
    {
        _ork.Register();
        Assert.Equal(error, _ork.AskOne("worker.hold", payload).GetProperty("error").GetString());
    }

    [Fact]
    public void S17_retries_fit_the_budget_and_one_that_does_not_waits()
    {
        var ork = new CoreHarness(Quiet with
        {
            Circuits = Quiet.Circuits with { ConsecutiveFailures = 1_000, MinExchanges = 1_000 },
            Retries = new RetryOptions { Burst = 3, PerSecond = 0, SharePercent = 50, WaitMs = 200 },
        });
        ork.Register(devices: Devices());
        for (var i = 0; i < 8; i++) ork.Send($"d{i}", "set-led", """{"on":true}""");
        ork.Pass(1_900);
        Assert.Equal(8 + 3, ork.CommandsSent());
        Assert.Contains(KernelEvent.RetryDelayed, ork.Observer.Events);
        for (var i = 0; i < 4; i++)
        {
            ork.Send("d9");
            ork.Succeed(ork.LastCommand());
        }

        ork.Pass(300);
        Assert.Equal(8 + 3 + 4 + 2, ork.CommandsSent());
    }

    [Fact]
    public void What_a_kernels_stop_interrupted_is_repeated_outside_the_budget()
    {
        var ork = new CoreHarness(Quiet with { Retries = new RetryOptions { Burst = 0, PerSecond = 0, SharePercent = 0 } });
        ork.Register(devices: Devices());
        for (var i = 0; i < 8; i++) ork.Send($"d{i}");
        ork.Restart();
        ork.Register(devices: Devices());
        Assert.Equal(16, ork.CommandsSent());
    }

    private static string[] Devices() => [.. Enumerable.Range(0, 10).Select(i => $"d{i}")];

    private CircuitState State() => _ork.Core.Registry.FindWorker("w1") is { } worker ? _ork.Core.Circuits.Of(worker) : CircuitState.Closed;

    private void Led(int device) => _ork.Send($"d{device}", "set-led", """{"on":true}""");

    /// <summary>Three commands of a second each are not answered.</summary>
    private void Open()
    {
        _ork.Register(devices: Devices());
        for (var i = 0; i < 3; i++) Led(i);
        _ork.Pass(1_000);
    }

    private long Measure(CircuitState state)
    {
        var from = _ork.NowMs;
        while (State() == state) _ork.Pass(1);
        return _ork.NowMs - from;
    }

    private static void AssertRefused(string error, System.Text.Json.JsonElement answer)
    {
        Assert.Equal(error, answer.GetProperty("error").GetString());
        Assert.True(answer.GetProperty("retryAfterMs").GetInt32() > 0);
    }
}
