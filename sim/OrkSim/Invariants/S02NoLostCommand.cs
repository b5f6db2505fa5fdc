using Ork.Kernel;
using Ork.Protocol;

namespace OrkSim;

/// <summary>S2: every command a caller was told is accepted is in the store until its retention ends, and not for long after.</summary>
public sealed class NoLostCommand : IInvariant
{
    /// <inheritdoc/>
    public string Id => "S2";

    /// <inheritdoc/>
    public string Says => "Every command a caller was told is accepted is in the store until its retention ends, and not for long after.";

    /// <inheritdoc/>
    public SimEventKind Hears => SimEventKind.FrameTaken | SimEventKind.FrameSent | SimEventKind.StoreOpened | SimEventKind.CommitApplying | SimEventKind.Pulse;

    private static readonly long Patience = TimeSpan.FromSeconds(3).Ticks;

    private readonly HashSet<string> _told = new(StringComparer.Ordinal);

    // In the order in which they settled, and when: since the earliest that it can have been decided, and on the disk.
    private readonly Queue<long> _settled = new();
    private readonly Dictionary<long, (long Since, long Applied)> _settledTicks = [];

    /// <inheritdoc/>
    public void Hear(in SimEvent happened, Facts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        switch (happened.Kind)
        {
            case SimEventKind.FrameTaken when happened.Node!.Kind == NodeKind.Caller && happened.Message is { Action: OrkAction.CommandResult, CommandId: { } id, Status: not CommandStatus.Rejected }:
                _told.Add(id);
                if (!facts.Commands.ContainsKey(id)) facts.Violated(this, $"A caller was told that {id} is accepted, and it is not on the disk.");
                break;
            case SimEventKind.FrameSent when happened.Node == facts.Holder && happened.Message is { Status: CommandStatus.Rejected, Error: { } error }:
                CheckNotFound(in happened, error, facts);
                break;
            case SimEventKind.StoreOpened:
                CheckImage(happened.Image!, facts);
                break;
            case SimEventKind.CommitApplying:
                CheckForgotten(happened.Node!, happened.Batch!, facts);
                foreach (var row in happened.Batch!.ChangedCommands.Then(happened.Batch.NewCommands))
                {
                    if (row.State is CommandState.Success or CommandState.Failed && _settledTicks.TryAdd(row.Seq, (facts.DecidedSince(happened.Node!), happened.Ticks))) _settled.Enqueue(row.Seq);
                }

                break;
            case SimEventKind.Pulse:
                CheckKept(happened.Ticks, facts);
                break;
        }
    }

    private void CheckNotFound(in SimEvent happened, string error, Facts facts)
    {
        if (!error.StartsWith(ErrorCodes.CommandNotFound.Code, StringComparison.Ordinal)) return;
        if (!happened.Connection!.Facts!.Questions.TryGetValue(happened.Correlation, out var asked) || asked.CommandId is not { } id) return;
        if (_told.Contains(id) && !facts.Commands[id].Forgotten) facts.Violated(this, $"A caller asks for {id}, which was accepted, and is told that it is not known.");
    }

    private void CheckImage(KernelImage image, Facts facts)
    {
        if (_told.Count == 0) return;
        var found = image.Commands.Select(row => row.Spec.CommandId).ToHashSet(StringComparer.Ordinal);
        foreach (var id in _told)
        {
            if (!found.Contains(id) && !facts.Commands[id].Forgotten) facts.Violated(this, $"{id} was accepted, and a kernel that starts does not find it in the store.");
        }
    }

    /// <summary>What is past its retention is forgotten soon, by a kernel that is awake; of what ended before it started nobody can say when that is where the wall clock jumps.</summary>
    private void CheckKept(long ticks, Facts facts)
    {
        while (_settled.TryPeek(out var gone) && facts.BySeq(gone) is null) _settledTicks.Remove(_settled.Dequeue());
        if (!_settled.TryPeek(out var oldest) || facts.BySeq(oldest) is not { } command || !facts.IsServed || facts.CommitInFlight) return;
        if (ticks - Math.Max(facts.AwakeTicks, facts.DurableTicks) < Patience && ticks - facts.AwakeTicks < Patience) return;
        var applied = _settledTicks[oldest].Applied;
        if (facts.World.WallJumps && applied < facts.HeldSinceTicks) return;
        var ageMs = facts.World.WallJumps ? (ticks - applied) / TimeSpan.TicksPerMillisecond : facts.Holder!.Clock.GetUtcNow().ToUnixTimeMilliseconds() - command.Row.UpdatedAt;
        var mostMs = facts.World.KernelOptions.Commands.RetentionMs + (long)(TimeSpan.FromTicks(Patience) + (2 * facts.World.WorstLateness)).TotalMilliseconds;
        if (ageMs > mostMs) facts.Violated(this, $"{command.Id} is still there {ageMs} ms after its end; {facts.World.KernelOptions.Commands.RetentionMs} ms is its retention.");
    }

    private void CheckForgotten(SimNode kernel, CommitBatch batch, Facts facts)
    {
        if (batch.ForgottenCommands.Count == 0) return;
        var options = facts.World.KernelOptions.Commands;
        var settled = facts.Settled + batch.ChangedCommands.Concat(batch.NewCommands).Count(row => row.State is CommandState.Success or CommandState.Failed);

        // A batch may wait for the disk while the wall clock jumps back: what the clock showed when the kernel decided is what counts.
        var utcMs = kernel.LatestUtcSince(facts.DecidedSince(kernel)).ToUnixTimeMilliseconds();
        foreach (var seq in batch.ForgottenCommands)
        {
            if (facts.BySeq(seq) is not { } command) continue;

            // Where a disk stands still for long, one batch may settle a command and forget it.
            var changed = batch.ChangedCommands.FindIndex(row => row.Seq == seq);
            var (state, updatedAt) = changed < 0 ? (command.Row.State, command.Row.UpdatedAt) : (batch.ChangedCommands[changed].State, batch.ChangedCommands[changed].UpdatedAt);
            var ageMs = facts.World.WallJumps ? OldestMs(seq, facts) : utcMs - updatedAt;
            if (state is not (CommandState.Success or CommandState.Failed)) facts.Violated(this, $"{command.Id} is forgotten although it is {state}.");

            // The wall clock and the kernel's own are read one after the other.
            else if (ageMs < options.RetentionMs - 1 && settled <= options.MaxSettled) facts.Violated(this, $"{command.Id} is forgotten {ageMs} ms after its end, before its retention ends.");
        }
    }

    /// <summary>The longest that a command can have been settled for, by the time that passed; without end where it ended before the kernel started, or just now.</summary>
    private long OldestMs(long seq, Facts facts) =>
        _settledTicks.TryGetValue(seq, out var settled) && settled.Since >= facts.HeldSinceTicks ? (facts.NowTicks - settled.Since) / TimeSpan.TicksPerMillisecond : long.MaxValue;
}
