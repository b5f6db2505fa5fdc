using Ork.Protocol;

namespace Ork.Kernel;

/// <summary>
/// The shell around the core: listens, greets and dials, keeps the sessions, and carries out effects on them. Handshakes of peers that are at it, and caller links, are
/// capped; what is over the cap waits in the listener's backlog.
/// </summary>
internal sealed class LinkHub : IEffectRunner, IOpenLinks
{
    private readonly object _gate = new();
    private readonly LinkOptions _options;
    private readonly KernelPorts _ports;
    private readonly Mailbox<Input> _inbox;
    private readonly byte[] _greeting;
    private readonly Dictionary<long, ISession> _sessions = [];
    private readonly Dictionary<long, Task> _tasks = [];
    private readonly List<IListener> _listeners = [];
    private readonly SemaphoreSlim _handshakes;
    private readonly CancellationTokenSource _closing = new();
    private readonly List<ISession> _toFlush = [];
    private string? _discoveryFailure;
    private long _idleLookedFor;
    private TimeSpan _noneIdleFor;
    private long _lastId;
    private readonly Dictionary<long, CallerSession> _callers = [];
    private bool _closed;

    /// <summary>Makes the hub; nothing is open yet.</summary>
    internal LinkHub(KernelOptions options, KernelPorts ports, Mailbox<Input> inbox, long epoch)
    {
        _options = options.Links;
        _ports = ports;
        _inbox = inbox;
        _greeting = new Greeting(Greeting.Kernel, Name: options.Name, Epoch: epoch).ToBytes();
        _handshakes = new SemaphoreSlim(_options.MaxHandshakes);
    }

    /// <inheritdoc/>
    public int Open
    {
        get
        {
            lock (_gate) return _sessions.Count;
        }
    }

    /// <summary>Opens a listener and accepts on it.</summary>
    /// <returns>Where it listens.</returns>
    internal LinkEndpoint Listen(LinkEndpoint endpoint, Audience audience)
    {
        var listener = _ports.Network.Listen(endpoint, audience);
        lock (_gate) _listeners.Add(listener);
        _ports.Observer.Note(KernelEvent.Listening, listener.Endpoint.ToString(), audience.ToString());
        Track(audience == Audience.Workers ? AcceptWorkersAsync(listener) : AcceptCallersAsync(listener));
        return listener.Endpoint;
    }

    /// <summary>Asks discovery again and again which Workers to dial.</summary>
    internal void Discover(IWorkerDiscovery discovery) => Track(DiscoverAsync(discovery));

    /// <inheritdoc/>
    public void Release(EffectBatch effects)
    {
        foreach (var effect in effects.Effects)
        {
            switch (effect.Kind)
            {
                case EffectKind.Send when effect.Detail is Ask { Expired: true }:
                    // It was given up while the disk kept it: nobody waits for what would come of it.
                    break;
                case EffectKind.Send:
                    Send(in effect, effects.BytesOf(in effect));
                    break;
                case EffectKind.Close:
                    Find(effect.Session)?.Close((Refusal)effect.Detail!);
                    break;
                case EffectKind.Dial:
                    Track(DialAsync((DialTarget)effect.Detail!));
                    break;
                case EffectKind.Telemetry:
                    HandOn((string)effect.Detail!, effects.BytesOf(in effect));
                    break;
            }
        }

        foreach (var session in _toFlush)
        {
            session.IsUnflushed = false;
            session.Flush();
        }

        _toFlush.Clear();
    }

    /// <summary>All frames of a batch for one link leave with one write.</summary>
    private void Send(in Effect effect, ReadOnlySpan<byte> payload)
    {
        if (Find(effect.Session) is not { } session) return;
        session.Send(effect.Frame, effect.Correlation, payload);
        if (session.IsUnflushed) return;
        session.IsUnflushed = true;
        _toFlush.Add(session);
    }

    /// <summary>Closes every listener and link and waits for their ends.</summary>
    internal async Task CloseAsync(Refusal reason)
    {
        ISession[] sessions;
        IListener[] listeners;
        lock (_gate)
        {
            _closed = true;
            sessions = [.. _sessions.Values];
            listeners = [.. _listeners];
        }

        _closing.Cancel();
        foreach (var listener in listeners) listener.Close();
        foreach (var session in sessions) session.Close(reason);
        foreach (var left in _inbox.Close()) left.Frame.Release();
        Task[] tasks;
        lock (_gate) tasks = [.. _tasks.Values];
        await Task.WhenAll(tasks);
        _closing.Dispose();
    }

    /// <summary>A sink is somebody else's code: what it throws must not end the kernel's turn.</summary>
    private void HandOn(string workerId, ReadOnlySpan<byte> payload)
    {
        var utcMs = _ports.Time.GetUtcNow().ToUnixTimeMilliseconds();
        foreach (var sink in _ports.Sinks)
        {
            try
            {
                sink.Accept(workerId, utcMs, payload);
            }
            catch (Exception e)
            {
                _ports.Observer.Note(KernelEvent.SinkFailed, workerId, e.Message);
            }
        }
    }

    private ISession? Find(long id)
    {
        lock (_gate) return _sessions.GetValueOrDefault(id);
    }

    private long NextId()
    {
        lock (_gate) return ++_lastId;
    }

    private void Track(Task task)
    {
        if (task.IsCompletedSuccessfully) return;
        var id = NextId();
        lock (_gate) _tasks.Add(id, task);
        _ = ForgetAsync(id, task);
    }

    private async Task ForgetAsync(long id, Task task)
    {
        try
        {
            await task;
        }
        catch (Exception e)
        {
            _ports.Observer.Note(KernelEvent.ShellFailed, "links", e.ToString());
        }

        lock (_gate) _tasks.Remove(id);
    }

    private async Task AcceptCallersAsync(IListener listener)
    {
        while (await listener.AcceptAsync() is { } connection)
        {
            var caller = new CallerSession(NextId(), connection, _inbox, _greeting, _options.WindowPerCaller, _ports.Time);
            if (TryTakePlace(caller)) Track(RunCallerAsync(caller, connection));
            else TurnAway(connection);
        }
    }

    private bool TryTakePlace(CallerSession caller)
    {
        CallerSession? idle = null;
        lock (_gate)
        {
            if (_callers.Count >= _options.MaxCallers)
            {
                idle = LongestIdle();
                if (idle is null) return false;
                _callers.Remove(idle.Id);
            }

            _callers.Add(caller.Id, caller);
        }

        if (idle is not null) GiveWay(idle);
        return true;
    }

    /// <summary>
    /// Who has been idle longest, if for long enough. Where nobody has, it is known when somebody will have been at the earliest: those who are turned away until then cost no look
    /// at all the others.
    /// </summary>
    private CallerSession? LongestIdle()
    {
        if (_ports.Time.GetElapsedTime(_idleLookedFor) < _noneIdleFor) return null;
        _idleLookedFor = _ports.Time.GetTimestamp();
        var longest = _callers.Values.MaxBy(static caller => caller.Idle);
        _noneIdleFor = TimeSpan.FromMilliseconds(_options.IdleCallerMs) - (longest?.Idle ?? TimeSpan.Zero);
        return _noneIdleFor > TimeSpan.Zero ? null : longest;
    }

    /// <summary>Whoever opens links and forgets them must not keep an operator out. Who comes back with a question finds a place the same way.</summary>
    private void GiveWay(CallerSession idle)
    {
        _ports.Observer.Note(KernelEvent.CallerGaveWay, idle.Address);
        idle.Close(ErrorCodes.TooManyLinks);
    }

    /// <summary>Who finds all places of callers taken hears so, for callers may stay for days: he would wait for he knows not what.</summary>
    private void TurnAway(IConnection connection)
    {
        _ports.Observer.Note(KernelEvent.HandshakeFailed, connection.Peer.Address, ErrorCodes.TooManyLinks.Code);
        connection.Close(ErrorCodes.TooManyLinks);
    }

    private async Task RunCallerAsync(CallerSession caller, IConnection connection)
    {
        try
        {
            if (Add(caller.Id, caller)) await caller.RunAsync();
            else connection.Close(ErrorCodes.KernelUnavailable);
        }
        finally
        {
            Remove(caller.Id);
            lock (_gate) _callers.Remove(caller.Id);
        }
    }

    private async Task AcceptWorkersAsync(IListener listener)
    {
        while (true)
        {
            await _handshakes.WaitAsync();
            if (await listener.AcceptAsync() is not { } connection) return;
            Track(GreetAnnouncedAsync(connection, new HeldPlace(_handshakes, _options.PatienceMs, _ports.Time)));
        }
    }

    private async Task GreetAnnouncedAsync(IConnection connection, HeldPlace place)
    {
        Greeting? hello;
        using (place) hello = await GreetingOfAsync(connection, FrameKind.Hello, _options.HandshakeTimeoutMs);
        if (hello is null) return;
        connection.Send(FrameKind.Welcome, 0, _greeting);
        await RunWorkerAsync(connection, new LinkGreeting(hello.WorkerId!, connection.Peer, null));
    }

    private async Task DialAsync(DialTarget target)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(_closing.Token);
        await using var timer = _ports.Time.CreateTimer(
            _ => timeout.Cancel(), null, TimeSpan.FromMilliseconds(_options.DialTimeoutMs), Timeout.InfiniteTimeSpan);
        try
        {
            var connection = await _ports.Network.ConnectAsync(target.Endpoint, target.PeerKey, timeout.Token);
            connection.Send(FrameKind.Hello, 0, _greeting);
            if (await GreetingOfAsync(connection, FrameKind.Welcome, _options.DialTimeoutMs) is { } welcome)
            {
                // The link outlives the dial, so it is not awaited under the dial's timer.
                Track(RunWorkerAsync(connection, new LinkGreeting(welcome.WorkerId!, connection.Peer, target)));
                return;
            }

            FailDial(target, (connection.CloseReason ?? ErrorCodes.HandshakeInvalid).Text);
        }
        catch (LinkException e)
        {
            FailDial(target, e.Refusal.Text);
        }
        catch (OperationCanceledException)
        {
            FailDial(target, ErrorCodes.HandshakeTimeout.Code);
        }
        catch (Exception e)
        {
            // Whatever it was, the target keeps its turn and gives back its place.
            _ports.Observer.Note(KernelEvent.ShellFailed, target.Endpoint.ToString(), e.ToString());
            FailDial(target, e.Message);
        }
    }

    private void FailDial(DialTarget target, string why) => _inbox.PostControl(new Input(InputKind.DialFailed, Detail: (target, why)));

    private async Task RunWorkerAsync(IConnection connection, LinkGreeting greeting)
    {
        var id = NextId();
        var session = new WorkerSession(id, connection, greeting, _inbox, _ports.Observer);
        if (Add(id, session)) await session.RunAsync();
        else connection.Close(ErrorCodes.KernelUnavailable);
        Remove(id);
    }

    /// <summary>Waits for the peer's greeting.</summary>
    /// <returns>Null where none came in time or it is none of a Worker's: the connection is closed.</returns>
    private async Task<Greeting?> GreetingOfAsync(IConnection connection, FrameKind expected, long timeoutMs)
    {
        Greeting? greeting = null;
        var timer = _ports.Time.CreateTimer(
            _ => connection.Close(ErrorCodes.HandshakeTimeout), null, TimeSpan.FromMilliseconds(timeoutMs), Timeout.InfiniteTimeSpan);
        var closing = _closing.Token.Register(() => connection.Close(ErrorCodes.KernelUnavailable));
        if (await connection.ReceiveAsync() is { } frame)
        {
            if (frame.Kind == expected) greeting = Greeting.TryRead(frame.Payload);
            frame.Release();
        }

        closing.Unregister();
        await timer.DisposeAsync();
        if (greeting is { Role: null or Greeting.Worker, WorkerId: { Length: > 0 and <= Greeting.MaxIdLength } }) return greeting;
        var reason = connection.CloseReason ?? ErrorCodes.HandshakeInvalid;
        _ports.Observer.Note(KernelEvent.HandshakeFailed, connection.Peer.Address, reason.Text);
        connection.Close(reason);
        return null;
    }

    private async Task DiscoverAsync(IWorkerDiscovery discovery)
    {
        try
        {
            while (!_closing.IsCancellationRequested)
            {
                await AskAsync(discovery);
                await Task.Delay(TimeSpan.FromMilliseconds(_options.DiscoveryIntervalMs), _ports.Time, _closing.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // The kernel closes.
        }
    }

    /// <summary>Discovery is somebody else's code, and what it reads may be out of reach for a while: until it tells again, its latest word counts.</summary>
    private async Task AskAsync(IWorkerDiscovery discovery)
    {
        IReadOnlyList<DialTarget> targets;
        try
        {
            targets = await discovery.FindAsync();
            _discoveryFailure = null;
        }
        catch (Exception e)
        {
            // What fails for hours in the same way is told once.
            if (_discoveryFailure != e.Message) _ports.Observer.Note(KernelEvent.DiscoveryFailed, "discovery", e.Message);
            _discoveryFailure = e.Message;
            return;
        }

        await _inbox.PostAsync(new Input(InputKind.Discovered, Detail: targets));
    }

    private bool Add(long id, ISession session)
    {
        lock (_gate)
        {
            if (!_closed) _sessions.Add(id, session);
            return !_closed;
        }
    }

    private void Remove(long id)
    {
        lock (_gate) _sessions.Remove(id);
    }
}
