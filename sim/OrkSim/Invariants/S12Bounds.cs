using Ork.Kernel;
using Ork.Protocol;

namespace OrkSim;

/// <summary>S12: open and settled commands, windows, registrations, pulls, polls, links and handlers stay within their limits, nothing is put on a link that is full, and a Worker that has no place for more is sent no more.</summary>
public sealed class Bounds : IInvariant
{
    /// <inheritdoc/>
    public string Id => "S12";

    /// <inheritdoc/>
    public string Says => "Open and settled commands, windows, registrations, pulls, polls, links and handlers stay within their limits, nothing is put on a link that is full, and a Worker that has no place for more is sent no more.";

    /// <inheritdoc/>
    public SimEventKind Hears => SimEventKind.CommitSubmitted | SimEventKind.CommitDurable | SimEventKind.FrameSent | SimEventKind.FrameTaken | SimEventKind.Handled | SimEventKind.Pulse;

    // An envelope around a query, and a caller's own id in it.
    private const int EnvelopeBytes = 400;

    /// <summary>Characters of a Worker's error that are kept.</summary>
    internal const int MostOfAnError = 1_024;

    // Links that ended while the list was made, and are not forgotten yet.
    private const int MostEnding = 12;

    // One in use, and some that were given up one after the other while calls were under way on them.
    private const int MostClientLinks = 4;

    private static readonly long Journals = TimeSpan.FromMilliseconds(500).Ticks;

    private static readonly long Moment = TimeSpan.FromMilliseconds(250).Ticks;
    private static readonly long Blink = TimeSpan.FromMilliseconds(50).Ticks;

    private readonly WorkerPlaces _places = new();
    private readonly Dictionary<string, int> _inFlight = new(StringComparer.Ordinal);
    private readonly Dictionary<SimConnection, long> _askedTicks = [];
    private readonly Dictionary<SimNode, Queue<long>> _askedOf = [];
    private readonly Dictionary<SimNode, int> _ofPeer = [];
    private int _linked;

    /// <inheritdoc/>
    public void Hear(in SimEvent happened, Facts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        if (happened.Kind == SimEventKind.Handled)
        {
            if (happened.Handling is null) CheckHandlers(happened.Node!, facts);
        }
        else if (happened.Kind == SimEventKind.CommitSubmitted)
        {
            if (happened.Node == facts.Holder) CheckTurn(happened.Batch!, facts);
        }
        else if (happened.Kind == SimEventKind.Pulse)
        {
            CheckPolls(facts);
            CheckClients(facts);
            CheckUntold(facts);
            CheckPlaces(facts);
            CheckDevices(facts);
            CheckStrangers(facts);
        }
        else if (happened.Kind == SimEventKind.CommitDurable)
        {
            if (happened.Batch!.ChangedCommands.Count + happened.Batch.NewCommands.Count > 0) CheckCommands(facts);
            foreach (var row in happened.Batch.ChangedCommands) CheckResult(row, facts);
            foreach (var row in happened.Batch.NewCommands)
            {
                CheckLine(row, facts);
                CheckQueue(row.WorkerId, facts);
                CheckShares(row, happened.Batch, facts);
            }
        }
        else if (happened.Kind == SimEventKind.FrameTaken)
        {
            if (happened.Node == facts.Holder && happened.Connection!.Facts is { Peer.Kind: NodeKind.Caller } caller) CheckCaller(caller, in happened, facts);
            else if (happened is { Node.Kind: NodeKind.Worker, Frame: FrameKind.Request }) AskedOf(happened.Node).Enqueue(happened.Ticks);
            else if (happened.Node == facts.Holder && _places.Took(in happened, facts) is { } hammered) facts.Violated(this, hammered);
        }
        else if (happened is { Node.Kind: NodeKind.Worker, Message: { Action: OrkAction.CommandResult } answer })
        {
            if (answer.Result.Length > SimDefaults.Worker.MaxResultBytes && facts.World.IsHonest(happened.Node.Name)) facts.Violated(this, $"{happened.Node} answers with a result of {answer.Result.Length} bytes; {SimDefaults.Worker.MaxResultBytes} may be.");
        }
        else if (happened is { Node.Kind: NodeKind.Worker, Message.Action: OrkAction.TelemetryResponse })
        {
            if (happened.Payload.Length > SimDefaults.Worker.MaxResultBytes + EnvelopeBytes && facts.World.IsHonest(happened.Node.Name)) facts.Violated(this, $"{happened.Node} answers a query with {happened.Payload.Length} bytes; {SimDefaults.Worker.MaxResultBytes} may be.");
        }
        else if (happened is { Node.Kind: NodeKind.Caller, Frame: FrameKind.Request })
        {
            _askedTicks[happened.Connection!] = happened.Ticks;
            if (happened.Connection!.JammedTicks < happened.Ticks - Moment && !facts.World.IsBroken(happened.Node)) facts.Violated(this, $"{happened.Node} asks on, and its link has been full for {SimDefaults.Seconds(happened.Ticks - happened.Connection.JammedTicks!.Value)} s.");
        }
        else if (happened is { Node.Kind: NodeKind.Kernel, Frame: FrameKind.Goodbye })
        {
            CheckTurnedAway(in happened, facts);
        }
        else if (happened.Node == facts.Holder && happened.Message is { } message)
        {
            if (message.Action == OrkAction.IdentityRequest) CheckRegistrations(facts);
            else if (happened.Frame == FrameKind.Request && message.Action is OrkAction.TelemetryPull or OrkAction.StatePull) CheckPulls(happened.Connection!.Facts!, in happened, facts);
            else if (happened.Frame == FrameKind.Request && message.Action == OrkAction.CommandRequest)
            {
                CheckJam(happened.Connection!, facts);
                if (_places.Sent(in happened, facts) is { } tooMany) facts.Violated(this, tooMany);
            }
            else if (message.Action == OrkAction.WorkerListResponse && message.Listing.TryGetProperty("kernel", out var kernel)) CheckTold(kernel, happened.Connection!.Facts!.Questions.TryGetValue(happened.Correlation, out var asked) ? asked.Ticks : 0, facts);
        }
    }

    /// <summary>Callers are turned away where as many are linked as may be, and not before; one that has a place gives way to another only when it has been idle.</summary>
    private void CheckTurnedAway(in SimEvent goodbye, Facts facts)
    {
        if (goodbye.Connection!.Facts is not { Peer.Kind: NodeKind.Caller } link || goodbye.Payload.Span.IndexOf("ERR_TOO_MANY_LINKS"u8) < 0) return;
        var kernel = goodbye.Node;
        var others = facts.CallerLinks.Count(other => other != link && other.KernelSide.Owner == kernel);
        var most = facts.World.KernelOptions.Links.MaxCallers;
        if (others + MostEnding < most) facts.Violated(this, $"{link.Peer} is turned away, and {others} callers are linked; {most} may be.");
        if (!link.GreetingTaken)
        {
            // One that has not greeted for long is idle like any other, and may be the one that gives way.
            if (facts.NowTicks - link.OpenedTicks >= TimeSpan.FromMilliseconds(facts.World.KernelOptions.Links.IdleCallerMs).Ticks) return;
            if (facts.CallerLinks.Find(other => other.KernelSide.Owner == kernel && IsIdle(other, facts)) is { } idler) facts.Violated(this, $"{link.Peer} is turned away, and {idler.Peer}, which is linked, has asked nothing for {SimDefaults.Seconds(facts.NowTicks - idler.AnsweredTicks)} s.");
            return;
        }

        // What a caller asks that does not read its answers is not under way, and a kernel that stood still has yet to read what came meanwhile.
        var longest = !link.KernelSide.IsDrained ? 0 : link.Questions.Values.Select(question => facts.NowTicks - Math.Max(question.Ticks, kernel!.AwakeTicks)).DefaultIfEmpty().Max();
        var idle = facts.NowTicks - link.AnsweredTicks;
        if (longest > Blink + (2 * facts.World.WorstLateness.Ticks)) facts.Violated(this, $"{link.Peer} is to give way to another caller, and has waited for an answer for {SimDefaults.Seconds(longest)} s.");
        else if (idle < TimeSpan.FromMilliseconds(facts.World.KernelOptions.Links.IdleCallerMs - 1).Ticks) facts.Violated(this, $"{link.Peer} is to give way to another caller, and was answered {SimDefaults.Seconds(idle)} s ago.");
    }

    /// <summary>True of a caller that surely has had nothing under way for so long that it has to give way.</summary>
    private static bool IsIdle(LinkFacts link, Facts facts) =>
        link.GreetingTaken && link.Questions.Count == 0 && link.KernelSide is { IsOpen: true, HasMore: false, Other.IsOpen: true }
        && facts.NowTicks - Math.Max(link.AnsweredTicks, facts.Holder?.AwakeTicks ?? 0) > TimeSpan.FromMilliseconds(facts.World.KernelOptions.Links.IdleCallerMs).Ticks + Moment;

    /// <summary>A client's older link is closed with the last call that waits on it.</summary>
    private void CheckOlder(SimNode caller, Facts facts)
    {
        var longest = facts.World.Scenario.Workload.Timeout.Ticks + TimeSpan.FromMilliseconds(CommandQueryPayload.MaxWaitMs).Ticks + (4 * Moment) + (2 * facts.World.WorstLateness.Ticks);
        var newest = caller.Connections.MaxBy(static link => link.Link);
        foreach (var link in caller.Connections)
        {
            if (link == newest || !_askedTicks.TryGetValue(link, out var asked) || facts.NowTicks - asked <= longest) continue;
            facts.Violated(this, $"{caller} keeps an older link, on which nothing was asked for {SimDefaults.Seconds(facts.NowTicks - asked)} s.");
        }
    }

    private void CheckCommands(Facts facts)
    {
        var options = facts.World.KernelOptions.Commands;
        if (facts.Open.Count > options.MaxOpen) facts.Violated(this, $"{facts.Open.Count} commands are open; {options.MaxOpen} may be.");
        if (facts.Settled > options.MaxSettled) facts.Violated(this, $"{facts.Settled} settled commands are kept; {options.MaxSettled} may be.");
        _inFlight.Clear();
        var bytes = 0L;
        foreach (var command in facts.Open.Values)
        {
            bytes += command.Row.Spec.RequestBytes;
            if (command.Row.State is not (CommandState.Dispatched or CommandState.Executing)) continue;
            var count = _inFlight[command.Row.WorkerId] = _inFlight.GetValueOrDefault(command.Row.WorkerId) + 1;
            if (count > options.WindowPerWorker) facts.Violated(this, $"{count} commands are in flight at {command.Row.WorkerId}; {options.WindowPerWorker} may be.");
        }

        if (bytes > options.MaxOpenBytes) facts.Violated(this, $"What is open takes {bytes} bytes; {options.MaxOpenBytes} may be.");
    }

    /// <summary>While a turn has too much to record nothing is accepted; each command has a line of the log, and itself.</summary>
    private void CheckTurn(CommitBatch batch, Facts facts)
    {
        var most = facts.World.KernelOptions.Loop.PendingRecordLimit / 2;
        foreach (var row in batch.Devices)
        {
            if (batch.Devices.Count(other => other.DeviceId == row.DeviceId) == 1 && !batch.RemovedDevices.Contains(row.DeviceId) && facts.Owners.GetValueOrDefault(row.DeviceId) == row.WorkerId && facts.States[row.DeviceId].State.Span.SequenceEqual(row.State.Span)) facts.Violated(this, $"The state of {row.DeviceId} is written again, and has not changed.");
        }

        if (batch.NewCommands.Count > most + 1) facts.Violated(this, $"{batch.NewCommands.Count} commands are accepted in one turn; {most} may be.");
    }

    /// <summary>What a Worker owns counts, however many turns it took to claim it.</summary>
    private void CheckDevices(Facts facts)
    {
        var most = facts.World.KernelOptions.Links.MaxDevicesPerWorker;
        if (facts.Owners.Count <= most) return;
        foreach (var worker in facts.Owners.Values.CountBy(static worker => worker, StringComparer.Ordinal))
        {
            if (worker.Value > most) facts.Violated(this, $"{worker.Key} owns {worker.Value} devices; {most} may be.");
        }
    }

    private void CheckLine(in CommandRow row, Facts facts)
    {
        var limit = facts.World.KernelOptions.Commands.MaxOpenPerDevice;
        if (facts.Open.Count <= limit) return;
        foreach (var device in row.Spec.Targets ?? [row.Spec.DeviceId!])
        {
            var depth = facts.Open.Values.Count(command => command.Row.Spec.Targets?.Contains(device) ?? command.Row.Spec.DeviceId == device);
            if (depth > limit) facts.Violated(this, $"{depth} commands are open at {device}; {limit} may be.");
        }
    }

    private void CheckResult(in CommandRow row, Facts facts)
    {
        var most = facts.World.KernelOptions.Commands.MaxResultBytes;
        if (row.Result.Length > most) facts.Violated(this, $"A result of {row.Result.Length} bytes is kept of {row.Spec.CommandId}; {most} may be.");
        if (row.Error?.Length > MostOfAnError) facts.Violated(this, $"An error of {row.Error.Length} characters is kept of {row.Spec.CommandId}; {MostOfAnError} may be.");
    }

    /// <summary>Commands that follow their devices to a Worker come on top of those that it may have.</summary>
    private void CheckQueue(string workerId, Facts facts)
    {
        var limit = facts.World.KernelOptions.Commands.MaxOpenPerWorker;
        if (facts.Open.Count <= limit) return;
        var depth = facts.Open.Values.Count(command => command.Row.WorkerId == workerId && command.FirstWorkerId == workerId);
        if (depth > limit) facts.Violated(this, $"{depth} commands are open at {workerId}; {limit} may be.");
    }

    /// <summary>A caller is not let in once he has his share of what is left of a queue (dynamic threshold). What the same turn ended or moved may have come before or after.</summary>
    private void CheckShares(CommandRow row, CommitBatch batch, Facts facts)
    {
        var options = facts.World.KernelOptions.Commands;
        if (row.Spec.Priority == CommandPriority.Urgent || facts.Open.Count <= options.MaxOpenPerDevice * options.FairShare / (options.FairShare + 1)) return;
        var changed = batch.ChangedCommands.Select(static other => other.Seq).ToHashSet();
        var before = facts.Open.Values.Where(other => other.Row.Seq < row.Seq && !changed.Contains(other.Row.Seq)).ToArray();
        CheckShare("all", before, options.MaxOpen);
        CheckShare(row.WorkerId, before.Where(other => other.Row.WorkerId == row.WorkerId), options.MaxOpenPerWorker);
        foreach (var device in row.Spec.Targets ?? [row.Spec.DeviceId!]) CheckShare(device, before.Where(other => Holds(other, device)), options.MaxOpenPerDevice);

        void CheckShare(string where, IEnumerable<CommandFacts> queue, int limit)
        {
            var (total, own) = (0, 0);
            foreach (var other in queue)
            {
                total++;
                if (other.Row.Spec.Caller == row.Spec.Caller) own++;
            }

            if (own > 0 && own >= options.FairShare * (limit - total)) facts.Violated(this, $"{row.Spec.CommandId} is accepted of {row.Spec.Caller}, who has {own} of {total} commands that are open at {where}; {limit} may be.");
        }
    }

    private static bool Holds(CommandFacts command, string device)
    {
        for (var i = 0; i < command.DeviceCount; i++)
        {
            if (command.Device(i) == device) return true;
        }

        return false;
    }

    private void CheckRegistrations(Facts facts)
    {
        var options = facts.World.KernelOptions.Links;
        // The kernel counts whole milliseconds.
        var since = facts.NowTicks - TimeSpan.FromMilliseconds(Math.Min(options.PatienceMs, options.RegistrationTimeoutMs) - 1).Ticks;
        var count = 0;
        foreach (var link in facts.WorkerLinks)
        {
            // A terminated Worker's place is free at once, its link is closed when that is durable.
            if (link.KernelSide.Owner == facts.Holder && !facts.World.IsGone(link.Peer.Name) && link.IsRegistering(since)) count++;
        }

        if (count > options.MaxRegistrations) facts.Violated(this, $"{count} registrations are under way; {options.MaxRegistrations} may be.");
    }

    /// <summary>A query's handler is told when its time is over: one that listens runs no longer.</summary>
    private void CheckUntold(Facts facts)
    {
        var time = LongestHandling(facts) + Moment + (2 * facts.World.WorstLateness.Ticks);
        foreach (var worker in facts.World.Workers)
        {
            if (worker.Node is { IsUp: true, Frozen: false } node && facts.NowTicks - node.AwakeTicks > time && worker.AtWork.IsUntold(facts.NowTicks - time)) facts.Violated(this, $"A handler at {node} runs past its time, and was not told.");
        }
    }

    /// <summary>The longest time that a handler has, be it a query's or a command's.</summary>
    private static long LongestHandling(Facts facts) => Math.Max(TimeSpan.FromMilliseconds(facts.World.WorkerOptions.QueryTimeoutMs).Ticks, facts.World.Attempts.Longest.Ticks);

    /// <summary>A handler's place is taken by what runs, or was begun or ended lately: its journal is written before and after.</summary>
    private void CheckPlaces(Facts facts)
    {
        var writes = 2 * facts.World.Scenario.Fleet.JournalWrite.Max.Ticks;
        var since = facts.NowTicks - writes - (4 * Moment) - (2 * facts.World.WorstLateness.Ticks);
        if (facts.World.Ports.Worker is not null) return;
        foreach (var worker in facts.World.Workers)
        {
            var asked = AskedOf(worker.Node);
            while (asked.TryPeek(out var ticks) && ticks < since) asked.Dequeue();
            if (worker.Node is not { IsUp: true, Frozen: false } node || node.AwakeTicks > since || worker.Runtime is not { } runtime) continue;
            var running = worker.AtWork.AndEndedSince(since);
            if (runtime.HandlersOverdue > running) facts.Violated(this, $"{runtime.HandlersOverdue} handlers are counted as past their time at {node}, where {running} run or ended lately.");
            if (PastTheirTime(worker, facts) is var late && late > runtime.HandlersOverdue) facts.Violated(this, $"{late} handlers are past their time at {node}, and {runtime.HandlersOverdue} are counted.");
            var most = asked.Count + running;
            if (runtime.HandlersAtWork > most) facts.Violated(this, $"{runtime.HandlersAtWork} handlers' places are taken at {node}, where {most} can be at work.");
        }
    }

    private static int PastTheirTime(SimWorker worker, Facts facts)
    {
        var since = facts.NowTicks - LongestHandling(facts) - Moment - (2 * facts.World.WorstLateness.Ticks);
        return worker.AtWork.Before(since, areQueries: false) + worker.AtWork.Before(since, areQueries: true);
    }

    /// <summary>A kernel has one link with each Worker, and those that have not greeted yet: whoever does not greet as he should is let go.</summary>
    private void CheckStrangers(Facts facts)
    {
        if (facts.Holder is not { IsUp: true, Frozen: false } kernel || facts.WorkerLinks.Count <= facts.World.Workers.Count) return;
        var links = facts.World.KernelOptions.Links;
        var since = facts.NowTicks - TimeSpan.FromMilliseconds(Math.Max(links.HandshakeTimeoutMs, links.DialTimeoutMs)).Ticks - (2 * Moment) - (2 * facts.World.WorstLateness.Ticks);
        if (facts.AwakeTicks > since) return;
        _ofPeer.Clear();
        foreach (var link in facts.WorkerLinks)
        {
            if (link.KernelSide.Owner != kernel || !link.KernelSide.IsOpen || link.OpenedTicks > since) continue;
            var count = _ofPeer[link.Peer] = _ofPeer.GetValueOrDefault(link.Peer) + 1;
            if (count > 1) facts.Violated(this, $"{count} links with {link.Peer} have been open for longer than greetings may take; one may be.");
        }
    }

    private Queue<long> AskedOf(SimNode worker)
    {
        if (!_askedOf.TryGetValue(worker, out var asked)) _askedOf.Add(worker, asked = new Queue<long>());
        return asked;
    }

    /// <summary>A client has the link that it uses, and those it no longer begins anything on until what is under way there has ended.</summary>
    private void CheckClients(Facts facts)
    {
        foreach (var caller in facts.World.Callers)
        {
            if (caller is { Broken: false, Node.Connections.Count: > 1 }) CheckOlder(caller.Node, facts);
            if (caller is { Broken: false, Node.Connections.Count: > MostClientLinks }) facts.Violated(this, $"{caller.Node} has {caller.Node.Connections.Count} links open.");
        }
    }

    /// <summary>A caller's requests that the kernel took and has not answered; it takes one more before it sees that its window is full.</summary>
    private void CheckCaller(LinkFacts link, in SimEvent taken, Facts facts)
    {
        var limit = facts.World.KernelOptions.Links.WindowPerCaller;

        // The one that was being waited for, and the one before it, which was being handed in.
        if (taken.Frame == FrameKind.Request && taken.Connection!.TakenWhileJammed > 2) facts.Violated(this, $"{link.Peer} does not read its answers, and {taken.Connection.TakenWhileJammed} more requests of it are taken.");
        if (link.Questions.Count > limit + 1) facts.Violated(this, $"{link.Questions.Count} requests of {link.Peer} are under way; {limit} may be.");
    }

    /// <summary>Callers' pulls at one Worker, and the schedule's two.</summary>
    private void CheckPulls(LinkFacts link, in SimEvent sent, Facts facts)
    {
        const int scheduled = 2;
        var options = facts.World.KernelOptions.Pulls;
        if (sent.Payload.Length > options.MaxQueryBytes + EnvelopeBytes) facts.Violated(this, $"{sent.Payload.Length} bytes are passed on to {link.Peer}; a query may have {options.MaxQueryBytes}.");
        CheckAllPulls(facts);
        var since = facts.NowTicks - TimeSpan.FromMilliseconds(options.TimeoutMs - 1).Ticks;
        var count = link.Outstanding.Values.Count(asked => asked.Action is OrkAction.TelemetryPull or OrkAction.StatePull && asked.Ticks > since);
        if (count > options.WindowPerWorker + scheduled) facts.Violated(this, $"{count} pulls are under way at {link.Peer}; {options.WindowPerWorker} may be, and the schedule's {scheduled}.");
    }

    /// <summary>Pulls of callers at all Workers, and the schedule's.</summary>
    private void CheckAllPulls(Facts facts)
    {
        var options = facts.World.KernelOptions;
        var since = facts.NowTicks - TimeSpan.FromMilliseconds(options.Pulls.TimeoutMs - 1).Ticks;
        var (scheduled, forwarded) = (0, 0);
        foreach (var link in facts.WorkerLinks)
        {
            if (link.KernelSide.Owner != facts.Holder || facts.World.IsGone(link.Peer.Name)) continue;
            foreach (var (correlation, asked) in link.Outstanding)
            {
                if (asked.Action is not (OrkAction.TelemetryPull or OrkAction.StatePull) || asked.Ticks <= since) continue;
                if (link.Forwarded.Contains(correlation)) forwarded++;
                else scheduled++;
            }
        }

        if (forwarded > options.Pulls.MaxPulls) facts.Violated(this, $"{forwarded} pulls of callers are under way; {options.Pulls.MaxPulls} may be.");
        if (scheduled > options.Schedule.MaxPulls) facts.Violated(this, $"{scheduled} scheduled pulls are under way; {options.Schedule.MaxPulls} may be.");
    }

    /// <summary>A kernel is told that a link is full; what it decides after that waits.</summary>
    private void CheckJam(SimConnection link, Facts facts)
    {
        if (link.JammedTicks is { } since && since + Moment < facts.ReleasedSince(link.Owner) && facts.AwakeTicks + Moment < facts.NowTicks) facts.Violated(this, $"A command is put on the link of {link.Other.Owner}, which has been full for {SimDefaults.Seconds(facts.NowTicks - since)} s.");
    }

    /// <summary>Long polls beyond the limit are answered at once, which is after a commit.</summary>
    private void CheckPolls(Facts facts)
    {
        if (!facts.IsServed || facts.CommitInFlight || facts.AwakeTicks > facts.NowTicks - TimeSpan.FromSeconds(2).Ticks) return;
        var since = Math.Min(facts.NowTicks - TimeSpan.FromSeconds(2).Ticks, facts.DurableTicks);
        var waiting = facts.CallerLinks.Where(link => link.KernelSide.Owner == facts.Holder && !link.KernelSide.IsCongested).Sum(link => link.PollsBefore(since));

        // Each caller's link may hold one more that has no place in its window yet.
        if (waiting > facts.World.KernelOptions.Commands.MaxWaiters + facts.CallerLinks.Count) facts.Violated(this, $"{waiting} long polls wait; {facts.World.KernelOptions.Commands.MaxWaiters} may.");
    }

    /// <summary>A Worker's handlers within their time, and those past it. Of what is past its time there is as much as may be, and what ran beside it when that was reached.</summary>
    private void CheckHandlers(SimNode node, Facts facts)
    {
        if (facts.World.Workers.First(worker => worker.Node == node) is not { Mischief: null, AtWork: { } atWork }) return;
        var options = facts.World.WorkerOptions;

        // A command's time runs from its request, and the journal comes before its handler.
        var inTime = facts.NowTicks - Math.Min(TimeSpan.FromMilliseconds(options.QueryTimeoutMs).Ticks, facts.World.Attempts.Shortest.Ticks) + TimeSpan.TicksPerMillisecond + Journals;
        if (atWork.Since(inTime) is var running && running > options.MaxHandlers) facts.Violated(this, $"{running} handlers run at {node}; {options.MaxHandlers} may.");
        var overdue = facts.NowTicks - LongestHandling(facts) - TimeSpan.TicksPerMillisecond - (2 * facts.World.WorstLateness.Ticks);
        var most = options.MaxOverdueHandlers + options.MaxHandlers;
        foreach (var areQueries in (ReadOnlySpan<bool>)[false, true])
        {
            if (atWork.Before(Math.Min(overdue, node.AwakeTicks), areQueries) is var late && late > most) facts.Violated(this, $"{late} handlers of {(areQueries ? "queries" : "commands")} at {node} are past their time; {most} may be.");
        }
    }

    private void CheckTold(System.Text.Json.JsonElement kernel, long askedTicks, Facts facts)
    {
        var options = facts.World.KernelOptions;
        Check("openCommands", options.Commands.MaxOpen);
        Check("settledRetained", options.Commands.MaxSettled);
        Check("registering", options.Links.MaxRegistrations);
        Check("pullsInFlight", options.Schedule.MaxPulls + options.Pulls.MaxPulls);
        Check("openBytes", kernel.GetProperty("openCommands").GetInt64() == 0 ? 0 : options.Commands.MaxOpenBytes);

        // One that has just woken clears away what ended while it slept, and an answer that waited for the disk tells of the links that there were when it was made.
        if (facts.AwakeTicks + Moment < facts.NowTicks && askedTicks + Moment > facts.NowTicks) Check("links", Math.Max(facts.WorkerLinks.Count + facts.CallerLinks.Count, _linked) + MostEnding);
        _linked = facts.WorkerLinks.Count + facts.CallerLinks.Count;

        // What was under way when the question came, and is still, and in its time, was under way when the answer was made.
        if (facts.AwakeTicks + Moment < askedTicks)
        {
            var registrations = facts.NowTicks - TimeSpan.FromMilliseconds(Math.Min(options.Links.PatienceMs, options.Links.RegistrationTimeoutMs) - 1).Ticks;
            var pulls = facts.NowTicks - TimeSpan.FromMilliseconds(options.Pulls.TimeoutMs - 1).Ticks;
            CheckLeast("registering", UnderWay(link => link.IsRegistering(registrations, askedTicks) ? 1 : 0));
            CheckLeast("pullsInFlight", UnderWay(link => link.Outstanding.Values.Count(asked => asked.Action is OrkAction.StatePull or OrkAction.TelemetryPull && asked.Ticks < askedTicks && asked.Ticks > pulls)));
        }

        int UnderWay(Func<LinkFacts, int> count) => facts.WorkerLinks.Where(link => link.KernelSide.Owner == facts.Holder && !facts.World.IsGone(link.Peer.Name)).Sum(count);

        void CheckLeast(string figure, long least)
        {
            if (kernel.GetProperty(figure).GetInt64() is var told && told < least) facts.Violated(this, $"The kernel tells {figure} {told}; {least} are under way.");
        }

        void Check(string figure, long limit)
        {
            if (kernel.GetProperty(figure).GetInt64() is var told && told > limit) facts.Violated(this, $"The kernel tells {figure} {told}; {limit} may be.");
        }
    }
}
