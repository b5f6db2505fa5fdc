using Ork.Protocol;

namespace Ork.Kernel;

/// <summary>All that the outside hands in.</summary>
public sealed record KernelPorts
{
    /// <summary>Opens the store.</summary>
    public required IKernelStoreOpener Store { get; init; }

    /// <summary>The network.</summary>
    public required INetwork Network { get; init; }

    /// <summary>Ids and jitter.</summary>
    public required IEntropy Entropy { get; init; }

    /// <summary>Time and timers.</summary>
    public required TimeProvider Time { get; init; }

    /// <summary>Logs, metrics and traces.</summary>
    public required IKernelObserver Observer { get; init; }

    /// <summary>Where callers are listened for.</summary>
    public IReadOnlyList<LinkEndpoint> CallerEndpoints { get; init; } = [];

    /// <summary>Where Workers that announce themselves are listened for.</summary>
    public IReadOnlyList<LinkEndpoint> WorkerEndpoints { get; init; } = [];

    /// <summary>Which Workers to dial, or null for none.</summary>
    public IWorkerDiscovery? Discovery { get; init; }

    /// <summary>Where scheduled telemetry goes.</summary>
    public IReadOnlyList<ITelemetrySink> Sinks { get; init; } = [];
}

/// <summary>
/// The kernel: opens its store, recovers, serves, and recovers again by itself whenever an instance had to be thrown away.
/// </summary>
public sealed class OrkKernel
{
    private const long ReopenBaseMs = 100;
    private const long ReopenCapMs = 10_000;

    private readonly KernelOptions _options;
    private readonly KernelPorts _ports;
    private readonly object _gate = new();
    private readonly CancellationTokenSource _ending = new();
    private readonly TaskCompletionSource<IReadOnlyList<LinkEndpoint>> _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Mailbox<Input>? _inbox;
    private bool _stopping;

    /// <summary>Makes a kernel that does not run yet.</summary>
    public OrkKernel(KernelOptions options, KernelPorts ports)
    {
        _options = options;
        _ports = ports;
    }

    /// <summary>Completes when the kernel serves for the first time, with the endpoints it listens on, callers' first.</summary>
    public Task<IReadOnlyList<LinkEndpoint>> Started => _started.Task;

    /// <summary>
    /// Completes with the kernel's next turn, for whoever watches that it does not hang: while a disk stands, turns are taken. Completes at once where there is none to take, for the
    /// kernel waits for its store or does not run; and never where its instance ends first.
    /// </summary>
    public Task NextTurnAsync()
    {
        Mailbox<Input>? inbox;
        lock (_gate) inbox = _inbox;
        if (inbox is null) return Task.CompletedTask;
        var taken = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        inbox.PostControl(new Input(InputKind.Pulse, Detail: taken));
        return taken.Task;
    }

    /// <summary>
    /// Asks the kernel to stop: no new command is taken, those in flight may end within <see cref="LoopOptions.DrainMs"/>, what is left is recorded for
    /// the next start. <see cref="RunAsync"/> then completes.
    /// </summary>
    public void Stop()
    {
        Mailbox<Input>? inbox;
        lock (_gate)
        {
            if (_stopping) return;
            _stopping = true;
            inbox = _inbox;
        }

        inbox?.PostControl(new Input(InputKind.Stop));
        _ending.Cancel();
    }

    /// <summary>Runs until stopped.</summary>
    /// <exception cref="StoreException">The store cannot be opened: locked, damaged or newer; or not at all at the first try.</exception>
    /// <exception cref="LinkException">An endpoint cannot be listened on.</exception>
    public async Task RunAsync()
    {
        try
        {
            await RunInstancesAsync();
            _ports.Observer.Note(KernelEvent.Stopped, _options.Name);
        }
        catch (Exception e)
        {
            _started.TrySetException(e);
            throw;
        }
    }

    private async Task RunInstancesAsync()
    {
        for (var failures = 0; !Stopping; failures++)
        {
            if (failures > 0 && !await BackOffAsync(failures - 1)) return;
            if (await TryOpenAsync(isFirst: failures == 0) is not { } store) continue;
            await using (store)
            {
                var end = await RunInstanceAsync(store);
                if (end == InstanceEnd.Stopped) return;

                // A store that worked in between starts the backoff anew.
                if (end == InstanceEnd.FailedAfterCommits) failures = 0;
            }
        }
    }

    private bool Stopping
    {
        get
        {
            lock (_gate) return _stopping;
        }
    }

    /// <returns>False where the kernel was told to stop meanwhile: there is nothing that it could bring to its end.</returns>
    private async Task<bool> BackOffAsync(int failures)
    {
        var delayMs = 1 + _ports.Entropy.FullJitterMs(failures, ReopenBaseMs, ReopenCapMs);
        try
        {
            await Task.Delay(TimeSpan.FromMilliseconds(delayMs), _ports.Time, _ending.Token);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private async Task<IKernelStore?> TryOpenAsync(bool isFirst)
    {
        try
        {
            return await _ports.Store.OpenAsync();
        }
        catch (StoreException e) when (!isFirst && e.Refusal.Error == ErrorCodes.StoreUnavailable)
        {
            _ports.Observer.Note(KernelEvent.StoreRetry, _options.Name, e.Message);
            return null;
        }
    }

    private enum InstanceEnd
    {
        Stopped,
        FailedAtOnce,
        FailedAfterCommits,
    }

    /// <summary>Runs one instance, until it stops as asked or must be thrown away and recovered.</summary>
    private async Task<InstanceEnd> RunInstanceAsync(IKernelStore store)
    {
        var inbox = new Mailbox<Input>(_options.Loop.InboxLimit);
        var clock = new KernelClock(_ports.Time);
        var image = store.TakeImage();
        var recovery = new Turn();
        recovery.Begin(1);
        clock.Stamp(recovery);
        var hub = new LinkHub(_options, _ports, inbox, image.Epoch);
        var core = new KernelCore(_options, image, _ports.Entropy, _ports.Observer, hub, recovery);
        _ports.Observer.Note(
            KernelEvent.Recovered, _options.Name, $"epoch {image.Epoch}, {image.Workers.Count} Workers, {core.Ledger.Open} open commands");
        var loop = new TurnLoop(_options, core, recovery, store, inbox, hub, clock, _ports.Observer);
        try
        {
            Attach(inbox);
            Open(hub);
            await loop.RunAsync();
            return InstanceEnd.Stopped;
        }
        catch (StoreException e)
        {
            _ports.Observer.Note(KernelEvent.CommitFailed, _options.Name, e.Message);
            return loop.HasCommitted ? InstanceEnd.FailedAfterCommits : InstanceEnd.FailedAtOnce;
        }
        catch (Exception e) when (e is not LinkException && !_options.StrictMachines)
        {
            _ports.Observer.Note(KernelEvent.TurnFailed, _options.Name, e.ToString());
            return loop.HasCommitted ? InstanceEnd.FailedAfterCommits : InstanceEnd.FailedAtOnce;
        }
        finally
        {
            await hub.CloseAsync(ErrorCodes.KernelUnavailable);
            Detach();
        }
    }

    private void Attach(Mailbox<Input> inbox)
    {
        bool stopping;
        lock (_gate)
        {
            _inbox = inbox;
            stopping = _stopping;
        }

        if (stopping) inbox.PostControl(new Input(InputKind.Stop));
    }

    private void Detach()
    {
        lock (_gate) _inbox = null;
    }

    private void Open(LinkHub hub)
    {
        var endpoints = new List<LinkEndpoint>();
        foreach (var endpoint in _ports.CallerEndpoints) endpoints.Add(hub.Listen(endpoint, Audience.Callers));
        foreach (var endpoint in _ports.WorkerEndpoints) endpoints.Add(hub.Listen(endpoint, Audience.Workers));
        if (_ports.Discovery is { } discovery) hub.Discover(discovery);
        _ports.Observer.Note(KernelEvent.Started, _options.Name, string.Join(", ", endpoints));
        _started.TrySetResult(endpoints);
    }
}
