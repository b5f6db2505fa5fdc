using Ork.Protocol;

namespace OrkSim;

// What the frames tell of links, as they are sent and taken.
public sealed partial class Facts
{
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
            if (packet.Message is { Type: MessageType.Response, Action: OrkAction.CommandResult, Status: CommandStatus.Failed or CommandStatus.Rejected, Error: { } why } refused && (refused.CommandId ?? about) == about && Array.Exists(Unbegun, code => why.StartsWith(code.Code, StringComparison.Ordinal))) command.Unbegun[asked.Attempt] = IsInTime(asked.Ticks);
            if (packet.Message is { Type: MessageType.Response, Action: OrkAction.CommandResult, Status: CommandStatus.Success or CommandStatus.Failed } ended) NotePlaces(link, asked.Ticks, ended.Error ?? "");
            if (link.KernelSide.Owner == Holder && packet.Message is { Action: OrkAction.CommandResult, Status: CommandStatus.Success, CommandId: { } succeeded } && succeeded == about) command.SucceededTicks ??= NowTicks;
        }

        // A command's end is an answer like any other, whatever it says; what is none of the protocol, or to another question, is as good as none.
        var isUsable = packet.Message is { Type: MessageType.Response } response && response.Action == OrkActions.AnswerTo(asked.Action);
        if (CircuitDiscipline.Counts(asked.Action))
        {
            var handlerTimeout = asked.Action != OrkAction.CommandRequest && packet.Payload.AsSpan().IndexOf("ERR_HANDLER_TIMEOUT"u8) >= 0;
            if (isUsable) link.ProbeAnswered(asked.Ticks);
            link.Take(asked.Ticks, NowTicks, handlerTimeout || !isUsable ? TimeSpan.Zero : TimeoutOf(asked.CommandId) + TimeSpan.FromMilliseconds(_world.KernelOptions.Loop.ListenMs) + AtItsEnd);
        }

        if (!isUsable || packet.Message is not { } message) return;
        switch (message.Action)
        {
            case OrkAction.IdentityResponse when message.Identity is { } identity:
                link.IdentityTaken = true;

                // Who tells another's name is believed nothing.
                if (identity.WorkerId != link.Peer.Name) break;
                link.OwnClaimTicks = NowTicks;
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
                Miss(link);
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
        var timeout = TimeSpan.FromMilliseconds(_world.KernelOptions.Pulls.TimeoutMs).Ticks;
        if (took < timeout - TimeSpan.FromMilliseconds(300).Ticks) link.States = (payload, NowTicks);
        else if (took < timeout + TimeSpan.FromMilliseconds(_world.KernelOptions.Loop.ListenMs + 300).Ticks + (2 * _world.WorstLateness.Ticks) || AwakeTicks > askedTicks) link.States = default;
    }

    /// <summary>True where a kernel waits for the answer to an attempt for some while yet.</summary>
    internal bool IsInTime(long askedTicks) => askedTicks > AwakeTicks && NowTicks - askedTicks < _world.Attempts.Shortest.Ticks - TimeSpan.FromMilliseconds(500).Ticks - _world.WorstLateness.Ticks;

    // What comes as its time ends may be taken for an answer or for none.
    private static readonly TimeSpan AtItsEnd = TimeSpan.FromMilliseconds(50);

    /// <summary>How long a kernel waits for the answer to a command's attempt, or to a pull.</summary>
    private TimeSpan TimeoutOf(string? commandId) =>
        commandId is null ? TimeSpan.FromMilliseconds(_world.KernelOptions.Pulls.TimeoutMs)
        : Commands.TryGetValue(commandId, out var command) ? TimeSpan.FromMilliseconds(command.Row.Spec.TimeoutMs)
        : _world.Attempts.Longest;

    private void Told(WireMessage message)
    {
        if (message.CommandId is null || !Commands.TryGetValue(message.CommandId, out var command)) return;
        if (message.Action == OrkAction.CommandResult && message.Status != CommandStatus.Rejected) command.ToldTicks ??= NowTicks;
        if (message.Cancelled) command.ToldCancelled = true;
    }
}
