using Ork.Kernel;
using Ork.Protocol;

namespace OrkSim;

/// <summary>
/// What can be known of a world without asking the code under test: what crossed the links, what the disk holds, what devices did, what callers were told.
/// </summary>
public sealed partial class Facts
{
    // With these a Worker says that it did not begin an attempt.
    private static readonly ErrorCode[] Unbegun = [ErrorCodes.WorkerBusy, ErrorCodes.JournalFailed, ErrorCodes.StaleEpoch];

    private readonly SimWorld _world;
    private readonly Dictionary<long, CommandFacts> _bySeq = [];
    private int _holdersLife;
    private bool _hasFailed;
    private readonly Dictionary<SimNode, (long Previous, long Latest)> _submissions = [];
    private readonly Dictionary<SimNode, long> _released = [];

    internal Facts(SimWorld world) => _world = world;

    /// <summary>The world.</summary>
    public SimWorld World => _world;

    /// <summary>Virtual time, in ticks of 100 ns.</summary>
    public long NowTicks => _world.Scheduler.NowTicks;

    /// <summary>Every command that was ever on the disk.</summary>
    public Dictionary<string, CommandFacts> Commands { get; } = new(StringComparer.Ordinal);

    /// <summary>Commands on the disk that have not ended, by sequence, in the order in which they came to be known.</summary>
    public OrderedDictionary<long, CommandFacts> Open { get; } = [];

    /// <summary>Settled commands on the disk.</summary>
    public int Settled { get; private set; }

    /// <summary>The owner of each device, on the disk.</summary>
    public Dictionary<string, string> Owners { get; } = new(StringComparer.Ordinal);

    /// <summary>The state of each device, on the disk, and when it last changed hands there.</summary>
    public Dictionary<string, (ReadOnlyMemory<byte> State, long OwnedTicks)> States { get; } = new(StringComparer.Ordinal);

    /// <summary>Workers on the disk.</summary>
    public Dictionary<string, WorkerRow> Workers { get; } = new(StringComparer.Ordinal);

    /// <summary>When each Worker that is out of service was put out of it, on the disk.</summary>
    public Dictionary<string, long> TerminatedTicks { get; } = new(StringComparer.Ordinal);

    /// <summary>When an operator's hold of each Worker last changed on the disk.</summary>
    public Dictionary<string, long> HeldTicks { get; } = new(StringComparer.Ordinal);

    /// <summary>How the kernel that holds the store says each Worker's circuit stands, and since when; closed where it says nothing.</summary>
    public Dictionary<string, (KernelEvent State, long Ticks)> Circuits { get; } = new(StringComparer.Ordinal);

    /// <summary>When a command last changed at each device.</summary>
    public Dictionary<string, long> MovedTicks { get; } = new(StringComparer.Ordinal);

    /// <summary>How Workers that never hung were served.</summary>
    public Service Service { get; } = new();

    /// <summary>Links between kernels and Workers that are open on the kernel's side.</summary>
    public List<LinkFacts> WorkerLinks { get; } = [];

    /// <summary>Links between kernels and callers that are open on the kernel's side.</summary>
    public List<LinkFacts> CallerLinks { get; } = [];

    /// <summary>What each Worker last said it owns, as the kernel that holds the store took it.</summary>
    public Dictionary<string, HashSet<string>> Claims { get; } = new(StringComparer.Ordinal);

    /// <summary>When each Worker last said what it owns.</summary>
    public Dictionary<string, long> ClaimTicks { get; } = new(StringComparer.Ordinal);

    /// <summary>True where a Worker's latest word on what it owns was there before that time, and names the device.</summary>
    public bool Claimed(string workerId, string deviceId, long byTicks) => Claims.TryGetValue(workerId, out var claims) && claims.Contains(deviceId) && ClaimTicks[workerId] < byTicks;

    /// <summary>When the kernel that holds the store last took an answer to a ping of each Worker.</summary>
    public Dictionary<string, long> Pongs { get; } = new(StringComparer.Ordinal);

    /// <summary>Which Workers the kernel that holds the store last said are dead, or healthy again, and when.</summary>
    public Dictionary<string, (bool IsDead, long Ticks)> Deaths { get; } = new(StringComparer.Ordinal);

    /// <summary>The kernel that holds the store, or null.</summary>
    public SimNode? Holder { get; private set; }

    /// <summary>True while it is up, has opened the store in this life of it and had no commit fail since, is not frozen, and no other takes over from it.</summary>
    public bool IsServed => !_hasFailed && Holder == _world.KernelNode && Holder is { IsUp: true, Frozen: false } holder && holder.Life == _holdersLife;

    /// <summary>When it last went on after having been frozen, or opened the store.</summary>
    public long AwakeTicks { get; internal set; }

    /// <summary>The epoch with which it opened the store.</summary>
    public long Epoch { get; private set; }

    /// <summary>When it opened the store.</summary>
    public long HeldSinceTicks { get; private set; }

    /// <summary>When the latest commit became durable.</summary>
    public long DurableTicks { get; private set; }

    /// <summary>True while the store has a batch of which nobody knows yet whether it is durable.</summary>
    public bool CommitInFlight { get; private set; }

    /// <summary>When faults ended, or null.</summary>
    public long? HealedTicks { get; private set; }

    /// <summary>A command on the disk by its sequence, or null.</summary>
    public CommandFacts? BySeq(long seq) => _bySeq.GetValueOrDefault(seq);

    /// <summary>Since when nothing has gone wrong any more, or null: since the world was healed, or since the last crash after that.</summary>
    public long? QuietTicks { get; private set; }

    /// <summary>The link of a Worker with the kernel that holds the store, or null.</summary>
    public LinkFacts? LinkOf(string workerId)
    {
        foreach (var link in WorkerLinks)
        {
            if (link.Peer.Name == workerId && link.KernelSide.Owner == Holder) return link;
        }

        return null;
    }

    /// <summary>From when on the decisions stem that a kernel's latest batch recorded.</summary>
    public long DecidedSince(SimNode kernel) => _submissions.TryGetValue(kernel, out var at) ? at.Previous : 0;

    /// <summary>From when on the decisions stem that a kernel's latest durable batch recorded: the next may be under way when what they lead to leaves.</summary>
    public long ReleasedSince(SimNode kernel) => _released.GetValueOrDefault(kernel);

    /// <summary>An invariant does not hold.</summary>
    public void Violated(IInvariant invariant, string message)
    {
        ArgumentNullException.ThrowIfNull(invariant);
        _world.Violated(invariant.Id, message, invariant.Says);
    }

    internal void LinkOpened(SimConnection client, SimConnection server)
    {
        var kernelSide = client.Owner.Kind == NodeKind.Kernel ? client : server;
        var link = new LinkFacts(kernelSide, kernelSide.Other.Owner, NowTicks);
        client.Facts = server.Facts = link;
        if (link.Peer.Kind == NodeKind.Worker) WorkerLinks.Add(link);
        else CallerLinks.Add(link);
        _world.Emit(new SimEvent { Kind = SimEventKind.LinkOpened, Node = client.Owner, Connection = client, Subject = server.Owner.Name });
    }

    internal void Dialled(SimNode node, object dial, LinkEndpoint to)
    {
        node.Dials.Add((dial, to, NowTicks));
        if (_world.Hears(SimEventKind.Dialled)) _world.Emit(new SimEvent { Kind = SimEventKind.Dialled, Node = node, Subject = to.ToString() });
    }

    internal void LinkEnded(SimConnection side)
    {
        if (side.Facts is { } link && link.KernelSide == side)
        {
            WorkerLinks.Remove(link);
            CallerLinks.Remove(link);
        }

        _world.Emit(new SimEvent { Kind = SimEventKind.LinkEnded, Node = side.Owner, Connection = side, Subject = side.Other.Owner.Name, Detail = side.CloseReason?.Text, Cause = side.Other.EndClock });
        side.EndClock = _world.ClockOf(side.Owner);
    }

    internal void StoreOpened(SimNode node, KernelImage image)
    {
        Holder = node;
        _holdersLife = node.Life;
        _hasFailed = false;
        Epoch = image.Epoch;
        _world.Situations?.Began();
        HeldSinceTicks = AwakeTicks = NowTicks;
        CommitInFlight = false;
        Claims.Clear();
        Circuits.Clear();
        Pongs.Clear();
        Deaths.Clear();
        _submissions[node] = (NowTicks, NowTicks);
        _released[node] = NowTicks;
        _world.Emit(new SimEvent { Kind = SimEventKind.StoreOpened, Node = node, Image = image, Correlation = (ulong)image.Epoch });
    }

    internal void CommitSubmitted(SimNode node, CommitBatch batch)
    {
        _submissions[node] = (_submissions.TryGetValue(node, out var at) ? at.Latest : NowTicks, NowTicks);
        CommitInFlight = true;
        _world.Emit(new SimEvent { Kind = SimEventKind.CommitSubmitted, Node = node, Batch = batch });
    }

    internal void CommitDurable(SimNode node, CommitBatch batch)
    {
        _world.Emit(new SimEvent { Kind = SimEventKind.CommitApplying, Node = node, Batch = batch });
        DurableTicks = NowTicks;
        CommitInFlight = false;
        _released[node] = DecidedSince(node);
        foreach (var row in batch.Workers)
        {
            if (!Workers.TryGetValue(row.WorkerId, out var before) || before.Hold != row.Hold) HeldTicks[row.WorkerId] = NowTicks;
            if (row.Terminated) TerminatedTicks.TryAdd(row.WorkerId, NowTicks);
            Workers[row.WorkerId] = row;
        }

        foreach (var device in batch.RemovedDevices)
        {
            Owners.Remove(device);
            States.Remove(device);
        }

        foreach (var row in batch.Devices) Own(row);
        foreach (var row in batch.NewCommands) Add(row);
        foreach (var row in batch.ChangedCommands) Change(row);
        foreach (var row in batch.Log)
        {
            if (!_bySeq.TryGetValue(row.CommandSeq, out var command)) continue;
            command.Log.Add(row);
            if (row.To == CommandState.Dispatched) command.BegunTicks = DecidedSince(node);
        }

        foreach (var seq in batch.ForgottenCommands)
        {
            if (!_bySeq.Remove(seq, out var command)) continue;
            command.ForgottenTicks = NowTicks;
            if (command.IsTerminal) Settled--;
            Open.Remove(seq);
        }

        _world.Emit(new SimEvent { Kind = SimEventKind.CommitDurable, Node = node, Batch = batch });
    }

    internal void CommitFailed(SimNode node, CommitFault fault)
    {
        _hasFailed |= node == Holder;
        _world.Emit(new SimEvent { Kind = SimEventKind.CommitFailed, Node = node, Detail = fault.ToString() });
    }

    internal void Begun(SimNode node, JournalCall call) =>
        _world.Emit(new SimEvent { Kind = SimEventKind.Begun, Node = node, Subject = call.Start!.CommandId, Correlation = (ulong)call.Start.Epoch, Journal = call });

    internal void Executed(SimNode node, Execution execution)
    {
        if (Commands.TryGetValue(execution.CommandId, out var command)) command.Executions.Add(execution);
        _world.Emit(new SimEvent { Kind = SimEventKind.Executed, Node = node, Execution = execution, Subject = execution.CommandId, Detail = execution.DeviceId });
    }

    internal void Healed()
    {
        HealedTicks = QuietTicks = NowTicks;
        _world.Emit(new SimEvent { Kind = SimEventKind.Healed });
    }

    /// <summary>A node went or came: what must come right by itself begins anew.</summary>
    internal void Disturbed()
    {
        if (QuietTicks is not null) QuietTicks = NowTicks;
    }

    internal void Noted(SimNode node, KernelEvent what, string subject)
    {
        if (node != Holder) return;
        if (what is KernelEvent.CircuitOpened or KernelEvent.CircuitHalfOpen or KernelEvent.CircuitClosed) Circuits[subject] = (what, NowTicks);
        else if (what is KernelEvent.WorkerDead or KernelEvent.WorkerHealthy) Deaths[subject] = (what == KernelEvent.WorkerDead, NowTicks);
        else if (what == KernelEvent.RetryDelayed && Commands.TryGetValue(subject, out var command)) command.BudgetTicks = NowTicks;
    }

    /// <summary>How the kernel says a Worker's circuit stands.</summary>
    public KernelEvent CircuitOf(string workerId) => Circuits.TryGetValue(workerId, out var circuit) ? circuit.State : KernelEvent.CircuitClosed;

    internal void Pulse()
    {
        foreach (var link in WorkerLinks)
        {
            if (!link.KernelSide.IsDrained) link.JammedTicks = NowTicks;
            Watch(link);
        }

        foreach (var link in CallerLinks)
        {
            if (!link.KernelSide.IsDrained) link.JammedTicks = NowTicks;
        }

        _world.Emit(new SimEvent { Kind = SimEventKind.Pulse });
    }

    /// <summary>Notices pings that are surely missed by now.</summary>
    internal void Watch(LinkFacts link)
    {
        Miss(link);

        // One that stands still judges nobody.
        if (link.SickTicks is not null || link.Outstanding.Count == 0 || link.KernelSide.Owner.Frozen) return;
        var listens = TimeSpan.FromMilliseconds(_world.KernelOptions.Loop.ListenMs + 250).Ticks + LastCalls + _world.WorstLateness.Ticks;
        var patience = TimeSpan.FromMilliseconds(_world.KernelOptions.Health.PingTimeoutMs).Ticks + listens;
        foreach (var (action, ticks, _, _) in link.Outstanding.Values)
        {
            // A kernel that stood still listens to what came meanwhile before it gives anything up.
            var missed = Math.Max(ticks + patience, AwakeTicks + listens);
            if (action == OrkAction.HealthPing && ticks > link.AnsweredPingTicks && missed <= NowTicks) link.SickTicks = Math.Min(link.SickTicks ?? long.MaxValue, missed);
        }
    }

    /// <summary>How much longer a kernel listens for an answer, in ticks, whose timers are so late that it takes itself for one that stood still.</summary>
    internal long LastCalls
    {
        get
        {
            const int mostLastCalls = 5;
            var (loop, late) = (_world.KernelOptions.Loop, _world.WorstLateness);
            return late.TotalMilliseconds <= loop.StandstillMs ? 0 : mostLastCalls * (TimeSpan.FromMilliseconds(loop.ListenMs) + late).Ticks;
        }
    }

    /// <summary>Pings whose time is over, or nearly so: a kernel may take them for missed.</summary>
    private void Miss(LinkFacts link)
    {
        var timeoutMs = _world.KernelOptions.Health.PingTimeoutMs;
        var surely = TimeSpan.FromMilliseconds(timeoutMs - Math.Min(300, timeoutMs / 2)).Ticks;
        while (link.Pings.Count > 0 && link.Pings[0].Ticks + surely <= NowTicks)
        {
            link.Pings.RemoveAt(0);
            link.WellTicks = null;
            link.PongedInTime = false;
        }
    }

    private void Own(DeviceRow row)
    {
        var isSame = Owners.GetValueOrDefault(row.DeviceId) == row.WorkerId;
        Owners[row.DeviceId] = row.WorkerId;
        States[row.DeviceId] = (row.State, isSame ? States[row.DeviceId].OwnedTicks : NowTicks);
    }

    private void Add(CommandRow row)
    {
        var command = new CommandFacts(row) { TouchedTicks = NowTicks, AcceptedTicks = NowTicks, BornSettled = row.State is CommandState.Success or CommandState.Failed };
        Commands[row.Spec.CommandId] = command;
        _bySeq[row.Seq] = command;
        if (command.IsTerminal) Settled++;
        else Open[row.Seq] = command;
    }

    private void Change(CommandRow row)
    {
        if (!_bySeq.TryGetValue(row.Seq, out var command)) return;
        if (!command.IsTerminal && row.State is CommandState.Success or CommandState.Failed)
        {
            Settled++;
            Open.Remove(row.Seq);
            if (!_world.WasMuted(row.WorkerId)) Service.Settled(command.AcceptedTicks, NowTicks);
        }

        command.LoggedBefore = command.Log.Count;
        foreach (var device in command.Row.Spec.Targets ?? [command.Row.Spec.DeviceId!]) MovedTicks[device] = NowTicks;
        command.TouchedTicks = NowTicks;
        command.Row = row with { Spec = command.Row.Spec };
    }

    private static bool NamesNoDevice(ReadOnlySpan<byte> envelope) => envelope.IndexOf("\"deviceId\":null"u8) >= 0;
}
