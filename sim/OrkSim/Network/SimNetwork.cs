using Ork.Protocol;

namespace OrkSim;

/// <summary>How the network of a world behaves. Latencies apply to each message on its way.</summary>
public sealed record NetworkBehaviour
{
    /// <summary>The shortest way.</summary>
    public TimeSpan MinLatency { get; init; } = TimeSpan.FromMilliseconds(0.2);

    /// <summary>The longest way.</summary>
    public TimeSpan MaxLatency { get; init; } = TimeSpan.FromMilliseconds(5);

    /// <summary>How likely a message is held up for long.</summary>
    public double Stall { get; init; }

    /// <summary>How long at most.</summary>
    public TimeSpan MaxStall { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Connections a listener lets wait; beyond, connecting is refused.</summary>
    public int Backlog { get; init; } = 512;

    /// <summary>Bytes on the way to a reader, beyond which its sender is told to hold back.</summary>
    public int HighWaterBytes { get; init; } = 256 * 1024;

    /// <summary>Bytes on the way, below which it is told to go on.</summary>
    public int LowWaterBytes { get; init; } = 64 * 1024;

    /// <summary>Bytes on the way, beyond which the connection is given up.</summary>
    public int LimitBytes { get; init; } = 16 * 1024 * 1024;
}

/// <summary>
/// The virtual network. Connections are what TCP with TLS makes of them: ordered, reliable until reset, both sides known by their keys; what is
/// lost is lost with its connection.
/// </summary>
public sealed class SimNetwork
{
    private readonly SimWorld _world;
    private readonly Dictionary<LinkEndpoint, SimListener> _listeners = [];
    private readonly HashSet<(int From, int To)> _blocked = [];
    private readonly List<Wire> _held = [];
    private readonly List<Dial> _heldDials = [];

    // Addresses of machines that are without power: nobody there says that nobody listens.
    private readonly HashSet<LinkEndpoint> _dark = [];
    private int _links;

    internal SimNetwork(SimWorld world, NetworkBehaviour behaviour)
    {
        _world = world;
        Behaviour = behaviour;
    }

    /// <summary>How it behaves.</summary>
    public NetworkBehaviour Behaviour { get; }

    /// <summary>True: messages overtake each other. No connection does that; it is there to show that checks notice.</summary>
    public bool Unordered { get; set; }

    /// <summary>How likely connecting is refused.</summary>
    public double RefuseDials { get; set; }

    internal SimWorld World => _world;

    internal FrameBuffers Buffers { get; } = new();

    /// <summary>The network as a node sees it.</summary>
    public INetwork Of(SimNode node) => new View(this, node);

    /// <summary>Holds up what goes from one node to another, until <see cref="Heal"/>.</summary>
    internal void Block(SimNode from, SimNode to) => _blocked.Add((from.Id, to.Id));

    /// <summary>Lets go what a pair of nodes has to say to each other.</summary>
    internal void Unblock(SimNode a, SimNode b)
    {
        _blocked.Remove((a.Id, b.Id));
        _blocked.Remove((b.Id, a.Id));
        LetGo();
    }

    /// <summary>Nothing is held up any more.</summary>
    internal void Heal()
    {
        _blocked.Clear();
        RefuseDials = 0;
        LetGo();
    }

    internal bool IsBlocked(SimNode from, SimNode to) => _blocked.Count > 0 && _blocked.Contains((from.Id, to.Id));

    /// <summary>Every listener and connection of a node is gone.</summary>
    /// <param name="node">The node.</param>
    /// <param name="silently">True: nobody is told, as when the power fails. False: the operating system says so.</param>
    internal void NodeDown(SimNode node, bool silently)
    {
        foreach (var (endpoint, listener) in _listeners.Where(entry => entry.Value.Owner == node).ToArray())
        {
            _listeners.Remove(endpoint);
            if (silently) _dark.Add(endpoint);
            listener.Die();
        }

        foreach (var connection in node.Connections.ToArray()) connection.Die(silently);
        node.Connections.Clear();
    }

    /// <summary>Takes a node's listeners off the network although it lives: its address is another's now.</summary>
    internal void TakeAddresses(SimNode node)
    {
        foreach (var (endpoint, _) in _listeners.Where(entry => entry.Value.Owner == node).ToArray()) _listeners.Remove(endpoint);
    }

    internal void Hold(Wire wire) => _held.Add(wire);

    internal void Forget(SimListener listener)
    {
        if (_listeners.GetValueOrDefault(listener.Endpoint) == listener) _listeners.Remove(listener.Endpoint);
    }

    internal TimeSpan Latency()
    {
        var latency = _world.Draws.Between(Behaviour.MinLatency, Behaviour.MaxLatency);
        if (_world.Draws.Chance(_world.FaultsOn ? Behaviour.Stall : 0)) latency += _world.Draws.Between(TimeSpan.Zero, Behaviour.MaxStall);
        return latency;
    }

    private void LetGo()
    {
        var wires = _held.ToArray();
        _held.Clear();
        foreach (var wire in wires) wire.Go();
        var dials = _heldDials.ToArray();
        _heldDials.Clear();
        foreach (var dial in dials) _world.Scheduler.Set(dial, Latency());
    }

    private sealed class View(SimNetwork network, SimNode node) : INetwork
    {
        public ValueTask<IConnection> ConnectAsync(LinkEndpoint endpoint, string? expectedKey, CancellationToken cancellation)
        {
            cancellation.ThrowIfCancellationRequested();
            var dial = new Dial(network, node, endpoint, expectedKey);
            network._world.Facts.Dialled(node, dial, endpoint);
            if (cancellation.CanBeCanceled) dial.Registration = cancellation.UnsafeRegister(static dial => ((Dial)dial!).Abandon(), dial);
            network._world.Scheduler.Set(dial, network.Latency());
            return new ValueTask<IConnection>(dial.Task);
        }

        public IListener Listen(LinkEndpoint endpoint, Audience audience)
        {
            var listener = new SimListener(network, node, endpoint, audience);
            network._dark.Remove(endpoint);
            return network._listeners.TryAdd(endpoint, listener)
                ? listener
                : throw new LinkException(Refusal.With(ErrorCodes.EndpointInvalid, $"{endpoint}: in use"));
        }
    }

    /// <summary>One attempt to connect: there, and back again.</summary>
    private sealed class Dial : AgendaItem
    {
        private readonly SimNetwork _network;
        private readonly LinkEndpoint _endpoint;
        private readonly string? _expectedKey;
        private readonly SimNode _from;
        private readonly TaskCompletionSource<IConnection> _result = new();
        private SimConnection? _made;
        private Refusal? _refused;
        private bool _answered;
        private bool _abandoned;
        private int _knocks;

        internal Dial(SimNetwork network, SimNode from, LinkEndpoint endpoint, string? expectedKey)
        {
            _network = network;
            _from = from;
            _endpoint = endpoint;
            _expectedKey = expectedKey;
            FromLife = from.Life;
        }

        internal Task<IConnection> Task => _result.Task;

        internal CancellationTokenRegistration Registration { get; set; }

        private int FromLife { get; }

        internal void Abandon()
        {
            if (_abandoned || _result.Task.IsCompleted) return;
            _abandoned = true;
            End();
            _made?.Die(silently: false);
            _result.TrySetCanceled();
        }

        internal override void Run()
        {
            if (FromLife != _from.Life || _abandoned)
            {
                _made?.Die(silently: false);
                return;
            }

            if (_answered)
            {
                Registration.Unregister();
                End();
                if (_refused is not null) _result.TrySetException(new LinkException(_refused));
                else _result.TrySetResult(_made!);
                return;
            }

            Arrive();
        }

        private void End() => _from.Dials.RemoveAll(dial => dial.Dial == this);

        private void Arrive()
        {
            if (_network._dark.Contains(_endpoint))
            {
                // As TCP does: it knocks again after one second, two, four.
                _network._world.Scheduler.Set(this, TimeSpan.FromSeconds(1 << Math.Min(_knocks++, 6)));
                return;
            }

            var listener = _network._listeners.GetValueOrDefault(_endpoint);
            if (listener is not null && (_network.IsBlocked(_from, listener.Owner) || _network.IsBlocked(listener.Owner, _from)))
            {
                // Nobody answers a knock that does not arrive; it is repeated, and arrives when the way is free.
                _network._heldDials.Add(this);
                return;
            }

            _refused = listener is null ? Refusal.With(ErrorCodes.KernelUnavailable, $"{_endpoint}: refused")
                : listener.Waiting >= _network.Behaviour.Backlog || _network._world.Draws.Chance(_network.RefuseDials)
                    ? Refusal.With(ErrorCodes.KernelUnavailable, $"{_endpoint}: backlog full")
                : _expectedKey is not null && _expectedKey != listener.Owner.Key ? Refusal.With(ErrorCodes.KeyNotAllowed, listener.Owner.Key)
                : null;
            if (_refused is null) _made = Make(listener!);
            _answered = true;
            _network._world.Scheduler.Set(this, _network.Latency());
        }

        private SimConnection Make(SimListener listener)
        {
            var id = ++_network._links;
            var here = new SimConnection(_network, _from, id, isClient: true, listener.Audience, new PeerIdentity(listener.Owner.Key, listener.Owner.Name)) { Dialled = _endpoint };
            var there = new SimConnection(_network, listener.Owner, id, isClient: false, listener.Audience, new PeerIdentity(_from.Key, _from.Name));
            here.Join(there);
            there.Join(here);
            _network._world.Facts.LinkOpened(here, there);
            listener.Offer(there);
            return here;
        }
    }
}

/// <summary>An open listener of a node.</summary>
internal sealed class SimListener(SimNetwork network, SimNode owner, LinkEndpoint endpoint, Audience audience) : IListener
{
    private readonly Queue<SimConnection> _backlog = new();
    private TaskCompletionSource? _arrival;
    private bool _closed;

    public LinkEndpoint Endpoint { get; } = endpoint;

    internal SimNode Owner { get; } = owner;

    internal Audience Audience { get; } = audience;

    internal int Waiting => _backlog.Count;

    public async ValueTask<IConnection?> AcceptAsync()
    {
        while (true)
        {
            if (_backlog.TryDequeue(out var connection))
            {
                connection.IsAccepted = true;
                return connection;
            }

            if (_closed) return null;
            _arrival ??= new TaskCompletionSource();
            await _arrival.Task;
        }
    }

    public void Close()
    {
        network.Forget(this);
        _closed = true;
        while (_backlog.TryDequeue(out var left)) left.Close(null);
        Wake();
    }

    internal void Offer(SimConnection connection)
    {
        _backlog.Enqueue(connection);
        Wake();
    }

    internal void Die() => _backlog.Clear();

    private void Wake()
    {
        var arrival = _arrival;
        _arrival = null;
        arrival?.TrySetResult();
    }
}
