using System.Text.Json;
using System.Text.Unicode;

namespace Ork.Protocol;

/// <summary>
/// Reads envelopes. Any bytes whatever give an envelope or a code: nothing is thrown, whoever wrote the bytes.
/// </summary>
public static class EnvelopeReader
{
    /// <summary>The deepest nesting of objects and arrays that is read; deeper frames are <c>ERR_FRAME_NOT_JSON</c>.</summary>
    public const int MaxDepth = 64;

    private static readonly JsonReaderOptions Strict = new() { MaxDepth = MaxDepth };

    /// <summary>Reads one envelope from the whole of <paramref name="frame"/>.</summary>
    /// <param name="frame">A frame's payload. The envelope points into it.</param>
    /// <param name="envelope">
    /// What could be read. It is filled as far as possible on a refusal too, so that the refusal can name the request's id and action.
    /// </param>
    /// <returns>Null if the envelope is accepted, else the first rule of protocol.md that it breaks.</returns>
    public static ErrorCode? Read(ReadOnlyMemory<byte> frame, out Envelope envelope)
    {
        envelope = default;
        if (!Utf8.IsValid(frame.Span)) return ErrorCodes.FrameNotJson;
        try
        {
            return ReadMembers(frame, ref envelope);
        }
        catch (JsonException)
        {
            return ErrorCodes.FrameNotJson;
        }
        catch (InvalidOperationException)
        {
            // An escape that is no character, such as a lone surrogate.
            return ErrorCodes.FrameNotJson;
        }
    }

    private static ErrorCode? ReadMembers(ReadOnlyMemory<byte> frame, ref Envelope envelope)
    {
        var reader = new Utf8JsonReader(frame.Span, Strict);
        reader.Read();
        var isObject = reader.TokenType == JsonTokenType.StartObject;
        var members = default(Members);
        if (isObject) members.ReadAll(ref reader, frame);
        else reader.Skip();

        // Trailing bytes after the value are not one JSON value: this read throws on them.
        reader.Read();
        if (!isObject) return ErrorCodes.EnvelopeNotObject;
        envelope = members.ToEnvelope();
        return members.Check(in envelope);
    }

    /// <summary>The members as they stand, before any rule is applied: order and duplicates must not matter.</summary>
    private ref struct Members
    {
        private Utf8Text _id, _version, _type, _action, _sender, _target, _deviceId;
        private double _timestamp;
        private ReadOnlyMemory<byte> _payload;
        private bool _payloadInvalid;
        private List<ReadOnlyMemory<byte>>? _unknown;

        internal void ReadAll(ref Utf8JsonReader reader, ReadOnlyMemory<byte> frame)
        {
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var start = (int)reader.TokenStartIndex;
                if (reader.ValueTextEquals("id"u8)) _id = Text(ref reader, frame);
                else if (reader.ValueTextEquals("version"u8)) _version = Text(ref reader, frame);
                else if (reader.ValueTextEquals("type"u8)) _type = Text(ref reader, frame);
                else if (reader.ValueTextEquals("action"u8)) _action = Text(ref reader, frame);
                else if (reader.ValueTextEquals("sender"u8)) _sender = Text(ref reader, frame);
                else if (reader.ValueTextEquals("target"u8)) _target = Text(ref reader, frame);
                else if (reader.ValueTextEquals("deviceId"u8)) _deviceId = Text(ref reader, frame);
                else if (reader.ValueTextEquals("timestamp"u8)) _timestamp = Number(ref reader);
                else if (reader.ValueTextEquals("payload"u8)) ReadPayload(ref reader, frame);
                else KeepUnknown(ref reader, frame, start);
            }
        }

        internal readonly Envelope ToEnvelope() => new()
        {
            Id = _id,
            Version = _version,
            Type = TypeOf(_type),
            Action = _action.IsEmpty ? OrkAction.None : OrkActions.Find(_action),
            Sender = _sender,
            Target = _target,
            DeviceId = _deviceId,
            Timestamp = _timestamp,
            Payload = _payload,
            Unknown = Join(_unknown),
        };

        internal readonly ErrorCode? Check(in Envelope envelope)
        {
            if (_id.IsEmpty) return ErrorCodes.EnvelopeIdMissing;
            if (_version.IsEmpty) return ErrorCodes.EnvelopeVersionMissing;
            if (envelope.Type == MessageType.None) return ErrorCodes.EnvelopeTypeInvalid;
            if (_action.IsEmpty) return ErrorCodes.EnvelopeActionInvalid;
            if (envelope.Action == OrkAction.None) return ErrorCodes.EnvelopeActionUnknown;
            if (_sender.IsEmpty) return ErrorCodes.EnvelopeSenderInvalid;
            if (_timestamp == 0) return ErrorCodes.EnvelopeTimestampInvalid;
            return _payloadInvalid ? ErrorCodes.EnvelopePayloadInvalid : null;
        }

        private void ReadPayload(ref Utf8JsonReader reader, ReadOnlyMemory<byte> frame)
        {
            reader.Read();
            _payloadInvalid = reader.TokenType is not (JsonTokenType.StartObject or JsonTokenType.Null);
            var start = (int)reader.TokenStartIndex;
            var isObject = reader.TokenType == JsonTokenType.StartObject;
            reader.Skip();
            _payload = isObject ? frame[start..(int)reader.BytesConsumed] : default;
        }

        private void KeepUnknown(ref Utf8JsonReader reader, ReadOnlyMemory<byte> frame, int start)
        {
            reader.Read();
            reader.Skip();
            (_unknown ??= []).Add(frame[start..(int)reader.BytesConsumed]);
        }

        private static Utf8Text Text(ref Utf8JsonReader reader, ReadOnlyMemory<byte> frame)
        {
            reader.Read();
            if (reader.TokenType != JsonTokenType.String)
            {
                reader.Skip();
                return default;
            }

            // Decoding once here is what makes a later Decode of the same bytes safe.
            if (reader.ValueIsEscaped) _ = reader.GetString();
            var start = (int)reader.TokenStartIndex + 1;
            return new Utf8Text(frame.Slice(start, reader.ValueSpan.Length), reader.ValueIsEscaped);
        }

        private static double Number(ref Utf8JsonReader reader)
        {
            reader.Read();
            if (reader.TokenType == JsonTokenType.Number && reader.TryGetDouble(out var value) && double.IsFinite(value)) return value;
            reader.Skip();
            return 0;
        }

        private static MessageType TypeOf(Utf8Text text) => text.Escaped ? TypeOf(Utf8Text.Plain(text.Decode()!))
            : text.Raw.Span.SequenceEqual("request"u8) ? MessageType.Request
            : text.Raw.Span.SequenceEqual("response"u8) ? MessageType.Response
            : text.Raw.Span.SequenceEqual("event"u8) ? MessageType.Event
            : MessageType.None;

        private static ReadOnlyMemory<byte> Join(List<ReadOnlyMemory<byte>>? parts)
        {
            if (parts is null) return default;
            var joined = new byte[parts.Sum(part => part.Length + 1)];
            var at = 0;
            foreach (var part in parts)
            {
                part.Span.CopyTo(joined.AsSpan(at));
                at += part.Length;
                joined[at++] = (byte)',';
            }

            return joined;
        }
    }
}
