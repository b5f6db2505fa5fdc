using Ork.Kernel;

namespace OrkSim;

/// <summary>L2: every accepted command is terminal within the bound after the last fault, none rests while nothing stands in its way, no attempt is given up before its time, and one whose Worker answered success has ended.</summary>
public sealed class Settlement : IInvariant
{
    private static readonly long Moment = TimeSpan.FromSeconds(1.5).Ticks;

    // A held back command's attempt is over soon.
    private static readonly long Blink = TimeSpan.FromMilliseconds(500).Ticks;

    // One before an attempt, and one after.
    private static readonly TimeSpan Commits = TimeSpan.FromSeconds(4);

    private static readonly TimeSpan AfterBackoff = TimeSpan.FromSeconds(1);

    // When an urgent command last stood before another one.
    private readonly Dictionary<long, long> _overtakenTicks = [];

    /// <inheritdoc/>
    public string Id => "L2";

    /// <inheritdoc/>
    public string Says => "Every accepted command is terminal within the bound after the last fault, none rests while nothing stands in its way, no attempt is given up before its time, and one whose Worker answered success has ended.";

    /// <inheritdoc/>
    public SimEventKind Hears => SimEventKind.Pulse | SimEventKind.CommitApplying;

    /// <inheritdoc/>
    public void Hear(in SimEvent happened, Facts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        if (happened.Batch is { } batch)
        {
            if (happened.Node == facts.Holder) CheckHaste(batch, happened.Ticks, facts);
            return;
        }

        if (facts.Open.Count == 0) return;
        CheckNudges(happened.Ticks, facts);
        CheckDeadlines(happened.Ticks, facts);
        CheckTerminated(happened.Ticks, facts);
        CheckSucceeded(happened.Ticks, facts);
        if (facts.QuietTicks is not { } quiet || happened.Ticks - quiet < SimDefaults.SettlementBound.Ticks / 2) return;
        foreach (var command in facts.Open.Values)
        {
            if (command.ToldTicks is not { } told || happened.Ticks - Math.Max(told, quiet) is var waits && waits < SimDefaults.SettlementBound.Ticks / 2) continue;
            if (IsOvertaken(command, facts)) _overtakenTicks[command.Row.Seq] = happened.Ticks;
            if (waits < SimDefaults.SettlementBound.Ticks || happened.Ticks - _overtakenTicks.GetValueOrDefault(command.Row.Seq) < SimDefaults.SettlementBound.Ticks) continue;
            facts.Violated(this, $"{command.Id} for {command.Row.WorkerId} was accepted {SimDefaults.Seconds(happened.Ticks - told)} s ago and is still {command.Row.State}.");
        }
    }

    /// <summary>Urgent commands go ahead of it: while more and more come, it may wait for as long as its deadline lets it.</summary>
    private static bool IsOvertaken(CommandFacts command, Facts facts)
    {
        foreach (var other in facts.Open.Values)
        {
            if (other.Row.Seq > command.Row.Seq && other.IsBefore(command) && other.Shares(command)) return true;
        }

        return false;
    }

    /// <summary>No command rests in QUEUED for want of a nudge: where nothing has stood in its way for longer than any backoff, it has left.</summary>
    private void CheckNudges(long ticks, Facts facts)
    {
        if (!facts.IsServed || facts.CommitInFlight) return;
        var isEnding = facts.Holder!.StopTicks is not null;
        foreach (var command in facts.Open.Values)
        {
            // No pause and no budget stands before a first attempt.
            var bound = command.Row.Attempt == 0 ? SimDefaults.FirstNudgeBound : NudgeBound(facts);
            var since = ticks - bound.Ticks - (2 * facts.World.WorstLateness.Ticks);
            if (facts.AwakeTicks > since) continue;
            if (command.Row.State == CommandState.Dispatched) CheckHeldBack(command, ticks, facts);
            if (command.Row.State is CommandState.Dispatched or CommandState.Executing) CheckAttempt(command, ticks, facts);

            // A kernel that is about to end begins nothing.
            if (isEnding || command.Row.State != CommandState.Queued || command.TouchedTicks > since || command.BudgetTicks > since || !IsFree(command, since, ticks, facts)) continue;
            facts.Violated(this, $"{command.Id} rests in QUEUED for {SimDefaults.Seconds(ticks - command.TouchedTicks)} s although {command.Row.WorkerId} is well.");
        }
    }

    /// <summary>How long a command may rest in QUEUED although its Worker is well: longer than any backoff.</summary>
    private static TimeSpan NudgeBound(Facts facts) => TimeSpan.FromMilliseconds(facts.World.KernelOptions.Commands.BackoffCapMs) + AfterBackoff;

    /// <summary>An attempt that its Worker does not answer in its time is over, and so is one that does not leave.</summary>
    private void CheckAttempt(CommandFacts command, long ticks, Facts facts)
    {
        var timeout = TimeSpan.FromMilliseconds(command.Row.Spec.TimeoutMs).Ticks + facts.LastCalls + (2 * facts.World.WorstLateness.Ticks);
        var stands = ticks - Math.Max(command.TouchedTicks, facts.AwakeTicks);
        if (stands <= timeout + Moment) return;
        if (command.Row.State == CommandState.Dispatched)
        {
            if (stands > timeout + Commits.Ticks) facts.Violated(this, $"{command.Id} has been DISPATCHED for {SimDefaults.Seconds(stands)} s; an attempt may take {command.Row.Spec.TimeoutMs} ms.");
            return;
        }

        var asked = facts.LinkOf(command.Row.WorkerId)?.Outstanding.Values.FirstOrDefault(asked => asked.CommandId == command.Id && asked.Attempt == command.Row.Attempt).Ticks ?? 0;
        if (asked > 0 && ticks - Math.Max(asked, facts.AwakeTicks) > timeout + Moment) facts.Violated(this, $"Attempt {command.Row.Attempt} of {command.Id} left {SimDefaults.Seconds(ticks - asked)} s ago and is not given up; it may take {command.Row.Spec.TimeoutMs} ms.");
    }

    /// <summary>An attempt that nobody answered is not given up before its time, nor withdrawn before its command's deadline.</summary>
    private void CheckHaste(CommitBatch batch, long ticks, Facts facts)
    {
        foreach (var row in batch.Log)
        {
            if (row.To != CommandState.Timeout || facts.BySeq(row.CommandSeq) is not { } command) continue;
            if (LogLine.TriggerOf(in row) is nameof(CommandTrigger.Withdrawn) && Unasked(row, command, batch, facts) is { } unasked) facts.Violated(this, unasked);
            if (LogLine.TriggerOf(in row) is not nameof(CommandTrigger.AttemptTimedOut) || command.Answered.ContainsKey(row.Attempt)) continue;

            if (row.From == CommandState.Executing)
            {
                if (Hasty(row, command, ticks) is { } hasty) facts.Violated(this, hasty);
                continue;
            }

            // One that is begun in the same batch was so since the batch before.
            var begun = batch.Log.Any(other => other.CommandSeq == row.CommandSeq && other.To == CommandState.Dispatched && other.Attempt == row.Attempt) ? facts.DecidedSince(facts.Holder!) : command.BegunTicks;
            if (ticks - begun < TimeSpan.FromMilliseconds(command.Row.Spec.TimeoutMs - 5).Ticks) facts.Violated(this, $"Attempt {row.Attempt} of {command.Id} is given up after {SimDefaults.Seconds(ticks - begun)} s; it may take {command.Row.Spec.TimeoutMs} ms.");
        }
    }

    /// <summary>An attempt's time begins as it leaves.</summary>
    private static string? Hasty(in TransitionRow row, CommandFacts command, long ticks)
    {
        var timeoutMs = command.Row.Spec.TimeoutMs;
        if (!command.LeftTicks.TryGetValue(row.Attempt, out var left)) return $"Attempt {row.Attempt} of {command.Id} is given up for its time, and it has not left.";
        return ticks - left < TimeSpan.FromMilliseconds(timeoutMs - 5).Ticks ? $"Attempt {row.Attempt} of {command.Id} is given up {SimDefaults.Seconds(ticks - left)} s after it left; it may take {timeoutMs} ms." : null;
    }

    /// <summary>What has not left ends only by its command's deadline, or a caller's word.</summary>
    private static string? Unasked(in TransitionRow row, CommandFacts command, CommitBatch batch, Facts facts)
    {
        if (command.LeftTicks.ContainsKey(row.Attempt)) return $"Attempt {row.Attempt} of {command.Id} is withdrawn, and it has left.";
        if (batch.ChangedCommands.Exists(changed => changed.Seq == command.Row.Seq && changed.StopRequested)) return null;
        return facts.World.WallJumps || row.At >= command.Row.Spec.DeadlineAt - 1 ? null : $"Attempt {row.Attempt} of {command.Id} is withdrawn {command.Row.Spec.DeadlineAt - row.At} ms before its deadline.";
    }

    /// <summary>What was held back for a jammed link or a sick Worker leaves when that is over.</summary>
    private void CheckHeldBack(CommandFacts command, long ticks, Facts facts)
    {
        var since = ticks - Blink - (2 * facts.World.WorstLateness.Ticks);
        var worker = command.Row.WorkerId;
        if (command.TouchedTicks > since || facts.AwakeTicks > since || !facts.World.IsHonest(worker) || facts.World.IsGone(worker)) return;
        if (facts.LinkOf(worker) is not { ContractTaken: true, SickTicks: null, WellTicks: { } well } link || well > since || link.JammedTicks > since || !link.KernelSide.IsDrained) return;
        if (facts.CircuitOf(worker) != KernelEvent.CircuitClosed || facts.Circuits.TryGetValue(worker, out var circuit) && circuit.Ticks > since) return;
        facts.Violated(this, $"{command.Id} is held back for {SimDefaults.Seconds(ticks - command.TouchedTicks)} s although {worker} is well and its link is free.");
    }

    /// <summary>Success settles a command wherever it stands, however late the answer is.</summary>
    private void CheckSucceeded(long ticks, Facts facts)
    {
        if (!facts.IsServed || facts.CommitInFlight) return;
        var since = ticks - Moment - (2 * facts.World.WorstLateness.Ticks);
        foreach (var command in facts.Open.Values)
        {
            if (command.SucceededTicks is { } succeeded && succeeded < since && succeeded > facts.AwakeTicks && facts.World.IsHonest(command.Row.WorkerId)) facts.Violated(this, $"{command.Id} is {command.Row.State}; its Worker answered {SimDefaults.Seconds(ticks - succeeded)} s ago that it succeeded.");
        }
    }

    /// <summary>What was not sent by its deadline ends there. Where wall clocks jump, a deadline is what the clock of each kernel that started made of it.</summary>
    private void CheckDeadlines(long ticks, Facts facts)
    {
        if (!facts.IsServed || facts.CommitInFlight) return;
        var slack = TimeSpan.FromSeconds(1).Ticks + (2 * facts.World.WorstLateness.Ticks);
        if (facts.AwakeTicks + slack > ticks) return;
        foreach (var command in facts.Open.Values)
        {
            if (facts.World.WallJumps && command.AcceptedTicks < facts.HeldSinceTicks) continue;
            var spec = command.Row.Spec;
            var due = command.AcceptedTicks + TimeSpan.FromMilliseconds(spec.DeadlineAt - spec.CreatedAt).Ticks + slack;
            if (command.Row.State is CommandState.Queued or CommandState.Dispatched && command.TouchedTicks + slack < ticks && due < ticks) facts.Violated(this, $"{command.Id} rests in {command.Row.State} {SimDefaults.Seconds(ticks - due + slack)} s past its deadline.");
        }
    }

    /// <summary>What waits for a Worker that is out of service for good ends, or follows its device.</summary>
    private void CheckTerminated(long ticks, Facts facts)
    {
        if (facts.TerminatedTicks.Count == 0 || !facts.IsServed || facts.CommitInFlight) return;
        var since = ticks - TimeSpan.FromSeconds(2).Ticks - (2 * facts.World.WorstLateness.Ticks);
        if (facts.AwakeTicks > since) return;
        foreach (var command in facts.Open.Values)
        {
            if (command.Row.State == CommandState.Queued && command.TouchedTicks < since && facts.TerminatedTicks.TryGetValue(command.Row.WorkerId, out var ended) && ended < since)
            {
                facts.Violated(this, $"{command.Id} waits for {command.Row.WorkerId}, which was taken out of service {SimDefaults.Seconds(ticks - ended)} s ago.");
            }
        }
    }

    /// <summary>A half-open circuit lets one through where no probe is under way.</summary>
    private static bool LetsThrough(KernelEvent circuit, LinkFacts link) =>
        circuit == KernelEvent.CircuitClosed || circuit == KernelEvent.CircuitHalfOpen && !link.Outstanding.Values.Any(static asked => CircuitDiscipline.Counts(asked.Action));

    private static bool IsFree(CommandFacts command, long since, long ticks, Facts facts)
    {
        var worker = command.Row.WorkerId;
        if (facts.LinkOf(worker) is not { ContractTaken: true, SickTicks: null, WellTicks: { } well } link || well > since || !facts.World.IsHonest(worker) || facts.World.IsGone(worker)) return false;

        // One that was busy with what the kernel does not know of is left alone for a while.
        if (link.BusyAtNothingTicks > ticks - NudgeBound(facts).Ticks - (2 * facts.World.WorstLateness.Ticks)) return false;
        if (facts.Circuits.TryGetValue(worker, out var circuit) && (circuit.Ticks > since || !LetsThrough(circuit.State, link))) return false;
        for (var i = 0; i < command.DeviceCount; i++)
        {
            if (facts.MovedTicks.GetValueOrDefault(command.Device(i)) > since) return false;
        }

        var inFlight = 0;
        foreach (var other in facts.Open.Values)
        {
            if (other == command) continue;
            var holds = other.Row.State is CommandState.Dispatched or CommandState.Executing;
            if (holds && other.Row.WorkerId == worker) inFlight++;

            // Its turn comes after those before it, and an urgent one takes no device from one that is at it.
            if ((holds || other.IsBefore(command)) && other.Shares(command)) return false;
        }

        return facts.CircuitOf(worker) == KernelEvent.CircuitClosed ? inFlight < link.Places(facts.World.KernelOptions.Commands.WindowPerWorker) : inFlight == 0;
    }
}
