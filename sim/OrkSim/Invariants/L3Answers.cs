using Ork.Protocol;

namespace OrkSim;

/// <summary>L3: every call of a caller ends within its time, with an answer or a refusal; a kernel answers what it took, once, by its name and not before its time, and who can reach it is not left without one; who knocks is let in or turned away at once. A Worker answers a pull within its time.</summary>
public sealed class AnswersInTime : IInvariant
{
    /// <inheritdoc/>
    public string Id => "L3";

    /// <inheritdoc/>
    public string Says => "Every call of a caller ends within its time, with an answer or a refusal; a kernel answers what it took, once, by its name and not before its time, and who can reach it is not left without one; who knocks is let in or turned away at once. A Worker answers a pull within its time.";

    /// <inheritdoc/>
    public SimEventKind Hears => SimEventKind.Asked | SimEventKind.Answered | SimEventKind.LinkEnded | SimEventKind.FrameSent | SimEventKind.Pulse;

    private static readonly long Slack = TimeSpan.FromSeconds(1).Ticks;

    // What a disk or a link that was jammed has left lies before a question, too.
    private static readonly long Backlog = TimeSpan.FromSeconds(6).Ticks;

    private static readonly long Longest = TimeSpan.FromMilliseconds(CommandQueryPayload.MaxWaitMs).Ticks + Backlog;

    // As long as a connection may take to be opened again, twice.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(8);

    // As long as a caller may take to open another link for one that it lost.
    private static readonly long Reopening = TimeSpan.FromMilliseconds(SimDefaults.Client.ReconnectCapMs).Ticks + Slack;

    // These keep a caller from its kernel, or the kernel from answering.
    private static readonly string[] Cutting =
    [
        "kernel-crash", "kernel-stop", "kernel-freeze", "two-kernels", "partition", "refuse-dials", "store-stall", "commit-fails", "commit-unknown", "disk-full", "store-damaged", "late-timers",
    ];

    private readonly Dictionary<ulong, (string What, long AskedTicks, long UntilTicks, SimNode Node)> _open = [];
    private readonly Dictionary<SimNode, (long Last, long Previous)> _lost = [];
    private readonly List<long> _left = [];
    private (long Ticks, int Polls) _answered;
    private bool? _isCut;

    // When the disk was last seen to take nothing.
    private long _diskTicks = -1;

    /// <inheritdoc/>
    public void Hear(in SimEvent happened, Facts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        switch (happened.Kind)
        {
            case SimEventKind.Asked:
                var bound = TimeSpan.FromMilliseconds(long.Parse(happened.Detail!, System.Globalization.CultureInfo.InvariantCulture));
                _open.Add(happened.Correlation, (happened.Subject!, happened.Ticks, happened.Ticks + bound.Ticks, happened.Node!));
                break;
            case SimEventKind.Answered:
                // One that ends before its time was refused, by a kernel that stops.
                if (!_open.Remove(happened.Correlation, out var call)) break;
                var isInTime = happened.Ticks >= call.UntilTicks - Slack;
                if (happened.Call is { GivenUp: true } && !isInTime && call.What != SimCaller.ListingAll) facts.Violated(this, $"A call of {call.Node} ({call.What}) was given up {SimDefaults.Seconds(call.UntilTicks - happened.Ticks)} s before its time.");
                if (isInTime && happened.Detail is { } error && error.StartsWith(ErrorCodes.KernelUnavailable.Code, StringComparison.Ordinal)) CheckGivenUp(call.Node, call.What, call.AskedTicks, facts);
                break;
            case SimEventKind.LinkEnded:
                if (happened.Node is { Kind: NodeKind.Caller } caller) _lost[caller] = (happened.Ticks, _lost.GetValueOrDefault(caller).Last);
                else if (happened.Connection!.Facts is { } ended) Leave(ended, happened.Ticks, facts);
                break;
            case SimEventKind.FrameSent:
                if (happened.Frame != FrameKind.Response) break;
                if (happened.Node == facts.Holder) CheckAnswer(in happened, facts);
                else if (happened.Node!.Kind == NodeKind.Worker && facts.World.IsHonest(happened.Node.Name)) CheckName(in happened, facts);
                break;
            default:
                Check(happened.Ticks - Slack - facts.World.WorstLateness.Ticks, facts);
                CheckKernel(happened.Ticks, facts);
                CheckDoor(happened.Ticks, facts);
                CheckWorkers(happened.Ticks, facts);
                break;
        }
    }

    /// <summary>Each question has one answer, and a long poll has it at the command's end or after its time, unless very many wait.</summary>
    private void CheckAnswer(in SimEvent answer, Facts facts)
    {
        if (answer.Connection!.Facts is not { Peer.Kind: NodeKind.Caller } link || facts.World.IsBroken(link.Peer)) return;
        if (!link.Questions.TryGetValue(answer.Correlation, out var question))
        {
            facts.Violated(this, $"The kernel answers {link.Peer} what it has answered already, or was not asked.");
            return;
        }

        CheckName(in answer, facts);
        if (answer.Message is { Action: OrkAction.WorkerListResponse } listing && listing.Listing.TryGetProperty("kernel", out var kernel)) CheckPolls(kernel.GetProperty("longPolls").GetInt32(), question.Ticks, answer.Ticks, facts);
        if (question.WaitMs > 0) _answered = (answer.Ticks, _answered.Ticks == answer.Ticks ? _answered.Polls + 1 : 1);
        if (question.WaitMs == 0 || answer.Message is not { Action: OrkAction.CommandStatusResponse, Status: not (CommandStatus.Success or CommandStatus.Failed or CommandStatus.Rejected) }) return;
        var waited = answer.Ticks - question.Ticks;
        if (waited >= TimeSpan.FromMilliseconds(Math.Min(question.WaitMs, CommandQueryPayload.MaxWaitMs) - 2).Ticks) return;

        // What one commit releases was decided together: those that are answered with it may have waited then.
        var waiting = Waiting(answer.Ticks, facts) + _answered.Polls - 1;
        if (waiting <= facts.World.KernelOptions.Commands.MaxWaiters / 4) facts.Violated(this, $"A long poll of {link.Peer} for {question.CommandId} is answered after {SimDefaults.Seconds(waited)} s of {question.WaitMs} ms, and the command has not ended; {waiting} wait.");
    }

    /// <summary>Long polls that a kernel can have: those that have no answer, and those whose link was lost not long ago.</summary>
    private int Waiting(long ticks, Facts facts)
    {
        if (_left.Count > 0) _left.RemoveAll(until => until < ticks);
        var waiting = _left.Count;
        foreach (var caller in facts.CallerLinks)
        {
            foreach (var asked in caller.Questions.Values)
            {
                if (asked.WaitMs > 0) waiting++;
            }
        }

        return waiting;
    }

    /// <summary>No long poll keeps its place when it is over.</summary>
    private void CheckPolls(int told, long asked, long ticks, Facts facts)
    {
        // One that stood still counts on from there, and an answer that waited for a commit is of before it.
        if (ticks - facts.AwakeTicks < Longest || facts.CommitInFlight || facts.DurableTicks >= asked) return;
        if (Waiting(ticks, facts) is var waiting && told > waiting) facts.Violated(this, $"The kernel says that {told} questions wait for the end of a command; {waiting} can.");
    }

    /// <summary>An answer names what it answers: the question's id and device, and the action that answers it.</summary>
    private void CheckName(in SimEvent answer, Facts facts)
    {
        if (!answer.Connection!.Facts!.Questions.TryGetValue(answer.Correlation, out var question) || answer.Message is not { } told || question.Action == OrkAction.None) return;
        var asked = question.Envelope.Span;
        var answered = answer.Payload.Span;
        if (told.Action != OrkActions.AnswerTo(question.Action)) facts.Violated(this, $"{answer.Node} answers a {question.Action} with a {told.Action}.");
        if (!Between(asked, "{\"id\":"u8, ",\"version\""u8).SequenceEqual(Between(answered, "{\"id\":"u8, ",\"version\""u8))) facts.Violated(this, $"{answer.Node} answers a {question.Action} under another id than it was asked under.");
        if (!Between(asked, "\"deviceId\":"u8, ",\"timestamp\""u8).SequenceEqual(Between(answered, "\"deviceId\":"u8, ",\"timestamp\""u8))) facts.Violated(this, $"{answer.Node} answers a {question.Action} for another device than it was asked about.");
    }

    private static ReadOnlySpan<byte> Between(ReadOnlySpan<byte> envelope, ReadOnlySpan<byte> before, ReadOnlySpan<byte> behind)
    {
        var start = envelope.IndexOf(before);
        if (start < 0) return default;
        var rest = envelope[(start + before.Length)..];
        return rest[..Math.Max(0, rest.IndexOf(behind))];
    }

    /// <summary>A kernel that reads no more of a caller whose window is full learns with the last answer that its link is gone: until then its polls keep their places.</summary>
    private void Leave(LinkFacts link, long nowTicks, Facts facts)
    {
        var isFull = link.Questions.Count >= facts.World.KernelOptions.Links.WindowPerCaller;
        foreach (var (ticks, _, waitMs, _, _) in link.Questions.Values)
        {
            if (waitMs > 0) _left.Add(isFull ? ticks + TimeSpan.FromMilliseconds(Math.Min(waitMs, CommandQueryPayload.MaxWaitMs)).Ticks + Backlog : nowTicks + Slack + (2 * facts.World.WorstLateness.Ticks));
        }
    }

    /// <summary>True where something may have stood between a caller and its kernel since a question was asked.</summary>
    private bool IsCut(long asked, Facts facts)
    {
        _isCut ??= facts.World.Scenario.Faults.Any(static fault => Cutting.Contains(fault.Kind));
        return _isCut.Value && !(facts.HealedTicks < asked);
    }

    /// <summary>The longest that a kernel may take: the wait of a long poll or a pull, and a commit; not counted while its disk or the caller's link is jammed.</summary>
    private void CheckKernel(long ticks, Facts facts)
    {
        if (facts.World.Store.Stalled || facts.World.Store.Full) _diskTicks = ticks;
        if (!facts.IsServed || _diskTicks == ticks) return;
        var until = ticks - TimeSpan.FromMilliseconds(facts.World.KernelOptions.Pulls.TimeoutMs).Ticks - (2 * facts.World.Scenario.Store.Commit.Max.Ticks) - Backlog - (2 * facts.World.WorstLateness.Ticks);
        var pulled = ticks - TimeSpan.FromMilliseconds(facts.World.KernelOptions.Pulls.TimeoutMs).Ticks - (2 * Slack) - (2 * facts.World.WorstLateness.Ticks);
        foreach (var link in facts.CallerLinks)
        {
            if (link.KernelSide.Owner != facts.Holder || link.JammedTicks > ticks - Slack || facts.World.IsBroken(link.Peer)) continue;

            // Whose window is full of what waits has to wait behind it.
            if (link.Questions.Count > facts.World.KernelOptions.Links.WindowPerCaller) continue;
            foreach (var question in link.Questions.Values)
            {
                var (asked, about, waitMs, action) = (question.RoomTicks, question.CommandId, question.WaitMs, question.Action);

                // What comes on a link whose caller does not read waits until it does.
                if (action is OrkAction.TelemetryPull or OrkAction.StatePull && Math.Max(Math.Max(asked, link.JammedTicks), facts.AwakeTicks) < pulled) facts.Violated(this, $"The kernel took a {action} of {link.Peer} {SimDefaults.Seconds(ticks - asked)} s ago, and has not answered.");
                if (Math.Max(asked + TimeSpan.FromMilliseconds(Math.Min(waitMs, CommandQueryPayload.MaxWaitMs)).Ticks, _diskTicks) < until && asked > facts.AwakeTicks) facts.Violated(this, $"The kernel took a question of {link.Peer} {(about is null ? "" : $"about {about} ")}{SimDefaults.Seconds(ticks - asked)} s ago, and has not answered.");
            }
        }
    }

    /// <summary>A caller that knocks is let in or turned away at once: nobody waits for a place.</summary>
    private void CheckDoor(long ticks, Facts facts)
    {
        if (!facts.IsServed) return;
        var until = ticks - Slack - facts.World.WorstLateness.Ticks;
        foreach (var link in facts.CallerLinks)
        {
            var door = link.KernelSide;
            if (!door.IsAccepted && door.IsOpen && door.Owner == facts.Holder && Math.Max(link.OpenedTicks, facts.AwakeTicks) < until) facts.Violated(this, $"{link.Peer} is neither let in nor turned away by {door.Owner} for {SimDefaults.Seconds(ticks - link.OpenedTicks)} s.");
        }
    }

    private void CheckWorkers(long ticks, Facts facts)
    {
        var patience = TimeSpan.FromMilliseconds(SimDefaults.Worker.QueryTimeoutMs).Ticks + Slack + (2 * facts.World.WorstLateness.Ticks);
        foreach (var link in facts.WorkerLinks)
        {
            if (link.Peer is not { IsUp: true, Frozen: false } worker || !link.KernelSide.Other.IsOpen || !facts.World.IsHonest(worker.Name)) continue;
            foreach (var (correlation, (asked, about, _, _, _)) in link.Questions)
            {
                if (about is null && ticks - Math.Max(asked, worker.AwakeTicks) > patience) facts.Violated(this, $"{worker} took {(link.Outstanding.TryGetValue(correlation, out var question) ? question.Action : "a question")} {SimDefaults.Seconds(ticks - asked)} s ago, and has not answered.");
            }
        }
    }

    /// <summary>
    /// A call that was given up was at work in the kernel, or could not reach it: the kernel was away, something cut the caller off, or links were lost again and again.
    /// </summary>
    private void CheckGivenUp(SimNode caller, string what, long asked, Facts facts)
    {
        if (IsCut(asked, facts) || !facts.IsServed || Math.Max(facts.AwakeTicks, facts.HeldSinceTicks) > asked) return;

        // One link that was lost is no excuse, but for who has only just lost it.
        var (last, previous) = _lost.GetValueOrDefault(caller);
        if (previous > asked || last > facts.NowTicks - Reopening) return;
        if (facts.World.Store.Stalled || facts.World.Store.Full || facts.World.Scenario.Workload.Timeout < Patience) return;
        var entered = facts.CallerLinks.Count(static link => link.GreetingTaken);
        foreach (var link in facts.CallerLinks)
        {
            // What lies before a door that has room is no excuse.
            if (!link.GreetingTaken && facts.NowTicks - link.OpenedTicks > Backlog && entered < facts.World.KernelOptions.Links.MaxCallers) continue;
            if (link.Peer == caller && (link.Questions.Count > 0 || link.KernelSide.HasMore || link.KernelSide.Other.HasMore)) return;
        }

        if (HangsOnADeadLink(caller, asked, facts)) return;
        facts.Violated(this, $"A call of {caller} ({what}) was given up, and the kernel, which served all the while, has no question of this caller.");
    }

    /// <summary>What was sent to a machine that had just died is lost, and a caller takes a call's time to find out.</summary>
    private static bool HangsOnADeadLink(SimNode caller, long asked, Facts facts) =>
        caller.Connections.Exists(link => link is { IsOpen: true, HasMore: true, Other.DiedTicks: { } died } && asked - died < (facts.World.Scenario.Workload.Timeout.Ticks + Slack));

    private void Check(long ticks, Facts facts)
    {
        foreach (var (what, _, until, node) in _open.Values)
        {
            if (until < ticks && !node.Frozen) facts.Violated(this, $"A call of {node} ({what}) has not ended in its time.");
        }
    }
}
