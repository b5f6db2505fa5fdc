using System.Text.Json;
using Ork.Protocol;
using Ork.Worker;

namespace OrkSim;

/// <summary>A device: what it is, whatever any Worker or kernel believes.</summary>
/// <param name="id">Its id.</param>
public sealed class SimDevice(string id)
{
    /// <summary>Its id.</summary>
    public string Id { get; } = id;

    /// <summary>Its power mode.</summary>
    public string Mode { get; internal set; } = "normal";

    /// <summary>How often it was rebooted.</summary>
    public int Reboots { get; internal set; }
}

/// <summary>A Worker of the world: the real runtime over simulated devices.</summary>
public sealed class SimWorker
{
    // A driver that says much: more than its Worker sends on, and more than its kernel keeps.
    private const int EveryResult = 8;

    /// <summary>The filter of a query whose answer is larger than a Worker's may be.</summary>
    internal const string History = "history";

    /// <summary>What a driver says that cannot read its device.</summary>
    internal const string Unread = "the device cannot be read";

    private readonly SimWorld _world;

    internal SimWorker(SimWorld world, SimNode node, bool keepsJournal)
    {
        _world = world;
        Node = node;
        KeepsJournal = keepsJournal;
        AtWork = NewAtWork();
    }

    private AtWork NewAtWork() => new(() => _world.Scheduler.NowTicks);

    /// <summary>Its node; the node's name is the workerId.</summary>
    public SimNode Node { get; }

    /// <summary>True where its journal outlives a crash.</summary>
    public bool KeepsJournal { get; internal set; }

    /// <summary>True where its contract has no reboot, from its next start on.</summary>
    internal bool LacksReboot { get; set; }

    /// <summary>The devices it will say it owns at its next start.</summary>
    public List<string> DeviceIds { get; } = [];

    /// <summary>Not null while its devices do nothing and say nothing, although the Worker itself answers pings.</summary>
    internal TaskCompletionSource? Muted { get; set; }

    /// <summary>True once its devices have hung.</summary>
    internal bool WasMuted { get; set; }

    /// <summary>True once an operator has held its circuit.</summary>
    internal bool WasHeld { get; set; }

    /// <summary>True once an operator has terminated it.</summary>
    public bool Gone { get; internal set; }

    /// <summary>Its options.</summary>
    public required WorkerOptions Options { get; set; }

    /// <summary>What it does besides what a Worker may do, or null.</summary>
    internal Mischief? Mischief { get; set; }

    /// <summary>The contract of somebody's own Worker, as of its latest start; null before its first.</summary>
    internal WorkerContract? OwnContract { get; private set; }

    internal SimJournal Journal { get; init; } = null!;

    /// <summary>The product's runtime, in its present life; null before its first.</summary>
    internal OrkWorker? Runtime { get; set; }

    /// <summary>Tells it to stop, in its present life; null before its first.</summary>
    internal CancellationTokenSource? Stop { get; set; }

    /// <summary>Until it is started again, once it has stopped.</summary>
    internal TimeSpan DownFor { get; set; }

    /// <summary>What its handlers do, in its present life.</summary>
    internal AtWork AtWork { get; private set; }

    internal WorkerDefinition Define() => _world.Ports.Worker is { } own ? DefineOwn(own) : DefineMiner();

    private WorkerDefinition DefineMiner()
    {
        var atWork = AtWork = NewAtWork();
        var definition = new WorkerDefinition(Node.Name, _world.ContractOfMiners(reboots: !LacksReboot), [.. DeviceIds]);
        if (!LacksReboot) definition.OnCommand(MinerContract.Reboot, HandleAsync);
        return definition.OnCommand(MinerContract.SetPowerMode, HandleAsync)
        .OnTelemetry("metrics", async (call, cancellation) =>
        {
            using var query = Begin(atWork, commandId: null);
            if (Muted is { } muted) await muted.Task;
            if (cancellation.IsCancellationRequested) ThrowLate(call.DeviceId);
            if (_world.Draws.Chance(_world.FaultsOn ? _world.Scenario.Fleet.Fail.Min : 0)) throw new IOException(Unread);
            return Metrics(call);
        })
        .OnState(async (deviceId, cancellation) =>
        {
            using var query = Begin(atWork, commandId: null, obeys: true);
            if (Muted is { } muted) await UntilToldAsync(muted.Task, cancellation);
            return State(deviceId);
        });
    }

    /// <summary>Some drivers that are past their time have nothing to say in the end but that it went wrong.</summary>
    private static void ThrowLate(string? deviceId)
    {
        if (deviceId is { Length: > 0 } && deviceId[^1] % 2 == 1) throw new IOException("the device was away");
    }

    /// <summary>Waits as a driver does that is told when its time is over.</summary>
    private static async Task UntilToldAsync(Task muted, CancellationToken cancellation)
    {
        var told = new TaskCompletionSource();
        using var telling = cancellation.UnsafeRegister(static told => ((TaskCompletionSource)told!).TrySetResult(), told);
        await Task.WhenAny(muted, told.Task);
        cancellation.ThrowIfCancellationRequested();
    }

    /// <summary>Somebody's own Worker: that its handlers run is what its devices do, as far as this world can tell.</summary>
    private WorkerDefinition DefineOwn(DefineWorker own)
    {
        var definition = own(new WorkerSetting(Node.Name, [.. DeviceIds], _world.Ports.Clock(Node, Node.Clock), Node.Entropy));
        OwnContract = definition.Contract;
        _world.Attempts.Learn(definition.Contract);
        foreach (var command in definition.Contract.Commands.Keys)
        {
            if (definition.CommandOf(command) is { } handler) definition.OnCommand(command, (call, cancellation) => ExecuteOwn(handler, call, cancellation));
        }

        return definition;
    }

    private ValueTask<CommandReply> ExecuteOwn(CommandHandler handler, CommandCall call, CancellationToken cancellation)
    {
        foreach (var deviceId in call.DeviceIds) _world.Act(this, deviceId, call.CommandId, call.Command, call.Attempt, call.Epoch, ParamsOf(call));
        return handler(call, cancellation);
    }

    private static object Metrics(TelemetryCall call)
    {
        var filter = call.Query.ValueKind == JsonValueKind.Object && call.Query.TryGetProperty("filter", out var given) ? given.GetString() : null;
        return new { deviceId = call.DeviceId, filter, hashrate = 100, log = filter == History ? new string('.', SimDefaults.Worker.MaxResultBytes + 600) : null };
    }

    private object State(string deviceId)
    {
        var device = _world.Devices[deviceId];
        return new DeviceState(device.Mode, device.Reboots);
    }

    private AtWork.Handler Begin(AtWork atWork, string? commandId, bool obeys = false)
    {
        var handler = atWork.Begin(commandId, obeys, _world.Scheduler.NowTicks);
        _world.Emit(new SimEvent { Kind = SimEventKind.Handled, Node = Node });
        return handler;
    }

    private async ValueTask<CommandReply> HandleAsync(CommandCall call, CancellationToken cancellation)
    {
        using var handler = Begin(AtWork, call.CommandId);
        try
        {
            var reply = await CarryOutAsync(call, handler, cancellation);
            Tell(call, reply.Succeeded, reply.Error);
            return reply;
        }
        catch (Exception e)
        {
            Tell(call, false, e is OperationCanceledException ? ErrorCodes.HandlerTimeout.Code : Refusal.With(ErrorCodes.HandlerFailed, e.Message).Text);
            throw;
        }
    }

    private void Tell(CommandCall call, bool hasSucceeded, string? error) =>
        _world.Emit(new SimEvent { Kind = SimEventKind.Handled, Node = Node, Handling = new Handling(call.CommandId, call.Attempt, call.Epoch, hasSucceeded, error) });

    private async ValueTask<CommandReply> CarryOutAsync(CommandCall call, AtWork.Handler handler, CancellationToken cancellation)
    {
        var fleet = _world.Scenario.Fleet;
        var draws = _world.Draws;
        foreach (var deviceId in call.DeviceIds)
        {
            if (Muted is { } muted) await muted.Task;
            if (draws.Chance(_world.FaultsOn ? fleet.Hang.Min : 0)) await new TaskCompletionSource().Task;
            var time = fleet.Execution.Draw(draws);

            // Some drivers stop when nobody waits any more; most devices that have begun do not.
            var stops = false;
            if (draws.Chance(_world.FaultsOn ? fleet.Slow.Min : 0)) (time, stops) = (time + TimeSpan.FromSeconds(draws.Between(3, 9)), draws.Pick(DrawKind.Pick, 3) == 2);
            handler.Obeys = stops;
            await Task.Delay(time / 2, Node.Clock, stops ? cancellation : CancellationToken.None);
            handler.Obeys = false;
            if (draws.Chance(fleet.Fail.Min)) return draws.Pick(DrawKind.Pick, 2) == 0 ? Refused(_world.Devices[deviceId], call) : throw new InvalidOperationException("device is on fire");
            Act(deviceId, call);

            // It has done it, and takes its time to say so: whoever dies now has done it too.
            await Task.Delay(time / 2, Node.Clock, CancellationToken.None);
        }

        return CommandReply.Success(new { devices = call.DeviceIds.Count, attempt = call.Attempt, log = LogOf(_world.Devices[call.DeviceIds[0]]) });
    }

    /// <summary>What the driver has to say: mostly nothing, at times more than its Worker sends on or its kernel keeps.</summary>
    private static string? LogOf(SimDevice device) => (device.Reboots % EveryResult) switch
    {
        3 => new string('.', SimDefaults.Kernel.Commands.MaxResultBytes + 200),
        7 => new string('.', SimDefaults.Worker.MaxResultBytes + 200),
        _ => null,
    };

    /// <summary>Why the device did not do it: at times more than its kernel keeps.</summary>
    /// <summary>Some drivers say how far they came, others that it went wrong and no more.</summary>
    private static CommandReply Refused(SimDevice device, CommandCall call) =>
        device.Reboots % 2 == 0 ? CommandReply.Failure(ReasonOf(device)) : new CommandReply(false, new { before = device.Id, attempt = call.Attempt }, ReasonOf(device));

    private static string ReasonOf(SimDevice device) => "device says no" + (device.Reboots % EveryResult == 1 ? new string('!', Bounds.MostOfAnError) : "");

    /// <summary>That it happened is told first: what it was handed may be of no use to the device.</summary>
    private void Act(string deviceId, CommandCall call)
    {
        _world.Act(this, deviceId, call.CommandId, call.Command, call.Attempt, call.Epoch, ParamsOf(call));
        var device = _world.Devices[deviceId];
        if (call.Command == MinerContract.Reboot) device.Reboots++;
        else device.Mode = call.Params.GetProperty("mode").GetString()!;
    }

    private static string ParamsOf(CommandCall call) => call.Params.ValueKind == JsonValueKind.Undefined ? "" : call.Params.GetRawText();

    private sealed record DeviceState(string Mode, int Reboots);
}

/// <summary>The handlers that a Worker has begun in one life and that have not come to their end.</summary>
internal sealed class AtWork(Func<long> nowTicks)
{
    private readonly List<Handler> _handlers = [];
    private readonly Queue<long> _ended = new();

    /// <summary>One begins, of a command or, where that is null, of a query.</summary>
    internal Handler Begin(string? commandId, bool obeys, long nowTicks)
    {
        var handler = new Handler(this, commandId, obeys, nowTicks);
        _handlers.Add(handler);
        return handler;
    }

    /// <summary>How many there are, and how many more ended after a time; of none that ended before is asked again.</summary>
    internal int AndEndedSince(long ticks)
    {
        while (_ended.TryPeek(out var ended) && ended < ticks) _ended.Dequeue();
        return _handlers.Count + _ended.Count;
    }

    /// <summary>How many ended after a time that is not long ago.</summary>
    internal int EndedSince(long ticks) => _ended.Count(ended => ended >= ticks);

    private void End(Handler handler)
    {
        _handlers.Remove(handler);
        _ended.Enqueue(nowTicks());
    }

    /// <summary>How many of them began after a time.</summary>
    internal int Since(long ticks)
    {
        var count = 0;
        foreach (var handler in _handlers)
        {
            if (handler.Ticks > ticks) count++;
        }

        return count;
    }

    /// <summary>How many of them, of commands or of queries, began before a time.</summary>
    internal int Before(long ticks, bool areQueries)
    {
        var count = 0;
        foreach (var handler in _handlers)
        {
            if (handler.Ticks < ticks && handler.CommandId is null == areQueries) count++;
        }

        return count;
    }

    /// <summary>True where one is of that command.</summary>
    internal bool IsAt(string commandId) => _handlers.Exists(handler => handler.CommandId == commandId);

    /// <summary>True where one runs that ends as soon as it is told to, and began before a time.</summary>
    internal bool IsUntold(long ticks)
    {
        foreach (var handler in _handlers)
        {
            if (handler.Obeys && handler.Ticks < ticks) return true;
        }

        return false;
    }

    internal sealed class Handler(AtWork atWork, string? commandId, bool obeys, long ticks) : IDisposable
    {
        /// <summary>True while it waits for nothing but its time, or the word that this is over.</summary>
        internal bool Obeys { get; set; } = obeys;

        internal long Ticks { get; } = ticks;

        internal string? CommandId { get; } = commandId;

        public void Dispose() => atWork.End(this);
    }
}
