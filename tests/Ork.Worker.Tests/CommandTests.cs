using System.Text.Json;
using Ork.Protocol;

namespace Ork.Worker.Tests;

/// <summary>How commands are carried out: once, journalled, within their time, and told as they ended.</summary>
public sealed class CommandTests : IAsyncDisposable
{
    private readonly WorkerHarness _worker = new();

    public ValueTask DisposeAsync() => _worker.DisposeAsync();

    [Fact]
    public async Task S3_a_repeated_command_is_answered_and_not_executed()
    {
        var kernel = await _worker.LinkAsync(_worker.Define());
        for (var attempt = 1; attempt <= 3; attempt++)
        {
            var answer = await _worker.CommandAsync(kernel, "c1", "act", attempt);
            Assert.Equal(("SUCCESS", "d1"), (answer.GetProperty("status").GetString(), answer.GetProperty("result").GetProperty("by").GetString()));
        }

        Assert.Equal(["c1"], _worker.Executed);
    }

    [Fact]
    public async Task A_repeated_command_joins_the_execution_still_running()
    {
        var gate = new TaskCompletionSource();
        var kernel = await _worker.LinkAsync(_worker.Define(gate.Task));
        var first = _worker.Send(kernel, WorkerHarness.Command("c1", "wait", 1));
        var second = _worker.Send(kernel, WorkerHarness.Command("c1", "wait", 2));
        gate.SetResult();
        Assert.Equal("SUCCESS", (await WorkerHarness.ReceiveAsync(kernel, first, second)).GetProperty("status").GetString());
        Assert.Equal("SUCCESS", (await WorkerHarness.ReceiveAsync(kernel, first, second)).GetProperty("status").GetString());
        Assert.Equal(["c1"], _worker.Executed);
    }

    [Fact]
    public async Task A_repeated_command_joins_its_execution_though_all_places_are_taken()
    {
        var gate = new TaskCompletionSource();
        var kernel = await _worker.LinkAsync(_worker.Define(gate.Task), new WorkerOptions { Announce = WorkerHarness.Endpoint, MaxHandlers = 1 });
        var first = _worker.Send(kernel, WorkerHarness.Command("c1", "wait", 1));
        Assert.Equal("ERR_WORKER_BUSY", (await _worker.CommandAsync(kernel, "c2", "act", 1)).GetProperty("error").GetString());
        var second = _worker.Send(kernel, WorkerHarness.Command("c1", "wait", 2));

        // Requests are taken in turn: by this answer the second was.
        await _worker.AskAsync(kernel, OrkAction.HealthPing);
        gate.SetResult();
        for (var i = 0; i < 2; i++) Assert.Equal("SUCCESS", (await WorkerHarness.ReceiveAsync(kernel, first, second)).GetProperty("status").GetString());
        Assert.Equal(["c1"], _worker.Executed);
    }

    [Fact]
    public async Task A_command_started_without_a_recorded_end_is_answered_UNKNOWN_and_repeated_only_if_told_and_declared_safe()
    {
        foreach (var id in new[] { "c1", "c2" }) await _worker.Journal.StartAsync(new JournalStart("w", id, 1, 1, false));
        var kernel = await _worker.LinkAsync(_worker.Define());
        Assert.Equal("UNKNOWN", (await _worker.CommandAsync(kernel, "c1", "act", 2)).GetProperty("status").GetString());
        Assert.Equal("UNKNOWN", (await _worker.CommandAsync(kernel, "c1", "act", 3, extra: ",\"reexecute\":true")).GetProperty("status").GetString());
        Assert.Equal("UNKNOWN", (await _worker.CommandAsync(kernel, "c2", "safe", 2)).GetProperty("status").GetString());
        Assert.Empty(_worker.Executed);
        Assert.Equal("SUCCESS", (await _worker.CommandAsync(kernel, "c2", "safe", 3, extra: ",\"reexecute\":true")).GetProperty("status").GetString());
        Assert.Equal(["c2"], _worker.Executed);
    }

    [Fact]
    public async Task S14_a_command_of_an_older_kernel_is_refused()
    {
        var kernel = await _worker.LinkAsync(_worker.Define());
        await _worker.CommandAsync(kernel, "c1", "act", 1, epoch: 7);
        var stale = await _worker.CommandAsync(kernel, "c2", "act", 1, epoch: 6);
        Assert.Equal(("FAILED", "ERR_STALE_EPOCH"), (stale.GetProperty("status").GetString(), stale.GetProperty("error").GetString()));
        Assert.Equal(["c1"], _worker.Executed);
    }

    [Fact]
    public async Task A_handler_that_throws_fails_its_command_and_nothing_else()
    {
        var kernel = await _worker.LinkAsync(_worker.Define());
        var failed = await _worker.CommandAsync(kernel, "c1", "throw", 1);
        Assert.Equal(("FAILED", "ERR_HANDLER_FAILED: boom"), (failed.GetProperty("status").GetString(), failed.GetProperty("error").GetString()));
        Assert.Equal("SUCCESS", (await _worker.CommandAsync(kernel, "c2", "act", 1)).GetProperty("status").GetString());
    }

    [Fact]
    public async Task A_handler_past_its_deadline_frees_its_place_and_is_still_answered_for_when_it_ends()
    {
        var gate = new TaskCompletionSource();
        var kernel = await _worker.LinkAsync(_worker.Define(gate.Task), new WorkerOptions { Announce = WorkerHarness.Endpoint, MaxHandlers = 1 });
        var hung = _worker.Send(kernel, WorkerHarness.Command("c1", "wait", 1, extra: ",\"timeoutMs\":1"));
        var number = 0;
        JsonElement neighbour;
        do neighbour = await _worker.CommandAsync(kernel, $"n{number++}", "act", 1);
        while (neighbour.GetProperty("error").GetString() == "ERR_WORKER_BUSY");
        Assert.Equal("SUCCESS", neighbour.GetProperty("status").GetString());
        gate.SetResult();
        Assert.Equal("SUCCESS", (await WorkerHarness.ReceiveAsync(kernel, hung)).GetProperty("status").GetString());
    }

    [Fact]
    public async Task A_journal_tells_its_openings_and_one_that_cannot_be_written_starts_nothing()
    {
        _worker.Run(_worker.Define(), new WorkerOptions { Announce = WorkerHarness.Endpoint }, journal: new FullJournal());
        var kernel = await _worker.GreetAsync();
        var identity = await _worker.AskAsync(kernel, OrkAction.IdentityRequest);
        Assert.Equal("journal", identity.GetProperty("features")[0].GetString());
        Assert.Equal(["b", "a"], identity.GetProperty("journal").EnumerateArray().Select(name => name.GetString()));
        var answer = await _worker.CommandAsync(kernel, "c1", "act", 1);
        Assert.Equal(("FAILED", "ERR_JOURNAL_FAILED"), (answer.GetProperty("status").GetString(), answer.GetProperty("error").GetString()));
        Assert.Empty(_worker.Executed);
    }

    [Fact]
    public async Task A_command_without_a_handler_fails_by_its_name()
    {
        var answer = await _worker.CommandAsync(await _worker.LinkAsync(_worker.Define()), "c1", "unhandled", 1);
        Assert.Equal("ERR_COMMAND_NOT_IN_CAPABILITIES: unhandled", answer.GetProperty("error").GetString());
    }

    [Theory]
    [InlineData("ERR_WORKER_BUSY", "ERR_HANDLER_FAILED: ERR_WORKER_BUSY")]
    [InlineData("ERR_STALE_EPOCH: 7", "ERR_HANDLER_FAILED: ERR_STALE_EPOCH: 7")]
    [InlineData("no", "no")]
    public async Task S3_a_handler_which_began_cannot_say_that_it_was_not_begun(string said, string told)
    {
        var kernel = await _worker.LinkAsync(_worker.Define().OnCommand("act", (_, _) => ValueTask.FromResult(CommandReply.Failure(said))));
        Assert.Equal(told, (await _worker.CommandAsync(kernel, "c1", "act", 1)).GetProperty("error").GetString());
    }

    private sealed class FullJournal : ICommandJournal
    {
        public IReadOnlyList<string> Incarnations { get; } = ["b", "a"];

        public ValueTask<(JournalVerdict Verdict, JournalAnswer? Answer)> StartAsync(JournalStart start) => throw new IOException("no space left on device");

        public ValueTask EndAsync(string workerId, string commandId, JournalAnswer answer) => throw new IOException("no space left on device");
    }
}
