using Ork.Client;
using Ork.Protocol;
using Ork.Worker;
using OrkSim;

namespace Ork.Kernel.Tests;

/// <summary>The kernel with its real loop and links, over the models of network and store, with a real Worker and a real client.</summary>
public sealed class WholeKernelTests : IAsyncLifetime
{
    private static readonly LinkEndpoint Callers = LinkEndpoint.Unix("callers");
    private static readonly LinkEndpoint Workers = LinkEndpoint.Unix("workers");
    private static readonly LinkEndpoint Dialled = LinkEndpoint.Unix("dialled");

    private readonly MemoryNetwork _network = new();
    private readonly ModelDisk _disk = new();
    private readonly RecordingObserver _observer = new();
    private readonly LastingJournal _journal = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly List<string> _executed = [];
    private readonly List<Task> _running = [];
    private readonly OrkKernel _kernel;
    private readonly OrkClient _client;

    public WholeKernelTests()
    {
        _kernel = new OrkKernel(new KernelOptions { StrictMachines = true, Links = new LinkOptions { PatienceMs = 20, HandshakeTimeoutMs = 86_400_000, DiscoveryIntervalMs = 10, RetryBaseMs = 1, RetryCapMs = 5 } }, new KernelPorts
        {
            Store = _disk,
            Network = new BreaksAtFirst(_network.As("kernel")),
            Entropy = new SeededEntropy(1),
            Time = TimeProvider.System,
            Observer = _observer,
            CallerEndpoints = [Callers],
            WorkerEndpoints = [Workers],
            Discovery = new LateDiscovery([new DialTarget(Dialled, null)]),
        });
        _client = new OrkClient(
            new ClientOptions { Endpoint = Callers, ReconnectBaseMs = 1, ReconnectCapMs = 5 },
            new ClientPorts { Network = _network.As("uid:0"), Entropy = new SeededEntropy(2) });
    }

    public ValueTask InitializeAsync()
    {
        _running.Add(_kernel.RunAsync());
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync();
        await _stop.CancelAsync();
        _kernel.Stop();
        await Task.WhenAll(_running);
        _stop.Dispose();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_Worker_that_announces_itself_or_is_dialled_executes_a_command(bool announces)
    {
        await WorkerAsync(announces);
        var view = await _client.WaitAsync((await SendAsync("k")).CommandId);
        Assert.Equal((CommandStatus.Success, 1), (view.Status, view.Attempt));
        Assert.Equal([view.CommandId], _executed);
        Assert.Equal("d", (await _client.StateAsync("d")).GetProperty("state").GetProperty("of").GetString());
    }

    [Fact]
    public async Task Peers_that_connect_and_never_greet_keep_no_Worker_out()
    {
        await WorkerAsync(announces: false);
        var mute = new List<IConnection>();
        for (var i = 0; i < 3 * new LinkOptions().MaxHandshakes; i++) mute.Add(await _network.As($"mute {i}").ConnectAsync(Workers, null, CancellationToken.None));
        var hello = await _network.As("late").ConnectAsync(Workers, null, CancellationToken.None);
        hello.Send(FrameKind.Hello, 0, new Greeting(Greeting.Worker, WorkerId: "late").ToBytes());
        Assert.Equal(FrameKind.Welcome, (await hello.ReceiveAsync().AsTask().WaitAsync(TimeSpan.FromMinutes(1)))!.Value.Kind);
        foreach (var connection in mute) connection.Close(null);
        hello.Close(null);
    }

    [Fact]
    public async Task A_discovery_that_throws_is_asked_again_and_told_of_once_and_a_dial_that_ends_in_anything_is_made_again()
    {
        await WorkerAsync(announces: false);
        lock (_observer.Events) Assert.Single(_observer.Events, KernelEvent.DiscoveryFailed);
        lock (_observer.Events) Assert.Superset(new HashSet<KernelEvent> { KernelEvent.DiscoveryFailed, KernelEvent.ShellFailed, KernelEvent.DialFailed }, _observer.Events.ToHashSet());
    }

    [Theory]
    [InlineData(CommitFault.BeforeApply)]
    [InlineData(CommitFault.AfterApply)]
    public async Task A_failed_commit_throws_the_instance_away_and_the_kernel_recovers_by_itself(CommitFault fault)
    {
        await WorkerAsync(announces: true);
        await _client.WaitAsync((await SendAsync("before")).CommandId);
        _disk.FailNextCommit(fault);

        // The client repeats the request because it has a key; whether the failed commit was applied must not matter.
        var receipt = await SendAsync("during");
        var view = await _client.WaitAsync(receipt.CommandId);
        Assert.Equal(CommandStatus.Success, view.Status);
        Assert.Equal(2, _disk.Epoch);
        Assert.Single(_disk.Commands, row => row.Spec.IdempotencyKey == "during");
        Assert.Single(_executed, id => id == receipt.CommandId);
        lock (_observer.Events) Assert.Contains(KernelEvent.CommitFailed, _observer.Events);
    }

    [Fact]
    public async Task Commits_that_fail_again_and_again_lose_and_double_nothing()
    {
        await WorkerAsync(announces: true);
        var ids = new List<string>();
        for (var i = 0; i < 30; i++)
        {
            if (i % 3 == 0) _disk.FailNextCommit(i % 2 == 0 ? CommitFault.BeforeApply : CommitFault.AfterApply);
            ids.Add((await SendAsync($"k{i}")).CommandId);
        }

        foreach (var id in ids) Assert.Equal(CommandStatus.Success, (await _client.WaitAsync(id)).Status);
        Assert.Equal(ids.Order(), _executed.Order());
        Assert.Equal(30, _disk.Commands.Count);
    }

    [Fact]
    public async Task A_link_that_never_greets_does_not_hold_up_the_stop()
    {
        await _client.WorkersAsync();
        var silent = await _network.As("silent").ConnectAsync(Workers, null, CancellationToken.None);

        // Links are accepted in order: once this Worker is ready, the silent one has been waited for.
        await WorkerAsync(announces: true);
        _kernel.Stop();
        await _running[0].WaitAsync(TimeSpan.FromSeconds(60));
        while (await silent.ReceiveAsync() is not null)
        {
        }
    }

    [Fact]
    public async Task S24_a_kernel_that_waits_for_its_store_stops_at_once()
    {
        var time = new StandingTime();
        var kernel = new OrkKernel(new KernelOptions(), new KernelPorts { Store = new LostDisk(), Network = _network.As("other"), Entropy = new SeededEntropy(4), Time = time, Observer = new SilentObserver() });
        var running = kernel.RunAsync();
        await time.IsWaitedFor;
        kernel.Stop();
        await running.WaitAsync(TimeSpan.FromSeconds(60));
    }

    [Fact]
    public async Task A_link_that_does_not_greet_in_time_is_closed_with_the_reason()
    {
        var network = new MemoryNetwork();
        var kernel = KernelOn(network, new LinkOptions { HandshakeTimeoutMs = 1 });
        var running = kernel.RunAsync();
        var silent = await ConnectAsync(network, Workers);
        Assert.Contains(ErrorCodes.HandshakeTimeout.Code, await GoodbyeAsync(silent), StringComparison.Ordinal);
        kernel.Stop();
        await running;
    }

    [Fact]
    public async Task A_Worker_that_has_greeted_leaves_its_place_at_the_door_at_once()
    {
        var network = new MemoryNetwork();
        var kernel = KernelOn(network, new LinkOptions { MaxHandshakes = 1, PatienceMs = 86_400_000 });
        var running = kernel.RunAsync();
        for (var i = 1; i <= 3; i++)
        {
            var worker = await ConnectAsync(network, Workers);
            worker.Send(FrameKind.Hello, 0, new Greeting(Greeting.Worker, WorkerId: $"w{i}").ToBytes());
            Assert.Equal(FrameKind.Welcome, (await worker.ReceiveAsync().AsTask().WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken))!.Value.Kind);
        }

        kernel.Stop();
        await running;
    }

    [Fact]
    public async Task S12_a_caller_above_the_most_is_told_so_and_one_that_leaves_makes_room()
    {
        var network = new MemoryNetwork();
        var kernel = KernelOn(network, new LinkOptions { MaxCallers = 1 });
        var running = kernel.RunAsync();
        var first = await ConnectAsync(network, Callers);
        Assert.Contains(ErrorCodes.TooManyLinks.Code, await GoodbyeAsync(await ConnectAsync(network, Callers)).WaitAsync(TimeSpan.FromMinutes(1)), StringComparison.Ordinal);
        first.Close(null);

        // The kernel has room once it has heard of that.
        await using var client = new OrkClient(new ClientOptions { Endpoint = Callers, ReconnectBaseMs = 1, ReconnectCapMs = 5 }, new ClientPorts { Network = network.As("uid:0"), Entropy = new SeededEntropy(2) });
        Assert.Empty((await client.WorkersAsync()).Workers);
        kernel.Stop();
        await running;
    }

    [Fact]
    public async Task Where_all_places_are_taken_the_caller_that_has_been_idle_longest_gives_way_and_has_a_place_again_when_it_asks()
    {
        var network = new MemoryNetwork();
        var kernel = KernelOn(network, new LinkOptions { MaxCallers = 2, IdleCallerMs = 0 });
        var running = kernel.RunAsync();
        (await ConnectAsync(network, Callers)).Close(null);
        await using var first = Client();
        await using var second = Client();
        await using var third = Client();
        for (var i = 0; i < 3; i++)
        {
            foreach (var client in new[] { first, second, third }) Assert.Empty((await client.WorkersAsync()).Workers);
        }

        kernel.Stop();
        await running;

        OrkClient Client() => new(new ClientOptions { Endpoint = Callers, ReconnectBaseMs = 1, ReconnectCapMs = 5 }, new ClientPorts { Network = network.As("uid:0"), Entropy = new SeededEntropy(2) });
    }

    [Fact]
    public async Task S1_a_caller_never_hears_of_what_is_not_on_the_disk()
    {
        await WorkerAsync(announces: true);
        for (var i = 0; i < 20; i++)
        {
            var receipt = await SendAsync($"k{i}");
            Assert.Contains(_disk.Commands, row => row.Spec.CommandId == receipt.CommandId);
            var view = await _client.WaitAsync(receipt.CommandId);
            Assert.Equal((CommandState)view.Status, _disk.Commands.Single(row => row.Spec.CommandId == receipt.CommandId).State);
        }
    }

    private static OrkKernel KernelOn(MemoryNetwork network, LinkOptions links) => new(new KernelOptions { Links = links }, new KernelPorts
    {
        Store = new ModelDisk(), Network = network.As("kernel"), Entropy = new SeededEntropy(1), Time = TimeProvider.System, Observer = new RecordingObserver(),
        CallerEndpoints = [Callers], WorkerEndpoints = [Workers],
    });

    /// <summary>Connects as soon as the kernel listens.</summary>
    private static async Task<IConnection> ConnectAsync(MemoryNetwork network, LinkEndpoint endpoint)
    {
        while (true)
        {
            try
            {
                return await network.As("uid:0").ConnectAsync(endpoint, null, CancellationToken.None);
            }
            catch (LinkException)
            {
                await Task.Yield();
            }
        }
    }

    private static async Task<string?> GoodbyeAsync(IConnection connection)
    {
        string? reason = null;
        while (await connection.ReceiveAsync() is { } frame) reason = System.Text.Encoding.UTF8.GetString(frame.Payload.Span);
        return reason;
    }

    private async Task WorkerAsync(bool announces)
    {
        var contract = WorkerDefinition.ContractOf(new { metadata = new { }, capabilities = new { commands = new[] { new { name = "act" } } } });
        var definition = new WorkerDefinition("w", contract, ["d"])
            .OnCommand("act", (call, _) =>
            {
                lock (_executed) _executed.Add(call.CommandId);
                return new(CommandReply.Success());
            })
            .OnState((deviceId, _) => new(new { of = deviceId }));
        var options = announces ? new WorkerOptions { Announce = Workers, ReconnectBaseMs = 1, ReconnectCapMs = 5 } : new WorkerOptions { Listen = Dialled };
        var ports = new WorkerPorts { Network = _network.As("worker"), Entropy = new SeededEntropy(3), Time = TimeProvider.System, Journal = _journal };
        _running.Add(new OrkWorker(definition, options, ports).RunAsync(_stop.Token));
        while (!(await _client.WorkersAsync()).Workers.Any(worker => worker is { State: "Ready", Health: "Healthy" })) await Task.Yield();
    }

    private Task<CommandReceipt> SendAsync(string key) => _client.SendAsync(new CommandOrder { Command = "act", DeviceId = "d", IdempotencyKey = key });

    /// <summary>Discovery whose source is out of reach when it is first asked.</summary>
    private sealed class LateDiscovery(IReadOnlyList<DialTarget> targets) : IWorkerDiscovery
    {
        private int _asked;

        public ValueTask<IReadOnlyList<DialTarget>> FindAsync() => _asked++ < 3 ? throw new UnauthorizedAccessException("no way in") : new(targets);
    }

    /// <summary>A network whose first dial ends in what no port should end in.</summary>
    private sealed class BreaksAtFirst(INetwork network) : INetwork
    {
        private bool _dialled;

        public ValueTask<IConnection> ConnectAsync(LinkEndpoint endpoint, string? expectedKey, CancellationToken cancellation)
        {
            if (_dialled) return network.ConnectAsync(endpoint, expectedKey, cancellation);
            _dialled = true;
            throw new NotSupportedException("not today");
        }

        public IListener Listen(LinkEndpoint endpoint, Audience audience) => network.Listen(endpoint, audience);
    }

    /// <summary>A store that can be opened once, has a command to be ended at that, and cannot be written.</summary>
    private sealed class LostDisk : IKernelStoreOpener, IKernelStore
    {
        private bool _opened;

        public ValueTask<IKernelStore> OpenAsync()
        {
            if (_opened) throw new StoreException(ErrorCodes.StoreUnavailable);
            _opened = true;
            return new(this);
        }

        public KernelImage TakeImage() => new(1, [new WorkerRow("w", "k", "announce", "", default, false)], [new DeviceRow("d", "w", default)],
        [
            new CommandRow { Seq = 1, Spec = new CommandSpec { CommandId = "c", Command = "act", Scope = CommandScope.Device, Caller = "uid:0", DeviceId = "d" }, WorkerId = "w", State = CommandState.Queued },
        ]);

        public ValueTask CommitAsync(CommitBatch batch) => throw new StoreException(ErrorCodes.StoreUnavailable);

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }

    /// <summary>Time that does not pass, and tells when somebody waits for it to.</summary>
    private sealed class StandingTime : TimeProvider
    {
        private readonly TaskCompletionSource _waited = new(TaskCreationOptions.RunContinuationsAsynchronously);

        internal Task IsWaitedFor => _waited.Task;

        public override long GetTimestamp() => 0;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            if (dueTime != Timeout.InfiniteTimeSpan) _waited.TrySetResult();
            return new StandingTimer();
        }

        private sealed class StandingTimer : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period) => true;

            public void Dispose()
            {
            }

            public ValueTask DisposeAsync() => ValueTask.CompletedTask;
        }
    }

    /// <summary>One that outlives its Workers, as a file does.</summary>
    private sealed class LastingJournal : ICommandJournal
    {
        private readonly MemoryCommandJournal _entries = new();

        public IReadOnlyList<string> Incarnations { get; } = ["a"];

        public ValueTask<(JournalVerdict Verdict, JournalAnswer? Answer)> StartAsync(JournalStart start) => _entries.StartAsync(start);

        public ValueTask EndAsync(string workerId, string commandId, JournalAnswer answer) => _entries.EndAsync(workerId, commandId, answer);
    }
}
