using Ork.Kernel;
using Ork.Protocol;

namespace OrkSim;

/// <summary>S8: at most one command is in flight per device, urgent ones first, each class in order of acceptance, from its first attempt to its end; a Worker's places go to urgent ones first.</summary>
public sealed class OneAtATime : IInvariant
{
    /// <inheritdoc/>
    public string Id => "S8";

    /// <inheritdoc/>
    public string Says => "At most one command is in flight per device, urgent ones first, each class in order of acceptance, from its first attempt to its end; a Worker's places go to urgent ones first.";

    /// <inheritdoc/>
    public SimEventKind Hears => SimEventKind.CommitDurable | SimEventKind.Begun | SimEventKind.Executed | SimEventKind.NodeUp;

    private readonly Dictionary<(SimNode Worker, string CommandId), int> _begun = [];

    /// <inheritdoc/>
    public void Hear(in SimEvent happened, Facts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        if (happened.Kind != SimEventKind.CommitDurable)
        {
            HearWorker(in happened, facts);
            return;
        }

        var decidedTicks = facts.DecidedSince(happened.Node!);
        foreach (var row in happened.Batch!.Log)
        {
            if (row.To != CommandState.Dispatched || facts.BySeq(row.CommandSeq) is not { } assigned || !InFlight(assigned)) continue;
            foreach (var other in facts.Open.Values)
            {
                if (other != assigned && assigned.Shares(other)) Check(assigned, other, decidedTicks, facts);
                else if (IsPassedOver(other, assigned, decidedTicks, facts)) facts.Violated(this, $"{assigned.Id} is assigned at {assigned.Row.WorkerId}, where {other.Id} waits, which is urgent.");
            }
        }
    }

    /// <summary>Within one life of a Worker, no attempt of a command begins while an earlier one is at work: what is at work is joined.</summary>
    private void HearWorker(in SimEvent happened, Facts facts)
    {
        if (happened.Node is not { Kind: NodeKind.Worker } worker) return;
        if (happened.Kind == SimEventKind.NodeUp)
        {
            foreach (var gone in _begun.Keys.Where(key => key.Worker == worker).ToArray()) _begun.Remove(gone);
        }
        else if (happened.Execution is { } execution)
        {
            if (_begun.GetValueOrDefault((worker, execution.CommandId)) > execution.Attempt) facts.Violated(this, $"{execution.DeviceId} executes attempt {execution.Attempt} of {execution.CommandId}, and {worker} has begun a later one meanwhile.");
        }
        else if (happened.Journal is { Start: { } start })
        {
            _begun[(worker, start.CommandId)] = Math.Max(start.Attempt, _begun.GetValueOrDefault((worker, start.CommandId)));
        }
    }

    private void Check(CommandFacts assigned, CommandFacts other, long decidedTicks, Facts facts)
    {
        if (InFlight(other)) facts.Violated(this, $"{assigned.Id} and {other.Id} are in flight at the same device.");
        else if (IsAhead(other, assigned, decidedTicks)) facts.Violated(this, $"{assigned.Id} overtook {other.Id} at the same device.");
    }

    private static bool IsAhead(CommandFacts other, CommandFacts assigned, long decidedTicks)
    {
        var (theirs, ours) = (other.Row.Spec.Priority, assigned.Row.Spec.Priority);
        if (theirs == ours) return other.Row.Seq < assigned.Row.Seq;

        // An urgent one may have been accepted in the turn that had just assigned this one.
        return theirs == CommandPriority.Urgent && (other.Row.Seq < assigned.Row.Seq || other.TouchedTicks < decidedTicks);
    }

    /// <summary>An urgent command that waited for nothing but a place at the same Worker, since before the decision.</summary>
    private static bool IsPassedOver(CommandFacts other, CommandFacts assigned, long decidedTicks, Facts facts)
    {
        if (other.Row is not { State: CommandState.Queued, Attempt: 0, Spec.Priority: CommandPriority.Urgent } || assigned.Row.Spec.Priority == CommandPriority.Urgent) return false;
        if (other.Row.WorkerId != assigned.Row.WorkerId || other.TouchedTicks >= decidedTicks) return false;
        for (var i = 0; i < other.DeviceCount; i++)
        {
            if (facts.MovedTicks.GetValueOrDefault(other.Device(i)) >= decidedTicks) return false;
        }

        foreach (var third in facts.Open.Values)
        {
            if (third != other && third.Shares(other) && (InFlight(third) || third.IsBefore(other))) return false;
        }

        return true;
    }

    private static bool InFlight(CommandFacts command) => command.Row.State is CommandState.Dispatched or CommandState.Executing;
}
