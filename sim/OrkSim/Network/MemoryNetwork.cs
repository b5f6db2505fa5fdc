using Ork.Protocol;

namespace OrkSim;

/// <summary>
/// The model of the network's port: connections within one process that are ordered and reliable until closed. Whoever listens sees the
/// connecting side's identity as it was given to its network.
/// </summary>
public sealed class MemoryNetwork
{
    private readonly object _gate = new();
    private readonly Dictionary<LinkEndpoint, Listener> _listeners = [];

    /// <summary>The network as a node sees it that has this key.</summary>
    public INetwork As(string key) => new Node(this, key);

    private sealed class Node(MemoryNetwork network, string key) : INetwork
    {
        public ValueTask<IConnection> ConnectAsync(LinkEndpoint endpoint, string? expectedKey, CancellationToken cancellation)
        {
            Listener? listener;
            lock (network._gate) network._listeners.TryGetValue(endpoint, out listener);
            if (listener is null) throw new LinkException(Refusal.With(ErrorCodes.KernelUnavailable, $"{endpoint}: refused"));
            if (expectedKey is not null && expectedKey != listener.Key) throw new LinkException(Refusal.With(ErrorCodes.KeyNotAllowed, listener.Key));
            var here = new Connection(new PeerIdentity(listener.Key, endpoint.ToString()));
            var there = new Connection(new PeerIdentity(key, "memory"));
            here.Other = there;
            there.Other = here;
            return listener.Offer(there)
                ? new ValueTask<IConnection>(here)
                : throw new LinkException(Refusal.With(ErrorCodes.KernelUnavailable, $"{endpoint}: closed"));
        }

        public IListener Listen(LinkEndpoint endpoint, Audience audience)
        {
            var listener = new Listener(network, endpoint, key);
            lock (network._gate)
            {
                if (!network._listeners.TryAdd(endpoint, listener)) throw new LinkException(Refusal.With(ErrorCodes.EndpointInvalid, $"{endpoint}: in use"));
            }

            return listener;
        }
    }

    private sealed class Listener(MemoryNetwork network, LinkEndpoint endpoint, string key) : IListener
    {
        private readonly Arrivals<Connection> _backlog = new();

        public LinkEndpoint Endpoint { get; } = endpoint;

        internal string Key { get; } = key;

        public async ValueTask<IConnection?> AcceptAsync()
        {
            while (await _backlog.WaitAsync())
            {
                if (_backlog.TryTake(out var connection)) return connection;
            }

            return null;
        }

        public void Close()
        {
            lock (network._gate) network._listeners.Remove(Endpoint);
            _backlog.Close();
            while (_backlog.TryTake(out var left)) left.Close(null);
        }

        internal bool Offer(Connection connection) => _backlog.Offer(connection);
    }

    private sealed class Connection(PeerIdentity peer) : IConnection
    {
        private readonly object _gate = new();
        private readonly Arrivals<ReceivedFrame> _arrived = new();

        // Held until the flush for as long as the contract allows: who forgets to flush waits for an answer in vain, here as on a socket.
        private readonly List<ReceivedFrame> _put = [];
        private bool _closed;

        public PeerIdentity Peer { get; } = peer;

        public Refusal? CloseReason { get; private set; }

        internal Connection Other { get; set; } = null!;

        private bool IsClosed
        {
            get
            {
                lock (_gate) return _closed;
            }
        }

        public async ValueTask<ReceivedFrame?> ReceiveAsync()
        {
            while (!IsClosed && await _arrived.WaitAsync() && !IsClosed)
            {
                if (_arrived.TryTake(out var frame)) return frame;
            }

            Close(null);
            return null;
        }

        public bool Send(FrameKind kind, ulong correlation, ReadOnlySpan<byte> payload)
        {
            var roomLeft = Put(kind, correlation, payload);
            Flush();
            return roomLeft;
        }

        public bool Put(FrameKind kind, ulong correlation, ReadOnlySpan<byte> payload)
        {
            lock (_gate)
            {
                if (!_closed) _put.Add(new ReceivedFrame(kind, correlation, payload.ToArray()));
            }

            return true;
        }

        public void Flush()
        {
            lock (_gate)
            {
                foreach (var frame in _put) Other._arrived.Offer(frame);
                _put.Clear();
            }
        }

        public ValueTask DrainedAsync() => ValueTask.CompletedTask;

        public void Close(Refusal? reason)
        {
            Flush();
            lock (_gate)
            {
                if (_closed) return;
                _closed = true;
                CloseReason = reason;
            }

            if (reason is not null)
            {
                var goodbye = System.Text.Encoding.UTF8.GetBytes($"{{\"error\":\"{reason.Error.Code}\"}}");
                Other._arrived.Offer(new ReceivedFrame(FrameKind.Goodbye, 0, goodbye));
            }

            // The other side still reads what is on its way; this side reads no more.
            Other._arrived.Close();
            _arrived.Close();
        }
    }
}
