using Ork.Protocol;

namespace OrkSim;

/// <summary>
/// S25: who lost a link that served tries again at once, who fails, be it a link or a store, tries less and less often; a kernel dials only whom discovery names, a bounded number at a time, and gives up who is silent.
/// </summary>
public sealed class Reconnecting : IInvariant
{
    // That many in a row within the time: with pauses that grow, one run in a hundred million.
    private const int Many = 12;

    private const int MostHasty = 3;
    private const int LeastTold = 100;
    private static readonly long Blink = TimeSpan.FromMilliseconds(3).Ticks;

    /// <summary>What a kernel opens, beside links.</summary>
    internal const string Store = "the store";

    private static readonly long Moment = TimeSpan.FromMilliseconds(250).Ticks;
    private static readonly long Spell = TimeSpan.FromSeconds(1).Ticks;

    // A kernel's dials have the longer pauses, as they are usually configured.
    private static readonly long LongSpell = TimeSpan.FromSeconds(3.5).Ticks;

    /// <inheritdoc/>
    public string Id => "S25";

    /// <inheritdoc/>
    public string Says => "Who lost a link that served tries again at once, who fails, be it a link or a store, tries less and less often; a kernel dials only whom discovery names, a bounded number at a time, and gives up who is silent.";

    /// <inheritdoc/>
    public SimEventKind Hears => SimEventKind.Dialled | SimEventKind.LinkEnded | SimEventKind.Asked | SimEventKind.Answered | SimEventKind.FrameTaken | SimEventKind.FrameSent | SimEventKind.Note | SimEventKind.NodeUp | SimEventKind.NodeDown | SimEventKind.StoreOpened | SimEventKind.CommitDurable | SimEventKind.CommitFailed | SimEventKind.Pulse;

    private readonly Dictionary<(SimNode From, string To), Queue<long>> _tries = [];
    private readonly Dictionary<SimNode, long> _lost = [];
    private readonly Dictionary<string, long> _failed = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _lostDials = new(StringComparer.Ordinal);
    private int _hasty;
    private readonly Dictionary<SimNode, int> _served = [];
    private readonly HashSet<SimNode> _opened = [];
    private readonly CallerHaste _callers = new();
    private (long Served, long Failed) _store;

    /// <inheritdoc/>
    public void Hear(in SimEvent happened, Facts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        switch (happened.Kind)
        {
            case SimEventKind.Dialled:
                Tried(happened.Node!, happened.Subject!, happened.Ticks, facts);
                break;
            case SimEventKind.FrameTaken when happened.Frame is FrameKind.Request or FrameKind.Response && happened.Connection!.IsClient && _served.GetValueOrDefault(happened.Node!) != happened.Connection.Link:
                Serves(happened.Node!, happened.Connection);
                break;
            case SimEventKind.LinkEnded when happened.Node is { Kind: NodeKind.Worker } worker && happened.Connection!.IsClient && _served.GetValueOrDefault(worker) == happened.Connection.Link:
                _lost[worker] = happened.Ticks;
                break;
            // One that the caller itself closes was given up before: its pauses have begun.
            case SimEventKind.LinkEnded when happened.Node is { Kind: NodeKind.Caller } caller && happened.Connection!.IsClient && !happened.Connection.Other.IsOpen:
                _callers.LinkEnded(caller, happened.Connection.Link, happened.Connection.Facts?.Questions.Values.Any(static question => question.WaitMs == CommandQueryPayload.MaxWaitMs) == true, happened.Ticks);
                break;
            case SimEventKind.Asked:
                _callers.Asked(happened.Node!, happened.Subject == SimCaller.Waiting, happened.Ticks);
                break;
            case SimEventKind.Answered:
                _callers.Answered(happened.Node!, happened.Subject == SimCaller.Waiting, happened.Detail is null);
                break;
            case SimEventKind.LinkEnded when happened.Node == facts.Holder && happened.Connection is { IsClient: true, Facts: { IsRegistered: true } dialled }:
                if (facts.IsServed) _lostDials[dialled.Peer.Name] = happened.Ticks;
                break;
            case SimEventKind.FrameSent:
                if (happened.Node == facts.Holder && happened.Frame == FrameKind.Request && happened.Message is { Action: OrkAction.IdentityRequest or OrkAction.CapabilityRequest }) Registers(happened.Connection!.Other.Owner.Name, happened.Ticks, facts);
                break;
            case SimEventKind.Note when happened.Note == Ork.Kernel.KernelEvent.RegistrationRetry && happened.Node == facts.Holder:
                _failed[happened.Subject!] = happened.Ticks;
                break;
            case SimEventKind.StoreOpened:
                _lostDials.Clear();
                _failed.Clear();
                _store = default;
                _opened.Add(happened.Node!);
                BeginsAnew(happened.Node!, Store);
                break;
            case SimEventKind.NodeDown when _opened.Remove(happened.Node!) && happened.Detail?.StartsWith(ErrorCodes.StoreUnavailable.Code, StringComparison.Ordinal) == true:
                facts.Violated(this, $"{happened.Node} ends for a store that it had open and cannot open just then: {happened.Detail}");
                break;
            case SimEventKind.CommitDurable when happened.Node == facts.Holder && _store.Served == 0:
                _store.Served = happened.Ticks;

                // One that can be opened and not written is no better than one that cannot be opened.
                _tries.Remove((happened.Node!, Store));
                break;

            // One that reached the disk and failed all the same has not served.
            case SimEventKind.CommitFailed when happened.Node == facts.Holder && _store.Served > 0 && _store.Served < happened.Ticks:
                _store.Failed = happened.Ticks;
                break;
            case SimEventKind.NodeUp:
                _lost.Remove(happened.Node!);
                _callers.Forget(happened.Node!);
                _opened.Remove(happened.Node!);
                BeginsAnew(happened.Node!);
                break;
            case SimEventKind.Pulse when facts is { IsServed: true, Holder: { } kernel }:
                CheckPatience(kernel, happened.Ticks, facts);
                break;
        }
    }

    /// <summary>Pauses are not stored: whoever starts again, or recovers from its store, has not failed yet.</summary>
    private void BeginsAnew(SimNode node, string? but = null)
    {
        foreach (var (from, to) in _tries.Keys)
        {
            if (from == node && to != but) _tries.Remove((from, to));
        }
    }

    /// <summary>More than greetings came on a link: whoever opened it has what it tried for.</summary>
    private void Serves(SimNode node, SimConnection link)
    {
        _served[node] = link.Link;
        _callers.Serves(node, link.Link);
        var host = link.Other.Owner is { Kind: NodeKind.Kernel } ? "kernel" : link.Other.Owner.Name;
        foreach (var ((from, to), tries) in _tries)
        {
            if (from == node && to.Contains($"//{host}:", StringComparison.Ordinal)) tries.Clear();
        }
    }

    private void Tried(SimNode from, string to, long ticks, Facts facts)
    {
        if (!_tries.TryGetValue((from, to), out var tries)) _tries.Add((from, to), tries = []);
        tries.Enqueue(ticks);
        if (tries.Count > Many) tries.Dequeue();
        if (tries.Count == Many && ticks - tries.Peek() < (from.Kind == NodeKind.Kernel && to != Store ? DialSpell(facts) : Spell) && !facts.World.IsBroken(from)) facts.Violated(this, $"{from} has tried to open {to} {Many} times within {SimDefaults.Seconds(ticks - tries.Peek())} s.");
        if (from.Kind == NodeKind.Caller && _callers.Dawdled(from, ticks, facts) is { } dawdled) facts.Violated(this, dawdled);
        if (to == Store) CheckReopening(from, ticks, facts);
        if (from.Kind == NodeKind.Worker) CheckHaste(from, ticks, facts);
        else if (to != Store && from == facts.Holder) CheckDial(from, to, ticks, facts);
    }

    /// <summary>With shorter pauses as many tries are as unlikely within as much less time.</summary>
    private static long DialSpell(Facts facts)
    {
        var (usual, links) = (SimDefaults.Kernel.Links, facts.World.KernelOptions.Links);
        var share = Math.Min((double)links.RetryBaseMs / usual.RetryBaseMs, (double)links.RetryCapMs / usual.RetryCapMs);
        return (long)(LongSpell * Math.Min(1, share));
    }

    /// <summary>A kernel whose store had served opens it again at once.</summary>
    private void CheckReopening(SimNode kernel, long ticks, Facts facts)
    {
        var failed = _store.Failed;
        _store.Failed = 0;
        if (failed == 0 || kernel != facts.Holder || kernel.AwakeTicks > failed) return;
        if (ticks - failed > (2 * Moment) + (2 * facts.World.WorstLateness.Ticks)) facts.Violated(this, $"{kernel} has a store that served, and opens it again {SimDefaults.Seconds(ticks - failed)} s after it failed.");
    }

    /// <summary>A registration that failed is tried again after a pause that is drawn: hardly ever at once, and never again and again.</summary>
    private void Registers(string worker, long ticks, Facts facts)
    {
        if (!_failed.Remove(worker, out var failed)) return;
        // Of few milliseconds one pause in three is as good as none.
        if (facts.World.KernelOptions.Links.RetryBaseMs < LeastTold) return;
        _hasty = ticks - failed < Blink ? _hasty + 1 : 0;
        if (_hasty == MostHasty) facts.Violated(this, $"{worker} is asked again at once who it is and what it can, as were the {MostHasty - 1} before it whose answers were no good.");
    }

    private void CheckHaste(SimNode worker, long ticks, Facts facts)
    {
        if (!_lost.Remove(worker, out var lost)) return;
        var pause = TimeSpan.FromMilliseconds(SimDefaults.Worker.ReconnectBaseMs).Ticks + Moment + (2 * facts.World.WorstLateness.Ticks);
        if (ticks - Math.Max(lost, worker.AwakeTicks) > pause) facts.Violated(this, $"{worker} lost a link that served, and tries again after {SimDefaults.Seconds(ticks - lost)} s.");
    }

    /// <summary>A kernel, too, dials a Worker at once whose link had served, where it may and discovery names it.</summary>
    private void CheckHaste(SimNode kernel, string to, long ticks, Facts facts)
    {
        var worker = facts.World.Workers.FirstOrDefault(worker => worker.Options.Listen?.ToString() == to)?.Node.Name ?? "";
        if (!_lostDials.Remove(worker, out var lost) || facts.World.Scenario.Faults.Any(static fault => fault.Kind == WorkerReaddressedFault.Kind)) return;

        // One that was taken out of service had its link closed, and is in no hurry to be refused.
        if (facts.TerminatedTicks.ContainsKey(worker)) return;

        // One that was left out is dialled again when the kernel hears of it.
        var known = TimeSpan.FromMilliseconds(facts.World.KernelOptions.Links.DiscoveryIntervalMs).Ticks + Moment + (2 * facts.World.WorstLateness.Ticks);
        if (facts.World.Discovery.NamedSinceTicks(to) is not { } since || since > 0 && since > lost - known) return;
        var options = facts.World.KernelOptions.Links;

        // Those before it in line may let the kernel wait for a while each, as many at once as there are places.
        var line = facts.World.Discovery.Targets.Count / options.MaxDials * (TimeSpan.FromMilliseconds(options.PatienceMs).Ticks + (2 * facts.World.WorstLateness.Ticks));
        var pause = TimeSpan.FromMilliseconds(options.RetryBaseMs).Ticks + Moment + (2 * facts.World.WorstLateness.Ticks);
        if (kernel.AwakeTicks < lost && ticks - lost > pause + line) facts.Violated(this, $"{kernel} lost a link of {worker} that served, and dials again after {SimDefaults.Seconds(ticks - lost)} s.");
    }

    private void CheckDial(SimNode kernel, string to, long ticks, Facts facts)
    {
        var options = facts.World.KernelOptions.Links;
        var since = ticks - TimeSpan.FromMilliseconds(options.PatienceMs - 1).Ticks;
        if (kernel.Dials.Count(dial => dial.Ticks > since) is var dials && dials > options.MaxDials) facts.Violated(this, $"{kernel} dials {dials} Workers at once that have not let it wait; {options.MaxDials} may be.");
        CheckHaste(kernel, to, ticks, facts);
        var worker = facts.World.Workers.FirstOrDefault(worker => worker.Options.Listen?.ToString() == to)?.Node;

        // Where addresses change, one that is down, or was since, may have its link at another.
        var moves = facts.World.Scenario.Faults.Any(static fault => fault.Kind == WorkerReaddressedFault.Kind);
        if (worker is not null && (worker.IsUp || !moves) && facts.WorkerLinks.Exists(link => link.Peer == worker && link.KernelSide is { IsClient: true, IsOpen: true } side && side.Owner == kernel && link.GreetingTaken && ticks - link.OpenedTicks > Moment && (!moves || link.OpenedTicks > worker.AwakeTicks))) facts.Violated(this, $"{kernel} dials {to}, whose link it has.");
        var known = TimeSpan.FromMilliseconds(2 * options.DiscoveryIntervalMs).Ticks + Moment + (2 * facts.World.WorstLateness.Ticks);
        var named = Math.Max(facts.World.Discovery.NamedTicks(to) ?? 0, kernel.AwakeTicks);
        if (ticks - named > known) facts.Violated(this, $"{kernel} dials {to}, which discovery has not named for {SimDefaults.Seconds(ticks - named)} s.");
    }

    private void CheckPatience(SimNode kernel, long ticks, Facts facts)
    {
        var patience = TimeSpan.FromMilliseconds(facts.World.KernelOptions.Links.DialTimeoutMs).Ticks + Moment + (2 * facts.World.WorstLateness.Ticks);
        foreach (var (_, to, began) in kernel.Dials)
        {
            if (ticks - Math.Max(began, kernel.AwakeTicks) > patience) facts.Violated(this, $"{kernel} has dialled {to} for {SimDefaults.Seconds(ticks - began)} s.");
        }
    }
}
