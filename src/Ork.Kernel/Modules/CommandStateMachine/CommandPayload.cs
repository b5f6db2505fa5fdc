using System.Text.Json;
using Ork.Protocol;

namespace Ork.Kernel;

/// <summary>The payloads the kernel writes about commands.</summary>
internal static class CommandPayload
{
    /// <summary>A <c>command.request</c> to a Worker.</summary>
    internal static ReadOnlyMemory<byte> ToWorker(Turn turn, Command command, long epoch) =>
        turn.Payload((command, epoch), static (json, it) =>
        {
            var (command, epoch) = it;
            json.WriteStartObject();
            json.WriteString("commandId"u8, command.Spec.CommandId);
            json.WriteNumber("attempt"u8, command.Attempt);
            json.WriteNumber("epoch"u8, epoch);
            json.WriteNumber("timeoutMs"u8, command.Spec.TimeoutMs);
            if (command.Spec.Idempotent && command.Attempt > 1) json.WriteBoolean("reexecute"u8, true);
            json.WriteString("command"u8, command.Spec.Command);
            json.WriteString("scope"u8, CommandWords.Of(command.Spec.Scope));
            json.WriteString("workerId"u8, command.Worker.WorkerId);
            WriteTargets(json, command.Spec.Targets);
            json.WritePropertyName("params"u8);
            json.WriteRawValue(command.Spec.Params.IsEmpty ? "{}"u8 : command.Spec.Params.Span, skipInputValidation: true);
            json.WriteEndObject();
        });

    /// <summary>A <c>command.result</c> that tells a caller of its acceptance. What became of the command since is for <c>command.status</c>.</summary>
    internal static ReadOnlyMemory<byte> Queued(Turn turn, Command command) => Accepted(turn, command, CommandStatus.Queued);

    /// <summary>A <c>command.result</c> for a repeated idempotency key: the first command, as it stands.</summary>
    internal static ReadOnlyMemory<byte> Repeated(Turn turn, Command command) => Accepted(turn, command, (CommandStatus)command.State);

    private static ReadOnlyMemory<byte> Accepted(Turn turn, Command command, CommandStatus status) =>
        turn.Payload((command.Spec.CommandId, status), static (json, it) =>
        {
            json.WriteStartObject();
            json.WriteString("commandId"u8, it.CommandId);
            json.WriteString("status"u8, CommandWords.Of(it.status));
            json.WriteEndObject();
        });

    /// <summary>A <c>command.status.response</c>.</summary>
    internal static ReadOnlyMemory<byte> Status(Turn turn, Command command) => turn.Payload(command, static (json, command) =>
    {
        json.WriteStartObject();
        json.WriteString("commandId"u8, command.Spec.CommandId);
        json.WriteString("status"u8, CommandWords.Of((CommandStatus)command.State));
        json.WriteString("command"u8, command.Spec.Command);
        json.WriteString("deviceId"u8, command.Spec.DeviceId);
        json.WriteString("workerId"u8, command.Worker.WorkerId);
        json.WriteString("scope"u8, CommandWords.Of(command.Spec.Scope));
        json.WriteNumber("attempt"u8, command.Attempt);
        json.WriteNumber("retries"u8, command.Retries);
        json.WritePropertyName("result"u8);
        json.WriteRawValue(command.Result.Length == 0 ? "null"u8 : command.Result, skipInputValidation: true);
        json.WriteString("error"u8, command.Error);
        json.WriteString("outcome"u8, CommandWords.Of(command.Outcome));
        json.WriteNumber("createdAt"u8, command.Spec.CreatedAt);
        json.WriteNumber("updatedAt"u8, command.UpdatedAt);
        json.WriteEndObject();
    });

    /// <summary>A <c>command.cancel.response</c>.</summary>
    internal static ReadOnlyMemory<byte> Cancelled(Turn turn, Command command, bool cancelled, bool stopped) =>
        turn.Payload((command, cancelled, stopped), static (json, it) =>
        {
            json.WriteStartObject();
            json.WriteString("commandId"u8, it.command.Spec.CommandId);
            json.WriteBoolean("cancelled"u8, it.cancelled);
            json.WriteBoolean("stopped"u8, it.stopped);
            json.WriteString("status"u8, CommandWords.Of((CommandStatus)it.command.State));
            json.WriteEndObject();
        });

    /// <summary>What is kept in place of a result that is too large: the command's end stays true without it.</summary>
    internal static byte[] TooLarge(int bytes) => System.Text.Encoding.UTF8.GetBytes($"{{\"error\":\"{ErrorCodes.HandlerResultTooLarge.Code}\",\"bytes\":{bytes}}}");

    private static void WriteTargets(Utf8JsonWriter json, IReadOnlyList<string>? targets)
    {
        if (targets is null) return;
        json.WriteStartArray("targets"u8);
        foreach (var target in targets) json.WriteStringValue(target);
        json.WriteEndArray();
    }
}
