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
        private readonly object _gate = new();
        private readonly Queue<Connection> _backlog = new();
        private TaskCompletionSource? _arrival;
        private bool _closed;

        public LinkEndpoint Endpoint { get; } = endpoint;

        internal string Key { get; } = key;

        public async ValueTask<IConnection?> AcceptAsync()
        {
            while (true)
            {
                TaskCompletionSource arrival;
                lock (_gate)
                {
                    if (_backlog.TryDequeue(out var connection)) return connection;
                    if (_closed) return null;
                    arrival = _arrival ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                }

                await arrival.Task;
            }
        }

        public void Close()
        {
            lock (network._gate) network._listeners.Remove(Endpoint);
            Connection[] left;
            lock (_gate)
            {
                _closed = true;
                left = [.. _backlog];
                _backlog.Clear();
            }

            foreach (var connection in left) connection.Close(null);
            Arrived();
        }

        internal bool Offer(Connection connection)
        {
            lock (_gate)
            {
                if (_closed) return false;
                _backlog.Enqueue(connection);
            }

            Arrived();
            return true;
        }

        private void Arrived()
        {
            TaskCompletionSource? arrival;
            lock (_gate) (arrival, _arrival) = (_arrival, null);
            arrival?.TrySetResult();
        }
    }

    private sealed class Connection(PeerIdentity peer) : IConnection
    {
        private readonly object _gate = new();
        private readonly Queue<ReceivedFrame> _arrived = new();
        private TaskCompletionSource? _arrival;
        private bool _closed;
        private bool _otherClosed;

        public PeerIdentity Peer { get; } = peer;

        public Refusal? CloseReason { get; private set; }

        internal Connection Other { get; set; } = null!;

        public async ValueTask<ReceivedFrame?> ReceiveAsync()
        {
            while (true)
            {
                TaskCompletionSource arrival;
                lock (_gate)
                {
                    if (!_closed && _arrived.TryDequeue(out var frame)) return frame;
                    if (_closed || _otherClosed) break;
                    arrival = _arrival ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                }

                await arrival.Task;
            }

            Close(null);
            return null;
        }

        public bool Send(FrameKind kind, ulong correlation, ReadOnlySpan<byte> payload)
        {
            lock (_gate)
            {
                if (_closed) return true;
            }

            Other.Arrive(new ReceivedFrame(kind, correlation, payload.ToArray()));
            return true;
        }

        public ValueTask DrainedAsync() => ValueTask.CompletedTask;

        public void Close(Refusal? reason)
        {
            lock (_gate)
            {
                if (_closed) return;
                _closed = true;
                CloseReason = reason;
            }

            if (reason is not null) Other.Arrive(new ReceivedFrame(FrameKind.Goodbye, 0, System.Text.Encoding.UTF8.GetBytes($"{{\"error\":\"{reason.Error.Code}\"}}")));
            Other.OtherClosed();
            Arrived();
        }

        private void Arrive(ReceivedFrame frame)
        {
            lock (_gate) _arrived.Enqueue(frame);
            Arrived();
        }

        private void OtherClosed()
        {
            lock (_gate) _otherClosed = true;
            Arrived();
        }

        private void Arrived()
        {
            TaskCompletionSource? arrival;
            lock (_gate) (arrival, _arrival) = (_arrival, null);
            arrival?.TrySetResult();
        }
    }
}
