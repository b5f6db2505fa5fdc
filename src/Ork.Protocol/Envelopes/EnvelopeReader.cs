using System.Buffers.Text;
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
    private static readonly JsonReaderOptions StrictPayload = new() { MaxDepth = MaxDepth - 1 };

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
        var members = default(Members);
        if (members.TryReadAsWritten(frame))
        {
            envelope = members.ToEnvelope();
            return members.Check(in envelope);
        }

        members = default;
        var reader = new Utf8JsonReader(frame.Span, Strict);
        reader.Read();
        var isObject = reader.TokenType == JsonTokenType.StartObject;
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

        /// <summary>
        /// Reads a frame that stands exactly as <see cref="EnvelopeWriter"/> writes one without unknown members: most of all traffic, at a fraction of the cost
        /// of reading it token by token.
        /// </summary>
        /// <returns>False where it does not; what was read until then is void.</returns>
        internal bool TryReadAsWritten(ReadOnlyMemory<byte> frame)
        {
            var at = 0;
            return Take(frame, "{\"id\":"u8, ref at) && TakeText(frame, ref at, ref _id)
                && Take(frame, ",\"version\":"u8, ref at) && TakeText(frame, ref at, ref _version)
                && Take(frame, ",\"type\":"u8, ref at) && TakeText(frame, ref at, ref _type)
                && Take(frame, ",\"action\":"u8, ref at) && TakeText(frame, ref at, ref _action)
                && Take(frame, ",\"sender\":"u8, ref at) && TakeText(frame, ref at, ref _sender)
                && Take(frame, ",\"target\":"u8, ref at) && TakeText(frame, ref at, ref _target)
                && Take(frame, ",\"deviceId\":"u8, ref at) && TakeText(frame, ref at, ref _deviceId)
                && Take(frame, ",\"timestamp\":"u8, ref at) && TakeNumber(frame, ref at)
                && Take(frame, ",\"payload\":"u8, ref at) && TakePayload(frame, at);
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

        private static bool Take(ReadOnlyMemory<byte> frame, ReadOnlySpan<byte> expected, ref int at)
        {
            if (!frame.Span[at..].StartsWith(expected)) return false;
            at += expected.Length;
            return true;
        }

        private static bool TakeText(ReadOnlyMemory<byte> frame, ref int at, ref Utf8Text text)
        {
            if (Take(frame, "null"u8, ref at)) return true;
            if (!Take(frame, "\""u8, ref at)) return false;
            var rest = frame.Span[at..];
            var length = rest.IndexOfAny(PlainJson.NotPlain);
            if (length < 0 || rest[length] != (byte)'"') return false;
            text = new Utf8Text(frame.Slice(at, length), false);
            at += length + 1;
            return true;
        }

        // Only numbers of which there is one way to write them, and which a double holds exactly.
        private bool TakeNumber(ReadOnlyMemory<byte> frame, ref int at)
        {
            const int mostDigits = 15;
            var rest = frame.Span[at..];
            var digits = rest.IndexOfAnyExceptInRange((byte)'0', (byte)'9');
            if (digits is < 1 or > mostDigits || rest[0] == (byte)'0' || !Utf8Parser.TryParse(rest[..digits], out long value, out _)) return false;
            _timestamp = value;
            at += digits;
            return true;
        }

        private bool TakePayload(ReadOnlyMemory<byte> frame, int at)
        {
            if (frame.Length - at < 3 || frame.Span[at] != (byte)'{' || frame.Span[^1] != (byte)'}') return false;
            _payload = frame[at..^1];
            if (PlainJson.IsObject(_payload.Span, MaxDepth - 1)) return true;
            var reader = new Utf8JsonReader(_payload.Span, StrictPayload);
            reader.Read();
            return reader.TrySkip() && reader.BytesConsumed == _payload.Length;
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
