using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading.Channels;
using Ork.Protocol;

namespace Ork.Transport.Tests;

/// <summary>What only real sockets do: keys, modes, limits and bad bytes.</summary>
public sealed class SocketNetworkTests : IDisposable
{
    /// <summary>A TLS record of a handshake that says 512 bytes will follow.</summary>
    private static readonly byte[] FirstOfAClientHello = [0x16, 0x03, 0x01, 0x02, 0x00, 0x01];

    private readonly string _directory = Directory.CreateTempSubdirectory("ork-transport").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task A_key_that_is_not_allowed_is_told_so_and_gets_no_further()
    {
        using var server = LinkIdentity.Ephemeral();
        using var friend = LinkIdentity.Ephemeral();
        using var stranger = LinkIdentity.Ephemeral();
        var listener = new SocketNetwork(new SocketNetworkOptions { Identity = server, Callers = new KeyAllowlist([friend.Key]) }).Listen(Loopback, Audience.Callers);
        var accepted = listener.AcceptAsync().AsTask();
        var refused = await Client(stranger).ConnectAsync(listener.Endpoint, server.Key, CancellationToken.None);
        Assert.Contains("ERR_KEY_NOT_ALLOWED", await GoodbyeAsync(refused), StringComparison.Ordinal);
        Assert.False(accepted.IsCompleted);
        await Client(friend).ConnectAsync(listener.Endpoint, server.Key, CancellationToken.None);
        Assert.Equal(friend.Key, (await accepted)!.Peer.Key);
        listener.Close();
    }

    [Fact]
    public async Task A_server_that_does_not_prove_the_expected_key_is_refused()
    {
        using var server = LinkIdentity.Ephemeral();
        using var client = LinkIdentity.Ephemeral();
        var listener = new SocketNetwork(new SocketNetworkOptions { Identity = server, Callers = KeyAllowlist.Anybody }).Listen(Loopback, Audience.Callers);
        var refused = await Assert.ThrowsAsync<LinkException>(async () => await Client(client).ConnectAsync(listener.Endpoint, "sha256:" + new string('0', 64), CancellationToken.None));
        Assert.Equal(ErrorCodes.KeyNotAllowed, refused.Refusal.Error);
        listener.Close();
    }

    [Fact]
    public void A_TCP_listener_without_an_allowlist_does_not_start()
    {
        using var identity = LinkIdentity.Ephemeral();
        var network = new SocketNetwork(new SocketNetworkOptions { Identity = identity });
        Assert.Equal(ErrorCodes.AllowlistEmpty, Assert.Throws<LinkException>(() => network.Listen(Loopback, Audience.Callers)).Refusal.Error);
    }

    [Fact]
    public async Task Plain_TCP_is_for_loopback_only()
    {
        var network = new SocketNetwork(new SocketNetworkOptions { Insecure = true });
        Assert.Equal(ErrorCodes.InsecureNotLoopback, Assert.Throws<LinkException>(() => network.Listen(LinkEndpoint.Tcp("0.0.0.0", 0), Audience.Callers)).Refusal.Error);
        var refused = await Assert.ThrowsAsync<LinkException>(async () => await network.ConnectAsync(LinkEndpoint.Tcp("192.0.2.1", 1), null, CancellationToken.None));
        Assert.Equal(ErrorCodes.InsecureNotLoopback, refused.Refusal.Error);
    }

    [Fact]
    public void A_Unix_socket_is_its_owners_only_and_a_left_over_file_does_not_stop_a_start()
    {
        var endpoint = LinkEndpoint.Unix(Path.Combine(_directory, "k.sock"));
        var network = new SocketNetwork(new SocketNetworkOptions());
        using (var dead = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            dead.Bind(new UnixDomainSocketEndPoint(endpoint.Path!));
            dead.Listen();

            // A process that is killed leaves its file; disposing the socket would remove it.
            File.Move(endpoint.Path!, endpoint.Path + ".kept");
        }

        File.Move(endpoint.Path + ".kept", endpoint.Path!);

        Assert.True(File.Exists(endpoint.Path));
        var listener = network.Listen(endpoint, Audience.Callers);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(endpoint.Path!));
        Assert.Equal(ErrorCodes.EndpointInvalid, Assert.Throws<LinkException>(() => network.Listen(endpoint, Audience.Callers)).Refusal.Error);
        listener.Close();
        Assert.False(File.Exists(endpoint.Path));
    }

    [Fact]
    public void A_key_is_made_once_and_readable_by_its_owner_only()
    {
        var path = Path.Combine(_directory, "deep", "node.key");
        using var made = LinkIdentity.LoadOrCreate(path);
        using var loaded = LinkIdentity.LoadOrCreate(path);
        Assert.Equal(made.Key, loaded.Key);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        File.WriteAllText(path, "not a key");
        Assert.Equal(ErrorCodes.ConfigInvalid, Assert.Throws<LinkException>(() => LinkIdentity.LoadOrCreate(path)).Refusal.Error);
    }

    [Fact]
    public void An_allowlist_says_where_it_is_wrong()
    {
        var key = "sha256:" + new string('A', 64);
        Assert.Equal([key], KeyAllowlist.ParseLines(["# ours", "", $"  {key}  gateway 1"], "callers"));
        Assert.True(new KeyAllowlist([key]).Allows(key.ToLowerInvariant()));
        Assert.Contains("callers:2", Assert.Throws<LinkException>(() => KeyAllowlist.ParseLines([key, "md5:1"], "callers")).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(new byte[] { 1, 0, 0x20, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0 }, "ERR_FRAME_TOO_LARGE")]
    [InlineData(new byte[] { 255, 255, 255, 255, 3, 0, 0, 0, 0, 0, 0, 0, 0 }, "ERR_FRAME_TOO_LARGE")]
    [InlineData(new byte[] { 1, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0 }, "ERR_FRAME_MALFORMED")]
    [InlineData(new byte[] { 9, 0, 0, 0, 77, 0, 0, 0, 0, 0, 0, 0, 0 }, "ERR_FRAME_MALFORMED")]
    [InlineData(new byte[] { (byte)'G', (byte)'E', (byte)'T', (byte)' ', (byte)'/', 0, 0, 0, 0, 0, 0, 0, 0 }, "ERR_FRAME_TOO_LARGE")]
    public async Task Bytes_that_are_no_frame_are_told_why_and_end_the_link_even_with_more_behind_them(byte[] bytes, string code)
    {
        var listener = new SocketNetwork(new SocketNetworkOptions { Insecure = true }).Listen(Loopback, Audience.Callers);
        using var socket = await RawAsync(listener.Endpoint);
        var server = (await listener.AcceptAsync())!;
        await socket.SendAsync(bytes);
        await socket.SendAsync(new byte[200_000]);
        Assert.Null(await server.ReceiveAsync());
        Assert.Equal(code, server.CloseReason!.Error.Code);
        Assert.Contains(code, await ReadAllAsync(socket), StringComparison.Ordinal);
        listener.Close();
    }

    [Fact]
    public async Task A_frame_may_come_byte_by_byte()
    {
        var listener = new SocketNetwork(new SocketNetworkOptions { Insecure = true }).Listen(Loopback, Audience.Callers);
        using var socket = await RawAsync(listener.Endpoint);
        var server = (await listener.AcceptAsync())!;
        var frame = new byte[FrameHeader.Size + 2];
        new FrameHeader(FrameKind.Request, 7, 2).Write(frame);
        foreach (var one in frame) await socket.SendAsync(new[] { one });
        var received = await server.ReceiveAsync();
        Assert.Equal((FrameKind.Request, 7UL, 2), (received!.Value.Kind, received.Value.Correlation, received.Value.Payload.Length));
        listener.Close();
    }

    [Fact]
    public async Task A_peer_that_does_not_read_is_held_back_from_and_at_last_dropped()
    {
        var options = new SocketNetworkOptions { Insecure = true, OutputHighWater = 64 * 1024, OutputLowWater = 16 * 1024, OutputLimit = 4 * 1024 * 1024 };
        var listener = new SocketNetwork(options).Listen(Loopback, Audience.Callers);
        using var socket = await RawAsync(listener.Endpoint);
        var server = (await listener.AcceptAsync())!;
        var heldBack = false;
        for (var i = 0; i < 2_000 && server.CloseReason is null; i++) heldBack |= !server.Send(FrameKind.Response, 1, new byte[32 * 1024]);
        Assert.True(heldBack);
        Assert.Equal(ErrorCodes.PeerTooSlow, server.CloseReason!.Error);
        await server.DrainedAsync();
        listener.Close();
    }

    [Fact]
    public async Task A_sender_that_holds_back_goes_on_when_the_peer_has_read()
    {
        var options = new SocketNetworkOptions { Insecure = true, OutputHighWater = 64 * 1024, OutputLowWater = 16 * 1024 };
        var listener = new SocketNetwork(options).Listen(Loopback, Audience.Callers);
        using var socket = await RawAsync(listener.Endpoint);
        var server = (await listener.AcceptAsync())!;
        while (server.Send(FrameKind.Response, 1, new byte[32 * 1024]))
        {
        }

        var drained = server.DrainedAsync().AsTask();
        var buffer = new byte[64 * 1024];
        while (!drained.IsCompleted)
        {
            // The last bytes may be read before the sender knows that they are gone: a further read would wait for nothing.
            await Task.WhenAny(drained, socket.ReceiveAsync(buffer));
        }

        await drained;
        Assert.Null(server.CloseReason);
        listener.Close();
    }

    [Fact]
    public async Task Peers_that_never_finish_their_handshake_do_not_keep_others_out_for_good()
    {
        using var server = LinkIdentity.Ephemeral();
        using var client = LinkIdentity.Ephemeral();
        var options = new SocketNetworkOptions { Identity = server, Callers = KeyAllowlist.Anybody, MaxHandshakes = 2, HandshakeTimeoutMs = 300 };
        var listener = new SocketNetwork(options).Listen(Loopback, Audience.Callers);
        var silent = new List<Socket>();
        for (var i = 0; i < 6; i++) silent.Add(await RawAsync(listener.Endpoint));
        var accepted = listener.AcceptAsync().AsTask();
        var connection = await Client(client).ConnectAsync(listener.Endpoint, server.Key, CancellationToken.None);
        Assert.Equal(client.Key, (await accepted)!.Peer.Key);
        connection.Close(null);
        foreach (var socket in silent) socket.Dispose();
        listener.Close();
    }

    [Fact]
    public async Task Peers_whose_handshakes_hang_after_their_first_word_keep_nobody_out()
    {
        using var server = LinkIdentity.Ephemeral();
        using var client = LinkIdentity.Ephemeral();
        var options = new SocketNetworkOptions { Identity = server, Workers = KeyAllowlist.Anybody, MaxHandshakes = 1, PatienceMs = 20, HandshakeTimeoutMs = 86_400_000 };
        var listener = new SocketNetwork(options).Listen(Loopback, Audience.Workers);
        var hanging = new List<Socket>();
        for (var i = 0; i < 5; i++)
        {
            hanging.Add(await RawAsync(listener.Endpoint));
            await hanging[i].SendAsync(FirstOfAClientHello);
        }

        var accepted = listener.AcceptAsync().AsTask();
        var connection = await Client(client).ConnectAsync(listener.Endpoint, server.Key, CancellationToken.None).AsTask().WaitAsync(TimeSpan.FromMinutes(1));
        Assert.Equal(client.Key, (await accepted)!.Peer.Key);
        connection.Close(null);
        foreach (var socket in hanging) socket.Dispose();
        listener.Close();
    }

    [Fact]
    public async Task Peers_that_say_nothing_keep_nobody_waiting_and_those_silent_longest_make_room_for_others()
    {
        using var server = LinkIdentity.Ephemeral();
        using var client = LinkIdentity.Ephemeral();
        var refused = Channel.CreateUnbounded<Refusal>();
        var options = new SocketNetworkOptions
        {
            Identity = server, Workers = KeyAllowlist.Anybody, MaxHandshakes = 1, MaxSilent = 16, HandshakeTimeoutMs = 86_400_000, Refused = (_, why) => refused.Writer.TryWrite(why),
        };
        var listener = new SocketNetwork(options).Listen(Loopback, Audience.Workers);
        var silent = new List<Socket>();
        for (var i = 0; i < 20; i++) silent.Add(await RawAsync(listener.Endpoint));
        var accepted = listener.AcceptAsync().AsTask();
        var connection = await Client(client).ConnectAsync(listener.Endpoint, server.Key, CancellationToken.None).AsTask().WaitAsync(TimeSpan.FromMinutes(1));
        Assert.Equal(client.Key, (await accepted)!.Peer.Key);

        // Four have gone for those that came after the sixteenth, and one for the link that was admitted, which was silent itself until its first word had come.
        for (var i = 0; i < 5; i++) Assert.Equal(ErrorCodes.HandshakeTimeout.Code, (await refused.Reader.ReadAsync()).Text);
        for (var i = 0; i < 5; i++) await Assert.ThrowsAsync<SocketException>(async () => await silent[i].ReceiveAsync(new byte[1]));
        Assert.False(silent[5].ReceiveAsync(new byte[1]).IsCompleted);
        connection.Close(null);
        foreach (var socket in silent) socket.Dispose();
        listener.Close();
    }

    [Fact]
    public async Task The_system_asks_after_both_ends_of_a_link_that_is_idle()
    {
        var network = new SocketNetwork(new SocketNetworkOptions { Insecure = true });
        var listener = network.Listen(Loopback, Audience.Callers);
        var connection = await network.ConnectAsync(listener.Endpoint, null, CancellationToken.None);
        var accepted = (await listener.AcceptAsync())!;

        // Of each established end the system's table tells the timer that is set: 02 is that of keepalive.
        var port = $":{listener.Endpoint.Port:X4}";
        var ends = File.ReadLines("/proc/net/tcp").Concat(File.ReadLines("/proc/net/tcp6")).Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Where(field => (field[1].EndsWith(port, StringComparison.Ordinal) || field[2].EndsWith(port, StringComparison.Ordinal)) && field[3] == "01").ToArray();
        Assert.Equal(2, ends.Length);
        Assert.All(ends, end => Assert.StartsWith("02:", end[5], StringComparison.Ordinal));
        foreach (var end in new[] { connection, accepted }) end.Close(null);
        listener.Close();
    }

    [Fact]
    public async Task Who_finds_no_room_is_told_so_callers_have_room_of_their_own_and_a_link_that_ends_makes_room()
    {
        var refused = new List<(string From, Refusal Why)>();
        var network = new SocketNetwork(new SocketNetworkOptions { Room = new SocketRoom(callers: 1, others: 2), Refused = (from, why) => refused.Add((from, why)) });
        var peers = new SocketNetwork(new SocketNetworkOptions());
        var workers = network.Listen(LinkEndpoint.Unix(Path.Combine(_directory, "w.sock")), Audience.Workers);
        var callers = network.Listen(LinkEndpoint.Unix(Path.Combine(_directory, "c.sock")), Audience.Callers);
        var first = await peers.ConnectAsync(workers.Endpoint, null, CancellationToken.None);
        var served = (await workers.AcceptAsync())!;
        var dialled = await network.ConnectAsync(callers.Endpoint, null, CancellationToken.None);
        await callers.AcceptAsync();

        for (var i = 0; i < 2; i++) Assert.Contains("ERR_TOO_MANY_LINKS", await GoodbyeAsync(await peers.ConnectAsync(workers.Endpoint, null, CancellationToken.None)), StringComparison.Ordinal);
        Assert.Contains("ERR_TOO_MANY_LINKS", await GoodbyeAsync(await peers.ConnectAsync(callers.Endpoint, null, CancellationToken.None)), StringComparison.Ordinal);
        var held = await Assert.ThrowsAsync<LinkException>(async () => await network.ConnectAsync(callers.Endpoint, null, CancellationToken.None));
        Assert.Equal(ErrorCodes.TooManyLinks, held.Refusal.Error);
        Assert.Equal([(workers.Endpoint.ToString(), ErrorCodes.TooManyLinks.Code), (callers.Endpoint.ToString(), ErrorCodes.TooManyLinks.Code)], refused.Select(one => (one.From, one.Why.Text)));

        first.Close(null);
        Assert.Null(await served.ReceiveAsync());
        IConnection? admitted = null;
        var accepted = workers.AcceptAsync().AsTask();
        for (var tries = 0; !accepted.IsCompleted && tries < 200; tries++)
        {
            admitted = await peers.ConnectAsync(workers.Endpoint, null, CancellationToken.None);
            await Task.WhenAny(accepted, admitted.ReceiveAsync().AsTask());
        }

        Assert.True(accepted.IsCompleted);
        Assert.NotNull(await accepted);
        foreach (var connection in new[] { dialled, admitted! }) connection.Close(null);
        workers.Close();
        callers.Close();
    }

    [Theory]
    [InlineData(64, 6, 58)]
    [InlineData(512, 19, 173)]
    [InlineData(4_096, 377, 3_399)]
    [InlineData(long.MaxValue, int.MaxValue, int.MaxValue)]
    public void Of_the_files_that_a_process_may_have_open_some_are_left_alone_and_a_tenth_of_the_rest_is_for_callers(long files, int callers, int others)
    {
        var room = new SocketRoom(files);
        Assert.Equal((callers, others), (room.MaxCallers, room.MaxOthers));
    }

    [Fact]
    public async Task Who_is_listened_for_hears_of_those_that_were_turned_away_and_why()
    {
        using var server = LinkIdentity.Ephemeral();
        using var stranger = LinkIdentity.Ephemeral();
        var refused = Channel.CreateUnbounded<(string From, Refusal Why)>();
        var listener = new SocketNetwork(new SocketNetworkOptions { Identity = server, Callers = new KeyAllowlist([server.Key]), Refused = (from, why) => refused.Writer.TryWrite((from, why)) }).Listen(Loopback, Audience.Callers);
        await Client(stranger).ConnectAsync(listener.Endpoint, server.Key, CancellationToken.None);
        var key = await refused.Reader.ReadAsync();
        Assert.StartsWith("127.0.0.1:", key.From.Replace("[::ffff:", "", StringComparison.Ordinal).Replace("]", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Equal($"ERR_KEY_NOT_ALLOWED: {stranger.Key}", key.Why.Text);
        using var plain = await RawAsync(listener.Endpoint);
        await plain.SendAsync("GET / HTTP/1.1\r\n\r\n"u8.ToArray());
        Assert.Equal(ErrorCodes.HandshakeInvalid, (await refused.Reader.ReadAsync()).Why.Error);
        listener.Close();
    }

    [Fact]
    public void Key_files_are_read_again_when_they_change_and_what_cannot_be_read_changes_nothing()
    {
        var time = new StepTime();
        var path = Path.Combine(_directory, "keys");
        var (first, second) = ("sha256:" + new string('a', 64), "sha256:" + new string('b', 64));
        var told = new List<string>();
        Assert.Equal(ErrorCodes.ConfigInvalid, Assert.Throws<LinkException>(() => new KeyFiles([path], time, (_, _) => { })).Refusal.Error);
        File.WriteAllText(path, "# none yet\n");
        var list = new KeyAllowlist([], files: new KeyFiles([path], time, (count, failure) => told.Add(failure is null ? $"{count}" : $"{count} {failure.Message}")));
        Assert.True(list.IsEmpty);

        File.WriteAllText(path, $"{first} the first\n");
        Assert.False(list.Allows(first));
        time.Pass(TimeSpan.FromSeconds(1));
        Assert.True(list.Allows(first));
        Assert.False(list.IsEmpty);

        File.WriteAllText(path, $"{first}\n{second}, a typing mistake\n");
        time.Pass(TimeSpan.FromSeconds(1));
        Assert.Equal((true, false), (list.Allows(first), list.Allows(second)));
        File.Delete(path);
        time.Pass(TimeSpan.FromSeconds(1));
        Assert.True(list.Allows(first));
        File.WriteAllText(path, second);
        time.Pass(TimeSpan.FromSeconds(1));
        Assert.Equal((false, true), (list.Allows(first), list.Allows(second)));
        Assert.Equal(["1", "1", "1", "1"], told.Select(line => line.Split(' ')[0]));
        Assert.Equal(2, told.Count(line => line.Contains("ERR_CONFIG_INVALID", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Whose_key_is_taken_away_loses_the_link_that_it_let_in_and_the_others_keep_theirs()
    {
        using var server = LinkIdentity.Ephemeral();
        using var first = LinkIdentity.Ephemeral();
        using var second = LinkIdentity.Ephemeral();
        var path = Path.Combine(_directory, "keys");
        File.WriteAllText(path, $"{first.Key}\n{second.Key}\n");
        var refused = Channel.CreateUnbounded<Refusal>();
        var keys = new KeyAllowlist([], files: new KeyFiles([path], TimeProvider.System, (_, _) => { }));
        var listener = new SocketNetwork(new SocketNetworkOptions { Identity = server, Workers = keys, Refused = (_, why) => refused.Writer.TryWrite(why) }).Listen(Loopback, Audience.Workers);
        var kept = await Client(first).ConnectAsync(listener.Endpoint, server.Key, CancellationToken.None);
        var keptHere = (await listener.AcceptAsync())!;
        var taken = await Client(second).ConnectAsync(listener.Endpoint, server.Key, CancellationToken.None);
        await listener.AcceptAsync();

        File.WriteAllText(path, first.Key);
        Assert.Contains($"ERR_KEY_NOT_ALLOWED: {second.Key}", await GoodbyeAsync(taken).WaitAsync(TimeSpan.FromMinutes(1)), StringComparison.Ordinal);
        Assert.Equal($"ERR_KEY_NOT_ALLOWED: {second.Key}", (await refused.Reader.ReadAsync()).Text);
        kept.Send(FrameKind.Request, 1, [1]);
        Assert.Equal(1, (await keptHere.ReceiveAsync())!.Value.Payload.Length);
        kept.Close(null);
        listener.Close();
    }

    [Fact]
    public async Task Who_was_dialled_and_is_no_longer_allowed_loses_the_link_unless_its_key_was_named()
    {
        using var kernel = LinkIdentity.Ephemeral();
        using var worker = LinkIdentity.Ephemeral();
        var path = Path.Combine(_directory, "keys");
        File.WriteAllText(path, worker.Key);
        var keys = new KeyAllowlist([], files: new KeyFiles([path], TimeProvider.System, (_, _) => { }));
        var listener = new SocketNetwork(new SocketNetworkOptions { Identity = worker, Kernels = KeyAllowlist.Anybody }).Listen(Loopback, Audience.Kernels);
        var dialling = new SocketNetwork(new SocketNetworkOptions { Identity = kernel, Workers = keys });
        var named = await dialling.ConnectAsync(listener.Endpoint, worker.Key, CancellationToken.None);
        var namedHere = (await listener.AcceptAsync())!;
        await dialling.ConnectAsync(listener.Endpoint, null, CancellationToken.None);
        var takenHere = (await listener.AcceptAsync())!;

        File.WriteAllText(path, kernel.Key);
        Assert.Contains($"ERR_KEY_NOT_ALLOWED: {worker.Key}", await GoodbyeAsync(takenHere).WaitAsync(TimeSpan.FromMinutes(1)), StringComparison.Ordinal);
        named.Send(FrameKind.Request, 1, [1]);
        Assert.Equal(1, (await namedHere.ReceiveAsync())!.Value.Payload.Length);
        listener.Close();
    }

    /// <summary>Time that passes when it is told to.</summary>
    private sealed class StepTime : TimeProvider
    {
        private long _ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _ticks;

        internal void Pass(TimeSpan time) => _ticks += time.Ticks;
    }

    private static LinkEndpoint Loopback => LinkEndpoint.Tcp("127.0.0.1", 0);

    private static SocketNetwork Client(LinkIdentity identity) => new(new SocketNetworkOptions { Identity = identity });

    private static async Task<Socket> RawAsync(LinkEndpoint endpoint)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, endpoint.Port));
        return socket;
    }

    private static async Task<string> GoodbyeAsync(IConnection connection)
    {
        var text = "";
        while (await connection.ReceiveAsync() is { } frame) text += Encoding.UTF8.GetString(frame.Payload.Span);
        return text;
    }

    private static async Task<string> ReadAllAsync(Socket socket)
    {
        var all = new StringBuilder();
        var buffer = new byte[4_096];
        try
        {
            for (int read; (read = await socket.ReceiveAsync(buffer)) > 0;) all.Append(Encoding.Latin1.GetString(buffer, 0, read));
        }
        catch (SocketException)
        {
            // A reset after the Goodbye was read is fine.
        }

        return all.ToString();
    }
}
