using System.Text;
using System.Text.Json;
using Ork.Client;
using Ork.Kernel;
using Ork.Protocol;

namespace OrkSim;

/// <summary>S19: the command that is accepted is the one that was ordered, it is one that its contract allows, what a Worker is sent is the command that was accepted, in its time, and so is what a device carries out; a question is handed on with all that it says.</summary>
public sealed class OrderFidelity : IInvariant
{
    private static readonly byte[] Traced = Encoding.UTF8.GetBytes($"{{\"id\":\"{BrokenCaller.Traced}\"");
    private static readonly byte[] Trace = Encoding.UTF8.GetBytes(BrokenCaller.Trace);

    /// <inheritdoc/>
    public string Id => "S19";

    /// <inheritdoc/>
    public string Says => "The command that is accepted is the one that was ordered, it is one that its contract allows, what a Worker is sent is the command that was accepted, in its time, and so is what a device carries out; a question is handed on with all that it says.";

    // The ids that callers gave their questions.
    private readonly HashSet<string> _asked = new(StringComparer.Ordinal);
    private readonly HashSet<string> _rerouted = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public SimEventKind Hears => SimEventKind.Answered | SimEventKind.FrameSent | SimEventKind.Executed | SimEventKind.CommitApplying | SimEventKind.Note;

    /// <inheritdoc/>
    public void Hear(in SimEvent happened, Facts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        if (happened.Kind == SimEventKind.FrameSent)
        {
            if (happened.Message is { Action: OrkAction.StatePull or OrkAction.TelemetryPull } && happened.Frame == FrameKind.Request) CheckId(in happened, facts);
            if (happened is { Message.Action: OrkAction.StatePull, Node.Kind: NodeKind.Kernel } && happened.Payload.Span.StartsWith(Traced) && happened.Payload.Span.IndexOf(Trace) < 0) facts.Violated(this, $"{happened.Connection!.Facts!.Peer} is asked for a caller, and not all that the caller said goes along.");
            if (happened.Node != facts.Holder || happened.Message is not { Action: OrkAction.CommandRequest, CommandId: { } sent } message || !facts.Commands.TryGetValue(sent, out var of) || of.BornSettled) return;
            if (Differs(message, of.Row.Spec, facts.Epoch) is { } other) facts.Violated(this, $"{of.Id} is sent to {happened.Connection!.Facts!.Peer} with {other}.");
            if (!facts.World.WallJumps && happened.Node!.Clock.GetUtcNow().ToUnixTimeMilliseconds() - of.Row.Spec.DeadlineAt is var lateMs && lateMs > 2) facts.Violated(this, $"Attempt {message.Attempt} of {of.Id} leaves {lateMs} ms after its deadline.");
        }
        else if (happened.Kind == SimEventKind.Note)
        {
            // What is on the disk tells by itself whose it was at first.
            if (happened.Note == Ork.Kernel.KernelEvent.CommandRerouted && !facts.Commands.ContainsKey(happened.Subject!)) _rerouted.Add(happened.Subject!);
        }
        else if (happened.Execution is { } execution)
        {
            if (facts.Commands.TryGetValue(execution.CommandId, out var command) && !command.BornSettled && Differs(execution, command.Row.Spec) is { } what) facts.Violated(this, $"{execution.DeviceId} carries out {command.Id} with {what}.");
        }
        else if (happened.Batch is { } batch)
        {
            foreach (var row in batch.NewCommands)
            {
                if (facts.World.IsBroken(row.Spec.Caller)) facts.Violated(this, $"{row.Spec.CommandId} is accepted of {row.Spec.Caller}, which has sent no order that is one.");
            }

            CheckInTime(batch, facts);
        }
        else if (happened is { Detail: null, Call: { Order: { } order, CommandId: { } id } } && facts.Commands.TryGetValue(id, out var accepted) && !accepted.BornSettled)
        {
            // A device may move while the order of its command is still on its way to the disk.
            if (order.WorkerId is { } named && accepted.FirstWorkerId != named && !_rerouted.Contains(id)) facts.Violated(this, $"{happened.Node} ordered a command of {named} and was told {id}, which is {accepted.FirstWorkerId}'s.");
            if (facts.World.Ports.Worker is null && MinerContract.Forbids(order.Command, order.Params) == true) facts.Violated(this, $"{happened.Node} ordered what the contract forbids, {JsonSerializer.Serialize(order.Params)}, and was told {id}.");
            if (facts.World.Ports.Worker is null && Disobeys(accepted.Row.Spec, facts.World) is { } own) facts.Violated(this, $"{happened.Node} ordered a command and was told {id}, which has {own}.");
            if (Differs(order, accepted.Row.Spec, happened.Node!) is { } what) facts.Violated(this, $"{happened.Node} ordered a command and was told {id}, which has {what}.");
        }
    }

    /// <summary>A question goes to its Worker under the id that its caller gave it, so that both can be found in their logs. The schedule's own questions name no device.</summary>
    private void CheckId(in SimEvent happened, Facts facts)
    {
        var isCallers = happened.Node!.Kind == NodeKind.Caller;
        if (!isCallers && happened.Connection!.Facts?.Forwarded.Contains(happened.Correlation) != true) return;
        if (EnvelopeReader.Read(happened.Payload, out var envelope) is not null || envelope.Id.Decode() is not { } id) return;
        if (isCallers) _asked.Add(id);
        else if (!_asked.Contains(id)) facts.Violated(this, $"{happened.Connection!.Facts!.Peer} is asked for a caller under the id {id}, which none gave.");
    }

    /// <summary>No attempt is decided on after the command's deadline.</summary>
    private void CheckInTime(CommitBatch batch, Facts facts)
    {
        foreach (var line in batch.Log)
        {
            if (line.To != CommandState.Executing || facts.BySeq(line.CommandSeq) is not { } command) continue;

            // The wall clock and the kernel's own are read one after the other.
            var lateMs = facts.World.WallJumps ? LateMs(command, facts) : line.At - command.Row.Spec.DeadlineAt;
            if (lateMs > 1) facts.Violated(this, $"Attempt {line.Attempt} of {command.Id} begins {lateMs} ms after its deadline.");
        }
    }

    /// <summary>By how much the latest commit's decisions are surely too late for a command, by the time that passed: where the wall clock jumps, what was told is not that. Of what another kernel accepted nobody can say.</summary>
    private static long LateMs(CommandFacts command, Facts facts)
    {
        if (command.AcceptedTicks < facts.HeldSinceTicks) return 0;
        var due = command.AcceptedTicks + TimeSpan.FromMilliseconds(command.Row.Spec.DeadlineAt - command.Row.Spec.CreatedAt).Ticks;
        return (facts.DecidedSince(facts.Holder!) - due) / TimeSpan.TicksPerMillisecond;
    }

    private static string? Differs(WireMessage sent, CommandSpec spec, long epoch) =>
        sent.DeviceId != spec.DeviceId ? $"the device {sent.DeviceId} and not {spec.DeviceId}"
        : !(sent.Targets ?? []).SequenceEqual(spec.Targets ?? [], StringComparer.Ordinal) ? "other devices than those that it is for"
        : sent.Epoch != epoch ? $"the epoch {sent.Epoch} and not {epoch}"
        : sent.Reexecute != (spec.Idempotent && sent.Attempt > 1) ? $"{(sent.Reexecute ? "leave" : "no leave")} to execute it again, at attempt {sent.Attempt}"
        : null;

    private static string? Differs(Execution execution, CommandSpec spec) =>
        execution.Command != spec.Command ? $"the name {execution.Command} and not {spec.Command}"
        : !(spec.Targets?.Contains(execution.DeviceId) ?? spec.DeviceId == execution.DeviceId) ? "a device that it is not for"
        : execution.Params is { } given && !SameJson(given, Encoding.UTF8.GetString(spec.Params.Span)) ? $"the parameters {given} and not {Encoding.UTF8.GetString(spec.Params.Span)}"
        : null;

    private static string? Differs(CommandOrder order, CommandSpec spec, SimNode caller) =>
        spec.Command != order.Command ? $"the name {spec.Command} and not {order.Command}"
        : spec.Caller != caller.Key ? $"the caller {spec.Caller}"
        : spec.Scope != order.Scope ? $"the scope {spec.Scope}"
        : order.Targets is { } targets && !targets.ToHashSet(StringComparer.Ordinal).SetEquals(spec.Targets ?? []) ? $"the devices {string.Join(", ", spec.Targets ?? [])} and not {string.Join(", ", targets)}"
        : order.Targets is not null && spec.Targets!.Count != spec.Targets.Distinct(StringComparer.Ordinal).Count() ? "a device twice"
        : order.Scope == CommandScope.Device && spec.DeviceId != order.DeviceId ? $"the device {spec.DeviceId} and not {order.DeviceId}"
        : spec.IdempotencyKey != order.IdempotencyKey ? $"the key {spec.IdempotencyKey} and not {order.IdempotencyKey}"
        : spec.Priority != order.Priority ? $"the priority {spec.Priority} and not {order.Priority}"
        : order.DeadlineMs is { } deadlineMs && spec.DeadlineAt - spec.CreatedAt != deadlineMs ? $"a deadline after {spec.DeadlineAt - spec.CreatedAt} ms and not {deadlineMs}"
        : !SameJson(order.Params is null ? "" : JsonSerializer.Serialize(order.Params, JsonSerializerOptions.Web), Encoding.UTF8.GetString(spec.Params.Span)) ? $"the parameters {Encoding.UTF8.GetString(spec.Params.Span)}"
        : null;

    /// <summary>What the contract of the simulated miners says of a command, its caller cannot change.</summary>
    private static string? Disobeys(CommandSpec spec, SimWorld world) =>
        spec.Idempotent != (spec.Command != MinerContract.Reboot) ? $"{(spec.Idempotent ? "leave" : "no leave")} to be repeated"
        : spec.TimeoutMs != (MinerContract.MsOf(world.Scenario.Fleet.TimeoutMs, spec.Command) ?? world.KernelOptions.Commands.AttemptTimeoutMs) ? $"{spec.TimeoutMs} ms for an attempt"
        : null;

    private static bool SameJson(string one, string other) => one == other || JsonElement.DeepEquals(Parsed(one), Parsed(other));

    private static JsonElement Parsed(string json) => JsonElement.Parse(json.Length == 0 ? "{}" : json);
}
