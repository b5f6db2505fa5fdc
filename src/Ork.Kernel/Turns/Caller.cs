using Ork.Protocol;

namespace Ork.Kernel;

/// <summary>Where an answer to a caller goes: its session, the request's correlation, and what the answer repeats of the request.</summary>
/// <param name="Session">The caller's session.</param>
/// <param name="Correlation">The request's correlation.</param>
/// <param name="Id">The request's id, copied where the answer outlives the request's frame.</param>
/// <param name="DeviceId">The request's device.</param>
/// <param name="Action">The action that answers.</param>
internal readonly record struct CallerRef(long Session, ulong Correlation, Utf8Text Id, Utf8Text DeviceId, OrkAction Action)
{
    /// <summary>The same, with its own copies of the request's bytes.</summary>
    internal CallerRef Keep()
    {
        var bytes = new byte[Id.Raw.Length + DeviceId.Raw.Length];
        Id.Raw.CopyTo(bytes);
        DeviceId.Raw.CopyTo(bytes.AsMemory(Id.Raw.Length));
        return this with
        {
            Id = new Utf8Text(bytes.AsMemory(0, Id.Raw.Length), Id.Escaped),
            DeviceId = new Utf8Text(bytes.AsMemory(Id.Raw.Length), DeviceId.Escaped),
        };
    }
}

/// <summary>Answers to callers, each in the lane it belongs to.</summary>
/// <param name="options">The kernel's name and retry hint.</param>
internal sealed class Answers(KernelOptions options)
{
    private static readonly Utf8Text NoId = Utf8Text.Plain("-");

    private readonly Utf8Text _sender = Utf8Text.From(options.Name);
    private readonly long _retryAfterMs = options.Loop.RetryAfterMs;

    /// <summary>How the kernel calls itself.</summary>
    internal Utf8Text Sender => _sender;

    /// <summary>Answers with a payload that reveals or depends on recorded state: after the commit.</summary>
    internal void AfterCommit(Turn turn, in CallerRef caller, ReadOnlyMemory<byte> payload) => Send(turn.AfterCommit, turn, caller, payload);

    /// <summary>Answers with a payload that does neither: at once.</summary>
    internal void AtOnce(Turn turn, in CallerRef caller, ReadOnlyMemory<byte> payload) => Send(turn.AtOnce, turn, caller, payload);

    /// <summary>Refuses a request, at once: <c>{"status":"REJECTED","error","message","retryAfterMs"}</c>.</summary>
    internal void Refuse(Turn turn, in CallerRef caller, Refusal refusal) => AtOnce(turn, caller, Payload(turn, refusal));

    /// <summary>Refuses a request because of what is recorded, or no longer is: after the commit, like everything that reveals it.</summary>
    internal void RefuseAfterCommit(Turn turn, in CallerRef caller, Refusal refusal) => AfterCommit(turn, caller, Payload(turn, refusal));

    private ReadOnlyMemory<byte> Payload(Turn turn, Refusal refusal)
    {
        var hint = refusal.Error == ErrorCodes.QueueFull || refusal.Error == ErrorCodes.KernelBusy
            || refusal.Error == ErrorCodes.KernelUnavailable || refusal.Error == ErrorCodes.WorkerNotRoutable
            || refusal.Error == ErrorCodes.CircuitOpen;
        return turn.Payload((refusal, hint ? _retryAfterMs : 0), static (json, it) =>
        {
            json.WriteStartObject();
            json.WriteString("status"u8, CommandWords.Of(CommandStatus.Rejected));
            json.WriteString("error"u8, it.refusal.Text);
            json.WriteString("message"u8, it.refusal.Error.Sentence);
            if (it.Item2 > 0) json.WriteNumber("retryAfterMs"u8, it.Item2);
            json.WriteEndObject();
        });
    }

    private void Send(EffectBatch lane, Turn turn, in CallerRef caller, ReadOnlyMemory<byte> payload) =>
        lane.Send(caller.Session, FrameKind.Response, caller.Correlation, new Envelope
        {
            Id = caller.Id.IsEmpty ? NoId : caller.Id,
            Type = MessageType.Response,
            Action = caller.Action,
            Sender = _sender,
            DeviceId = caller.DeviceId,
            Timestamp = turn.UtcMs,
            Payload = payload,
        });
}
