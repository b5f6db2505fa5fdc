using Ork.Protocol;

namespace OrkSim;

/// <summary>S15: one idempotency key of a caller, one command that is still readable, and the answer to whoever repeats it; an order without a key is sent once.</summary>
public sealed class Idempotency : IInvariant
{
    /// <inheritdoc/>
    public string Id => "S15";

    /// <inheritdoc/>
    public string Says => "One idempotency key of a caller, one command that is still readable, and the answer to whoever repeats it; an order without a key is sent once.";

    /// <inheritdoc/>
    public SimEventKind Hears => SimEventKind.CommitApplying | SimEventKind.FrameSent;

    private readonly Dictionary<(string Caller, string Key), string> _commands = [];
    private readonly HashSet<(SimNode Caller, string EnvelopeId)> _sent = [];

    /// <inheritdoc/>
    public void Hear(in SimEvent happened, Facts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        if (happened.Kind == SimEventKind.FrameSent)
        {
            if (happened.Node == facts.Holder && happened.Message is { Action: OrkAction.CommandResult, CommandId: { } told } && facts.Commands.TryGetValue(told, out var old) && old.ForgottenTicks < facts.ReleasedSince(facts.Holder!)) facts.Violated(this, $"An order is answered with {told}, which is not readable any more.");
            if (happened.Node == facts.Holder && happened.Message is { Action: OrkAction.CommandResult, Status: CommandStatus.Rejected, Error: { } error }) CheckRepeated(in happened, error, facts);
            if (happened.Node!.Kind != NodeKind.Caller || happened.Message is not { Action: OrkAction.CommandRequest, EnvelopeId: { } id, Key: null } || facts.World.IsBroken(happened.Node)) return;
            if (!_sent.Add((happened.Node, id))) facts.Violated(this, $"The client of {happened.Node} sends an order without a key again.");
            return;
        }

        foreach (var row in happened.Batch!.NewCommands)
        {
            if (row.Spec.IdempotencyKey is not { } key) continue;
            var of = (row.Spec.Caller, key);
            if (_commands.TryGetValue(of, out var first) && !(facts.Commands.TryGetValue(first, out var known) && (known.Forgotten || happened.Batch.ForgottenCommands.Contains(known.Row.Seq))))
            {
                facts.Violated(this, $"Key {key} of {row.Spec.Caller} has {first} and gets {row.Spec.CommandId}.");
            }

            _commands[of] = row.Spec.CommandId;
        }
    }

    /// <summary>True where a kernel may be about to let a settled command go: that is on the disk only with the next commit.</summary>
    private static bool MayBeLetGo(CommandFacts command, Facts facts)
    {
        var options = facts.World.KernelOptions.Commands;
        return command.IsTerminal && (facts.World.WallJumps || facts.Settled > options.MaxSettled / 2 || facts.NowTicks - command.TouchedTicks > TimeSpan.FromMilliseconds(options.RetentionMs / 2).Ticks);
    }

    /// <summary>An order whose command is readable is not refused for how its Worker stands now, nor for how much there is to do: it is answered with its command.</summary>
    private void CheckRepeated(in SimEvent answer, string error, Facts facts)
    {
        if (answer.Connection!.Facts is not { } link) return;
        if (!link.Questions.TryGetValue(answer.Correlation, out var asked) || EnvelopeReader.Read(asked.Envelope, out var envelope) is not null) return;
        if (CommandRequestPayload.Read(envelope.Payload, out var order) is not null || order.IdempotencyKey is not { } key) return;
        if (!_commands.TryGetValue((link.Peer.Key, key), out var id) || !facts.Commands.TryGetValue(id, out var first)) return;
        if (facts.HeldSinceTicks < asked.Ticks && facts.IsServed && first.AcceptedTicks < asked.Ticks && !first.Forgotten && !MayBeLetGo(first, facts)) facts.Violated(this, $"{link.Peer} repeats {key}, whose command is {id}, and is refused: {error}.");
    }
}
