using System.Text;
using Ork.Protocol;

namespace OrkSim;

/// <summary>
/// A byzantine Worker: an honest runtime whose link does not keep the protocol. Never lies about what a device did: no kernel could tell.
/// </summary>
/// <param name="chance">How often it breaks the protocol.</param>
/// <param name="garbles">True: besides, all that it says of its devices is no envelope; it registers and answers pings.</param>
internal sealed class Mischief(double chance, bool garbles = false)
{
    private double _chance = chance;
    private bool _garbles = garbles;

    /// <summary>What it says of devices that are others'.</summary>
    internal static ReadOnlySpan<byte> Meddled => "meddled"u8;

    /// <summary>From now on it behaves.</summary>
    internal void Stop()
    {
        _chance = 0;
        _garbles = false;
    }

    internal INetwork Of(SimNode node, INetwork network) => new View(this, node, network);

    private sealed class View(Mischief mischief, SimNode node, INetwork network) : INetwork
    {
        public async ValueTask<IConnection> ConnectAsync(LinkEndpoint endpoint, string? expectedKey, CancellationToken cancellation) =>
            new Link(mischief, node, (SimConnection)await network.ConnectAsync(endpoint, expectedKey, cancellation));

        public IListener Listen(LinkEndpoint endpoint, Audience audience) => new Door(mischief, node, network.Listen(endpoint, audience));
    }

    private sealed class Door(Mischief mischief, SimNode node, IListener listener) : IListener
    {
        public LinkEndpoint Endpoint => listener.Endpoint;

        public async ValueTask<IConnection?> AcceptAsync() => await listener.AcceptAsync() is SimConnection connection ? new Link(mischief, node, connection) : null;

        public void Close() => listener.Close();
    }

    private sealed class Link(Mischief mischief, SimNode node, SimConnection link) : IConnection
    {
        // Ways not to keep the protocol.
        private static readonly string[] Breaches = ["twice", "unmatched", "request", "hello", "garbage", "oversized", "late", "never", "nonsense"];

        // Ways to say something else within it, and what an answer must hold for that.
        private static readonly (string Way, string Holds)[] Lies =
        [
            ("steal", "\"devices\":["), ("greed", "\"devices\":["), ("pose", ""), ("meddle", "\"state\":{"), ("unsure", $"\"{CommandWords.Of(CommandStatus.Success)}\""), ("wordless", "\"error\":\""), ("astray", ""), ("mixup", ""),
        ];

        // An answer of another kind than was asked for.
        private static readonly (string Right, string Wrong)[] Kinds =
        [
            ("health.pong", "state.response"), ("command.result", "telemetry.response"), ("identity.response", "capability.response"), ("\"type\":\"response\"", "\"type\":\"event\""),
        ];

        // Greetings that are none of a Worker's.
        private static readonly string[] Greetings = ["""{"role":"worker"}""", """{"role":"caller","workerId":"w"}""", """{"role":"worker","workerId":""}""", "[]", "", "never"];

        private readonly SimWorld _world = node.World;
        private readonly Dictionary<string, byte[]> _before = new(StringComparer.Ordinal);

        public PeerIdentity Peer => link.Peer;

        public Refusal? CloseReason => link.CloseReason;

        public ValueTask<ReceivedFrame?> ReceiveAsync() => link.ReceiveAsync();

        public ValueTask DrainedAsync() => link.DrainedAsync();

        public void Close(Refusal? reason) => link.Close(reason);

        public bool Send(FrameKind kind, ulong correlation, ReadOnlySpan<byte> payload)
        {
            if (mischief._garbles && kind == FrameKind.Response && IsOfDevices(payload)) return link.Send(kind, correlation, Nonsense);
            if (kind is FrameKind.Hello or FrameKind.Welcome && _world.Draws.Chance(mischief._chance)) return Misgreet(kind, _world.Draws.Of(Greetings));
            var before = kind == FrameKind.Response ? Before(payload) : null;
            if (kind != FrameKind.Response || !_world.Draws.Chance(mischief._chance)) return link.Send(kind, correlation, payload);
            switch (Way(payload))
            {
                case "twice":
                    link.Send(kind, correlation, payload);
                    return link.Send(kind, correlation, payload);
                case "unmatched":
                    return link.Send(kind, correlation + 100_000, payload);
                case "request":
                    return link.Send(FrameKind.Request, correlation, payload);
                case "hello":
                    return link.Send(FrameKind.Hello, 0, new Greeting(Greeting.Worker, node.Name).ToBytes());
                case "garbage":
                    link.SendGarbage(ErrorCodes.FrameMalformed);
                    return true;
                case "oversized":
                    link.SendGarbage(ErrorCodes.FrameTooLarge);
                    return true;
                case "late":
                    _world.Observe(node, SendLateAsync(kind, correlation, payload.ToArray()));
                    return true;
                case "never":
                    return true;
                case "steal":
                    return link.Send(kind, correlation, Change(payload, "\"devices\":[", $"\"devices\":[{{\"deviceId\":\"{_world.Draws.Of(_world.Devices.Keys.ToArray())}\"}},"));
                case "greed":
                    return link.Send(kind, correlation, Change(payload, "\"devices\":[", $"\"devices\":[{string.Join(',', Enumerable.Range(1, _world.KernelOptions.Links.MaxDevicesPerWorker).Select(number => $"{{\"deviceId\":\"{node.Name}-{number}\"}}"))},"));
                case "meddle":
                    return link.Send(kind, correlation, Change(payload, "\"state\":{", $"\"state\":{{{string.Concat(_world.Devices.Keys.Select(static device => $"\"{device}\":{{\"mode\":\"{Encoding.UTF8.GetString(Meddled)}\"}},"))}"));
                case "pose":
                    return link.Send(kind, correlation, Change(payload, node.Name, _world.Draws.Of(_world.Workers).Node.Name));
                case "astray":
                    var (right, wrong) = _world.Draws.Of(Kinds);
                    return link.Send(kind, correlation, Change(payload, right, wrong));
                case "mixup":
                    return link.Send(kind, correlation, before ?? payload);
                case "unsure":
                    return link.Send(kind, correlation, Change(payload, $"\"{CommandWords.Of(CommandStatus.Success)}\"", $"\"{CommandWords.Of(CommandStatus.Unknown)}\""));
                case "wordless":
                    return link.Send(kind, correlation, Change(payload, "\"error\":\"", "\"mumbled\":\""));
                default:
                    return link.Send(kind, correlation, Nonsense);
            }
        }

        private string Way(ReadOnlySpan<byte> payload)
        {
            if (_world.Draws.Chance(0.5)) return _world.Draws.Of(Breaches);
            var answer = Encoding.UTF8.GetString(payload);
            return _world.Draws.Of(Lies.Where(lie => answer.Contains(lie.Holds, StringComparison.Ordinal)).ToArray()).Way;
        }

        private bool Misgreet(FrameKind kind, string greeting) => greeting == "never" || link.Send(kind, 0, Encoding.UTF8.GetBytes(greeting));

        private static ReadOnlySpan<byte> Nonsense => "{\"id\":7,\"nonsense\":[1,2"u8;

        private static bool IsOfDevices(ReadOnlySpan<byte> payload) =>
            payload.IndexOf("\"command.result\""u8) >= 0 || payload.IndexOf("\"telemetry.response\""u8) >= 0 || payload.IndexOf("\"state.response\""u8) >= 0;

        /// <summary>The answer of the same kind that it gave before this one, or null.</summary>
        private byte[]? Before(ReadOnlySpan<byte> payload)
        {
            var action = payload[Math.Max(0, payload.IndexOf("\"action\":\""u8))..];
            var name = Encoding.UTF8.GetString(action[..Math.Max(0, action.IndexOf(","u8))]);
            var before = _before.GetValueOrDefault(name);
            _before[name] = payload.ToArray();
            return before;
        }

        private static byte[] Change(ReadOnlySpan<byte> payload, string from, string to) =>
            Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(payload).Replace(from, to, StringComparison.Ordinal));

        private async Task SendLateAsync(FrameKind kind, ulong correlation, byte[] payload)
        {
            await Task.Delay(_world.Draws.Between(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(8)), node.Clock);
            link.Send(kind, correlation, payload);
        }
    }
}
