namespace Ork.Protocol;

/// <summary>The three kinds of message.</summary>
public enum MessageType
{
    /// <summary>Not a type of the protocol.</summary>
    None = 0,

    /// <summary>Asks.</summary>
    Request,

    /// <summary>Answers.</summary>
    Response,

    /// <summary>Tells. Nothing in this protocol is told unasked, so it is understood and refused.</summary>
    Event,
}

/// <summary>
/// An MDK 0.2.0 envelope, read in place: every member points into the frame it came from and lives as long as that frame.
/// </summary>
public readonly struct Envelope
{
    /// <summary>The protocol version this implementation writes.</summary>
    public const string ProtocolVersion = "0.2.0";

    /// <summary>The message's id, never empty in an accepted envelope.</summary>
    public Utf8Text Id { get; init; }

    /// <summary>The sender's protocol version.</summary>
    public Utf8Text Version { get; init; }

    /// <summary>Request, response or event.</summary>
    public MessageType Type { get; init; }

    /// <summary>What is asked or answered.</summary>
    public OrkAction Action { get; init; }

    /// <summary>Who sent it, as they call themselves. Never used to decide what they may do.</summary>
    public Utf8Text Sender { get; init; }

    /// <summary>Whom it is for, where said.</summary>
    public Utf8Text Target { get; init; }

    /// <summary>The device it is about, where said.</summary>
    public Utf8Text DeviceId { get; init; }

    /// <summary>The sender's wall clock, milliseconds since 1970. Never zero in an accepted envelope.</summary>
    public double Timestamp { get; init; }

    /// <summary>The payload object's bytes, untouched; empty where it is absent or null.</summary>
    public ReadOnlyMemory<byte> Payload { get; init; }

    /// <summary>Members the protocol does not know, as <c>"name":value,</c> sequences; kept when the envelope is forwarded.</summary>
    public ReadOnlyMemory<byte> Unknown { get; init; }
}
