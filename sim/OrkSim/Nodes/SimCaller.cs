using System.Globalization;
using System.Text.Json;
using Ork.Client;
using Ork.Protocol;

namespace OrkSim;

/// <summary>A caller of the world: the real client, doing what the workload says.</summary>
internal sealed class SimCaller
{
    /// <summary>How long callers wait for a command's end in one call, milliseconds.</summary>
    internal const long LongPollMs = 5_000;

    // A poll that is over before most commands are.
    private const long GlanceMs = 300;

    /// <summary>The name of a call that asks for all Workers.</summary>
    internal const string ListingAll = "workers";

    /// <summary>The name of a call that asks for one Worker.</summary>
    internal const string ListingOne = "one Worker";

    /// <summary>How a call ends that its caller has cancelled.</summary>
    internal const string GivenUp = "given up by its caller";

    // The names of other calls.
    internal const string Terminating = "terminate";
    internal const string Holding = "hold";
    internal const string Capabilities = "capabilities";
    internal const string State = "state";
    internal const string Telemetry = "telemetry";
    internal const string VagueTelemetry = "telemetry of no kind";

    /// <summary>A kind of telemetry that kernels hand on and no miner has.</summary>
    internal const string Unanswered = "stats";

    /// <summary>A call for more telemetry than a Worker answers.</summary>
    internal const string HistoryTelemetry = "history";

    /// <summary>The name of a call that ends when its command has ended, or with the caller's patience.</summary>
    internal const string Waiting = "wait for the end";

    /// <summary>The key of the order that puts the site to sleep.</summary>
    internal const string Curtailment = "curtail";

    internal const int CurtailedAtOnce = 5;
    private static readonly TimeSpan[] Patiences = [TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(25)];
    private const int EveryLargeQuery = 20;
    private const int EveryNamed = 5;
    private const int EveryLateLook = 11;
    private const int FirstLateLook = 5;
    private const int EveryMistaken = 20;
    private const int EveryMistakenEnd = 4;
    private const int EveryVagueQuery = 9;
    private const int EveryHistory = 7;

    private static readonly TimeSpan LongAgo = TimeSpan.FromMilliseconds(SimDefaults.Kernel.Commands.RetentionMs) + TimeSpan.FromSeconds(8);

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    private readonly SimWorld _world;
    private readonly bool _isAuditor;
    private OrkClient? _client;
    private int _orders;
    private int _queries;
    private int _narrow;
    private (CommandOrder Order, TimeSpan At)? _old;

    internal SimCaller(SimWorld world, SimNode node, bool isAuditor)
    {
        _world = world;
        Node = node;
        _isAuditor = isAuditor;
    }

    internal SimNode Node { get; }

    /// <summary>True where it sends what no caller should.</summary>
    internal bool Broken { get; init; }

    /// <summary>True where it puts the whole site to sleep once.</summary>
    internal bool Curtailing { get; init; }

    /// <summary>How long it asks again for a device to sleep that it is refused.</summary>
    internal TimeSpan CurtailsFor { get; private set; }

    /// <summary>When it gave its fleet order.</summary>
    internal long CurtailedTicks { get; private set; }

    /// <summary>True where it sends without end and waits for nothing.</summary>
    internal bool Flooding { get; init; }

    internal void Start()
    {
        Node.Start();
        var network = _world.Ports.Network(Node, _world.Network.Of(Node));
        if (Broken)
        {
            Node.Launch(() => new BrokenCaller(_world, Node, network, SimDefaults.Client.Endpoint).RunAsync());
            return;
        }

        _client = new OrkClient(
            SimDefaults.Client with { Name = Node.Name, TimeoutMs = (long)_world.Scenario.Workload.Timeout.TotalMilliseconds },
            new ClientPorts { Network = network, Entropy = Node.Entropy, Time = _world.Ports.Clock(Node, Node.Clock) });
        Node.Launch(() => _isAuditor ? AuditAsync() : Flooding ? FloodAsync() : Curtailing ? CurtailAsync() : WorkAsync());
    }

    /// <summary>Asks an operator's question: terminate a Worker.</summary>
    internal void Terminate(string workerId) =>
        Node.Launch(() => CallAsync(Terminating, 0, async () => { await _client!.TerminateAsync(workerId); return true; }));

    /// <summary>Asks an operator's question: hold a Worker's circuit.</summary>
    internal void Hold(string workerId, CircuitHold hold)
    {
        if (hold == CircuitHold.Closed) _world.HeldClosed.Add(workerId);
        Node.Launch(() => CallAsync(Holding, 0, () => _client!.HoldAsync(workerId, hold)));
    }

    private async Task CurtailAsync()
    {
        await Task.Delay(_world.Scenario.Workload.CurtailAt.Draw(_world.Draws), Node.Clock);
        CurtailedTicks = _world.Scheduler.NowTicks;
        CurtailsFor = Patiences[_world.Draws.Pick(DrawKind.Pick, Patiences.Length)];
        var order = new FleetOrder
        {
            Command = MinerContract.SetPowerMode, Key = Curtailment, DeviceIds = [.. _world.Workers.SelectMany(static worker => worker.DeviceIds)], Params = new { mode = "sleep" },
            Priority = CommandPriority.Urgent, PatienceMs = (long)CurtailsFor.TotalMilliseconds, InFlight = CurtailedAtOnce,
        };
        await _client!.SendToFleetAsync(order, out var run);
        _world.Emit(new SimEvent { Kind = SimEventKind.Told, Node = Node, Fleet = run });
    }

    private async Task FloodAsync()
    {
        var mean = TimeSpan.FromSeconds(1 / _world.Scenario.Workload.Flood.Min);
        while (true)
        {
            await PauseAsync(mean);
            var worker = _world.Workers[0];
            if (worker.DeviceIds.Count == 0) continue;
            var deviceId = _world.Draws.Pick(DrawKind.Pick, 2) == 0 ? worker.DeviceIds[0] : _world.Draws.Of(worker.DeviceIds);
            _world.Observe(Node, FloodOnceAsync(new CommandOrder { Command = MinerContract.Reboot, DeviceId = deviceId, DeadlineMs = 20_000 }));
        }
    }

    /// <summary>Waits until the next call is due, at the pace that goes with the time.</summary>
    private async Task PauseAsync(TimeSpan mean)
    {
        var pace = _world.FaultsOn ? 1 : _world.Scenario.Workload.AfterHealing.Min;
        if (pace > 0) await Task.Delay(_world.Draws.Gap(mean) / pace, Node.Clock);
        else await new TaskCompletionSource().Task;
    }

    private Task<CommandReceipt?> FloodOnceAsync(CommandOrder order) => CallAsync("flood", 0, () => _client!.SendAsync(order), order);

    private async Task AuditAsync()
    {
        while (true)
        {
            await Task.Delay(_world.Scenario.Workload.AuditEvery.Draw(_world.Draws), Node.Clock);
            // Each page may take the time of a call.
            var extra = _world.Scenario.Workload.Timeout * (_world.Workers.Count / SimDefaults.Client.WorkersPerPage);
            await CallAsync(ListingAll, (long)extra.TotalMilliseconds, () => _client!.WorkersAsync(devices: ++_queries % 2 == 0));
            if (_queries % EveryMistakenEnd == 0) await CallAsync(Terminating, 0, async () => { await _client!.TerminateAsync("w-000"); return true; });
            var worker = _world.Draws.Of(_world.Workers);
            await CallAsync(ListingOne, 0, async () => new Listed(worker.Node.Name, await _client!.WorkersAsync(devices: true, worker.Node.Name)));
            if (worker.DeviceIds.Count > 0) await CallAsync(Capabilities, 0, () => _client!.CapabilitiesAsync(worker.DeviceIds[0]));
        }
    }

    private async Task WorkAsync()
    {
        var work = _world.Scenario.Workload;
        for (var i = 0; i < work.Count; i++) await CommandAsync();
        if (work.Count > 0) _world.CallerDone();
        if (work.Count > 0 || work.CommandsPerSecond.Min <= 0) return;
        var mean = TimeSpan.FromSeconds(work.Callers.Min / work.CommandsPerSecond.Min);
        while (true)
        {
            await PauseAsync(mean);
            _world.Observe(Node, _world.Draws.Chance(work.Pulls.Min) ? PullAsync() : CommandAsync());
        }
    }

    private async Task PullAsync()
    {
        var worker = _world.Draws.Of(_world.Workers);
        if (worker.DeviceIds.Count == 0) return;
        var deviceId = _world.Draws.Of(worker.DeviceIds);
        if (_world.Draws.Pick(DrawKind.Pick, 2) != 0) await CallAsync(State, 0, () => _client!.StateAsync(deviceId));
        else if (++_queries % EveryVagueQuery == 0) await CallAsync(VagueTelemetry, 0, () => _client!.TelemetryAsync(deviceId, Vague()));
        else if (_queries % EveryHistory == 0) await CallAsync(HistoryTelemetry, 0, () => _client!.TelemetryAsync(deviceId, new { type = "metrics", filter = SimWorker.History }));
        else await TelemetryAsync(deviceId, Filter());
    }

    /// <summary>A question that does not say what it asks, or asks what kernels hand on and no miner has an answer to.</summary>
    private object Vague() => _queries / EveryVagueQuery % 2 == 0 ? new { filter = "hashrate" } : new { type = Unanswered };

    private Task TelemetryAsync(string deviceId, string? filter) =>
        CallAsync(Telemetry, 0, async () => new Told(deviceId, filter, await _client!.TelemetryAsync(deviceId, new { type = "metrics", filter })));

    /// <summary>Not everybody asks the same, and hardly ever somebody asks more than a kernel hands on.</summary>
    private string? Filter() => _queries % EveryLargeQuery == 0 ? new string('.', 2 * _world.KernelOptions.Pulls.MaxQueryBytes) : _queries % 3 == 0 ? "hashrate" : null;

    private async Task CommandAsync()
    {
        var work = _world.Scenario.Workload;
        var draws = _world.Draws;
        if (Order() is not { } order) return;
        if (work.Count > 0)
        {
            await SendUntilAcceptedAsync(order);
            return;
        }

        if (order.IdempotencyKey is not null && draws.Chance(work.Duplicate.Min)) _world.Observe(Node, CallAsync("send again", 0, () => _client!.SendAsync(order), order));
        if (await CallAsync("send", 0, () => _client!.SendAsync(order), order) is not { } receipt) return;
        if (draws.Chance(work.Cancel.Min))
        {
            await Task.Delay(draws.Between(TimeSpan.Zero, TimeSpan.FromMilliseconds(400)), Node.Clock);
            await CallAsync("cancel", 0, () => _client!.CancelAsync(receipt.CommandId), commandId: receipt.CommandId);
        }

        if (draws.Chance(work.Look.Min)) _world.Observe(Node, LookAsync(receipt.CommandId));
        if (order.IdempotencyKey is not null)
        {
            await EndOfAsync(receipt.CommandId);
            if (_orders % EveryLateLook == FirstLateLook) await LookLateAsync(receipt.CommandId);
            return;
        }

        var view = await LookOnceAsync("wait", receipt.CommandId, LongPollMs);
        for (var looks = 0; looks < 3 && view is not { IsTerminal: true }; looks++)
        {
            await Task.Delay(draws.Between(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(4)), Node.Clock);
            view = await LookOnceAsync("status", receipt.CommandId);
        }
    }

    /// <summary>Waits for a command's end as the SDK does, for some time.</summary>
    private async Task EndOfAsync(string commandId)
    {
        using var patience = new CancellationTokenSource(Patience, Node.Clock);
        await CallAsync(Waiting, (long)Patience.TotalMilliseconds, () => _client!.WaitAsync(commandId, patience.Token), commandId: commandId);
    }

    /// <summary>Asks for a command just when it is forgotten.</summary>
    private async Task LookLateAsync(string commandId)
    {
        await Task.Delay(TimeSpan.FromMilliseconds(SimDefaults.Kernel.Commands.RetentionMs - 400), Node.Clock);
        for (var looks = 0; looks < 12; looks++)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(70), Node.Clock);
            await LookOnceAsync("late look", commandId);
        }
    }

    private async Task LookAsync(string commandId)
    {
        const int all = 4;
        for (var looks = 1; looks <= all; looks++)
        {
            await Task.Delay(_world.Draws.Between(TimeSpan.Zero, TimeSpan.FromMilliseconds(300)), Node.Clock);
            _world.Observe(Node, LookOnceAsync("look", commandId, looks == all ? GlanceMs : 0));
        }
    }

    /// <summary>Sends a command again and again until it is accepted, then waits for its end: for worlds that know no hurry.</summary>
    private async Task SendUntilAcceptedAsync(CommandOrder order)
    {
        while (true)
        {
            if (await CallAsync("send", 0, () => _client!.SendAsync(order), order) is { } receipt)
            {
                while (await LookOnceAsync("wait", receipt.CommandId, LongPollMs) is not { IsTerminal: true })
                {
                }

                return;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), Node.Clock);
        }
    }

    private CommandOrder? Order()
    {
        if (Again() is { } old) return old;
        var work = _world.Scenario.Workload;
        var draws = _world.Draws;
        var isHot = draws.Chance(work.Hot.Min);
        var worker = isHot ? _world.Workers[0] : draws.Of(_world.Workers);
        if (worker.DeviceIds.Count == 0 || (_world.Ports.Worker is not null && worker.OwnContract is null)) return null;
        var (command, parameters) = worker.OwnContract is { } own ? ContractOrders.Draw(own, draws) : MinerOrder();
        var isWide = draws.Chance(work.Wide.Min);
        var targets = isWide ? Targets(worker.DeviceIds) : null;
        return Remember(new CommandOrder
        {
            Command = command,
            Params = parameters,
            Scope = !isWide ? CommandScope.Device : targets is null ? CommandScope.Worker : CommandScope.Rack,
            WorkerId = isWide ? worker.Node.Name : Named(worker),
            Targets = targets,
            DeviceId = isWide ? null : isHot ? worker.DeviceIds[0] : draws.Of(worker.DeviceIds),
            Priority = draws.Chance(work.Urgent.Min) ? CommandPriority.Urgent : CommandPriority.Normal,

            // Two callers may well use the same key: it is each one's own.
            IdempotencyKey = draws.Chance(work.Keyed.Min) ? string.Create(CultureInfo.InvariantCulture, $"order-{++_orders}") : null,
            DeadlineMs = (long)work.Deadline.Draw(draws).TotalMilliseconds,
        });
    }

    /// <summary>Once in a while an order is made again long after its command was forgotten: it is a new one then.</summary>
    private CommandOrder? Again()
    {
        if (_old is not { } old || _world.Scheduler.Now - old.At < LongAgo) return null;
        _old = null;
        return old.Order;
    }

    private CommandOrder Remember(CommandOrder order)
    {
        if (_old is null && order.IdempotencyKey is not null) _old = (order, _world.Scheduler.Now);
        return order;
    }

    /// <summary>Some name the Worker that a device has, and err at times.</summary>
    private string? Named(SimWorker worker) => ++_narrow % EveryNamed != 0 ? null : _narrow % EveryMistaken == 0 ? _world.Workers[^1].Node.Name : worker.Node.Name;

    /// <summary>All of a Worker's devices, or some of them by name, of which people name one twice at times.</summary>
    private string[]? Targets(IReadOnlyList<string> devices) => _world.Draws.Pick(DrawKind.Pick, 4) switch
    {
        2 => [.. devices.Take((devices.Count + 1) / 2)],
        3 => [devices[^1], .. devices.Take(devices.Count / 2), devices[^1]],
        _ => null,
    };

    private (string Command, object? Params) MinerOrder() => _world.Draws.Chance(_world.Scenario.Workload.Mix.RebootShare)
        ? (MinerContract.Reboot, null) : (MinerContract.SetPowerMode, MinerContract.Setting(_world.Draws.Pick(DrawKind.Pick, MinerContract.Settings)));

    private Task<CommandView?> LookOnceAsync(string what, string commandId, long waitMs = 0) =>
        CallAsync(what, waitMs, () => _client!.StatusAsync(commandId, waitMs), commandId: commandId);

    private async Task<T?> CallAsync<T>(string what, long extraMs, Func<Task<T>> call, CommandOrder? order = null, string? commandId = null)
    {
        var id = _world.NextCall();
        var boundMs = (long)_world.Scenario.Workload.Timeout.TotalMilliseconds + extraMs;
        _world.Emit(new SimEvent { Kind = SimEventKind.Asked, Node = Node, Correlation = id, Subject = what, Detail = boundMs.ToString(CultureInfo.InvariantCulture) });
        var asked = call();
        await ((Task)asked).ConfigureAwait(ConfigureAwaitOptions.ContinueOnCapturedContext | ConfigureAwaitOptions.SuppressThrowing);
        if (asked.IsCompletedSuccessfully)
        {
            var answer = await asked;
            _world.Emit(new SimEvent { Kind = SimEventKind.Answered, Node = Node, Correlation = id, Subject = what, Call = EndOf(answer, order, commandId) });
            return answer;
        }

        if (asked.Exception?.InnerException is OrkRefusedException e)
        {
            _world.Emit(new SimEvent { Kind = SimEventKind.Answered, Node = Node, Correlation = id, Subject = what, Detail = e.Error, Call = new CallEnd(order, commandId, GivenUp: e.Message.Contains("no answer within", StringComparison.Ordinal)) });
            return default;
        }

        // Anything else is a bug of the client, and ends this caller.
        if (asked.IsFaulted) await asked;
        _world.Emit(new SimEvent { Kind = SimEventKind.Answered, Node = Node, Correlation = id, Subject = what, Detail = GivenUp, Call = new CallEnd(order, commandId) });
        return default;
    }

    /// <summary>A list for one Worker: a kernel that does not know it lists none.</summary>
    private sealed record Listed(string WorkerId, FleetView Fleet)
    {
        internal string Names => Fleet.Workers.Count == 0 ? WorkerId : string.Join(", ", Fleet.Workers.Select(static worker => worker.WorkerId));
    }

    private sealed record Told(string DeviceId, string? Filter, JsonElement Answer)
    {
        internal string Asked => $"{DeviceId}, {Filter ?? "all"}";

        internal string Answered => $"{Of("deviceId")}, {Of("filter") ?? "all"}";

        private string? Of(string name) => Answer.TryGetProperty(name, out var value) ? value.GetString() : null;
    }

    private static CallEnd EndOf(object? answer, CommandOrder? order, string? commandId) => answer switch
    {
        CommandReceipt receipt => new CallEnd(order, receipt.CommandId),
        CommandView view => new CallEnd(order, commandId, view),
        CancelView cancel => new CallEnd(order, commandId, null, cancel.Cancelled),
        FleetView fleet => new CallEnd(order, commandId, Workers: fleet),
        Listed listed => new CallEnd(order, commandId, Asked: listed.WorkerId, Told: listed.Names),
        Told told => new CallEnd(order, commandId, Asked: told.Asked, Told: told.Answered),
        _ => new CallEnd(order, commandId),
    };
}
