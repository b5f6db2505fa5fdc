using Ork.Protocol;
using Ork.Transport;
using OrkSim;

namespace Ork.Contracts.Tests;

/// <summary>What every <see cref="INetwork"/> keeps, the model and the real sockets alike.</summary>
public sealed class NetworkContract : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("ork-net").FullName;
    private readonly List<IDisposable> _identities = [];
    private SimWorld? _world;

    public static TheoryData<string> Networks => ["memory", "simulated", "unix", "tcp", "tls"];

    public void Dispose()
    {
        foreach (var identity in _identities) identity.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Theory]
    [MemberData(nameof(Networks))]
    public Task Frames_arrive_whole_in_order_and_unchanged_both_ways(string kind) => RunAsync(kind, async () =>
    {
        var (here, there, listener) = await PairAsync(kind);
        var payloads = new[] { 0, 1, 13, 4_096, 70_000, 500_000 }.Select(size => Enumerable.Range(0, size).Select(i => (byte)(i * 31)).ToArray()).ToArray();
        for (var round = 0; round < 20; round++)
        {
            for (var i = 0; i < payloads.Length; i++)
            {
                here.Send(FrameKind.Request, (ulong)i, payloads[i]);
                there.Send(FrameKind.Response, ulong.MaxValue - (ulong)i, payloads[i]);
            }

            for (var i = 0; i < payloads.Length; i++)
            {
                await ExpectAsync(there, FrameKind.Request, (ulong)i, payloads[i]);
                await ExpectAsync(here, FrameKind.Response, ulong.MaxValue - (ulong)i, payloads[i]);
            }
        }

        here.Close(null);
        Assert.Null(await there.ReceiveAsync());
        listener.Close();
    });

    [Theory]
    [MemberData(nameof(Networks))]
    public Task What_is_put_leaves_with_the_flush_in_order_with_what_is_sent(string kind) => RunAsync(kind, async () =>
    {
        var (here, there, listener) = await PairAsync(kind);
        for (var round = 0; round < 50; round++)
        {
            here.Put(FrameKind.Request, 1, new byte[round]);
            here.Send(FrameKind.Request, 2, new byte[40]);
            here.Put(FrameKind.Request, 3, new byte[3_000]);
            here.Put(FrameKind.Request, 4, []);
            here.Flush();
            await ExpectAsync(there, FrameKind.Request, 1, new byte[round]);
            await ExpectAsync(there, FrameKind.Request, 2, new byte[40]);
            await ExpectAsync(there, FrameKind.Request, 3, new byte[3_000]);
            await ExpectAsync(there, FrameKind.Request, 4, []);
        }

        here.Put(FrameKind.Request, 5, new byte[10]);
        here.Close(null);
        await ExpectAsync(there, FrameKind.Request, 5, new byte[10]);
        Assert.Null(await there.ReceiveAsync());
        listener.Close();
    });

    [Theory]
    [MemberData(nameof(Networks))]
    public Task Closing_with_a_reason_sends_what_is_left_then_a_Goodbye_that_says_why(string kind) => RunAsync(kind, async () =>
    {
        var (here, there, listener) = await PairAsync(kind);
        for (var i = 0; i < 100; i++) here.Send(FrameKind.Request, (ulong)i, new byte[1_000]);
        here.Close(ErrorCodes.PullOnlyViolation);
        for (var i = 0; i < 100; i++) await ExpectAsync(there, FrameKind.Request, (ulong)i, new byte[1_000]);
        var goodbye = await there.ReceiveAsync();
        Assert.Equal(FrameKind.Goodbye, goodbye!.Value.Kind);
        Assert.Contains("ERR_PULL_ONLY_VIOLATION", System.Text.Encoding.UTF8.GetString(goodbye.Value.Payload.Span), StringComparison.Ordinal);
        Assert.Null(await there.ReceiveAsync());
        Assert.Equal(ErrorCodes.PullOnlyViolation, here.CloseReason!.Error);
        Assert.Null(await here.ReceiveAsync());
        listener.Close();
    });

    [Theory]
    [MemberData(nameof(Networks))]
    public Task A_closed_connection_takes_sends_without_harm_and_closing_twice_changes_nothing(string kind) => RunAsync(kind, async () =>
    {
        var (here, there, listener) = await PairAsync(kind);
        there.Close(ErrorCodes.LinkReplaced);
        there.Close(ErrorCodes.KernelBusy);
        Assert.Equal(ErrorCodes.LinkReplaced, there.CloseReason!.Error);
        Assert.True(there.Send(FrameKind.Request, 1, new byte[10]));
        await there.DrainedAsync();
        while (await here.ReceiveAsync() is not null)
        {
        }

        listener.Close();
    });

    [Theory]
    [MemberData(nameof(Networks))]
    public Task A_closed_listener_accepts_nobody_and_connecting_to_it_is_refused(string kind) => RunAsync(kind, async () =>
    {
        var (server, client) = Nodes(kind);
        var listener = server.Listen(EndpointOf(kind), Audience.Callers);
        var endpoint = listener.Endpoint;
        var waiting = listener.AcceptAsync();
        listener.Close();
        Assert.Null(await waiting);
        var refused = await Assert.ThrowsAsync<LinkException>(async () => await client.ConnectAsync(endpoint, null, CancellationToken.None));
        Assert.Equal(ErrorCodes.KernelUnavailable, refused.Refusal.Error);
    });

    [Theory]
    [MemberData(nameof(Networks))]
    public Task Both_sides_know_who_the_other_is(string kind) => RunAsync(kind, async () =>
    {
        var (here, there, listener) = await PairAsync(kind);
        var (client, server) = (there.Peer.Key, here.Peer.Key);
        Assert.Matches(kind switch { "memory" => "^client$", "simulated" => "^key:client$", "unix" => "^uid:[0-9]+$", "tcp" => "^insecure$", _ => "^sha256:[0-9a-f]{64}$" }, client);
        Assert.Matches(kind switch { "memory" => "^server$", "simulated" => "^key:server$", "unix" => "^uid:[0-9]+$", "tcp" => "^insecure$", _ => "^sha256:[0-9a-f]{64}$" }, server);
        here.Close(null);
        listener.Close();
    });

    /// <summary>Runs a test: as it is, or in virtual time on the simulator's scheduler.</summary>
    private async Task RunAsync(string kind, Func<Task> test)
    {
        if (kind != "simulated")
        {
            await test();
            return;
        }

        Task? running = null;
        var empty = new Scenario { Name = "empty", Fleet = new() { Workers = 0 }, Workload = new() { Callers = 0, Audit = false }, Duration = TimeSpan.FromSeconds(60) };
        var result = SwarmGear.RunConcrete(empty, 1, new WatchOptions
        {
            Prepare = world =>
            {
                _world = world;
                world.Start("server", () => running = test());
            },
        }).Result;
        Assert.Empty(result.Violations);
        Assert.True(running!.IsCompleted, "The test did not end in a minute of virtual time.");
        await running;
    }

    private static async Task ExpectAsync(IConnection connection, FrameKind kind, ulong correlation, byte[] payload)
    {
        var frame = await connection.ReceiveAsync();
        Assert.NotNull(frame);
        Assert.Equal((kind, correlation), (frame.Value.Kind, frame.Value.Correlation));
        Assert.True(frame.Value.Payload.Span.SequenceEqual(payload));
        frame.Value.Release();
    }

    private async Task<(IConnection Here, IConnection There, IListener Listener)> PairAsync(string kind)
    {
        var (server, client) = Nodes(kind);
        var listener = server.Listen(EndpointOf(kind), Audience.Callers);
        var accepting = listener.AcceptAsync();
        var here = await client.ConnectAsync(listener.Endpoint, null, CancellationToken.None);
        return (here, (await accepting)!, listener);
    }

    private LinkEndpoint EndpointOf(string kind) => kind is "unix" or "memory" or "simulated" ? LinkEndpoint.Unix(Path.Combine(_directory, "s")) : LinkEndpoint.Tcp("127.0.0.1", 0);

    private (INetwork Server, INetwork Client) Nodes(string kind)
    {
        if (_world is not null) return (_world.NetworkOf("server"), _world.NetworkOf("client"));
        if (kind == "memory")
        {
            var memory = new MemoryNetwork();
            return (memory.As("server"), memory.As("client"));
        }

        return (Node(kind), Node(kind));
    }

    private SocketNetwork Node(string kind)
    {
        LinkIdentity? identity = null;
        if (kind == "tls") _identities.Add(identity = LinkIdentity.Ephemeral());
        return new SocketNetwork(new SocketNetworkOptions { Identity = identity, Insecure = kind == "tcp", Callers = KeyAllowlist.Anybody, Kernels = KeyAllowlist.Anybody });
    }
}
