using System.Buffers;
using System.Buffers.Text;

namespace Ork.Protocol;

/// <summary>Writes envelopes straight into a buffer; text and payload bytes that came from a frame are copied, not re-encoded.</summary>
public static class EnvelopeWriter
{
    /// <summary>Writes one envelope in version <see cref="Envelope.ProtocolVersion"/>.</summary>
    /// <param name="output">Where the bytes go.</param>
    /// <param name="envelope">What to write. An empty payload is written as <c>{}</c>.</param>
    public static void Write(IBufferWriter<byte> output, in Envelope envelope)
    {
        Put(output, "{\"id\":"u8);
        PutText(output, envelope.Id);
        Put(output, ",\"version\":\"0.2.0\",\"type\":"u8);
        Put(output, envelope.Type switch
        {
            MessageType.Request => "\"request\""u8,
            MessageType.Response => "\"response\""u8,
            _ => "\"event\""u8,
        });
        Put(output, ",\"action\":"u8);
        PutText(output, OrkActions.WireName(envelope.Action));
        Put(output, ",\"sender\":"u8);
        PutText(output, envelope.Sender);
        Put(output, ",\"target\":"u8);
        PutText(output, envelope.Target);
        Put(output, ",\"deviceId\":"u8);
        PutText(output, envelope.DeviceId);
        Put(output, ",\"timestamp\":"u8);
        PutNumber(output, (long)envelope.Timestamp);
        Put(output, ","u8);
        Put(output, envelope.Unknown.Span);
        Put(output, "\"payload\":"u8);
        Put(output, envelope.Payload.IsEmpty ? "{}"u8 : envelope.Payload.Span);
        Put(output, "}"u8);
    }

    private static void PutText(IBufferWriter<byte> output, Utf8Text text)
    {
        if (text.IsEmpty)
        {
            Put(output, "null"u8);
            return;
        }

        Put(output, "\""u8);
        Put(output, text.Raw.Span);
        Put(output, "\""u8);
    }

    private static void PutNumber(IBufferWriter<byte> output, long value)
    {
        var span = output.GetSpan(20);
        Utf8Formatter.TryFormat(value, span, out var written);
        output.Advance(written);
    }

    private static void Put(IBufferWriter<byte> output, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(output.GetSpan(bytes.Length));
        output.Advance(bytes.Length);
    }
}
