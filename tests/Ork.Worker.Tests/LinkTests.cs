using Ork.Protocol;

namespace Ork.Worker.Tests;

/// <summary>How a Worker comes by its links: announcing itself again and again, or listening.</summary>
public sealed class LinkTests : IAsyncDisposable
{
    private readonly WorkerHarness _worker = new();

    public ValueTask DisposeAsync() => _worker.DisposeAsync();

    [Fact]
    public async Task It_comes_back_after_its_link_is_lost_and_answers_nothing_it_was_not_asked()
    {
        var kernel = await _worker.LinkAsync(_worker.Define());
        kernel.Close(ErrorCodes.KernelUnavailable);
        kernel = await _worker.GreetAsync();
        Assert.Equal("ok", (await _worker.AskAsync(kernel, OrkAction.HealthPing)).GetProperty("status").GetString());
        kernel.Send(FrameKind.Response, 5, "{}"u8);
        Assert.Null(await kernel.ReceiveAsync());
    }

    [Fact]
    public async Task One_whose_link_another_takes_again_and_again_comes_back_less_and_less_often()
    {
        var time = new HastyTime(ofMs: 100_000);
        _worker.Run(_worker.Define(), new WorkerOptions { Announce = WorkerHarness.Endpoint, ReconnectBaseMs = 1_000, ReplacedCapMs = 5_000, ConnectTimeoutMs = 200_000, SilentLinkMs = 200_000 }, time: time, entropy: new MostEntropy());
        foreach (var reason in new[] { ErrorCodes.LinkReplaced, ErrorCodes.LinkReplaced, ErrorCodes.LinkReplaced, ErrorCodes.LinkReplaced, null, ErrorCodes.LinkReplaced, null })
        {
            var kernel = await _worker.GreetAsync();
            await _worker.AskAsync(kernel, OrkAction.HealthPing);
            kernel.Close(reason is null ? null : (Refusal)reason);
        }

        await _worker.GreetAsync();
        Assert.Equal([1, 2, 4, 5, 1, 1, 1], time.Elapsed.Select(pause => pause.TotalMilliseconds / 1_000).Select(seconds => (int)seconds));
    }

    [Fact]
    public async Task One_that_cannot_listen_says_so()
    {
        _worker.Run(_worker.Define(), new WorkerOptions { Listen = WorkerHarness.Endpoint });
        Assert.Equal(ErrorCodes.EndpointInvalid, (await Assert.ThrowsAsync<LinkException>(() => _worker.Running)).Refusal.Error);
    }

    [Fact]
    public async Task One_that_listens_is_greeted_by_the_kernel_that_dials_it()
    {
        var endpoint = LinkEndpoint.Unix("worker");
        _worker.Run(_worker.Define(), new WorkerOptions { Listen = endpoint });
        var connection = await _worker.DialAsync(endpoint);
        var welcome = (await connection.ReceiveAsync())!.Value;
        Assert.Equal((FrameKind.Welcome, "w"), (welcome.Kind, Greeting.TryRead(welcome.Payload)!.WorkerId));
        Assert.Equal("ok", (await _worker.AskAsync(connection, OrkAction.HealthPing)).GetProperty("status").GetString());
        connection.Close(null);
    }

    [Fact]
    public async Task S12_one_that_listens_serves_as_many_kernels_as_it_may_and_the_next_when_one_has_gone()
    {
        var endpoint = LinkEndpoint.Unix("worker");
        _worker.Run(_worker.Define(), new WorkerOptions { Listen = endpoint, MaxKernels = 1 });
        var first = await _worker.DialAsync(endpoint);
        Assert.Equal(FrameKind.Welcome, (await first.ReceiveAsync())!.Value.Kind);
        var second = await _worker.DialAsync(endpoint);
        var welcome = second.ReceiveAsync().AsTask();
        for (var i = 0; i < 1_000; i++) await _worker.AskAsync(first, OrkAction.HealthPing);
        Assert.False(welcome.IsCompleted);
        first.Close(null);
        Assert.Equal(FrameKind.Welcome, (await welcome)!.Value.Kind);
        second.Close(null);
    }

    [Fact]
    public async Task S12_a_link_that_fails_in_a_way_nobody_foresaw_gives_its_place_back()
    {
        var endpoint = LinkEndpoint.Unix("worker");
        _worker.Run(_worker.Define(), new WorkerOptions { Listen = endpoint, MaxKernels = 1 }, new FirstLinkBreaks(_worker.Network.As("worker")));
        var first = await _worker.DialAsync(endpoint);
        Assert.Equal(FrameKind.Welcome, (await first.ReceiveAsync())!.Value.Kind);
        Assert.Null(await first.ReceiveAsync());
        var second = await _worker.DialAsync(endpoint);
        Assert.Equal(FrameKind.Welcome, (await second.ReceiveAsync().AsTask().WaitAsync(TimeSpan.FromMinutes(1)))!.Value.Kind);
        second.Close(null);
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
