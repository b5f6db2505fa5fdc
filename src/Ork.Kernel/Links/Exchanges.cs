using Ork.Protocol;

namespace Ork.Kernel;

/// <summary>A Worker's link as the core sees it: a session, and what is outstanding on it.</summary>
internal sealed class WorkerLink(long session, WorkerEntry worker, PeerIdentity peer, DialTarget? target)
{
    internal long Session { get; } = session;

    internal WorkerEntry Worker { get; } = worker;

    internal PeerIdentity Peer { get; } = peer;

    /// <summary>The target that was dialled, or null where the Worker announced itself.</summary>
    internal DialTarget? Target { get; } = target;

    /// <summary>Requests without an answer, late ones included, by correlation.</summary>
    internal Dictionary<ulong, Ask> Outstanding { get; } = [];

    internal ulong LastCorrelation { get; set; }

    /// <summary>True once the Worker was asked anything on this link.</summary>
    internal bool Asked { get; set; }

    /// <summary>True while the link's output is full.</summary>
    internal bool Congested { get; set; }

    /// <summary>Failed pings in a row on this link. The Health Monitor's.</summary>
    internal int PingsFailed { get; set; }
}

/// <summary>One request to a Worker, from its decision to its answer or the end of its link.</summary>
internal sealed class Ask(WorkerLink link, ulong correlation, OrkAction action, IAnswerHandler handler, object subject, int attempt, long timeoutMs)
{
    internal WorkerLink Link { get; } = link;

    internal ulong Correlation { get; } = correlation;

    internal OrkAction Action { get; } = action;

    internal IAnswerHandler Handler { get; } = handler;

    /// <summary>What the handler asked about.</summary>
    internal object Subject { get; } = subject;

    /// <summary>The command's attempt, 0 for anything else.</summary>
    internal int Attempt { get; } = attempt;

    /// <summary>Until when it may leave, kernel milliseconds: later nobody wants it any more.</summary>
    internal long LeaveByMs { get; init; } = long.MaxValue;

    /// <summary>When it left, kernel milliseconds. Its time begins here.</summary>
    internal long LeftMs { get; set; } = -1;

    /// <summary>False while it waits for the commit of its turn.</summary>
    internal bool HasLeft => LeftMs >= 0;

    /// <summary>The watch's ticket, or null where the exchange is not watched.</summary>
    internal int? Ticket { get; init; }

    internal WheelTimer? Deadline { get; set; }

    /// <summary>When one that has left is given up, kernel milliseconds.</summary>
    internal long GivenUpMs => LeftMs + timeoutMs;

    /// <summary>How often the kernel has begun to listen for its answer for the last time.</summary>
    internal int LastCalls { get; set; }

    /// <summary>True once the handler was told that there is no answer, or none of use: one that comes now is a late one, and what has not left by now does not leave.</summary>
    internal bool Expired { get; set; }
}

/// <summary>Hears how a request to a Worker ended.</summary>
internal interface IAnswerHandler
{
    /// <summary>The Worker answered, late where <see cref="Ask.Expired"/>. The envelope is accepted, its action the right one.</summary>
    void Answered(Ask ask, in Envelope answer, Turn turn);

    /// <summary>No answer, or none that can be used: timeout, link lost, or invalid. Told once per request.</summary>
    void Unanswered(Ask ask, ErrorCode why, Turn turn);
}

/// <summary>
/// Every exchange with a Worker goes through here: a request has a deadline, an answer has a request. Pull-only is this: nothing else of what a Worker
/// sends ever reaches a module.
/// </summary>
internal sealed class Exchanges(LoopOptions loop, TimerWheel timers, IEntropy entropy, Answers answers, IExchangeWatch watch, IKernelObserver observer)
{
    /// <summary>Unanswered requests on one link, beyond which the Worker is taken for unresponsive.</summary>
    internal const int MaxOutstanding = 8_192;

    // Timers of exchanges that ended, for those to come.
    private const int MostSpare = 8_192;
    private const int MostLastCalls = 5;

    private readonly Stack<WheelTimer> _spare = [];
    private Action<object, Turn>? _deadlineElapsed;

    /// <summary>Asks a Worker something.</summary>
    /// <param name="link">The Worker's link.</param>
    /// <param name="action">What is asked.</param>
    /// <param name="payload">The request's payload; copied.</param>
    /// <param name="timeoutMs">How long the answer may take, from when the request leaves.</param>
    /// <param name="handler">Who hears of it.</param>
    /// <param name="subject">What the handler asks about.</param>
    /// <param name="lane">The lane the request leaves by.</param>
    /// <param name="turn">The turn.</param>
    /// <param name="forward">The caller's envelope, where this forwards one: its id, device and unknown members go along.</param>
    /// <param name="deviceId">The device, where nothing is forwarded.</param>
    /// <param name="attempt">The command's attempt.</param>
    /// <param name="leaveByMs">Until when it may leave, kernel milliseconds.</param>
    internal Ask Send(
        WorkerLink link, OrkAction action, ReadOnlyMemory<byte> payload, long timeoutMs, IAnswerHandler handler, object subject, EffectBatch lane,
        Turn turn, in Envelope forward = default, string? deviceId = null, int attempt = 0, long leaveByMs = long.MaxValue)
    {
        var ask = new Ask(link, ++link.LastCorrelation, action, handler, subject, attempt, timeoutMs)
        {
            LeaveByMs = leaveByMs,
            Ticket = IsWatched(action) ? watch.Begin(link.Worker) : null,
        };
        link.Outstanding.Add(ask.Correlation, ask);
        ask.Deadline = TimerFor(ask);
        if (lane == turn.AfterCommit) turn.Leaving.Add(ask);
        else timers.Set(ask.Deadline, Leave(ask, turn.NowMs));
        lane.Send(link.Session, FrameKind.Request, ask.Correlation, new Envelope
        {
            Id = forward.Id.IsEmpty ? Utf8Text.Plain(entropy.NextId(turn.UtcMs).ToString()) : forward.Id,
            Type = MessageType.Request,
            Action = action,
            Sender = answers.Sender,
            Target = link.Worker.WireId,
            DeviceId = deviceId is null ? forward.DeviceId : Utf8Text.From(deviceId),
            Timestamp = turn.UtcMs,
            Payload = payload,
            Unknown = forward.Unknown,
        }, ask);
        if (link.Outstanding.Count > MaxOutstanding) lane.Close(link.Session, ErrorCodes.WorkerUnresponsive);
        return ask;
    }

    /// <summary>
    /// The requests of a turn leave, which its commit held back: how long the disk took is not the Worker's time. What nobody wants any more by now does not leave, nor what has lost its link.
    /// </summary>
    /// <param name="ended">The turn that decided on them.</param>
    /// <param name="turn">The turn of now.</param>
    internal void Leave(Turn ended, Turn turn)
    {
        foreach (var ask in ended.Leaving)
        {
            if (ask.Expired) continue;
            if (turn.NowMs < ask.LeaveByMs) timers.Set(ask.Deadline!, Leave(ask, turn.NowMs));
            else Withdraw(ask, ErrorCodes.Deadline, turn);
        }

        ended.Leaving.Clear();
    }

    /// <summary>Takes back a request that has not left: it does not leave any more, and its handler hears so.</summary>
    /// <param name="ask">The request.</param>
    /// <param name="why">Its command's deadline, or that it is cancelled.</param>
    /// <param name="turn">The turn.</param>
    internal void Withdraw(Ask ask, ErrorCode why, Turn turn)
    {
        ask.Link.Outstanding.Remove(ask.Correlation);
        Release(ask);
        Expire(ask, why, turn);
    }

    /// <summary>Takes a Worker's answer.</summary>
    /// <param name="link">The link it came on.</param>
    /// <param name="frame">The Response; its correlation was outstanding on the session.</param>
    /// <param name="turn">The turn.</param>
    internal void Receive(WorkerLink link, in ReceivedFrame frame, Turn turn)
    {
        if (!link.Outstanding.Remove(frame.Correlation, out var ask)) return;
        Release(ask);
        var refused = EnvelopeReader.Read(frame.Payload, out var answer);
        if (refused is not null || answer.Type != MessageType.Response || answer.Action != OrkActions.AnswerTo(ask.Action))
        {
            Invalid(ask, refused?.Code ?? $"{answer.Type} {answer.Action}", turn);
            return;
        }

        ask.Handler.Answered(ask, in answer, turn);

        // Late, or of no use to who asked: that was told.
        if (ask.Expired) return;
        observer.Exchanged(ask.Action, link.Worker.WorkerId, turn.NowMs - ask.LeftMs, null);
        EndWatch(ask, RanOutOfTime(answer.Payload) ? ErrorCodes.HandlerTimeout : null, turn);
    }

    /// <summary>Reports an answer that cannot be used, as a handler finds it.</summary>
    internal void Invalid(Ask ask, string why, Turn turn)
    {
        observer.Note(KernelEvent.AnswerInvalid, ask.Link.Worker.WorkerId, $"{OrkActions.NameOf(ask.Action)}: {why}");
        Expire(ask, ErrorCodes.WorkerAnswerInvalid, turn);
    }

    /// <summary>Ends everything outstanding on a link that is gone, oldest first.</summary>
    internal void LinkGone(WorkerLink link, Turn turn)
    {
        foreach (var ask in link.Outstanding.Values.OrderBy(ask => ask.Correlation).ToArray())
        {
            Release(ask);
            Expire(ask, ErrorCodes.LinkLost, turn);
        }

        link.Outstanding.Clear();
    }

    /// <summary>A request leaves now.</summary>
    /// <returns>When to listen for its answer for the last time, kernel milliseconds.</returns>
    private long Leave(Ask ask, long nowMs)
    {
        ask.LeftMs = nowMs;
        return ask.GivenUpMs - loop.ListenMs;
    }

    private WheelTimer TimerFor(Ask ask)
    {
        if (!_spare.TryPop(out var timer)) return new WheelTimer(ask, _deadlineElapsed ??= (late, at) => DeadlineElapsed((Ask)late, at));
        timer.Rebind(ask);
        return timer;
    }

    /// <summary>The timer of an exchange whose answer nobody waits for any more is free for another.</summary>
    private void Release(Ask ask)
    {
        if (ask.Deadline is not { } timer) return;
        ask.Deadline = null;
        TimerWheel.Cancel(timer);
        timer.Rebind(null);
        if (_spare.Count < MostSpare) _spare.Push(timer);
    }

    /// <summary>
    /// A kernel that stood still finds requests overdue whose answers lie in its inbox or a socket. None is given up but by a kernel that has been awake and
    /// listening for a while just before: the deadline's timer elapses that while ahead, and once more. On a machine whose timers are late without end it would listen without
    /// end: after some times it takes that for how things are.
    /// </summary>
    private void DeadlineElapsed(Ask ask, Turn turn)
    {
        if (ask.LastCalls >= MostLastCalls || (ask.LastCalls > 0 && turn.NowMs - ask.Deadline!.DueMs <= loop.StandstillMs))
        {
            Expire(ask, ErrorCodes.WorkerTimeout, turn);
            return;
        }

        ask.LastCalls++;
        timers.Set(ask.Deadline!, Math.Max(ask.GivenUpMs, turn.NowMs + loop.ListenMs));
    }

    private void Expire(Ask ask, ErrorCode why, Turn turn)
    {
        if (ask.Expired) return;
        ask.Expired = true;
        observer.Exchanged(ask.Action, ask.Link.Worker.WorkerId, ask.HasLeft ? turn.NowMs - ask.LeftMs : 0, why);
        EndWatch(ask, why, turn);
        ask.Handler.Unanswered(ask, why, turn);
    }

    private void EndWatch(Ask ask, ErrorCode? error, Turn turn)
    {
        if (ask.Ticket is { } ticket) watch.End(ask.Link.Worker, ticket, error, turn);
    }

    /// <summary>
    /// True where the Worker itself says that its handler did not come to an end: an answer, but as good as none. Our runtime writes the status first, so that nothing
    /// else of a payload needs to be read.
    /// </summary>
    private static bool RanOutOfTime(ReadOnlyMemory<byte> payload)
    {
        var reader = new PayloadReader(payload);
        if (!reader.Next() || !reader.Is("status"u8) || reader.Text() != CommandWords.Of(CommandStatus.Rejected)) return false;
        return reader.Next() && reader.Is("error"u8) && reader.Text() is { } error && error.StartsWith(ErrorCodes.HandlerTimeout.Code, StringComparison.Ordinal);
    }

    private static bool IsWatched(OrkAction action) => action is OrkAction.CommandRequest or OrkAction.TelemetryPull or OrkAction.StatePull;
}
