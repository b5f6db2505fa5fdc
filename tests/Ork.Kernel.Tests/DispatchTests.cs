using Ork.Protocol;

namespace Ork.Kernel.Tests;

/// <summary>What callers may ask, and how they are refused (protocol.md).</summary>
public sealed class DispatchTests
{
    private readonly CoreHarness _ork = new();

    public DispatchTests() => _ork.Register();

    [Theory]
    [InlineData("""{"command":"reboot"}""", null, "ERR_DEVICE_ID_REQUIRED")]
    [InlineData("""{"command":"reboot"}""", "nope", "ERR_DEVICE_NOT_FOUND")]
    [InlineData("""{"command":"reboot","workerId":"w9"}""", "d1", "ERR_DEVICE_NOT_FOUND: d1 is not of Worker w9")]
    [InlineData("""{"command":"reboot","scope":"worker","workerId":"w9"}""", null, "ERR_WORKER_NOT_FOUND")]
    [InlineData("""{"command":"reboot","scope":"rack","workerId":"w1","targets":["d1","x"]}""", null, "ERR_DEVICE_NOT_FOUND: x")]
    [InlineData("""{"command":"explode"}""", "d1", "ERR_COMMAND_NOT_IN_CAPABILITIES: explode")]
    [InlineData("""{"command":"set-led"}""", "d1", "ERR_PARAM_REQUIRED: on")]
    [InlineData("""{"command":"set-led","params":{"on":"yes"}}""", "d1", "ERR_PARAM_TYPE: on must be boolean")]
    [InlineData("""{"scope":"device"}""", "d1", "ERR_PAYLOAD_COMMAND_REQUIRED")]
    [InlineData("""{"command":" "}""", "d1", "ERR_COMMAND_REQUIRED")]
    [InlineData("""{"command":"reboot","scope":"worker","workerId":" "}""", null, "ERR_WORKER_ID_REQUIRED")]
    public void A_refused_request_names_its_rule_and_leaves_no_trace(string payload, string? device, string error)
    {
        var refused = _ork.AskOne("command.request", payload, device);
        Assert.Equal(("REJECTED", error), (refused.GetProperty("status").GetString(), refused.GetProperty("error").GetString()));
        Assert.Empty(_ork.Disk.Commands);
        Assert.NotEmpty(refused.GetProperty("message").GetString()!);
    }

    [Fact]
    public void A_device_is_found_however_its_id_is_written()
    {
        Assert.Equal("d1", _ork.Status(_ork.Send("\\u00641")).GetProperty("deviceId").GetString());
    }

    [Theory]
    [InlineData("action.push")]
    [InlineData("action.query")]
    [InlineData("write.calls.request")]
    [InlineData("health.ping")]
    [InlineData("identity.request")]
    public void What_is_reserved_or_not_a_callers_to_ask_is_not_supported(string action) =>
        Assert.Equal("ERR_NOT_SUPPORTED", _ork.AskOne(action, "{}").GetProperty("error").GetString());

    [Fact]
    public void A_message_that_is_no_request_is_refused() =>
        Assert.Equal("ERR_ENVELOPE_TYPE_INVALID", _ork.Ask("worker.list", "{}", type: "event").Single().Payload.GetProperty("error").GetString());

    [Fact]
    public void A_frame_that_is_not_JSON_is_answered_too()
    {
        var answer = Assert.Single(_ork.Do(InputKind.CallerRequest, 900, new ReceivedFrame(FrameKind.Request, 5, "hello"u8.ToArray()), "uid:0"));
        Assert.Equal((OrkAction.ErrorResponse, 5UL, "ERR_FRAME_NOT_JSON"), (answer.Action, answer.Correlation, answer.Payload.GetProperty("error").GetString()));
    }

    [Fact]
    public void The_contract_behind_a_device_is_told_as_its_Worker_gave_it()
    {
        var told = _ork.AskOne("device.capabilities", "{}", "d1");
        Assert.Equal(("d1", "w1"), (told.GetProperty("deviceId").GetString(), told.GetProperty("workerId").GetString()));
        Assert.Contains("reboot", told.GetProperty("contract").GetProperty("capabilities").GetProperty("commands").EnumerateArray().Select(command => command.GetProperty("name").GetString()));
        Assert.Equal("ERR_DEVICE_ID_REQUIRED", _ork.AskOne("device.capabilities", "{}").GetProperty("error").GetString());
        Assert.Equal("ERR_DEVICE_NOT_FOUND", _ork.AskOne("device.capabilities", "{}", "nope").GetProperty("error").GetString());
    }

    [Theory]
    [InlineData("{}", "w1,w2", null)]
    [InlineData("""{"limit":1}""", "w1", "w1")]
    [InlineData("""{"limit":1,"after":"w1"}""", "w2", null)]
    [InlineData("""{"after":"w2"}""", "", null)]
    [InlineData("""{"after":"w10","limit":1}""", "w2", null)]
    [InlineData("""{"after":"a"}""", "w1,w2", null)]
    [InlineData("""{"workerId":"w2","limit":1}""", "w2", null)]
    [InlineData("""{"workerId":"nope"}""", "", null)]
    public void Workers_are_listed_page_by_page_or_one_of_them(string ask, string workers, string? next)
    {
        _ork.Register(session: 2, workerId: "w2", devices: ["d9"], key: "k2");
        var page = _ork.AskOne("worker.list", ask);
        Assert.Equal(workers, string.Join(',', page.GetProperty("workers").EnumerateArray().Select(worker => worker.GetProperty("workerId").GetString())));
        Assert.Equal(next, page.GetProperty("next").GetString());
    }

    [Fact]
    public void An_unknown_command_cannot_be_followed_or_cancelled()
    {
        Assert.Equal("ERR_COMMAND_NOT_FOUND", _ork.Status("nope").GetProperty("error").GetString());
        Assert.Equal("ERR_COMMAND_NOT_FOUND", _ork.AskOne("command.cancel", """{"commandId":"nope"}""").GetProperty("error").GetString());
        Assert.Equal("ERR_WORKER_NOT_FOUND", _ork.AskOne("worker.terminate", """{"workerId":"nope"}""").GetProperty("error").GetString());
    }

    [Fact]
    public void Telemetry_is_proxied_untouched_at_once_and_identical_queries_share_one_pull()
    {
        var first = _ork.Ask("telemetry.pull", """{"query": {"type":"metrics", "n" : 1.0}}""", "d1", session: 901).Single();
        Assert.Equal((OrkAction.TelemetryPull, 1L, true), (first.Action, first.Session, first.AtOnce));
        Assert.Equal("1.0", first.Payload.GetProperty("query").GetProperty("n").GetRawText());
        Assert.Empty(_ork.Ask("telemetry.pull", """{"query": {"type":"metrics", "n" : 1.0}}""", "d1", session: 902));
        Assert.Single(_ork.Ask("telemetry.pull", """{"query":{"type":"metrics"}}""", "d2", session: 903));
        var answers = _ork.Answer(first, """{"hashrate": 1.50}""");
        Assert.Equal([901L, 902L], answers.Select(seen => seen.Session));
        Assert.All(answers, seen => Assert.Equal((true, "1.50"), (seen.AtOnce, seen.Payload.GetProperty("hashrate").GetRawText())));
        Assert.Equal(1, _ork.Core.PullsInFlight);
    }

    [Theory]
    [InlineData("telemetry.pull", """{"query":{"type":"metrics"}}""", null, "ERR_DEVICE_ID_REQUIRED")]
    [InlineData("telemetry.pull", """{"query":{"type":"metrics"}}""", "nope", "ERR_DEVICE_NOT_FOUND")]
    [InlineData("telemetry.pull", """{"query":{"type":"secrets"}}""", "d1", "ERR_QUERY_INVALID")]
    [InlineData("state.pull", "{}", "nope", "ERR_DEVICE_NOT_FOUND")]
    [InlineData("device.capabilities", "{}", "nope", "ERR_DEVICE_NOT_FOUND")]
    [InlineData("device.capabilities", "{}", null, "ERR_DEVICE_ID_REQUIRED")]
    public void A_query_that_cannot_be_proxied_is_refused(string action, string payload, string? device, string error) =>
        Assert.Equal(error, _ork.AskOne(action, payload, device).GetProperty("error").GetString());

    [Fact]
    public void A_pull_without_an_answer_ends_at_its_deadline_and_with_its_link()
    {
        var ork = new CoreHarness(new KernelOptions { Health = CommandTests.Patient, Schedule = CommandTests.Rare });
        ork.Register();
        ork.Ask("state.pull", "{}", "d1", session: 901);
        Assert.Equal("ERR_WORKER_TIMEOUT", Assert.Single(ork.Pass(10_100), seen => seen.Session == 901).Payload.GetProperty("error").GetString());
        ork.Ask("state.pull", "{}", "d2", session: 902);
        Assert.Equal("ERR_LINK_LOST", Assert.Single(ork.Do(InputKind.LinkDown, 1), seen => seen.Session == 902).Payload.GetProperty("error").GetString());
        Assert.Equal(0, ork.Core.PullsInFlight);
    }

    [Fact]
    public void S12_pulls_beyond_a_Workers_window_and_beyond_the_kernels_are_refused()
    {
        var ork = new CoreHarness(new KernelOptions { Pulls = new PullOptions { WindowPerWorker = 2, MaxPulls = 3 } });
        ork.Register();
        ork.Register(session: 2, workerId: "w2", devices: ["e1", "e2"], key: "k2");
        string? Pull(string device, int n) => ork.Ask("telemetry.pull", $$$"""{"query":{"type":"logs","n":{{{n}}}}}""", device, session: 901)
            .SingleOrDefault(seen => seen.Session == 901)?.Payload.GetProperty("error").GetString();
        Assert.Null(Pull("d1", 1));
        Assert.Null(Pull("d1", 2));
        Assert.Equal("ERR_QUEUE_FULL", Pull("d1", 3));
        Assert.Null(Pull("e1", 1));
        Assert.Equal("ERR_KERNEL_BUSY", Pull("e1", 2));
    }

    [Fact]
    public void The_list_of_Workers_comes_in_pages()
    {
        for (var i = 2; i <= 7; i++) _ork.Register(session: i, workerId: $"w{i}", devices: [$"x{i}"], key: $"k{i}");
        var names = new List<string>();
        for (string? after = null; ;)
        {
            var page = _ork.AskOne("worker.list", $$"""{"limit":3,"devices":true,"after":{{(after is null ? "null" : $"\"{after}\"")}}}""");
            names.AddRange(page.GetProperty("workers").EnumerateArray().Select(worker => worker.GetProperty("workerId").GetString()!));
            after = page.GetProperty("next").GetString();
            if (after is null) break;
            Assert.Equal(0, names.Count % 3);
        }

        Assert.Equal(Enumerable.Range(1, 7).Select(i => $"w{i}"), names);
    }

    [Fact]
    public void A_deadline_beyond_thirty_days_is_one_of_thirty_days()
    {
        _ork.Send(extra: $",\"deadlineMs\":{long.MaxValue}");
        Assert.Equal(_ork.UtcMs + (30L * 24 * 3_600_000), _ork.Disk.Commands.Single().Spec.DeadlineAt);
    }

    [Fact]
    public void An_order_for_all_devices_of_a_Worker_with_too_many_is_refused()
    {
        _ork.Register(session: 2, workerId: "w2", devices: [.. Enumerable.Range(0, CommandRequestPayload.MaxTargets + 1).Select(i => $"many{i}")], key: "k2");
        var refused = _ork.AskOne("command.request", """{"command":"reboot","scope":"worker","workerId":"w2"}""");
        Assert.Equal("ERR_PAYLOAD_TARGETS_TOO_MANY", refused.GetProperty("error").GetString());
        _ork.Register(session: 3, workerId: "w3", devices: [.. Enumerable.Range(0, CommandRequestPayload.MaxTargets).Select(i => $"most{i}")], key: "k3");
        Assert.Equal("QUEUED", _ork.AskOne("command.request", """{"command":"reboot","scope":"worker","workerId":"w3"}""").GetProperty("status").GetString());
    }

    [Fact]
    public void A_Workers_answer_that_is_none_ends_its_request_as_invalid()
    {
        _ork.Ask("state.pull", "{}", "d1", session: 901);
        var pull = _ork.Effects.Last(seen => seen.Action == OrkAction.StatePull);
        var told = _ork.AnswerRaw(pull, "not json").Single(seen => seen.Session == 901);
        Assert.Equal("ERR_WORKER_ANSWER_INVALID", told.Payload.GetProperty("error").GetString());
        Assert.Contains(KernelEvent.AnswerInvalid, _ork.Observer.Events);
    }
}
