using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Time.Testing;
using Ork.Protocol;
using OrkSim;

namespace Ork.Client.Tests;

/// <summary>The caller SDK, against a kernel that is played by the test.</summary>
public sealed class ClientTests : IAsyncLifetime
{
    private static readonly LinkEndpoint Endpoint = LinkEndpoint.Unix("kernel");

    // Of a client whose time the test lets pass, in milliseconds.
    private const long Patience = 20;
    private const long LongestPause = 6;

    // A link that stays open is waited for without end: by then it does.
    private const int Hangs = 60_000;

    private readonly FakeTimeProvider _time = new();
    private readonly MemoryNetwork _network = new();
    private IListener _listener = null!;
    private OrkClient _client = null!;

    public ValueTask InitializeAsync()
    {
        _listener = _network.As("kernel").Listen(Endpoint, Audience.Callers);
        _client = NewClient(30_000, TimeProvider.System);
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync();
        _listener.Close();
    }

    [Fact]
    public async Task A_command_is_sent_as_ordered_and_its_receipt_returned()
    {
        var sending = _client.SendAsync(new CommandOrder { Command = "set", DeviceId = "d", Params = new { pct = 5 }, IdempotencyKey = "k", DeadlineMs = 9 });
        var kernel = await AcceptAsync();
        var (correlation, action, deviceId, payload) = await NextAsync(kernel);
        Assert.Equal((OrkAction.CommandRequest, "d"), (action, deviceId));
        Assert.Equal("""{"command":"set","params":{"pct":5},"scope":"device","idempotencyKey":"k","deadlineMs":9}""", payload.GetRawText());
        Answer(kernel, correlation, action, """{"commandId":"c","status":"QUEUED"}""");
        Assert.Equal(new CommandReceipt("c", CommandStatus.Queued), await sending);
    }

    [Fact]
    public async Task A_lost_link_repeats_a_command_with_a_key_and_never_one_without()
    {
        var keyed = _client.SendAsync(new CommandOrder { Command = "set", DeviceId = "d", IdempotencyKey = "k" });
        var first = await AcceptAsync();
        await NextAsync(first);
        var bare = _client.SendAsync(new CommandOrder { Command = "set", DeviceId = "d" });
        await NextAsync(first);
        first.Close(null);
        var refused = await Assert.ThrowsAsync<OrkRefusedException>(() => bare);
        Assert.True(refused.Is(ErrorCodes.LinkLost));
        var second = await AcceptAsync();
        var (correlation, action, _, payload) = await NextAsync(second);
        Assert.Equal("k", payload.GetProperty("idempotencyKey").GetString());
        Answer(second, correlation, action, """{"commandId":"c","status":"QUEUED"}""");
        Assert.Equal("c", (await keyed).CommandId);
    }

    [Fact]
    public async Task An_order_that_may_have_arrived_is_not_said_to_be_refused_by_a_kernel_that_cannot_be_reached_again()
    {
        await using var client = new OrkClient(
            new ClientOptions { Endpoint = Endpoint, TimeoutMs = 30_000, ReconnectBaseMs = 1, ReconnectCapMs = 2 },
            new ClientPorts { Network = new OnceOnly(_network.As("caller")), Entropy = new NoEntropy(), Time = TimeProvider.System });
        var ordering = client.SendToFleetAsync(new FleetOrder { Command = "set", Key = "k", DeviceIds = ["d"], PatienceMs = 30_000 }, out var run);
        var kernel = await AcceptAsync();
        await NextAsync(kernel);
        kernel.Close(null);
        await ordering;
        Assert.Equal((CommandStatus.Unknown, CommandOutcome.Unknown), Assert.Single(run.Outcomes.Select(static outcome => (outcome.Status, outcome.Outcome))));

        // What no kernel ever heard of is not in doubt.
        await client.SendToFleetAsync(new FleetOrder { Command = "set", Key = "l", DeviceIds = ["d"], PatienceMs = 30_000 }, out var unheard);
        Assert.Equal((CommandStatus.Rejected, CommandOutcome.NotStarted), Assert.Single(unheard.Outcomes.Select(static outcome => (outcome.Status, outcome.Outcome))));
    }

    [Fact]
    public async Task Waiting_polls_until_the_end()
    {
        var waiting = _client.WaitAsync("c");
        var kernel = await AcceptAsync();
        foreach (var status in new[] { "QUEUED", "EXECUTING", "FAILED" })
        {
            var (correlation, action, _, payload) = await NextAsync(kernel);
            Assert.Equal(30_000, payload.GetProperty("waitMs").GetInt64());
            Answer(kernel, correlation, action, $$"""{"commandId":"c","status":"{{status}}","error":"ERR_DEADLINE","outcome":"not-started","result":null,"attempt":2}""");
        }

        var view = await waiting;
        Assert.Equal((CommandStatus.Failed, "ERR_DEADLINE", CommandOutcome.NotStarted, 2), (view.Status, view.Error, view.Outcome, view.Attempt));
    }

    [Fact]
    public async Task Where_the_kernel_has_no_place_for_a_long_poll_the_longer_one_waits_the_more_seldom_one_asks()
    {
        const int questions = 20;
        var time = new HastyTime();
        await using var client = NewClient(4 * HastyTime.NeverMs, time);
        var waiting = client.WaitAsync("c");
        var kernel = await AcceptAsync();
        for (var i = 1; i <= questions; i++)
        {
            var (correlation, action, _, _) = await NextAsync(kernel);
            Answer(kernel, correlation, action, $$"""{"commandId":"c","status":"{{(i < questions ? "QUEUED" : "SUCCESS")}}"}""");
        }

        Assert.Equal(CommandStatus.Success, (await waiting).Status);
        double[] pauses = [.. time.Elapsed.Select(static pause => pause.TotalMilliseconds).Where(static ms => ms >= 100)];
        Assert.Equal(questions - 1, pauses.Length);
        for (var i = 0; i < pauses.Length; i++) Assert.Equal(Math.Clamp(pauses.Take(i).Sum() / 4, 100, 2_000), pauses[i], tolerance: 10);
        Assert.Equal(2_000, pauses[^1]);
    }

    [Fact]
    public async Task Answers_find_their_callers_in_whatever_order_they_come()
    {
        var calls = Enumerable.Range(0, 20).Select(i => _client.TelemetryAsync($"d{i}", new { type = "metrics" })).ToArray();
        var kernel = await AcceptAsync();
        var asked = new List<(ulong Correlation, string DeviceId)>();
        for (var i = 0; i < calls.Length; i++)
        {
            var (correlation, _, deviceId, _) = await NextAsync(kernel);
            asked.Add((correlation, deviceId!));
        }

        asked.Reverse();
        foreach (var (correlation, deviceId) in asked) Answer(kernel, correlation, OrkAction.TelemetryPull, $$"""{"of":"{{deviceId}}"}""");
        for (var i = 0; i < calls.Length; i++) Assert.Equal($"d{i}", (await calls[i]).GetProperty("of").GetString());
    }

    [Fact]
    public async Task A_refusal_carries_its_code_and_hint()
    {
        var sending = _client.SendAsync(new CommandOrder { Command = "set", DeviceId = "d" });
        var kernel = await AcceptAsync();
        var (correlation, action, _, _) = await NextAsync(kernel);
        Answer(kernel, correlation, action, """{"status":"REJECTED","error":"ERR_QUEUE_FULL","message":"Full.","retryAfterMs":250}""");
        var refused = await Assert.ThrowsAsync<OrkRefusedException>(() => sending);
        Assert.Equal(("ERR_QUEUE_FULL", 250L), (refused.Error, refused.RetryAfterMs));
    }

    [Fact]
    public async Task A_call_ends_with_its_callers_token_or_its_time()
    {
        using var source = new CancellationTokenSource();
        var cancelled = _client.StatusAsync("c", cancellation: source.Token);
        await NextAsync(await AcceptAsync());
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        await using var impatient = NewClient(Patience, _time);
        var late = impatient.StatusAsync("c");
        await NextAsync(await AcceptAsync());
        _time.Advance(TimeSpan.FromMilliseconds(Patience));
        var refused = await Assert.ThrowsAsync<OrkRefusedException>(() => late);
        Assert.True(refused.Is(ErrorCodes.KernelUnavailable));
    }

    [Fact]
    public async Task A_call_that_found_nobody_to_connect_to_says_why()
    {
        await using var astray = NewClient(Patience, _time, LinkEndpoint.Unix("/nowhere"));
        var call = astray.StatusAsync("c");
        _time.Advance(TimeSpan.FromMilliseconds(Patience));
        var refused = await Assert.ThrowsAsync<OrkRefusedException>(() => call);
        Assert.StartsWith($"ERR_KERNEL_UNAVAILABLE (unix:/nowhere: no answer within {Patience} ms (ERR_KERNEL_UNAVAILABLE: unix:/nowhere", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task L3_a_call_that_ends_without_any_word_takes_its_link_with_it_and_the_next_opens_another()
    {
        await using var impatient = NewClient(Patience, _time);
        var dead = impatient.StatusAsync("c");
        var first = await AcceptAsync();
        await NextAsync(first);
        _time.Advance(TimeSpan.FromMilliseconds(Patience));
        await Assert.ThrowsAsync<OrkRefusedException>(() => dead);
        while (await first.ReceiveAsync() is { } left) left.Release();
        var next = impatient.StatusAsync("c");
        _time.Advance(TimeSpan.FromMilliseconds(LongestPause));
        var second = await AcceptAsync();
        Assert.NotSame(first, second);
        await NextAsync(second);
        _time.Advance(TimeSpan.FromMilliseconds(Patience));
        await Assert.ThrowsAsync<OrkRefusedException>(() => next);
    }

    [Fact]
    public async Task A_call_under_way_keeps_a_link_that_another_has_given_up()
    {
        await using var impatient = NewClient(Patience, _time);
        var slow = impatient.StatusAsync("slow", waitMs: 30_000);
        var link = await AcceptAsync();
        var (correlation, action, _, _) = await NextAsync(link);
        var quick = impatient.StatusAsync("quick");
        await NextAsync(link);
        _time.Advance(TimeSpan.FromMilliseconds(Patience));
        await Assert.ThrowsAsync<OrkRefusedException>(() => quick);
        Answer(link, correlation, action, """{"commandId":"slow","status":"SUCCESS"}""");
        Assert.Equal(CommandStatus.Success, (await slow).Status);
        while (await link.ReceiveAsync() is { } left) left.Release();
    }

    [Fact(Timeout = Hangs)]
    public async Task A_client_that_is_disposed_of_closes_its_link_and_ends_its_calls()
    {
        var waiting = _client.WaitAsync("c", TestContext.Current.CancellationToken);
        var kernel = await AcceptAsync();
        await NextAsync(kernel);
        await _client.DisposeAsync();
        await Assert.ThrowsAsync<OrkRefusedException>(() => waiting);
        while (await kernel.ReceiveAsync() is { } left) left.Release();
    }

    [Fact]
    public async Task L3_a_call_ends_in_its_time_also_while_another_has_the_turn_to_connect_or_the_kernel_does_not_read()
    {
        // Nobody accepts: the first call connects without end, the second waits for its turn.
        var silent = new SilentNetwork();
        await using var client = new OrkClient(new ClientOptions { Endpoint = Endpoint, TimeoutMs = 60_000 }, new ClientPorts { Network = silent, Entropy = new SystemChance() });
        using var first = new CancellationTokenSource();
        using var second = new CancellationTokenSource();
        var connecting = client.StatusAsync("a", cancellation: first.Token);
        var waiting = client.StatusAsync("b", cancellation: second.Token);
        await second.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        await first.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => connecting);

        // Connected, and the output never drains.
        silent.Connect();
        using var third = new CancellationTokenSource();
        var draining = client.StatusAsync("c", cancellation: third.Token);
        await silent.Drained;
        await third.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => draining);
    }

    [Fact]
    public async Task A_fleet_order_calls_refused_only_what_a_kernel_refused_and_the_rest_unknown()
    {
        var order = new FleetOrder { Command = "set", Key = "k", DeviceIds = ["d1", "d2", "d3"], InFlight = 1, PatienceMs = 0 };
        var running = _client.SendToFleetAsync(order, out var run);
        var kernel = await AcceptAsync();
        foreach (var answer in new[]
        {
            Refused("ERR_DEVICE_NOT_FOUND"), """{"commandId":"c2","status":"QUEUED"}""", Refused("ERR_COMMAND_NOT_FOUND"), Refused("ERR_KERNEL_UNAVAILABLE"),
        })
        {
            var (correlation, action, _, _) = await NextAsync(kernel);
            Answer(kernel, correlation, action, answer);
        }

        await running;
        Assert.Equal(
        [
            new DeviceOutcome("d1", null, CommandStatus.Rejected, "ERR_DEVICE_NOT_FOUND", CommandOutcome.NotStarted),
            new DeviceOutcome("d2", "c2", CommandStatus.Unknown, "ERR_COMMAND_NOT_FOUND", CommandOutcome.Unknown),
            new DeviceOutcome("d3", null, CommandStatus.Unknown, "ERR_KERNEL_UNAVAILABLE", CommandOutcome.Unknown),
        ], run.Outcomes);
        Assert.Equal((3, 1, 0, 0, 1, 1), (run.Devices, run.Accepted, run.Succeeded, run.Failed, run.Refused, run.Ended));

        static string Refused(string error) => $$"""{"status":"REJECTED","error":"{{error}}"}""";
    }

    [Fact]
    public async Task A_fleet_order_asks_again_no_sooner_than_the_kernel_says()
    {
        var time = new HastyTime();
        await using var client = NewClient(HastyTime.NeverMs, time);
        var running = client.SendToFleetAsync(new FleetOrder { Command = "set", Key = "k", DeviceIds = ["d1"], PatienceMs = 60_000 }, out var run);
        var kernel = await AcceptAsync();
        foreach (var answer in (string[])["""{"status":"REJECTED","error":"ERR_QUEUE_FULL","retryAfterMs":9000}""", """{"status":"REJECTED","error":"ERR_DEVICE_NOT_FOUND"}"""])
        {
            var (correlation, action, _, _) = await NextAsync(kernel);
            Answer(kernel, correlation, action, answer);
        }

        await running;
        Assert.Equal(1, run.Refused);
        Assert.Contains(time.Elapsed, static pause => pause >= TimeSpan.FromMilliseconds(9_000));
    }

    [Fact]
    public async Task The_list_of_Workers_is_followed_over_its_pages()
    {
        var listing = _client.WorkersAsync(devices: true);
        var kernel = await AcceptAsync();
        foreach (var (after, page) in new[] { (null as string, """[{"workerId":"a","devices":["x"],"queued":3}],"next":"a" """), ("a", """[{"workerId":"b","health":"Sick"}],"next":null""") })
        {
            var (correlation, action, _, payload) = await NextAsync(kernel);
            Assert.Equal(after, payload.TryGetProperty("after", out var given) ? given.GetString() : null);
            Answer(kernel, correlation, action, $$"""{"kernel":{"epoch":4},"workers":{{page}}}""");
        }

        var fleet = await listing;
        Assert.Equal(["a", "b"], fleet.Workers.Select(worker => worker.WorkerId));
        Assert.Equal((3, "x", "Sick"), (fleet.Workers[0].Queued, fleet.Workers[0].Devices[0], fleet.Workers[1].Health));
        Assert.Equal(4, fleet.Kernel.GetProperty("epoch").GetInt32());
    }

    private OrkClient NewClient(long timeoutMs, TimeProvider time, LinkEndpoint? endpoint = null) => new(
        new ClientOptions { Endpoint = endpoint ?? Endpoint, TimeoutMs = timeoutMs, ReconnectBaseMs = 1, ReconnectCapMs = LongestPause },
        new ClientPorts { Network = _network.As("caller"), Entropy = new NoEntropy(), Time = time });

    private async Task<IConnection> AcceptAsync()
    {
        var connection = (await _listener.AcceptAsync())!;
        var hello = (await connection.ReceiveAsync())!.Value;
        Assert.Equal((FrameKind.Hello, "caller"), (hello.Kind, Greeting.TryRead(hello.Payload)!.Role));
        return connection;
    }

    private static async Task<(ulong Correlation, OrkAction Action, string? DeviceId, JsonElement Payload)> NextAsync(IConnection kernel)
    {
        var frame = (await kernel.ReceiveAsync())!.Value;
        Assert.Null(EnvelopeReader.Read(frame.Payload, out var envelope));
        return (frame.Correlation, envelope.Action, envelope.DeviceId.Decode(), JsonElement.Parse(envelope.Payload.Span));
    }

    private static void Answer(IConnection kernel, ulong correlation, OrkAction asked, string payload) => kernel.Send(
        FrameKind.Response, correlation, Encoding.UTF8.GetBytes(
            $$"""{"id":"m","version":"0.2.0","type":"response","action":"{{OrkActions.NameOf(OrkActions.AnswerTo(asked))}}","sender":"ork","timestamp":1,"payload":{{payload}}}"""));

    /// <summary>Where short timers elapse at once, and long ones never: no other time passes.</summary>
    private sealed class HastyTime : TimeProvider
    {
        internal const long NeverMs = 100_000;

        private readonly List<TimeSpan> _elapsed = [];

        internal IReadOnlyList<TimeSpan> Elapsed
        {
            get
            {
                lock (_elapsed) return [.. _elapsed];
            }
        }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Elapsed.Sum(static pause => pause.Ticks);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            if (dueTime == Timeout.InfiniteTimeSpan || dueTime.TotalMilliseconds >= NeverMs) return System.CreateTimer(callback, state, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            lock (_elapsed) _elapsed.Add(dueTime);
            return System.CreateTimer(callback, state, TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        }
    }

    private sealed class NoEntropy : IEntropy
    {
        private ulong _state;

        public ulong NextBits() => _state++;
    }

    /// <summary>Connecting hangs until it is told not to; what is sent is never read.</summary>
    private sealed class SilentNetwork : INetwork, IConnection
    {
        private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private bool _connects;

        internal Task Drained => _drained.Task;

        public PeerIdentity Peer => new("kernel", "kernel");

        public Refusal? CloseReason => null;

        public async ValueTask<IConnection> ConnectAsync(LinkEndpoint endpoint, string? expectedKey, CancellationToken cancellation)
        {
            if (_connects) return this;
            await Task.Delay(Timeout.Infinite, cancellation);
            throw new InvalidOperationException();
        }

        public IListener Listen(LinkEndpoint endpoint, Audience audience) => throw new NotSupportedException();

        public async ValueTask<ReceivedFrame?> ReceiveAsync()
        {
            await Task.Delay(Timeout.Infinite);
            return null;
        }

        public bool Send(FrameKind kind, ulong correlation, ReadOnlySpan<byte> payload) => false;

        public async ValueTask DrainedAsync()
        {
            _drained.TrySetResult();
            await Task.Delay(Timeout.Infinite);
        }

        public void Close(Refusal? reason)
        {
        }

        internal void Connect() => _connects = true;
    }

    private sealed class SystemChance : IEntropy
    {
        public ulong NextBits() => 1;
    }

    /// <summary>A network on which the peer's key is another from the second connection on.</summary>
    private sealed class OnceOnly(INetwork inner) : INetwork
    {
        private int _connects;

        public ValueTask<IConnection> ConnectAsync(LinkEndpoint endpoint, string? expectedKey, CancellationToken cancellation) =>
            _connects++ == 0 ? inner.ConnectAsync(endpoint, expectedKey, cancellation) : throw new LinkException(ErrorCodes.KeyNotAllowed);

        public IListener Listen(LinkEndpoint endpoint, Audience audience) => inner.Listen(endpoint, audience);
    }
}
