using Microsoft.Extensions.Time.Testing;
using Ork.Protocol;

namespace Ork.Worker.Tests;

/// <summary>What a Worker that is told to stop still does.</summary>
public sealed class StopTests : IAsyncDisposable
{
    private readonly WorkerHarness _worker = new();

    public ValueTask DisposeAsync() => _worker.DisposeAsync();

    [Fact]
    public async Task S24_a_Worker_that_is_told_to_stop_answers_what_it_has_begun_and_begins_nothing_more()
    {
        _worker.DrainMs = 600_000;
        var gate = new TaskCompletionSource();
        var kernel = await _worker.LinkAsync(_worker.Define(gate.Task));
        var begun = _worker.Send(kernel, WorkerHarness.Command("c1", "wait", 1));
        await _worker.BegunAsync();
        await _worker.StopAsync();
        _worker.Send(kernel, WorkerHarness.Command("c2", "act", 1));

        // What is under way is joined, and what is no command is answered.
        var joined = _worker.Send(kernel, WorkerHarness.Command("c1", "wait", 2));
        Assert.Equal("ok", (await _worker.AskAsync(kernel, OrkAction.HealthPing)).GetProperty("status").GetString());
        gate.SetResult();
        for (var i = 0; i < 2; i++) Assert.Equal("SUCCESS", (await WorkerHarness.ReceiveAsync(kernel, begun, joined)).GetProperty("status").GetString());
        Assert.Null(await kernel.ReceiveAsync());
        await _worker.Running;
        Assert.Equal(["c1"], _worker.Executed);
    }

    [Fact]
    public async Task S24_a_Worker_that_is_told_to_stop_waits_no_longer_than_its_time()
    {
        _worker.DrainMs = 3_000;
        var time = new FakeTimeProvider();
        _worker.Run(_worker.Define(new TaskCompletionSource().Task), new WorkerOptions { Announce = WorkerHarness.Endpoint }, time: time);
        var kernel = await _worker.GreetAsync();
        _worker.Send(kernel, WorkerHarness.Command("c1", "wait", 1));
        await _worker.BegunAsync();
        await _worker.StopAsync();
        time.Advance(TimeSpan.FromMilliseconds(2_999));
        Assert.Equal("ok", (await _worker.AskAsync(kernel, OrkAction.HealthPing)).GetProperty("status").GetString());
        Assert.False(_worker.Running.IsCompleted);
        time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Null(await kernel.ReceiveAsync());
        await _worker.Running;
    }
}
