using System.Threading.Tasks.Sources;
using Ork.Protocol;

namespace OrkSim;

/// <summary>One side of a connection. Receiving is for one reader at a time, as its port says.</summary>
public sealed class SimConnection : IConnection, IValueTaskSource<ReceivedFrame?>
{
    private readonly SimNetwork _network;
    private readonly int _life;
    private readonly List<(FrameKind Kind, ulong Correlation, byte[] Payload)> _put = [];
    private readonly Wire _out;
    private readonly Queue<Packet> _arrived = new();
    private ManualResetValueTaskSourceCore<ReceivedFrame?> _reader;
    private ReceivedFrame? _delivered;
    private TaskCompletionSource? _drained;
    private SimConnection _other = null!;
    private long _onTheWay;
    private bool _reading;
    private bool _closed;
    private bool _ended;
    private bool _meets;

    internal SimConnection(SimNetwork network, SimNode owner, int link, bool isClient, Audience audience, PeerIdentity peer)
    {
        _network = network;
        Owner = owner;
        Link = link;
        IsClient = isClient;
        Audience = audience;
        Peer = peer;
        _life = owner.Life;
        _out = new Wire(network, this);
        owner.Connections.Add(this);
    }

    /// <inheritdoc/>
    public PeerIdentity Peer { get; }

    /// <inheritdoc/>
    public Refusal? CloseReason { get; private set; }

    /// <summary>The node on this side.</summary>
    public SimNode Owner { get; }

    /// <summary>The number of the link, the same on both sides.</summary>
    public int Link { get; }

    /// <summary>True on the side that connected.</summary>
    public bool IsClient { get; }

    /// <summary>Where this side connected to, or null on the other.</summary>
    internal LinkEndpoint? Dialled { get; init; }

    /// <summary>Whom the listener listened for.</summary>
    public Audience Audience { get; }

    /// <summary>True once its listener has handed it out. The side that connected has none.</summary>
    public bool IsAccepted { get; internal set; }

    /// <summary>The other side.</summary>
    public SimConnection Other => _other;

    /// <summary>True while more is on its way from this side than the other reads.</summary>
    public bool IsCongested => _onTheWay > _network.Behaviour.HighWaterBytes;

    /// <summary>True where so little is on its way from this side that who was held back may go on.</summary>
    internal bool IsDrained => _onTheWay <= _network.Behaviour.LowWaterBytes;

    /// <summary>Since when more was on its way from this side than lets its sender go on, or null.</summary>
    internal long? JammedTicks { get; private set; }

    /// <summary>Frames taken on this side since then.</summary>
    internal int TakenWhileJammed { get; private set; }

    /// <summary>True while this side has neither closed nor met the end.</summary>
    public bool IsOpen => !_closed && _life == Owner.Life;

    /// <summary>True where whoever is on this side closed it by itself, rather than found it ended.</summary>
    internal bool IsGivenUp { get; private set; }

    /// <summary>True while something of this side is on its way that the other has not read.</summary>
    internal bool HasMore => _onTheWay > 0;

    /// <summary>The clock of this side when it ended: what the other side's end follows.</summary>
    internal int[]? EndClock { get; set; }

    /// <summary>What the world knows of the link.</summary>
    internal LinkFacts? Facts { get; set; }

    internal void Join(SimConnection other) => _other = other;

    /// <inheritdoc/>
    public ValueTask<ReceivedFrame?> ReceiveAsync()
    {
        if (TryTake(out var frame)) return new ValueTask<ReceivedFrame?>(frame);
        _reader.Reset();
        _reading = true;
        return new ValueTask<ReceivedFrame?>(this, _reader.Version);
    }

    /// <inheritdoc/>
    public bool Send(FrameKind kind, ulong correlation, ReadOnlySpan<byte> payload)
    {
        var hasRoom = Put(kind, correlation, payload);
        Flush();
        return hasRoom;
    }

    /// <inheritdoc/>
    public bool Put(FrameKind kind, ulong correlation, ReadOnlySpan<byte> payload)
    {
        if (_closed) return true;
        Add(kind, correlation, payload.ToArray());
        if (IsCongested) JammedTicks ??= _network.World.Scheduler.NowTicks;
        if (_onTheWay <= _network.Behaviour.LimitBytes) return _onTheWay <= _network.Behaviour.HighWaterBytes;
        Close(ErrorCodes.PeerTooSlow);
        return true;
    }

    /// <summary>Lets what was put leave: nobody has seen it before.</summary>
    public void Flush()
    {
        if (_closed) return;
        foreach (var (kind, correlation, bytes) in _put)
        {
            var message = _network.World.Facts.FrameSent(this, kind, correlation, bytes);
            _out.Add(new Packet(PacketKind.Frame, kind, correlation, bytes, message, null, _network.World.ClockOf(Owner)));
        }

        _put.Clear();
    }

    /// <inheritdoc/>
    public ValueTask DrainedAsync()
    {
        if (_closed || _onTheWay <= _network.Behaviour.LowWaterBytes) return ValueTask.CompletedTask;
        return new ValueTask((_drained ??= new TaskCompletionSource()).Task);
    }

    /// <inheritdoc/>
    public void Close(Refusal? reason)
    {
        if (_closed) return;
        IsGivenUp = !_meets;
        CloseReason = reason;
        if (reason is not null) Add(FrameKind.Goodbye, 0, System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(new { error = reason.Text, message = reason.Error.Sentence }));
        Flush();
        _out.Add(new Packet(PacketKind.End, default, 0, [], null, null, null));
        End();
    }

    /// <summary>Sends bytes that are no frame: the reader's side finds out and closes with this reason.</summary>
    internal void SendGarbage(Refusal found)
    {
        if (!_closed) _out.Add(new Packet(PacketKind.Garbage, default, 0, [], null, found, null));
    }

    /// <summary>When its node was gone, if that was what ended this side, or null.</summary>
    internal long? DiedTicks { get; private set; }

    /// <summary>The node of this side is gone.</summary>
    internal void Die(bool silently)
    {
        if (_closed && _ended) return;
        DiedTicks = _network.World.Scheduler.NowTicks;
        _put.Clear();
        _closed = _ended = true;
        _out.Cut();
        _network.World.Facts.LinkEnded(this);
        if (!silently) _other.Break();
    }

    /// <summary>The connection is reset: whatever is on its way is lost, both sides find out after a while.</summary>
    internal void Reset()
    {
        _put.Clear();
        _other._put.Clear();
        _out.Cut();
        _other._out.Cut();
        Break();
        _other.Break();
    }

    internal void Arrive(in Packet packet)
    {
        if (_life != Owner.Life)
        {
            // The host is back and knows nothing of this connection, and says so; while it is down nobody does.
            if (Owner.IsUp) _other.Break();
            return;
        }

        if (_closed) return;
        _arrived.Enqueue(packet);
        Serve();
    }

    internal void Taken(int bytes)
    {
        _onTheWay -= bytes;
        if (IsDrained)
        {
            JammedTicks = null;
            TakenWhileJammed = 0;
        }

        if (_drained is null || _onTheWay > _network.Behaviour.LowWaterBytes) return;
        SignalDrained();
    }

    ReceivedFrame? IValueTaskSource<ReceivedFrame?>.GetResult(short token) => _reader.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<ReceivedFrame?>.GetStatus(short token) => _reader.GetStatus(token);

    /// <summary>The reader goes on as a step of its node, see <see cref="Deliver"/>: the step is taken here, without what capturing a context would allocate for every frame.</summary>
    void IValueTaskSource<ReceivedFrame?>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _reader.OnCompleted(continuation, state, token, flags & ~ValueTaskSourceOnCompletedFlags.UseSchedulingContext);

    /// <summary>The other side is gone without a word, or a reset comes: after a while this side finds out.</summary>
    private void Break()
    {
        if (_closed || _life != Owner.Life) return;
        _network.World.Scheduler.Set(new Breakage(this), _network.Latency());
    }

    private bool TryTake(out ReceivedFrame? frame)
    {
        frame = null;
        if (_closed) return true;
        if (!_arrived.TryDequeue(out var packet)) return false;
        switch (packet.Kind)
        {
            case PacketKind.Frame:
                _other.Taken(FrameHeader.Size + packet.Payload.Length);
                if (JammedTicks is not null) TakenWhileJammed++;
                var buffer = _network.Buffers.Take(packet.Payload);
                frame = new ReceivedFrame(packet.Frame, packet.Correlation, buffer.Payload, buffer);
                _network.World.Facts.FrameTaken(this, in packet);
                return true;
            default:
                _meets = true;
                Close(packet.Found);
                return true;
        }
    }

    private void Serve()
    {
        if (!_reading || _arrived.Count == 0) return;
        _reading = false;
        TryTake(out var frame);
        Deliver(frame);
    }

    private void Deliver(ReceivedFrame? frame)
    {
        _delivered = frame;
        _network.World.Scheduler.Post(Owner, static connection => ((SimConnection)connection!).GoOn(), this);
    }

    private void GoOn()
    {
        var frame = _delivered;
        _delivered = null;
        _reader.SetResult(frame);
    }

    private void End()
    {
        if (_ended) return;
        _closed = _ended = true;
        Owner.Connections.Remove(this);
        _network.World.Facts.LinkEnded(this);
        SignalDrained();
        if (!_reading) return;
        _reading = false;
        Deliver(null);
    }

    private void Add(FrameKind kind, ulong correlation, byte[] payload)
    {
        _put.Add((kind, correlation, payload));
        _onTheWay += FrameHeader.Size + payload.Length;
    }

    private void SignalDrained()
    {
        var drained = _drained;
        _drained = null;
        drained?.TrySetResult();
    }

    private sealed class Breakage : AgendaItem
    {
        private readonly SimConnection _connection;

        internal Breakage(SimConnection connection)
        {
            _connection = connection;
            Node = null;
        }

        internal override void Run()
        {
            if (_connection._life != _connection.Owner.Life) return;
            _connection._arrived.Clear();
            _connection._out.Cut();
            _connection.End();
        }
    }
}

/// <summary>What travels on a wire.</summary>
internal enum PacketKind
{
    Frame,
    Garbage,
    End,
}

/// <summary>One thing on a wire.</summary>
internal readonly record struct Packet(PacketKind Kind, FrameKind Frame, ulong Correlation, byte[] Payload, WireMessage? Message, Refusal? Found, int[]? Clock);

/// <summary>One direction of a connection: what is on its way, in order.</summary>
internal sealed class Wire(SimNetwork network, SimConnection from) : AgendaItem
{
    private readonly Queue<(Packet Packet, long DueTicks)> _packets = new();
    private long _lastTicks;
    private bool _heldUp;
    private bool _isCut;

    internal void Add(in Packet packet)
    {
        if (_isCut) return;
        var now = network.World.Scheduler.NowTicks;
        _lastTicks = Math.Max(_lastTicks, now + network.Latency().Ticks);
        _packets.Enqueue((packet, _lastTicks));
        if (network.Unordered && _packets.Count > 1 && packet.Frame == FrameKind.Response) LetTheLastComeFirst();
        if (_packets.Count == 1 && !_heldUp) network.World.Scheduler.SetAt(this, _lastTicks);
    }

    private void LetTheLastComeFirst()
    {
        var packets = _packets.ToArray();
        _packets.Clear();
        _packets.Enqueue((packets[^1].Packet, packets[0].DueTicks));
        for (var i = 0; i < packets.Length - 1; i++) _packets.Enqueue((packets[i].Packet, packets[i + 1].DueTicks));
    }

    /// <summary>What is on its way is lost, and so is what is sent from now on.</summary>
    internal void Cut()
    {
        _isCut = true;
        _packets.Clear();
        network.World.Scheduler.Cancel(this);
    }

    /// <summary>Goes on after having been held up.</summary>
    internal void Go()
    {
        _heldUp = false;
        if (_packets.TryPeek(out var next)) network.World.Scheduler.SetAt(this, next.DueTicks);
    }

    internal override void Run()
    {
        if (network.IsBlocked(from.Owner, from.Other.Owner))
        {
            _heldUp = true;
            network.Hold(this);
            return;
        }

        var now = network.World.Scheduler.NowTicks;
        while (_packets.TryPeek(out var next) && next.DueTicks <= now)
        {
            _packets.Dequeue();
            from.Other.Arrive(in next.Packet);
        }

        if (_packets.TryPeek(out var later)) network.World.Scheduler.SetAt(this, later.DueTicks);
    }
}
