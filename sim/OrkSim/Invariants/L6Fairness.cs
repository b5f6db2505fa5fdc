using Ork.Kernel;
using Ork.Protocol;

namespace OrkSim;

/// <summary>L6: while one caller floods and nothing fails, a command of another is accepted, has its turn at its Worker, and is settled within the bound, and no place at a Worker stays free that a command waits for.</summary>
public sealed class Fairness : IInvariant
{
    /// <inheritdoc/>
    public string Id => "L6";

    /// <inheritdoc/>
    public string Says => "While one caller floods and nothing fails, a command of another is accepted, has its turn at its Worker, and is settled within the bound, and no place at a Worker stays free that a command waits for.";

    /// <inheritdoc/>
    public SimEventKind Hears => SimEventKind.Pulse | SimEventKind.Answered | SimEventKind.CommitDurable;

    // Callers take turns: one turn of the flooder's, and one more where somebody's own turn was used for nothing.
    private const int MostTurns = 2;

    // How often the flooder had a turn at a Worker while a caller's command waited there for nothing else.
    private readonly Dictionary<(string WorkerId, string Caller), int> _passedOver = [];

    /// <inheritdoc/>
    public void Hear(in SimEvent happened, Facts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        if (facts.World.Flooder is not { } flooder || facts.World.Scenario.Faults.Count > 0) return;
        if (happened.Kind == SimEventKind.Answered)
        {
            if (happened.Node != flooder && happened is { Subject: "send", Detail: { } error } && error.StartsWith(ErrorCodes.QueueFull.Code, StringComparison.Ordinal))
            {
                facts.Violated(this, $"{happened.Node} is refused for want of room while {flooder} floods.");
            }

            return;
        }

        if (happened.Kind == SimEventKind.CommitDurable)
        {
            if (happened.Node != facts.Holder) return;
            CheckTurns(happened.Batch!, flooder.Key, facts);
            CheckPlaces(happened.Batch!, facts);
            return;
        }

        foreach (var command in facts.Open.Values)
        {
            if (command.Row.Spec.Caller == flooder.Key || command.ToldTicks is not { } told || happened.Ticks - told < Bound(facts).Ticks) continue;
            facts.Violated(this, $"{command.Id} was accepted {SimDefaults.Seconds(happened.Ticks - told)} s ago and is still {command.Row.State} while {flooder} floods.");
        }
    }

    private void CheckTurns(CommitBatch batch, string flooder, Facts facts)
    {
        foreach (var row in batch.Log)
        {
            if (row.To != CommandState.Dispatched || facts.BySeq(row.CommandSeq) is not { Row.Spec: { Priority: CommandPriority.Normal, Caller: var caller } } assigned) continue;
            var workerId = assigned.Row.WorkerId;
            if (caller != flooder) _passedOver.Remove((workerId, caller));
            else CheckTurn(assigned, workerId, batch, facts);
        }
    }

    private void CheckTurn(CommandFacts assigned, string workerId, CommitBatch batch, Facts facts)
    {
        foreach (var waiting in facts.Open.Values.Where(other => other.Row.Spec.Caller != assigned.Row.Spec.Caller && other.Row.WorkerId == workerId && Waits(other, batch, facts)).DistinctBy(static other => other.Row.Spec.Caller))
        {
            var turns = _passedOver[(workerId, waiting.Row.Spec.Caller)] = _passedOver.GetValueOrDefault((workerId, waiting.Row.Spec.Caller)) + 1;
            if (turns > MostTurns) facts.Violated(this, $"{assigned.Id} is the flooder's {turns}th in a row at {workerId}, where {waiting.Id} of {waiting.Row.Spec.Caller} waits.");
        }
    }

    /// <summary>Where a command ended, the next that waited for its place has it within the same turn.</summary>
    private void CheckPlaces(CommitBatch batch, Facts facts)
    {
        var window = facts.World.KernelOptions.Commands.WindowPerWorker;
        foreach (var workerId in batch.Log.Where(static row => row.To is CommandState.Success or CommandState.Failed).Select(row => facts.BySeq(row.CommandSeq)?.Row.WorkerId).Distinct())
        {
            var most = facts.LinkOf(workerId!)?.Places(window) ?? window;
            var atWorker = facts.Open.Values.Where(command => command.Row.WorkerId == workerId).ToArray();
            var taken = atWorker.Count(static command => command.Row.State is CommandState.Dispatched or CommandState.Executing);
            if (taken < most && Array.Find(atWorker, command => Waits(command, batch, facts)) is { } waiting) facts.Violated(this, $"{taken} commands are in flight at {workerId}, where {most} may be, and {waiting.Id} waits for nothing.");
        }
    }

    /// <summary>A command that waited for nothing but a place at its Worker, since before the turn whose commit this is.</summary>
    private static bool Waits(CommandFacts command, CommitBatch batch, Facts facts) =>
        command.Row is { State: CommandState.Queued, Attempt: 0, Spec.Priority: CommandPriority.Normal } && command.TouchedTicks < facts.DecidedSince(facts.Holder!)
        && !IsTouched(command, batch, facts)
        && !facts.Open.Values.Any(third => third != command && third.Shares(command) && (third.Row.State != CommandState.Queued || third.IsBefore(command)));

    /// <summary>True where the batch is about what is in line with it.</summary>
    private static bool IsTouched(CommandFacts command, CommitBatch batch, Facts facts)
    {
        foreach (var changed in batch.ChangedCommands.Then(batch.NewCommands))
        {
            if (facts.BySeq(changed.Seq) is { } touched && touched.Shares(command)) return true;
        }

        return false;
    }

    /// <summary>All that may stand before it in line at a device, each taking its time and twice a journal, two commits and two messages; the line of a wide one's slowest device the same.</summary>
    private static TimeSpan Bound(Facts facts)
    {
        var (fleet, network, store) = (facts.World.Scenario.Fleet, facts.World.Scenario.Network, facts.World.Scenario.Store);
        var devices = facts.World.Scenario.Workload.Wide.Max > 0 ? fleet.DevicesPerWorker.Max : 1;
        var one = (fleet.Execution.Max * devices) + (2 * fleet.JournalWrite.Max) + (2 * store.Commit.Max) + (2 * network.Latency.Max);
        return (facts.World.KernelOptions.Commands.MaxOpenPerDevice + 2) * one;
    }
}
