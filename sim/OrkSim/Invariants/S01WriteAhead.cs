using Ork.Kernel;
using Ork.Protocol;

namespace OrkSim;

/// <summary>S1: nothing left the kernel for a transition that was not durable, and no Worker for an end that its journal had yet to write.</summary>
public sealed class WriteAhead : IInvariant
{
    /// <inheritdoc/>
    public string Id => "S1";

    /// <inheritdoc/>
    public string Says => "Nothing left the kernel for a transition that was not durable, and no Worker for an end that its journal had yet to write.";

    /// <inheritdoc/>
    public SimEventKind Hears => SimEventKind.FrameSent | SimEventKind.Begun;

    /// <inheritdoc/>
    public void Hear(in SimEvent happened, Facts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        if (happened.Kind == SimEventKind.Begun)
        {
            if (!facts.Commands.ContainsKey(happened.Subject!)) facts.Violated(this, $"{happened.Subject} reached {happened.Node} and is not on the disk.");
            return;
        }

        // That it is busy a Worker says without having asked its journal.
        if (happened is { Node.Kind: NodeKind.Worker, Message: { Action: OrkAction.CommandResult, CommandId: { } ended } word } && word.Error != ErrorCodes.WorkerBusy.Code && facts.World.IsEnding(happened.Node, ended)) facts.Violated(this, $"{happened.Node} tells how {ended} ended, and its journal has yet to write it.");
        if (happened.Frame == FrameKind.Goodbye) CheckGoodbye(in happened, facts);
        if (happened is { Node.Kind: NodeKind.Kernel, Message.Action: OrkAction.WorkerTerminateResponse }) CheckTerminated(in happened, facts);
        if (happened.Node!.Kind != NodeKind.Kernel || happened.Message is not { CommandId: { } id } message) return;
        if (message.Action == OrkAction.CommandRequest) CheckSend(id, message, facts);
        else if (message.Status != CommandStatus.Rejected) CheckTold(id, message, facts);
    }

    private void CheckGoodbye(in SimEvent sent, Facts facts)
    {
        if (sent.Node!.Kind != NodeKind.Kernel || sent.Connection!.Facts is not { Peer.Kind: NodeKind.Worker } link || sent.Payload.Span.IndexOf("ERR_WORKER_TERMINATED"u8) < 0) return;
        if (!facts.Workers.TryGetValue(link.Peer.Name, out var row) || !row.Terminated) facts.Violated(this, $"{link.Peer} is told that it is terminated, which is not on the disk.");
    }

    private void CheckTerminated(in SimEvent sent, Facts facts)
    {
        // A refusal names no Worker.
        if (EnvelopeReader.Read(sent.Payload, out var answer) is not null || PayloadRules.ReadWorkerId(answer.Payload, out var worker) is not null) return;
        if (!facts.Workers.TryGetValue(worker, out var row) || !row.Terminated) facts.Violated(this, $"An operator is told that {worker} is terminated, which is not on the disk.");
    }

    private void CheckSend(string id, WireMessage message, Facts facts)
    {
        if (!facts.Commands.TryGetValue(id, out var command)) facts.Violated(this, $"{id} was sent to a Worker and is not on the disk.");
        else if (!command.Log.Exists(row => row.To == CommandState.Executing && row.Attempt == message.Attempt))
        {
            facts.Violated(this, $"Attempt {message.Attempt} of {id} was sent, and that it is EXECUTING is not on the disk.");
        }
    }

    private void CheckTold(string id, WireMessage message, Facts facts)
    {
        if (!facts.Commands.TryGetValue(id, out var command))
        {
            facts.Violated(this, $"A caller is told of {id}, which is not on the disk.");
        }
        else if (message.Action == OrkAction.CommandStatusResponse)
        {
            var isTold = command.Log.Exists(row => (int)row.To == (int)message.Status && row.Attempt == message.Attempt);
            if (!isTold) facts.Violated(this, $"A caller is told that {id} is {message.Status} at attempt {message.Attempt}, which is not on the disk.");
        }
        else if (message.Cancelled && !(command.Row.State == CommandState.Failed && command.Row.Error == ErrorCodes.Cancelled.Code))
        {
            facts.Violated(this, $"A caller is told that {id} is cancelled; on the disk it is {command.Row.State}.");
        }
    }
}
