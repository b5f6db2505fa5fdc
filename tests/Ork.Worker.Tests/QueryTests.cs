using Ork.Protocol;

namespace Ork.Worker.Tests;

/// <summary>How pulls are answered: within their time and size, or refused.</summary>
public sealed class QueryTests : IAsyncDisposable
{
    private readonly WorkerHarness _worker = new();

    public ValueTask DisposeAsync() => _worker.DisposeAsync();

    [Fact]
    public async Task A_query_that_does_not_end_in_its_time_is_refused_and_a_command_that_gives_up_fails_by_it()
    {
        var kernel = await _worker.LinkAsync(_worker.Define(new TaskCompletionSource().Task), new WorkerOptions { Announce = WorkerHarness.Endpoint, QueryTimeoutMs = 1 });
        Assert.Equal("ERR_HANDLER_TIMEOUT", (await _worker.AskAsync(kernel, OrkAction.TelemetryPull, """{"query":{"type":"metrics"}}""")).GetProperty("error").GetString());
        var answer = await _worker.CommandAsync(kernel, "c1", "patient", 1, extra: ",\"timeoutMs\":1");
        Assert.Equal(("FAILED", "ERR_HANDLER_TIMEOUT"), (answer.GetProperty("status").GetString(), answer.GetProperty("error").GetString()));
    }

    [Fact]
    public async Task A_querys_handler_is_told_when_its_time_is_over_and_asks_no_further_devices()
    {
        var told = new TaskCompletionSource();
        var asked = new List<string?>();
        var definition = _worker.Define(new TaskCompletionSource().Task)
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
        var kernel = await _worker.LinkAsync(definition, new WorkerOptions { Announce = WorkerHarness.Endpoint, QueryTimeoutMs = 1, MaxOverdueHandlers = 1 });
        Assert.Equal("ERR_HANDLER_TIMEOUT", (await _worker.AskAsync(kernel, OrkAction.TelemetryPull, """{"query":{"type":"stats"}}""")).GetProperty("error").GetString());
        await told.Task;

        // The place of each that was told is free again, or soon is.
        for (var i = 0; i < 3; i++)
        {
            string? error;
            do error = (await _worker.AskAsync(kernel, OrkAction.StatePull)).GetProperty("error").GetString();
            while (error == "ERR_WORKER_BUSY");
            Assert.Equal("ERR_HANDLER_TIMEOUT", error);
        }

        lock (asked) Assert.All(asked, static deviceId => Assert.Equal("d1", deviceId));
    }

    [Fact]
    public async Task Queries_that_hang_for_ever_pile_up_no_further_than_allowed_and_keep_no_command_from_a_device()
    {
        var kernel = await _worker.LinkAsync(_worker.Define(new TaskCompletionSource().Task), new WorkerOptions { Announce = WorkerHarness.Endpoint, QueryTimeoutMs = 1, MaxOverdueHandlers = 2 });
        var answers = new List<string?>();
        for (var i = 0; i < 4; i++) answers.Add((await _worker.AskAsync(kernel, OrkAction.TelemetryPull, """{"query":{"type":"metrics"}}""")).GetProperty("error").GetString());
        Assert.Equal(["ERR_HANDLER_TIMEOUT", "ERR_HANDLER_TIMEOUT", "ERR_WORKER_BUSY", "ERR_WORKER_BUSY"], answers);
        Assert.Equal("SUCCESS", (await _worker.CommandAsync(kernel, "c1", "act", 1)).GetProperty("status").GetString());
    }

    [Fact]
    public async Task S12_a_query_that_ends_past_its_time_gives_back_one_place()
    {
        var gates = new System.Collections.Concurrent.ConcurrentQueue<TaskCompletionSource<object>>();
        var definition = _worker.Define().OnTelemetry("stats", async (_, _) =>
        {
            var gate = new TaskCompletionSource<object>(TaskCreationOptions.RunContinuationsAsynchronously);
            gates.Enqueue(gate);
            return await gate.Task;
        });
        var kernel = await _worker.LinkAsync(definition, new WorkerOptions { Announce = WorkerHarness.Endpoint, QueryTimeoutMs = 1, MaxOverdueHandlers = 2 });
        for (var i = 0; i < 2; i++) Assert.Equal("ERR_HANDLER_TIMEOUT", await StatsAsync());
        Assert.True(gates.TryDequeue(out var first));
        first.SetResult(new { });
        string? third;
        do third = await StatsAsync();
        while (third == "ERR_WORKER_BUSY");
        Assert.Equal(("ERR_HANDLER_TIMEOUT", "ERR_WORKER_BUSY"), (third, await StatsAsync()));

        async Task<string?> StatsAsync() => (await _worker.AskAsync(kernel, OrkAction.TelemetryPull, """{"query":{"type":"stats"}}""")).GetProperty("error").GetString();
    }

    [Fact]
    public async Task S12_a_question_that_it_has_no_answer_to_takes_no_place()
    {
        var kernel = await _worker.LinkAsync(_worker.Define(), new WorkerOptions { Announce = WorkerHarness.Endpoint, MaxHandlers = 1 });
        for (var i = 0; i < 3; i++) Assert.StartsWith("ERR_QUERY_INVALID", (await _worker.AskAsync(kernel, OrkAction.TelemetryPull, """{"query":{"type":"settings"}}""")).GetProperty("error").GetString());
    }

    [Theory]
    [InlineData(OrkAction.TelemetryPull, """{"query":{"type":"stats"}}""", "ERR_QUERY_INVALID: w has no telemetry 'stats'")]
    [InlineData(OrkAction.TelemetryPull, "{}", "ERR_QUERY_INVALID: w has no telemetry ''")]
    [InlineData(OrkAction.WorkerList, "{}", "ERR_NOT_SUPPORTED")]
    [InlineData(OrkAction.CommandRequest, """{"command":"act"}""", "ERR_PAYLOAD_COMMAND_ID_REQUIRED")]
    [InlineData(OrkAction.CommandRequest, "{}", "ERR_PAYLOAD_COMMAND_REQUIRED")]
    public async Task What_it_cannot_answer_it_refuses(OrkAction action, string payload, string error) =>
        Assert.Equal(error, (await _worker.AskAsync(await _worker.LinkAsync(_worker.Define()), action, payload)).GetProperty("error").GetString());

    [Theory]
    [InlineData("{]", "ERR_FRAME_NOT_JSON")]
    [InlineData("""{"id":"m","version":"0.2.0","type":"event","action":"health.ping","sender":"ork","timestamp":1,"payload":{}}""", "ERR_ENVELOPE_TYPE_INVALID")]
    public async Task What_is_no_request_is_refused_with_the_rule_that_it_breaks(string frame, string error)
    {
        var kernel = await _worker.LinkAsync(_worker.Define());
        Assert.StartsWith(error, (await WorkerHarness.ReceiveAsync(kernel, _worker.SendFrame(kernel, frame))).GetProperty("error").GetString(), StringComparison.Ordinal);
    }
}
