using System.Buffers;
using System.Text.Json;
using Ork.Protocol;

namespace Ork.Worker;

/// <summary>The one answer a request is owed.</summary>
internal sealed record Reply(IConnection Connection, ulong Correlation, Utf8Text Id, string? DeviceId, OrkAction Action);

/// <summary>Writes a Worker's answers. For any thread.</summary>
internal sealed class Replies(string workerId, TimeProvider time)
{
    private const int KeptBytes = 64 * 1024;

    private readonly Utf8Text _sender = Utf8Text.From(workerId);
    private readonly object _writing = new();
    private ArrayBufferWriter<byte> _answer = new(1024);

    /// <summary>Answers a command with how it ended.</summary>
    internal void AnswerCommand(Reply reply, string commandId, JournalAnswer answer)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { SkipValidation = true }))
        {
            json.WriteStartObject();
            json.WriteString("commandId"u8, commandId);
            json.WriteString("status"u8, CommandWords.Of(answer.Status));
            json.WritePropertyName("result"u8);
            json.WriteRawValue(answer.Result.IsEmpty ? "null"u8 : answer.Result.Span, skipInputValidation: true);
            json.WriteString("error"u8, answer.Error);
            json.WriteEndObject();
        }

        Answer(reply, buffer.WrittenMemory);
    }

    /// <summary>Answers that the request is not carried out, and why.</summary>
    internal void Refuse(Reply reply, Refusal refusal) => Answer(reply, JsonSerializer.SerializeToUtf8Bytes(new
    {
        status = CommandWords.Of(CommandStatus.Rejected),
        error = refusal.Text,
        message = refusal.Error.Sentence,
    }));

    /// <summary>Answers.</summary>
    internal void Answer(Reply reply, ReadOnlyMemory<byte> payload)
    {
        var answer = new Envelope
        {
            Id = reply.Id,
            Type = MessageType.Response,
            Action = reply.Action,
            Sender = _sender,
            DeviceId = Utf8Text.From(reply.DeviceId),
            Timestamp = time.GetUtcNow().ToUnixTimeMilliseconds(),
            Payload = payload,
        };
        lock (_writing)
        {
            _answer.ResetWrittenCount();
            EnvelopeWriter.Write(_answer, in answer);
            reply.Connection.Send(FrameKind.Response, reply.Correlation, _answer.WrittenSpan);
            if (_answer.Capacity > KeptBytes) _answer = new ArrayBufferWriter<byte>(1024);
        }
    }
}
