using Microsoft.Extensions.Logging;
using Ork.Protocol;

namespace Ork.Worker;

/// <summary>
/// A Worker: announces itself or listens, and from then on only answers. Links that are lost are opened again with full-jitter backoff for as long as
/// it runs.
/// </summary>
public sealed class OrkWorker
{
    private readonly WorkerDefinition _definition;
    private readonly WorkerOptions _options;
    private readonly WorkerPorts _ports;
    private readonly Admission _admission;
    private readonly RequestHandlers _handlers;
    private readonly byte[] _greeting;
    private int _linked;

    /// <summary>Makes a Worker that does not run yet.</summary>
    public OrkWorker(WorkerDefinition definition, WorkerOptions options, WorkerPorts ports)
    {
        ArgumentNullException.ThrowIfNull(definition);
        ArgumentNullException.ThrowIfNull(options);
        if (options.Announce is null == options.Listen is null) throw new ArgumentException("A Worker either announces itself or listens.", nameof(options));
        _definition = definition;
        _options = options;
        _ports = ports;
        _admission = new Admission(options);
        _handlers = new RequestHandlers(definition, options, ports, _admission);
        _greeting = new Greeting(Greeting.Worker, definition.WorkerId).ToBytes();
    }

    /// <summary>True while a kernel is linked.</summary>
    public bool IsLinked => Volatile.Read(ref _linked) > 0;

    /// <summary>Requests at work: at most <see cref="WorkerOptions.MaxHandlers"/>. Those past their time are not counted.</summary>
    public int HandlersAtWork => _admission.Taken;

    /// <summary>Handlers that run on past their time, of commands and of queries: <see cref="WorkerOptions.MaxOverdueHandlers"/> of a kind, and its next request is refused.</summary>
    public int HandlersOverdue => _admission.Overdue;

    /// <summary>
    /// Runs until cancelled; then begins no command any more, answers those that it has begun, for which it waits <see cref="WorkerOptions.DrainMs"/> at the most, and closes its links.
    /// </summary>
    /// <exception cref="LinkException">It cannot listen.</exception>
    public async Task RunAsync(CancellationToken cancellation)
    {
        using var over = new CancellationTokenSource();
        var told = new TaskCompletionSource();
        var registration = cancellation.Register(() => told.TrySetResult());
        var running = _options.Listen is { } endpoint ? ListenAsync(endpoint, cancellation, over.Token) : AnnounceAsync(cancellation, over.Token);
        await Task.WhenAny(running, told.Task);

        // One that listens has then closed its listener, which is all that it runs for; its links are open still.
        if (cancellation.IsCancellationRequested) await DrainAsync();
        registration.Unregister();
        over.Cancel();
        await running;
    }

    private async Task DrainAsync()
    {
        var drained = _admission.Drain();
        if (drained.IsCompleted) return;
        _ports.Log.LogInformation("{Worker}: {Commands} commands are under way and are finished first", _definition.WorkerId, _admission.Commands);
        using var time = new Deadline(_ports.Time, _options.DrainMs);
        if (await Task.WhenAny(drained, time.Passed) != drained) _ports.Log.LogWarning("{Worker}: stops with {Commands} commands under way, of which nobody will know how they ended", _definition.WorkerId, _admission.Commands);
    }

    private async Task AnnounceAsync(CancellationToken cancellation, CancellationToken over)
    {
        var (failures, replaced) = (0, 0);
        while (!cancellation.IsCancellationRequested)
        {
            var end = await TryConnectAsync(cancellation) is { } connection ? await ServeAsync(connection, over) : LinkEnd.Unserved;

            // A kernel that greets and then refuses, as one that terminated this Worker does, is no better than none.
            if (end == LinkEnd.Served) (failures, replaced) = (0, 0);

            // Whoever runs under this id, too, hears the same and tries again as this one does: each leaves the other the link for longer and longer.
            var jitterMs = end == LinkEnd.Replaced
                ? _ports.Entropy.FullJitterMs(replaced++, _options.ReconnectBaseMs, _options.ReplacedCapMs)
                : _ports.Entropy.FullJitterMs(failures++, _options.ReconnectBaseMs, _options.ReconnectCapMs);
            await DelayAsync(1 + jitterMs, cancellation);
        }
    }

    [OrkAllow(OrkEffects.DialsKernel, "Opens the link that the kernel then asks on: the Worker sends nothing on it but its greeting and answers.")]
    private async Task<IConnection?> TryConnectAsync(CancellationToken cancellation)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        await using var timer = _ports.Time.CreateTimer(
            _ => timeout.Cancel(), null, TimeSpan.FromMilliseconds(_options.ConnectTimeoutMs), Timeout.InfiniteTimeSpan);
        try
        {
            var connection = await _ports.Network.ConnectAsync(_options.Announce!, _options.KernelKey, timeout.Token);
            connection.Send(FrameKind.Hello, 0, _greeting);
            return await GreetedAsync(connection, FrameKind.Welcome, timeout.Token) ? connection : null;
        }
        catch (LinkException e)
        {
            _ports.Log.LogDebug("{Worker}: {Error}", _definition.WorkerId, e.Message);
            return null;
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }

    private async Task ListenAsync(LinkEndpoint endpoint, CancellationToken cancellation, CancellationToken over)
    {
        var listener = _ports.Network.Listen(endpoint, Audience.Kernels);
        var places = new SemaphoreSlim(_options.MaxKernels);
        var stop = cancellation.Register(listener.Close);
        while (true)
        {
            await places.WaitAsync();
            if (await listener.AcceptAsync() is not { } connection) break;
            _ = ServeDialledAsync(connection, places, cancellation, over);
        }

        stop.Unregister();
    }

    private async Task ServeDialledAsync(IConnection connection, SemaphoreSlim places, CancellationToken cancellation, CancellationToken over)
    {
        try
        {
            if (await GreetedInTimeAsync(connection, cancellation))
            {
                connection.Send(FrameKind.Welcome, 0, _greeting);
                await ServeAsync(connection, over);
            }
        }
        catch (Exception e)
        {
            _ports.Log.LogError(e, "{Worker}: a link failed", _definition.WorkerId);
            connection.Close(null);
        }

        places.Release();
    }

    /// <summary>Waits for a dialling kernel to say who it is. One that died before it did would keep its place for good.</summary>
    private async Task<bool> GreetedInTimeAsync(IConnection connection, CancellationToken cancellation)
    {
        await using var timer = _ports.Time.CreateTimer(
            _ => connection.Close(ErrorCodes.HandshakeTimeout), null, TimeSpan.FromMilliseconds(_options.ConnectTimeoutMs), Timeout.InfiniteTimeSpan);
        return await GreetedAsync(connection, FrameKind.Hello, cancellation);
    }

    private async Task<bool> GreetedAsync(IConnection connection, FrameKind expected, CancellationToken cancellation)
    {
        var stop = cancellation.Register(() => connection.Close(ErrorCodes.HandshakeTimeout));
        var greeted = false;
        if (await connection.ReceiveAsync() is { } frame)
        {
            greeted = frame.Kind == expected && Greeting.TryRead(frame.Payload) is { Role: null or Greeting.Kernel };
            if (frame.Kind == FrameKind.Goodbye) LogGoodbye(in frame);
            frame.Release();
        }

        // Not disposed: that would wait for a callback that is just running, and both may hold up each other.
        stop.Unregister();
        if (!greeted) connection.Close(ErrorCodes.HandshakeInvalid);
        return greeted;
    }

    /// <summary>Answers on a link until it ends, or all is over.</summary>
    private async Task<LinkEnd> ServeAsync(IConnection connection, CancellationToken over)
    {
        var end = LinkEnd.Unserved;
        Interlocked.Increment(ref _linked);
        _ports.Log.LogInformation("{Worker}: linked with {Kernel}", _definition.WorkerId, connection.Peer.Address);
        var stop = over.Register(() => connection.Close(null));
        var silence = TimeSpan.FromMilliseconds(_options.SilentLinkMs);
        await using var watch = _ports.Time.CreateTimer(_ => connection.Close(ErrorCodes.LinkLost), null, silence, Timeout.InfiniteTimeSpan);
        while (await connection.ReceiveAsync() is { } frame)
        {
            watch.Change(silence, Timeout.InfiniteTimeSpan);
            if (frame.Kind == FrameKind.Request)
            {
                end = LinkEnd.Served;
                _handlers.Take(connection, in frame);
            }
            else
            {
                if (frame.Kind == FrameKind.Goodbye && SaysReplaced(in frame)) end = LinkEnd.Replaced;
                connection.Close(null);
            }

            frame.Release();
        }

        stop.Unregister();
        Interlocked.Decrement(ref _linked);
        _ports.Log.LogInformation("{Worker}: link lost {Reason}", _definition.WorkerId, connection.CloseReason);
        return end;
    }

    private bool SaysReplaced(in ReceivedFrame goodbye)
    {
        LogGoodbye(in goodbye);
        return PayloadRules.ReadGoodbye(goodbye.Payload)?.StartsWith(ErrorCodes.LinkReplaced.Code, StringComparison.Ordinal) == true;
    }

    private void LogGoodbye(in ReceivedFrame frame) =>
        _ports.Log.LogWarning("{Worker}: the kernel closed the link: {Reason}", _definition.WorkerId, System.Text.Encoding.UTF8.GetString(frame.Payload.Span));

    private async Task DelayAsync(long delayMs, CancellationToken cancellation)
    {
        try
        {
            await Task.Delay(TimeSpan.FromMilliseconds(delayMs), _ports.Time, cancellation);
        }
        catch (OperationCanceledException)
        {
            // The Worker stops.
        }
    }

    private enum LinkEnd
    {
        /// <summary>The kernel asked nothing on it.</summary>
        Unserved,

        /// <summary>The kernel asked on it.</summary>
        Served,

        /// <summary>Another link of the same Worker took its place.</summary>
        Replaced,
    }
}
