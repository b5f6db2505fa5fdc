using Ork.Kernel;
using Ork.Protocol;

namespace OrkSim;

/// <summary>S7: no command is accepted for a Worker that is dead or whose circuit is open to it, and none is sent to a Worker that is not Ready, or is Sick, Dead or unprobed, or whose circuit is open, or whose contract of now does not have it.</summary>
public sealed class NoSendToUnroutable : IInvariant
{
    /// <inheritdoc/>
    public string Id => "S7";

    /// <inheritdoc/>
    public string Says => "No command is accepted for a Worker that is dead or whose circuit is open to it, and none is sent to a Worker that is not Ready, or is Sick, Dead or unprobed, or whose circuit is open, or whose contract of now does not have it.";

    /// <inheritdoc/>
    public SimEventKind Hears => SimEventKind.FrameSent | SimEventKind.CommitSubmitted;

    private static bool Has(LinkFacts link, string command) => link.Contract.Payload.Span.IndexOf(System.Text.Encoding.UTF8.GetBytes($"\"{command}\"")) >= 0;

    /// <inheritdoc/>
    public void Hear(in SimEvent happened, Facts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        if (happened.Batch is { } batch)
        {
            if (happened.Node == facts.Holder) CheckAccepted(batch, facts);
            return;
        }

        if (happened.Node != facts.Holder || happened.Message is not { Action: OrkAction.CommandRequest } message) return;
        var link = happened.Connection!.Facts!;
        if (link.Peer.Kind != NodeKind.Worker) return;
        if (!link.IdentityTaken || !link.ContractTaken) facts.Violated(this, $"{message.CommandId} was sent to {link.Peer}, which is not registered on this link.");
        else if (!facts.Pongs.ContainsKey(link.Peer.Name)) facts.Violated(this, $"{message.CommandId} was sent to {link.Peer}, which has answered no ping of this kernel.");
        facts.Watch(link);

        // The decision may be older than the frame by a commit: only what was so before it was taken counts.
        var decidedTicks = facts.ReleasedSince(happened.Node!);
        if (facts.Circuits.TryGetValue(link.Peer.Name, out var circuit) && circuit.State == KernelEvent.CircuitOpened && circuit.Ticks < decidedTicks)
        {
            facts.Violated(this, $"{message.CommandId} was sent to {link.Peer}, whose circuit is open.");
        }

        // Whatever is sent on a link was decided when its contract had been heard.
        if (message.CommandId is { } id && facts.Commands.TryGetValue(id, out var command) && !Has(link, command.Row.Spec.Command))
        {
            facts.Violated(this, $"{command.Row.Spec.Command} {id} was sent to {link.Peer}, whose contract on this link has no such command.");
        }

        if (link.SickTicks is { } sick && sick <= decidedTicks) facts.Violated(this, $"{message.CommandId} was sent to {link.Peer}, which is sick.");
    }

    private void CheckAccepted(CommitBatch batch, Facts facts)
    {
        var decidedTicks = facts.DecidedSince(facts.Holder!);
        foreach (var row in batch.NewCommands)
        {
            if (facts.Deaths.TryGetValue(row.WorkerId, out var death) && death.IsDead && death.Ticks < decidedTicks) facts.Violated(this, $"{row.Spec.CommandId} is accepted for {row.WorkerId}, which is dead.");
            var isIsolated = facts.Workers.TryGetValue(row.WorkerId, out var worker) && worker.Hold == CircuitHold.Open && facts.HeldTicks[row.WorkerId] < decidedTicks;
            var isOpen = facts.Circuits.TryGetValue(row.WorkerId, out var circuit) && circuit.State == KernelEvent.CircuitOpened && circuit.Ticks < decidedTicks;
            if (isOpen && (isIsolated || row.Spec.Priority != CommandPriority.Urgent)) facts.Violated(this, $"{row.Spec.CommandId} is accepted for {row.WorkerId}, whose circuit is open.");
        }
    }
}
