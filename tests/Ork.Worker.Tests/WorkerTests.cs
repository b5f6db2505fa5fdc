using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Time.Testing;
using Ork.Protocol;
using OrkSim;

namespace Ork.Worker.Tests;

/// <summary>The Worker runtime, as a kernel on the other end of its link sees it.</summary>
public sealed class WorkerTests : IAsyncLifetime
{
    private static readonly LinkEndpoint Endpoint = LinkEndpoint.Unix("kernel");

    private readonly MemoryNetwork _network = new();
    private readonly MemoryCommandJournal _journal = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _running = [];
    private readonly List<string> _executed = [];
    private IListener _listener = null!;

    // Handlers that hang are not waited for, but where a test is about that.
    private long _drainMs;
    private ulong _correlation;

    public ValueTask InitializeAsync()
    {
        _listener = _network.As("kernel").Listen(Endpoint, Audience.Workers);
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Close();
        await Task.WhenAll(_running).WaitAsync(TimeSpan.FromMinutes(1));
        _stop.Dispose();
    }

    [Fact]
    public async Task It_greets_with_its_id_and_answers_who_it_is_and_what_it_can()
    {
        var kernel = await LinkAsync(Define());
        var identity = await AskAsync(kernel, OrkAction.IdentityRequest);
        Assert.Equal("w", identity.GetProperty("workerId").GetString());
        Assert.Equal(["d1", "d2"], identity.GetProperty("devices").EnumerateArray().Select(device => device.GetProperty("deviceId").GetString()));
        Assert.Equal(0, identity.GetProperty("features").GetArrayLength());
        Assert.Equal(0, identity.GetProperty("journal").GetArrayLength());
        Assert.True((await AskAsync(kernel, OrkAction.CapabilityRequest)).GetProperty("contract").TryGetProperty("capabilities", out _));
        Assert.Equal("ok", (await AskAsync(kernel, OrkAction.HealthPing)).GetProperty("status").GetString());
        Assert.Equal("d1", (await AskAsync(kernel, OrkAction.StatePull, deviceId: "d1")).GetProperty("state").GetProperty("of").GetString());
        Assert.Equal("d2", (await AskAsync(kernel, OrkAction.StatePull)).GetProperty("state").GetProperty("d2").GetProperty("of").GetString());
    }

    [Fact]
    public async Task S24_a_Worker_that_is_told_to_stop_answers_what_it_has_begun_and_begins_nothing_more()
    {
        _drainMs = 600_000;
        var gate = new TaskCompletionSource();
        var kernel = await LinkAsync(Define(gate.Task));
        var begun = Send(kernel, Command("c1", "wait", 1));
        while (Executed() == 0) await Task.Yield();
        await _stop.CancelAsync();
        Send(kernel, Command("c2", "act", 1));

        // What is under way is joined, and what is no command is answered.
        var joined = Send(kernel, Command("c1", "wait", 2));
        Assert.Equal("ok", (await AskAsync(kernel, OrkAction.HealthPing)).GetProperty("status").GetString());
        gate.SetResult();
        for (var i = 0; i < 2; i++) Assert.Equal("SUCCESS", (await ReceiveAsync(kernel, begun, joined)).GetProperty("status").GetString());
        Assert.Null(await kernel.ReceiveAsync());
        await _running[^1];
        Assert.Equal(["c1"], _executed);
    }

    [Fact]
    public async Task S24_a_Worker_that_is_told_to_stop_waits_no_longer_than_its_time()
    {
        _drainMs = 3_000;
        var time = new FakeTimeProvider();
        Run(Define(new TaskCompletionSource().Task), new WorkerOptions { Announce = Endpoint }, time: time);
        var kernel = await GreetAsync();
        Send(kernel, Command("c1", "wait", 1));
        while (Executed() == 0) await Task.Yield();
        await _stop.CancelAsync();
        time.Advance(TimeSpan.FromMilliseconds(2_999));
        Assert.Equal("ok", (await AskAsync(kernel, OrkAction.HealthPing)).GetProperty("status").GetString());
        Assert.False(_running[^1].IsCompleted);
        time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Null(await kernel.ReceiveAsync());
        await _running[^1];
    }

    private int Executed()
    {
        lock (_executed) return _executed.Count;
    }

    [Fact]
    public async Task S3_a_repeated_command_is_answered_and_not_executed()
    {
        var kernel = await LinkAsync(Define());
        for (var attempt = 1; attempt <= 3; attempt++)
        {
            var answer = await CommandAsync(kernel, "c1", "act", attempt);
            Assert.Equal(("SUCCESS", "d1"), (answer.GetProperty("status").GetString(), answer.GetProperty("result").GetProperty("by").GetString()));
        }

        Assert.Equal(["c1"], _executed);
    }

    [Fact]
    public async Task A_repeated_command_joins_the_execution_still_running()
    {
        var gate = new TaskCompletionSource();
        var kernel = await LinkAsync(Define(gate.Task));
        var first = Send(kernel, Command("c1", "wait", 1));
        var second = Send(kernel, Command("c1", "wait", 2));
        gate.SetResult();
        Assert.Equal("SUCCESS", (await ReceiveAsync(kernel, first, second)).GetProperty("status").GetString());
        Assert.Equal("SUCCESS", (await ReceiveAsync(kernel, first, second)).GetProperty("status").GetString());
        Assert.Equal(["c1"], _executed);
    }

    [Fact]
    public async Task A_repeated_command_joins_its_execution_though_all_places_are_taken()
    {
        var gate = new TaskCompletionSource();
        var kernel = await LinkAsync(Define(gate.Task), new WorkerOptions { Announce = Endpoint, MaxHandlers = 1 });
        var first = Send(kernel, Command("c1", "wait", 1));
        Assert.Equal("ERR_WORKER_BUSY", (await CommandAsync(kernel, "c2", "act", 1)).GetProperty("error").GetString());
        var second = Send(kernel, Command("c1", "wait", 2));

        // Requests are taken in turn: by this answer the second was.
        await AskAsync(kernel, OrkAction.HealthPing);
        gate.SetResult();
        for (var i = 0; i < 2; i++) Assert.Equal("SUCCESS", (await ReceiveAsync(kernel, first, second)).GetProperty("status").GetString());
        Assert.Equal(["c1"], _executed);
    }

    [Fact]
    public async Task A_command_started_without_a_recorded_end_is_answered_UNKNOWN_and_repeated_only_if_told_and_declared_safe()
    {
        foreach (var id in new[] { "c1", "c2" }) await _journal.StartAsync(new JournalStart("w", id, 1, 1, false));
        var kernel = await LinkAsync(Define());
        Assert.Equal("UNKNOWN", (await CommandAsync(kernel, "c1", "act", 2)).GetProperty("status").GetString());
        Assert.Equal("UNKNOWN", (await CommandAsync(kernel, "c1", "act", 3, extra: ",\"reexecute\":true")).GetProperty("status").GetString());
        Assert.Equal("UNKNOWN", (await CommandAsync(kernel, "c2", "safe", 2)).GetProperty("status").GetString());
        Assert.Empty(_executed);
        Assert.Equal("SUCCESS", (await CommandAsync(kernel, "c2", "safe", 3, extra: ",\"reexecute\":true")).GetProperty("status").GetString());
        Assert.Equal(["c2"], _executed);
    }

    [Fact]
    public async Task S14_a_command_of_an_older_kernel_is_refused()
    {
        var kernel = await LinkAsync(Define());
        await CommandAsync(kernel, "c1", "act", 1, epoch: 7);
        var stale = await CommandAsync(kernel, "c2", "act", 1, epoch: 6);
        Assert.Equal(("FAILED", "ERR_STALE_EPOCH"), (stale.GetProperty("status").GetString(), stale.GetProperty("error").GetString()));
        Assert.Equal(["c1"], _executed);
    }

    [Fact]
    public async Task A_handler_that_throws_fails_its_command_and_nothing_else()
    {
        var kernel = await LinkAsync(Define());
        var failed = await CommandAsync(kernel, "c1", "throw", 1);
        Assert.Equal(("FAILED", "ERR_HANDLER_FAILED: boom"), (failed.GetProperty("status").GetString(), failed.GetProperty("error").GetString()));
        Assert.Equal("SUCCESS", (await CommandAsync(kernel, "c2", "act", 1)).GetProperty("status").GetString());
    }

    [Fact]
    public async Task A_handler_past_its_deadline_frees_its_place_and_is_still_answered_for_when_it_ends()
    {
        var gate = new TaskCompletionSource();
        var kernel = await LinkAsync(Define(gate.Task), new WorkerOptions { Announce = Endpoint, MaxHandlers = 1 });
        var hung = Send(kernel, Command("c1", "wait", 1, extra: ",\"timeoutMs\":1"));
        JsonElement neighbour;
        do neighbour = await CommandAsync(kernel, $"n{_correlation}", "act", 1);
        while (neighbour.GetProperty("error").GetString() == "ERR_WORKER_BUSY");
        Assert.Equal("SUCCESS", neighbour.GetProperty("status").GetString());
        gate.SetResult();
        Assert.Equal("SUCCESS", (await ReceiveAsync(kernel, hung)).GetProperty("status").GetString());
    }

    [Fact]
    public async Task A_query_that_does_not_end_in_its_time_is_refused_and_a_command_that_gives_up_fails_by_it()
    {
        var kernel = await LinkAsync(Define(new TaskCompletionSource().Task), new WorkerOptions { Announce = Endpoint, QueryTimeoutMs = 1 });
        Assert.Equal("ERR_HANDLER_TIMEOUT", (await AskAsync(kernel, OrkAction.TelemetryPull, """{"query":{"type":"metrics"}}""")).GetProperty("error").GetString());
        var answer = await CommandAsync(kernel, "c1", "patient", 1, extra: ",\"timeoutMs\":1");
        Assert.Equal(("FAILED", "ERR_HANDLER_TIMEOUT"), (answer.GetProperty("status").GetString(), answer.GetProperty("error").GetString()));
    }

    [Fact]
    public async Task A_querys_handler_is_told_when_its_time_is_over_and_asks_no_further_devices()
    {
        var told = new TaskCompletionSource();
        var asked = new List<string?>();
        var definition = Define(new TaskCompletionSource().Task)
            .OnTelemetry("stats", async (_, cancellation) =>
            {
                await using var telling = cancellation.Register(told.SetResult);
                await Task.Delay(Timeout.Infinite, cancellation);
                return new { };
            })
            .OnState(async (deviceId, cancellation) =>
            {
                lock (asked) asked.Add(deviceId);
                var over = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                await using var telling = cancellation.Register(over.SetResult);
                await over.Task;
                return new { };
            });
        var kernel = await LinkAsync(definition, new WorkerOptions { Announce = Endpoint, QueryTimeoutMs = 1, MaxOverdueHandlers = 1 });
        Assert.Equal("ERR_HANDLER_TIMEOUT", (await AskAsync(kernel, OrkAction.TelemetryPull, """{"query":{"type":"stats"}}""")).GetProperty("error").GetString());
        await told.Task;

        // The place of each that was told is free again, or soon is.
        for (var i = 0; i < 3; i++)
        {
            string? error;
            do error = (await AskAsync(kernel, OrkAction.StatePull)).GetProperty("error").GetString();
            while (error == "ERR_WORKER_BUSY");
            Assert.Equal("ERR_HANDLER_TIMEOUT", error);
        }

        lock (asked) Assert.All(asked, static deviceId => Assert.Equal("d1", deviceId));
    }

    [Fact]
    public async Task Queries_that_hang_for_ever_pile_up_no_further_than_allowed_and_keep_no_command_from_a_device()
    {
        var kernel = await LinkAsync(Define(new TaskCompletionSource().Task), new WorkerOptions { Announce = Endpoint, QueryTimeoutMs = 1, MaxOverdueHandlers = 2 });
        var answers = new List<string?>();
        for (var i = 0; i < 4; i++) answers.Add((await AskAsync(kernel, OrkAction.TelemetryPull, """{"query":{"type":"metrics"}}""")).GetProperty("error").GetString());
        Assert.Equal(["ERR_HANDLER_TIMEOUT", "ERR_HANDLER_TIMEOUT", "ERR_WORKER_BUSY", "ERR_WORKER_BUSY"], answers);
        Assert.Equal("SUCCESS", (await CommandAsync(kernel, "c1", "act", 1)).GetProperty("status").GetString());
    }

    [Fact]
    public async Task S12_a_query_that_ends_past_its_time_gives_back_one_place()
    {
        var gates = new System.Collections.Concurrent.ConcurrentQueue<TaskCompletionSource<object>>();
        var definition = Define().OnTelemetry("stats", async (_, _) =>
        {
            var gate = new TaskCompletionSource<object>(TaskCreationOptions.RunContinuationsAsynchronously);
            gates.Enqueue(gate);
            return await gate.Task;
        });
        var kernel = await LinkAsync(definition, new WorkerOptions { Announce = Endpoint, QueryTimeoutMs = 1, MaxOverdueHandlers = 2 });
        for (var i = 0; i < 2; i++) Assert.Equal("ERR_HANDLER_TIMEOUT", await StatsAsync());
        Assert.True(gates.TryDequeue(out var first));
        first.SetResult(new { });
        string? third;
        do third = await StatsAsync();
        while (third == "ERR_WORKER_BUSY");
        Assert.Equal(("ERR_HANDLER_TIMEOUT", "ERR_WORKER_BUSY"), (third, await StatsAsync()));

        async Task<string?> StatsAsync() => (await AskAsync(kernel, OrkAction.TelemetryPull, """{"query":{"type":"stats"}}""")).GetProperty("error").GetString();
    }

    [Fact]
    public async Task S12_a_question_that_it_has_no_answer_to_takes_no_place()
    {
        var kernel = await LinkAsync(Define(), new WorkerOptions { Announce = Endpoint, MaxHandlers = 1 });
        for (var i = 0; i < 3; i++) Assert.StartsWith("ERR_QUERY_INVALID", (await AskAsync(kernel, OrkAction.TelemetryPull, """{"query":{"type":"settings"}}""")).GetProperty("error").GetString());
    }

    [Fact]
    public async Task A_journal_tells_its_openings_and_one_that_cannot_be_written_starts_nothing()
    {
        var worker = new OrkWorker(Define(), new WorkerOptions { Announce = Endpoint }, new WorkerPorts { Network = _network.As("worker"), Entropy = new NoEntropy(), Time = TimeProvider.System, Journal = new FullJournal() });
        _running.Add(worker.RunAsync(_stop.Token));
        var kernel = await GreetAsync();
        var identity = await AskAsync(kernel, OrkAction.IdentityRequest);
        Assert.Equal("journal", identity.GetProperty("features")[0].GetString());
        Assert.Equal(["b", "a"], identity.GetProperty("journal").EnumerateArray().Select(name => name.GetString()));
        var answer = await CommandAsync(kernel, "c1", "act", 1);
        Assert.Equal(("FAILED", "ERR_JOURNAL_FAILED"), (answer.GetProperty("status").GetString(), answer.GetProperty("error").GetString()));
        Assert.Empty(_executed);
    }

    [Fact]
    public async Task A_handler_that_returns_too_much_harms_nobody_and_its_success_stays_one()
    {
        var kernel = await LinkAsync(Define());
        var answer = await CommandAsync(kernel, "c1", "big", 1);
        Assert.Equal(("SUCCESS", "ERR_HANDLER_RESULT_TOO_LARGE"), (answer.GetProperty("status").GetString(), answer.GetProperty("result").GetProperty("error").GetString()));
        var telemetry = await AskAsync(kernel, OrkAction.TelemetryPull, """{"query":{"type":"logs"}}""");
        Assert.Equal("ERR_HANDLER_RESULT_TOO_LARGE", telemetry.GetProperty("error").GetString());
    }

    [Theory]
    [InlineData(OrkAction.TelemetryPull, """{"query":{"type":"stats"}}""", "ERR_QUERY_INVALID: w has no telemetry 'stats'")]
    [InlineData(OrkAction.TelemetryPull, "{}", "ERR_QUERY_INVALID: w has no telemetry ''")]
    [InlineData(OrkAction.WorkerList, "{}", "ERR_NOT_SUPPORTED")]
    [InlineData(OrkAction.CommandRequest, """{"command":"act"}""", "ERR_PAYLOAD_COMMAND_ID_REQUIRED")]
    [InlineData(OrkAction.CommandRequest, "{}", "ERR_PAYLOAD_COMMAND_REQUIRED")]
    public async Task What_it_cannot_answer_it_refuses(OrkAction action, string payload, string error) =>
        Assert.Equal(error, (await AskAsync(await LinkAsync(Define()), action, payload)).GetProperty("error").GetString());

    [Fact]
    public async Task A_command_without_a_handler_fails_by_its_name()
    {
        var answer = await CommandAsync(await LinkAsync(Define()), "c1", "unhandled", 1);
        Assert.Equal("ERR_COMMAND_NOT_IN_CAPABILITIES: unhandled", answer.GetProperty("error").GetString());
    }

    [Fact]
    public async Task It_comes_back_after_its_link_is_lost_and_answers_nothing_it_was_not_asked()
    {
        var kernel = await LinkAsync(Define());
        kernel.Close(ErrorCodes.KernelUnavailable);
        kernel = await GreetAsync();
        Assert.Equal("ok", (await AskAsync(kernel, OrkAction.HealthPing)).GetProperty("status").GetString());
        kernel.Send(FrameKind.Response, 5, "{}"u8);
        Assert.Null(await kernel.ReceiveAsync());
    }

    [Fact]
    public async Task One_whose_link_another_takes_again_and_again_comes_back_less_and_less_often()
    {
        var time = new HastyTime(ofMs: 100_000);
        Run(Define(), new WorkerOptions { Announce = Endpoint, ReconnectBaseMs = 1_000, ReplacedCapMs = 5_000, ConnectTimeoutMs = 200_000, SilentLinkMs = 200_000 }, time: time, entropy: new MostEntropy());
        foreach (var reason in new[] { ErrorCodes.LinkReplaced, ErrorCodes.LinkReplaced, ErrorCodes.LinkReplaced, ErrorCodes.LinkReplaced, null, ErrorCodes.LinkReplaced, null })
        {
            var kernel = await GreetAsync();
            await AskAsync(kernel, OrkAction.HealthPing);
            kernel.Close(reason is null ? null : (Refusal)reason);
        }

        await GreetAsync();
        Assert.Equal([1, 2, 4, 5, 1, 1, 1], time.Elapsed.Select(pause => pause.TotalMilliseconds / 1_000).Select(seconds => (int)seconds));
    }

    [Theory]
    [InlineData("{]", "ERR_FRAME_NOT_JSON")]
    [InlineData("""{"id":"m","version":"0.2.0","type":"event","action":"health.ping","sender":"ork","timestamp":1,"payload":{}}""", "ERR_ENVELOPE_TYPE_INVALID")]
    public async Task What_is_no_request_is_refused_with_the_rule_that_it_breaks(string frame, string error)
    {
        var kernel = await LinkAsync(Define());
        kernel.Send(FrameKind.Request, ++_correlation, Encoding.UTF8.GetBytes(frame));
        Assert.StartsWith(error, (await ReceiveAsync(kernel, _correlation)).GetProperty("error").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ERR_WORKER_BUSY", "ERR_HANDLER_FAILED: ERR_WORKER_BUSY")]
    [InlineData("ERR_STALE_EPOCH: 7", "ERR_HANDLER_FAILED: ERR_STALE_EPOCH: 7")]
    [InlineData("no", "no")]
    public async Task S3_a_handler_which_began_cannot_say_that_it_was_not_begun(string said, string told)
    {
        var kernel = await LinkAsync(Define().OnCommand("act", (_, _) => ValueTask.FromResult(CommandReply.Failure(said))));
        Assert.Equal(told, (await CommandAsync(kernel, "c1", "act", 1)).GetProperty("error").GetString());
    }

    [Fact]
    public async Task One_that_cannot_listen_says_so()
    {
        var worker = new OrkWorker(Define(), new WorkerOptions { Listen = Endpoint }, new WorkerPorts { Network = _network.As("worker"), Entropy = new NoEntropy(), Time = TimeProvider.System, Journal = _journal });
        Assert.Equal(ErrorCodes.EndpointInvalid, (await Assert.ThrowsAsync<LinkException>(() => worker.RunAsync(CancellationToken.None))).Refusal.Error);
    }

    [Fact]
    public async Task One_that_listens_is_greeted_by_the_kernel_that_dials_it()
    {
        var endpoint = LinkEndpoint.Unix("worker");
        Run(Define(), new WorkerOptions { Listen = endpoint });
        var connection = await DialAsync(endpoint);
        var welcome = (await connection.ReceiveAsync())!.Value;
        Assert.Equal((FrameKind.Welcome, "w"), (welcome.Kind, Greeting.TryRead(welcome.Payload)!.WorkerId));
        Assert.Equal("ok", (await AskAsync(connection, OrkAction.HealthPing)).GetProperty("status").GetString());
        connection.Close(null);
    }

    [Fact]
    public async Task S12_one_that_listens_serves_as_many_kernels_as_it_may_and_the_next_when_one_has_gone()
    {
        var endpoint = LinkEndpoint.Unix("worker");
        Run(Define(), new WorkerOptions { Listen = endpoint, MaxKernels = 1 });
        var first = await DialAsync(endpoint);
        Assert.Equal(FrameKind.Welcome, (await first.ReceiveAsync())!.Value.Kind);
        var second = await DialAsync(endpoint);
        var welcome = second.ReceiveAsync().AsTask();
        for (var i = 0; i < 1_000; i++) await AskAsync(first, OrkAction.HealthPing);
        Assert.False(welcome.IsCompleted);
        first.Close(null);
        Assert.Equal(FrameKind.Welcome, (await welcome)!.Value.Kind);
        second.Close(null);
    }

    [Fact]
    public async Task S12_a_link_that_fails_in_a_way_nobody_foresaw_gives_its_place_back()
    {
        var endpoint = LinkEndpoint.Unix("worker");
        Run(Define(), new WorkerOptions { Listen = endpoint, MaxKernels = 1 }, new FirstLinkBreaks(_network.As("worker")));
        var first = await DialAsync(endpoint);
        Assert.Equal(FrameKind.Welcome, (await first.ReceiveAsync())!.Value.Kind);
        Assert.Null(await first.ReceiveAsync());
        var second = await DialAsync(endpoint);
        Assert.Equal(FrameKind.Welcome, (await second.ReceiveAsync().AsTask().WaitAsync(TimeSpan.FromMinutes(1)))!.Value.Kind);
        second.Close(null);
    }

    [Fact]
    public void A_definition_refuses_what_its_contract_lacks()
    {
        Assert.Throws<ArgumentException>(() => Define().OnCommand("nope", (_, _) => new(CommandReply.Success())));
        Assert.Throws<ArgumentException>(() => Define().OnTelemetry("nope", (_, _) => new(new { })));
        Assert.Throws<ArgumentException>(() => WorkerDefinition.ContractOf(new { }));
    }

    private async Task<IConnection> DialAsync(LinkEndpoint endpoint)
    {
        var connection = await _network.As("kernel").ConnectAsync(endpoint, null, CancellationToken.None);
        connection.Send(FrameKind.Hello, 0, new Greeting(Greeting.Kernel).ToBytes());
        return connection;
    }

    private WorkerDefinition Define(Task? gate = null)
    {
        var contract = WorkerDefinition.ContractOf(new
        {
            metadata = new { deviceFamily = "test" },
            capabilities = new
            {
                commands = new object[]
                {
                    new { name = "act" }, new { name = "safe", idempotent = true }, new { name = "wait" }, new { name = "throw" }, new { name = "big" }, new { name = "patient" }, new { name = "unhandled" },
                },
            },
        });
        var definition = new WorkerDefinition("w", contract, ["d1", "d2"])
            .OnCommand("act", Act)
            .OnCommand("safe", Act)
            .OnCommand("throw", (_, _) => throw new InvalidOperationException("boom"))
            .OnCommand("big", (_, _) => new(CommandReply.Success(new string('x', 2_000_000))))
            .OnCommand("patient", async (_, cancellation) =>
            {
                await Task.Delay(Timeout.Infinite, cancellation);
                return CommandReply.Success();
            })
            .OnTelemetry("metrics", async (_, _) => await new TaskCompletionSource<object>().Task)
            .OnTelemetry("logs", (_, _) => new(new { log = new string('x', 2_000_000) }))
            .OnState((deviceId, _) => new(new { of = deviceId }));
        return definition.OnCommand("wait", async (call, _) =>
        {
            lock (_executed) _executed.Add(call.CommandId);
            await gate!;
            return CommandReply.Success();
        });
    }

    private ValueTask<CommandReply> Act(CommandCall call, CancellationToken cancellation)
    {
        lock (_executed) _executed.Add(call.CommandId);
        return new(CommandReply.Success(new { by = call.DeviceIds[0] }));
    }

    private void Run(WorkerDefinition definition, WorkerOptions options, INetwork? network = null, TimeProvider? time = null, IEntropy? entropy = null)
    {
        var ports = new WorkerPorts { Network = network ?? _network.As("worker"), Entropy = entropy ?? new NoEntropy(), Time = time ?? TimeProvider.System, Journal = _journal };
        _running.Add(new OrkWorker(definition, options with { DrainMs = _drainMs }, ports).RunAsync(_stop.Token));
    }

    private Task<IConnection> LinkAsync(WorkerDefinition definition, WorkerOptions? options = null)
    {
        Run(definition, options ?? new WorkerOptions { Announce = Endpoint });
        return GreetAsync();
    }

    private async Task<IConnection> GreetAsync()
    {
        var connection = (await _listener.AcceptAsync())!;
        var hello = (await connection.ReceiveAsync())!.Value;
        Assert.Equal((FrameKind.Hello, "w"), (hello.Kind, Greeting.TryRead(hello.Payload)!.WorkerId));
        connection.Send(FrameKind.Welcome, 0, new Greeting(Greeting.Kernel).ToBytes());
        return connection;
    }

    private static string Command(string id, string command, int attempt, long epoch = 1, string extra = "") =>
        $$"""{"commandId":"{{id}}","attempt":{{attempt}},"epoch":{{epoch}},"command":"{{command}}"{{extra}}}""";

    private async Task<JsonElement> CommandAsync(IConnection kernel, string id, string command, int attempt, long epoch = 1, string extra = "") =>
        await ReceiveAsync(kernel, Send(kernel, Command(id, command, attempt, epoch, extra)));

    private async Task<JsonElement> AskAsync(IConnection kernel, OrkAction action, string payload = "{}", string? deviceId = null) =>
        await ReceiveAsync(kernel, Send(kernel, payload, action, deviceId));

    private ulong Send(IConnection kernel, string payload, OrkAction action = OrkAction.CommandRequest, string? deviceId = "d1")
    {
        var device = deviceId is null ? "null" : $"\"{deviceId}\"";
        var json = $$"""{"id":"m","version":"0.2.0","type":"request","action":"{{OrkActions.NameOf(action)}}","sender":"ork","deviceId":{{device}},"timestamp":1,"payload":{{payload}}}""";
        kernel.Send(FrameKind.Request, ++_correlation, Encoding.UTF8.GetBytes(json));
        return _correlation;
    }

    private static async Task<JsonElement> ReceiveAsync(IConnection kernel, params ulong[] correlations)
    {
        var frame = (await kernel.ReceiveAsync())!.Value;
        Assert.Equal(FrameKind.Response, frame.Kind);
        Assert.Contains(frame.Correlation, correlations);
        Assert.Null(EnvelopeReader.Read(frame.Payload, out var envelope));
        Assert.Equal(MessageType.Response, envelope.Type);
        return JsonElement.Parse(envelope.Payload.Span);
    }

    private sealed class FullJournal : ICommandJournal
    {
        public IReadOnlyList<string> Incarnations { get; } = ["b", "a"];

        public ValueTask<(JournalVerdict Verdict, JournalAnswer? Answer)> StartAsync(JournalStart start) => throw new IOException("no space left on device");

        public ValueTask EndAsync(string workerId, string commandId, JournalAnswer answer) => throw new IOException("no space left on device");
    }

    private sealed class NoEntropy : IEntropy
    {
        public ulong NextBits() => 0;
    }

    /// <summary>Draws the most of each of the ceilings 1, 2, 4 and 5 seconds.</summary>
    private sealed class MostEntropy : IEntropy
    {
        public ulong NextBits() => (1_001UL * 2_001 * 4_001 * 5_001) - 1;
    }

    /// <summary>Where short timers elapse at once, and long ones never.</summary>
    private sealed class HastyTime(long ofMs) : TimeProvider
    {
        private readonly List<TimeSpan> _elapsed = [];

        internal IReadOnlyList<TimeSpan> Elapsed
        {
            get
            {
                lock (_elapsed) return [.. _elapsed];
            }
        }

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            if (dueTime == Timeout.InfiniteTimeSpan || dueTime.TotalMilliseconds >= ofMs) return System.CreateTimer(callback, state, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            lock (_elapsed) _elapsed.Add(dueTime);
            return System.CreateTimer(callback, state, TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>A network whose first accepted link cannot be read once it is greeted, and says so as no link should.</summary>
    private sealed class FirstLinkBreaks(INetwork network) : INetwork
    {
        public ValueTask<IConnection> ConnectAsync(LinkEndpoint endpoint, string? expectedKey, CancellationToken cancellation) => network.ConnectAsync(endpoint, expectedKey, cancellation);

        public IListener Listen(LinkEndpoint endpoint, Audience audience) => new Listener(network.Listen(endpoint, audience));

        private sealed class Listener(IListener listener) : IListener
        {
            private bool _accepted;

            public LinkEndpoint Endpoint => listener.Endpoint;

            public async ValueTask<IConnection?> AcceptAsync()
            {
                if (await listener.AcceptAsync() is not { } connection) return null;
                if (_accepted) return connection;
                _accepted = true;
                return new Link(connection);
            }

            public void Close() => listener.Close();
        }

        private sealed class Link(IConnection connection) : IConnection
        {
            private bool _greeted;

            public PeerIdentity Peer => connection.Peer;

            public Refusal? CloseReason => connection.CloseReason;

            public ValueTask<ReceivedFrame?> ReceiveAsync()
            {
                if (_greeted) throw new InvalidOperationException("nobody foresaw this");
                _greeted = true;
                return connection.ReceiveAsync();
            }

            public bool Send(FrameKind kind, ulong correlation, ReadOnlySpan<byte> payload) => connection.Send(kind, correlation, payload);

            public ValueTask DrainedAsync() => connection.DrainedAsync();

            public void Close(Refusal? reason) => connection.Close(reason);
        }
    }
}
