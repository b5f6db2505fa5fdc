using Ork.Protocol;

namespace OrkSim;

/// <summary>A link between a kernel and a Worker or caller, as it can be known from outside.</summary>
public sealed class LinkFacts
{
    private bool _askedIdentity;
    private ulong _latestAsked;

    internal LinkFacts(SimConnection kernelSide, SimNode peer, long openedTicks)
    {
        KernelSide = kernelSide;
        Peer = peer;
        OpenedTicks = openedTicks;
        LastPingTicks = openedTicks;
        AnsweredTicks = openedTicks;
    }

    /// <summary>The kernel's side.</summary>
    public SimConnection KernelSide { get; }

    /// <summary>The Worker or caller.</summary>
    public SimNode Peer { get; }

    /// <summary>When more was last seen on its way to the Worker or caller than lets a kernel go on.</summary>
    public long JammedTicks { get; internal set; }

    /// <summary>When it came about.</summary>
    public long OpenedTicks { get; }

    /// <summary>True once the greetings are exchanged.</summary>
    public bool Greeted { get; internal set; }

    /// <summary>True once the kernel took the Worker's greeting, or anything of a caller.</summary>
    public bool GreetingTaken { get; internal set; }

    /// <summary>When the request left whose answer was taken last.</summary>
    public long TakenAskedTicks { get; internal set; }

    /// <summary>True once a ping left on it.</summary>
    public bool Pinged { get; internal set; }

    /// <summary>When the latest ping left, or the link was greeted.</summary>
    public long LastPingTicks { get; internal set; }

    /// <summary>When the latest pull of states that was due left, or 0.</summary>
    public long LastStatePullTicks { get; internal set; }

    /// <summary>When the latest pull of telemetry that was due left, or 0.</summary>
    public long LastTelemetryPullTicks { get; internal set; }

    /// <summary>Requests of the kernel that have no answer, with when they left.</summary>
    public Dictionary<ulong, (OrkAction Action, long Ticks, string? CommandId, int Attempt)> Outstanding { get; } = [];

    /// <summary>When the Worker's latest registration began, with the first of its questions.</summary>
    public long RegistrationTicks { get; private set; }

    /// <summary>A question of a registration leaves. That for the contract follows the one for the identity, or begins another try.</summary>
    internal void Registers(OrkAction action, long ticks)
    {
        if (action == OrkAction.IdentityRequest || !_askedIdentity) RegistrationTicks = ticks;
        _askedIdentity = action == OrkAction.IdentityRequest;
    }

    /// <summary>True while a registration is under way that began after this, with a question that was asked before that.</summary>
    public bool IsRegistering(long sinceTicks, long beforeTicks = long.MaxValue)
    {
        if (RegistrationTicks <= sinceTicks) return false;
        foreach (var asked in Outstanding.Values)
        {
            // One of an earlier try was given up, and may never be answered.
            if (asked.Action is OrkAction.IdentityRequest or OrkAction.CapabilityRequest && asked.Ticks >= RegistrationTicks && asked.Ticks < beforeTicks) return true;
        }

        return false;
    }

    /// <summary>The epoch that the kernel names on it.</summary>
    public long Epoch { get; internal set; }

    /// <summary>Requests of a caller, or to a Worker, that have no answer.</summary>
    public Dictionary<ulong, Question> Questions { get; } = [];

    /// <summary>A request was taken.</summary>
    internal void Ask(ulong correlation, in Question question)
    {
        Questions[correlation] = question;
        _latestAsked = correlation;
    }

    /// <summary>An answer leaves. Where the window is full, that makes room for the request that was taken last: no further one is taken before.</summary>
    /// <param name="correlation">To which request.</param>
    /// <param name="window">How many of the link the kernel takes on at once.</param>
    /// <param name="ticks">When.</param>
    internal void Answer(ulong correlation, int window, long ticks)
    {
        if (Questions.Count == window + 1 && Questions.TryGetValue(_latestAsked, out var waits)) Questions[_latestAsked] = waits with { RoomTicks = ticks };
        Questions.Remove(correlation);
        AnsweredTicks = ticks;
    }

    /// <summary>When the latest answer left on it, or it came about.</summary>
    public long AnsweredTicks { get; internal set; }

    /// <summary>Pulls that name a device, by their correlations: a caller's. The schedule's name none.</summary>
    public HashSet<ulong> Forwarded { get; } = [];

    /// <summary>The Worker's latest word on the states of all its devices that was surely in time, and when the kernel took it; empty and 0 where there is none.</summary>
    public (ReadOnlyMemory<byte> Payload, long Ticks) States { get; internal set; }

    /// <summary>True once the kernel took this link's answer to the question who it is.</summary>
    public bool IdentityTaken { get; internal set; }

    /// <summary>When the kernel last took the word of the Worker itself, and of nobody who takes its name, on what it owns; 0 where it did not.</summary>
    public long OwnClaimTicks { get; internal set; }

    /// <summary>True once the kernel took this link's contract.</summary>
    public bool ContractTaken { get; internal set; }

    /// <summary>The contract's bytes, as the kernel took them on this link, and when.</summary>
    public (ReadOnlyMemory<byte> Payload, long Ticks) Contract { get; internal set; }

    /// <summary>True once the kernel surely counts the Worker as registered on this link: the contract came in time, and was not given up for lost.</summary>
    public bool IsRegistered { get; internal set; }

    /// <summary>When the kernel took something that a Worker may not send, or null.</summary>
    public long? ViolatedTicks { get; internal set; }

    /// <summary>Since when the kernel has had no reason to take the Worker for anything but registered and healthy, or null.</summary>
    public long? WellTicks { get; internal set; }

    /// <summary>Pings without an answer, in the order they left.</summary>
    internal List<(ulong Correlation, long Ticks)> Pings { get; } = [];

    /// <summary>Long polls that wait for an answer on it and left before.</summary>
    internal int PollsBefore(long ticks) => Questions.Values.Count(asked => asked.WaitMs > 0 && asked.Ticks < ticks);

    /// <summary>True where its latest ping whose time is over, or which was answered, was surely answered in time: a pong that came late makes nobody well.</summary>
    internal bool PongedInTime { get; set; }

    internal bool AnswerPing(ulong correlation)
    {
        for (var i = 0; i < Pings.Count; i++)
        {
            if (Pings[i].Correlation != correlation) continue;
            Pings.RemoveAt(i);
            return true;
        }

        return false;
    }

    /// <summary>Commands and pulls that left since the circuit last became half-open, and how many of them were answered.</summary>
    private readonly List<(long Ticks, bool Answered)> _probes = [];

    // Since it was last busy; of one that never was, more than the square of any window.
    private int _carriedOut = int.MaxValue / 2;

    internal void Probed(long ticks)
    {
        if (_probes.Count == 64) _probes.RemoveAt(0);
        _probes.Add((ticks, false));
    }

    internal void ProbeAnswered(long askedTicks)
    {
        var at = _probes.FindIndex(probe => probe.Ticks == askedTicks && !probe.Answered);
        if (at >= 0) _probes[at] = (askedTicks, true);
    }

    /// <summary>How many commands and pulls left since then, and how many of those were answered.</summary>
    internal (int Sent, int Answered) ProbesSince(long ticks) => (_probes.Count(probe => probe.Ticks >= ticks), _probes.Count(probe => probe.Ticks >= ticks && probe.Answered));

    /// <summary>When an answer to a command or pull was last taken that was surely in time.</summary>
    public long AnswerTicks { get; private set; }

    /// <summary>When those left whose answers, since then, came too late for the kernel.</summary>
    public List<long> Late { get; } = [];

    /// <summary>An answer to a command or pull was taken.</summary>
    internal void Take(long askedTicks, long nowTicks, TimeSpan timeout)
    {
        if (nowTicks - askedTicks >= timeout.Ticks)
        {
            Late.Add(askedTicks);
            return;
        }

        AnswerTicks = nowTicks;
        Late.Clear();
    }

    /// <summary>The Worker said that it had no place for a command.</summary>
    /// <param name="ticks">When a kernel took that.</param>
    /// <param name="isAtWork">True where it surely was at others of that kernel's.</param>
    internal void WasBusy(long ticks, bool isAtWork)
    {
        _carriedOut = 0;
        if (!isAtWork) BusyAtNothingTicks = ticks;
    }

    /// <summary>When it last said so while it was, as far as is known, at nothing; or 0.</summary>
    public long BusyAtNothingTicks { get; private set; }

    /// <summary>The Worker carried a command out.</summary>
    internal void CarriedOut() => _carriedOut++;

    /// <summary>How many commands a kernel surely dares to have in flight at it: one from when it was busy, until it is sure to dare the whole window again.</summary>
    internal int Places(int window) => _carriedOut >= window * window ? window : 1;

    /// <summary>When the latest ping left that was answered.</summary>
    public long AnsweredPingTicks { get; internal set; }

    /// <summary>How long the latest answer to a ping took.</summary>
    public long LastPongTook { get; internal set; }

    /// <summary>When a ping was surely missed with no answer taken since, or null.</summary>
    public long? SickTicks { get; internal set; }
}

/// <summary>A request that has no answer yet.</summary>
/// <param name="Ticks">When who is asked took it.</param>
/// <param name="CommandId">The command it is about, or null.</param>
/// <param name="WaitMs">How long it waits for the command's end, in milliseconds.</param>
/// <param name="Action">What is asked.</param>
/// <param name="Envelope">All of it.</param>
public readonly record struct Question(long Ticks, string? CommandId, long WaitMs, OrkAction Action, ReadOnlyMemory<byte> Envelope)
{
    /// <summary>True where a list of Workers is asked for that has one.</summary>
    public bool IsOfOneWorker => Envelope.Span.IndexOf("\"workerId\""u8) >= 0;

    /// <summary>Since when the kernel may look at it: when it was taken, or when there was room for it in its caller's window.</summary>
    public long RoomTicks { get; init; } = Ticks;
}
