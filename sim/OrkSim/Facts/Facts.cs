using Ork.Kernel;
using Ork.Protocol;

namespace OrkSim;

/// <summary>
/// What can be known of a world without asking the code under test: what crossed the links, what the disk holds, what devices did, what callers were told.
/// </summary>
public sealed class Facts
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

    internal WireMessage? FrameSent(SimConnection side, FrameKind kind, ulong correlation, byte[] payload)
    {
        var message = kind is FrameKind.Request or FrameKind.Response ? WireMessage.Read(side.Owner.Kind, payload) : null;
        if (side.Facts is { } link && link.KernelSide == side && link.Peer.Kind == NodeKind.Worker) SentToWorker(link, kind, correlation, message, payload);
        _world.Emit(new SimEvent
        {
            Kind = SimEventKind.FrameSent, Node = side.Owner, Connection = side, Frame = kind, Correlation = correlation, Payload = payload, Message = message,
        });
        if (kind == FrameKind.Response && side.Facts is { } answered && (answered.KernelSide == side || answered.Peer == side.Owner))
        {
            answered.Answer(correlation, _world.KernelOptions.Links.WindowPerCaller, NowTicks);
        }

        return message;
    }

    internal void FrameTaken(SimConnection side, in Packet packet)
    {
        if (side.Facts is { } link)
        {
            if (link.KernelSide == side && link.Peer.Kind == NodeKind.Caller) link.GreetingTaken = true;
            if (link.KernelSide == side && link.Peer.Kind == NodeKind.Worker) TakenFromWorker(link, in packet);
            else if (packet.Frame == FrameKind.Request) link.Ask(packet.Correlation, new Question(NowTicks, packet.Message?.CommandId, packet.Message?.WaitMs ?? 0, packet.Message?.Action ?? OrkAction.None, packet.Payload));
            else if (side.Owner.Kind == NodeKind.Caller && packet.Message is { } told) Told(told);
        }

        _world.Emit(new SimEvent
        {
            Kind = SimEventKind.FrameTaken, Node = side.Owner, Connection = side, Frame = packet.Frame, Correlation = packet.Correlation, Payload = packet.Payload,
            Message = packet.Message, Cause = packet.Clock,
        });
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
        var timeout = TimeSpan.FromMilliseconds(_world.KernelOptions.Health.PingTimeoutMs - 300).Ticks;
        while (link.Pings.Count > 0 && link.Pings[0].Ticks + timeout <= NowTicks)
        {
            link.Pings.RemoveAt(0);
            link.WellTicks = null;
            link.PongedInTime = false;
        }

        // One that stands still judges nobody.
        if (link.SickTicks is not null || link.Outstanding.Count == 0 || link.KernelSide.Owner.Frozen) return;
        var listens = TimeSpan.FromMilliseconds(_world.KernelOptions.Loop.ListenMs + 250).Ticks + _world.WorstLateness.Ticks;
        var patience = TimeSpan.FromMilliseconds(_world.KernelOptions.Health.PingTimeoutMs).Ticks + listens;
        foreach (var (action, ticks, _, _) in link.Outstanding.Values)
        {
            // A kernel that stood still listens to what came meanwhile before it gives anything up.
            var missed = Math.Max(ticks + patience, AwakeTicks + listens);
            if (action == OrkAction.HealthPing && ticks > link.AnsweredPingTicks && missed <= NowTicks) link.SickTicks = Math.Min(link.SickTicks ?? long.MaxValue, missed);
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

    /// <summary>How many commands its kernel surely has in flight on a link; what a late answer has settled is in flight no more.</summary>
    /// <param name="link">The link.</param>
    /// <param name="except">The correlation of one that does not count.</param>
    internal int InFlightAt(LinkFacts link, ulong except = 0)
    {
        var inFlight = 0;
        foreach (var (correlation, asked) in link.Outstanding)
        {
            if (correlation == except || asked.Action != OrkAction.CommandRequest || !IsInTime(asked.Ticks)) continue;
            if (asked.CommandId is { } id && Commands.TryGetValue(id, out var command) && command.SucceededTicks is null && !command.IsTerminal) inFlight++;
        }

        return inFlight;
    }

    /// <summary>Only what was carried out in time tells that there is room.</summary>
    private void NotePlaces(LinkFacts link, long askedTicks, string error)
    {
        if (error.StartsWith(ErrorCodes.WorkerBusy.Code, StringComparison.Ordinal)) link.WasBusy(NowTicks, InFlightAt(link) > 0);
        else if (!error.StartsWith(ErrorCodes.JournalFailed.Code, StringComparison.Ordinal) && IsInTime(askedTicks)) link.CarriedOut();
    }

    private void AttemptLeft(LinkFacts link, WireMessage message)
    {
        Service.Sent(message.Attempt);
        if (link.KernelSide.Owner == Holder && message.CommandId is { } id && Commands.TryGetValue(id, out var command)) command.LeftTicks[message.Attempt] = NowTicks;
    }

    private void SentToWorker(LinkFacts link, FrameKind kind, ulong correlation, WireMessage? message, ReadOnlySpan<byte> payload)
    {
        if (kind is FrameKind.Hello or FrameKind.Welcome)
        {
            link.Greeted = true;
            link.LastPingTicks = NowTicks;
        }

        if (kind != FrameKind.Request || message is null) return;
        if (message.Action == OrkAction.CommandRequest) AttemptLeft(link, message);
        if (CircuitDiscipline.Counts(message.Action)) link.Probed(NowTicks);
        if (message.Action == OrkAction.HealthPing)
        {
            link.LastPingTicks = NowTicks;
            link.Pinged = true;
            link.Pings.Add((correlation, NowTicks));
        }

        if (message.Action is OrkAction.IdentityRequest or OrkAction.CapabilityRequest) link.Registers(message.Action, NowTicks);
        link.Outstanding[correlation] = (message.Action, NowTicks, message.CommandId, message.Attempt);
        if (message.Action is OrkAction.TelemetryPull or OrkAction.StatePull)
        {
            // A caller asks about a device, the schedule about all of them.
            if (!NamesNoDevice(payload)) link.Forwarded.Add(correlation);
            else if (message.Action == OrkAction.StatePull) link.LastStatePullTicks = NowTicks;
            else link.LastTelemetryPullTicks = NowTicks;
        }

        if (message.CommandId is not null) link.Epoch = message.Epoch;
    }

    private void TakenFromWorker(LinkFacts link, in Packet packet)
    {
        if (packet.Frame == FrameKind.Goodbye) return;
        if (!link.GreetingTaken && packet.Frame == (link.KernelSide.IsClient ? FrameKind.Welcome : FrameKind.Hello))
        {
            link.GreetingTaken = true;
            return;
        }

        if (packet.Frame != FrameKind.Response || !link.Outstanding.Remove(packet.Correlation, out var asked))
        {
            link.ViolatedTicks ??= NowTicks;
            return;
        }

        link.TakenAskedTicks = asked.Ticks;
        if (asked.CommandId is { } about && Commands.TryGetValue(about, out var command))
        {
            command.Answered[asked.Attempt] = packet.Message;
            if (packet.Message is { } answer && (answer.CommandId ?? about) == about) command.Answers.Add(answer);
            if (packet.Message is { Action: OrkAction.CommandResult, Status: CommandStatus.Failed or CommandStatus.Rejected, Error: { } why } refused && (refused.CommandId ?? about) == about && Array.Exists(Unbegun, code => why.StartsWith(code.Code, StringComparison.Ordinal))) command.Unbegun[asked.Attempt] = IsInTime(asked.Ticks);
            if (packet.Message is { Action: OrkAction.CommandResult, Status: CommandStatus.Success or CommandStatus.Failed } ended) NotePlaces(link, asked.Ticks, ended.Error ?? "");
            if (link.KernelSide.Owner == Holder && packet.Message is { Action: OrkAction.CommandResult, Status: CommandStatus.Success, CommandId: { } succeeded } && succeeded == about) command.SucceededTicks ??= NowTicks;
        }

        // A command's end is an answer like any other, whatever it says; what is none of the protocol, or to another question, is as good as none.
        var isUsable = packet.Message is { Type: MessageType.Response } response && response.Action == OrkActions.AnswerTo(asked.Action);
        if (CircuitDiscipline.Counts(asked.Action))
        {
            var handlerTimeout = asked.Action != OrkAction.CommandRequest && packet.Payload.AsSpan().IndexOf("ERR_HANDLER_TIMEOUT"u8) >= 0;
            if (isUsable) link.ProbeAnswered(asked.Ticks);
            link.Take(asked.Ticks, NowTicks, handlerTimeout || !isUsable ? TimeSpan.Zero : TimeoutOf(asked.Action));
        }

        if (!isUsable || packet.Message is not { } message) return;
        switch (message.Action)
        {
            case OrkAction.IdentityResponse when message.Identity is { } identity:
                link.IdentityTaken = true;
                if (identity.WorkerId == link.Peer.Name) link.OwnClaimTicks = NowTicks;
                if (link.KernelSide.Owner == Holder) (Claims[identity.WorkerId], ClaimTicks[identity.WorkerId]) = ([.. identity.Devices], NowTicks);
                break;
            case OrkAction.CapabilityResponse:
                link.ContractTaken = true;
                link.Contract = (packet.Payload, NowTicks);
                link.IsRegistered |= NowTicks - asked.Ticks < TimeSpan.FromMilliseconds(_world.KernelOptions.Links.RegistrationTimeoutMs - 300).Ticks;
                if (link.PongedInTime && link.IsRegistered) link.WellTicks = NowTicks;
                break;
            case OrkAction.StateResponse:
                // An answer that names a device is a caller's, about that one.
                if (NamesNoDevice(packet.Payload)) TakeStates(link, asked.Ticks, packet.Payload);
                break;
            case OrkAction.HealthPong:
                link.SickTicks = null;
                link.AnsweredPingTicks = Math.Max(link.AnsweredPingTicks, asked.Ticks);
                link.LastPongTook = NowTicks - asked.Ticks;
                link.PongedInTime |= link.AnswerPing(packet.Correlation);
                if (link.PongedInTime && link.IsRegistered) link.WellTicks ??= NowTicks;
                if (link.KernelSide.Owner == Holder) Pongs[link.Peer.Name] = NowTicks;
                break;
        }
    }

    /// <summary>A word on states that came in time counts, one that came surely too late does not, and after one in between nobody knows which does.</summary>
    private void TakeStates(LinkFacts link, long askedTicks, ReadOnlyMemory<byte> payload)
    {
        var took = NowTicks - askedTicks;
        var timeout = TimeoutOf(OrkAction.StatePull).Ticks;
        if (took < timeout - TimeSpan.FromMilliseconds(300).Ticks) link.States = (payload, NowTicks);
        else if (took < timeout + TimeSpan.FromMilliseconds(_world.KernelOptions.Loop.ListenMs + 300).Ticks + (2 * _world.WorstLateness.Ticks) || AwakeTicks > askedTicks) link.States = default;
    }

    /// <summary>True where a kernel waits for the answer to an attempt for some while yet.</summary>
    internal bool IsInTime(long askedTicks) => askedTicks > AwakeTicks && NowTicks - askedTicks < TimeoutOf(OrkAction.CommandRequest).Ticks - TimeSpan.FromMilliseconds(500).Ticks - _world.WorstLateness.Ticks;

    private TimeSpan TimeoutOf(OrkAction action) =>
        TimeSpan.FromMilliseconds(action == OrkAction.CommandRequest ? SimDefaults.ContractTimeoutMs : _world.KernelOptions.Pulls.TimeoutMs);

    private void Told(WireMessage message)
    {
        if (message.CommandId is null || !Commands.TryGetValue(message.CommandId, out var command)) return;
        if (message.Action == OrkAction.CommandResult && message.Status != CommandStatus.Rejected) command.ToldTicks ??= NowTicks;
        if (message.Cancelled) command.ToldCancelled = true;
    }
}
