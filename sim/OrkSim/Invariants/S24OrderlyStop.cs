using Ork.Kernel;

namespace OrkSim;

/// <summary>S24: a kernel that was told to stop takes no new command, begins no attempt, and gives what is in flight its time, records what it breaks off, and then ends; so does a Worker, which answers what it has begun.</summary>
public sealed class OrderlyStop : IInvariant
{
    // The kernel counts whole milliseconds.
    private static readonly long Slack = TimeSpan.FromMilliseconds(2).Ticks;

    private static readonly long Blink = TimeSpan.FromMilliseconds(20).Ticks;

    // More than a stall of the disk that no pulse has seen.
    private static readonly long Moment = TimeSpan.FromMilliseconds(350).Ticks;

    // Two commits, and the ends of all links.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(4);

    private readonly Dictionary<SimNode, long> _told = [];
    private readonly Dictionary<SimNode, long> _ending = [];
    private readonly HashSet<SimNode> _hasFailed = [];
    private readonly HashSet<SimNode> _idle = [];
    private readonly WorkerStops _workers = new();

    /// <inheritdoc/>
    public string Id => "S24";

    /// <inheritdoc/>
    public string Says => "A kernel that was told to stop takes no new command, begins no attempt, and gives what is in flight its time, records what it breaks off, and then ends; so does a Worker, which answers what it has begun.";

    /// <inheritdoc/>
    public SimEventKind Hears => SimEventKind.Note | SimEventKind.NodeUp | SimEventKind.NodeDown | SimEventKind.CommitSubmitted | SimEventKind.FrameTaken | SimEventKind.FrameSent | SimEventKind.Begun | SimEventKind.LinkEnded | SimEventKind.Pulse;

    /// <inheritdoc/>
    public void Hear(in SimEvent happened, Facts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        if (happened.Kind == SimEventKind.Pulse) CheckEnds(happened.Ticks, facts);
        if (happened.Node is { Kind: NodeKind.Worker } worker && facts.World.IsHonest(worker.Name) && _workers.Hear(worker, in happened) is { } wrong) facts.Violated(this, wrong);
        if (happened.Node is not { Kind: NodeKind.Kernel } kernel) return;
        if (happened.Kind is SimEventKind.NodeUp or SimEventKind.NodeDown)
        {
            _told.Remove(kernel);
            _ending.Remove(kernel);
            _hasFailed.Remove(kernel);
            _idle.Remove(kernel);
        }
        else if (happened is { Kind: SimEventKind.Note, Note: KernelEvent.Stopped })
        {
            if (_idle.Contains(kernel)) CheckHaste(kernel, happened.Ticks, facts);
            if (kernel == facts.Holder && !facts.CommitInFlight && !_hasFailed.Contains(kernel)) CheckLeft(kernel, facts);
        }
        else if (happened is { Kind: SimEventKind.Note, Note: KernelEvent.CommitFailed })
        {
            // What it last knew of what is in flight, it could not record.
            _hasFailed.Add(kernel);
            _idle.Remove(kernel);
        }
        else if (happened is { Kind: SimEventKind.Note, Note: KernelEvent.Draining })
        {
            _told[kernel] = _ending[kernel] = happened.Ticks;
            if (kernel == facts.Holder && !facts.CommitInFlight && !facts.Open.Values.Any(static command => IsInFlight(command.Row.State))) _idle.Add(kernel);
        }
        else if (happened.Batch is { } batch && _told.TryGetValue(kernel, out var told)) Check(batch, kernel, told, happened.Ticks, facts);
    }

    private void CheckEnds(long ticks, Facts facts)
    {
        CheckEnd(ticks, facts);
        foreach (var worker in facts.World.Workers)
        {
            if (facts.World.IsHonest(worker.Node.Name) && WorkerStops.StillUp(worker, ticks, facts.World.WorstLateness.Ticks) is { } late) facts.Violated(this, late);
        }
    }

    /// <summary>Its time is not counted while its disk stands still, or itself.</summary>
    private void CheckEnd(long ticks, Facts facts)
    {
        var store = facts.World.Store;
        if (store.Stalled) _idle.Clear();
        if (facts.World.KernelNode is { IsUp: true, StopTicks: { } asked } node && !_told.ContainsKey(node))
        {
            // It may be about to open its store.
            if (store.Stalled || node.Frozen) node.StopTicks = ticks;
            else if (ticks - asked > 2 * Patience.Ticks + (2 * facts.World.WorstLateness.Ticks)) facts.Violated(this, $"{node} was told to stop {SimDefaults.Seconds(ticks - asked)} s ago and goes on as if it had not been.");
        }

        foreach (var (kernel, since) in _ending)
        {
            if (store.Stalled || kernel.Frozen) _ending[kernel] = ticks;
            else if (ticks - since > TimeSpan.FromMilliseconds(facts.World.KernelOptions.Loop.DrainMs).Ticks + Patience.Ticks + (2 * facts.World.WorstLateness.Ticks)) facts.Violated(this, $"{kernel} was told to stop {SimDefaults.Seconds(ticks - since)} s ago and has not ended.");
        }
    }

    /// <summary>What it could not wait for any longer it leaves as broken off.</summary>
    private void CheckLeft(SimNode kernel, Facts facts)
    {
        foreach (var command in facts.Open.Values)
        {
            if (IsInFlight(command.Row.State)) facts.Violated(this, $"{kernel} has ended as it was told to, and leaves {command.Id} as {command.Row.State}.");
        }
    }

    private static bool IsInFlight(CommandState state) => state is CommandState.Dispatched or CommandState.Executing;

    /// <summary>One that has nothing in flight has nothing to wait for but its last commits.</summary>
    private void CheckHaste(SimNode kernel, long ticks, Facts facts)
    {
        var commits = 3 * facts.World.Store.Behaviour.MaxCommit.Ticks;
        if (kernel.AwakeTicks < _told[kernel] && ticks - _told[kernel] > commits + Moment + (2 * facts.World.WorstLateness.Ticks)) facts.Violated(this, $"{kernel} had nothing in flight when it was told to stop, and takes {SimDefaults.Seconds(ticks - _told[kernel])} s to end.");
    }

    private void Check(CommitBatch batch, SimNode kernel, long told, long ticks, Facts facts)
    {
        var isAfter = facts.DecidedSince(kernel) > told;
        if (isAfter && batch.NewCommands.Count > 0) facts.Violated(this, $"{kernel} was told to stop and takes {batch.NewCommands[0].Spec.CommandId}.");
        foreach (var row in batch.Log)
        {
            // Begun in the turn in which it was told.
            if (IsInFlight(row.To)) _idle.Remove(kernel);
            if (isAfter && row.To == CommandState.Dispatched) facts.Violated(this, $"{kernel} was told to stop and begins attempt {row.Attempt} of {facts.BySeq(row.CommandSeq)?.Id}.");
            if (row.To != CommandState.Timeout || LogLine.TriggerOf(in row) is not nameof(CommandTrigger.ShuttingDown)) continue;
            var drain = TimeSpan.FromMilliseconds(facts.World.KernelOptions.Loop.DrainMs).Ticks;

            // It is recorded when the time is over, and the commit that is under way then.
            var late = ticks - Math.Max(Math.Max(kernel.AwakeTicks, facts.DurableTicks), told + drain);
            if (late > Blink + (2 * facts.World.WorstLateness.Ticks)) facts.Violated(this, $"{kernel} was told to stop {SimDefaults.Seconds(ticks - told)} s ago and waited for {facts.BySeq(row.CommandSeq)?.Id} {SimDefaults.Seconds(late)} s longer than it may.");
            if (ticks - told < drain - Slack) facts.Violated(this, $"{kernel} was told to stop {SimDefaults.Seconds(ticks - told)} s ago and does not wait any longer for {facts.BySeq(row.CommandSeq)?.Id}.");
        }
    }
}
