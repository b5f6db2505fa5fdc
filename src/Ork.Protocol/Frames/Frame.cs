using System.Buffers.Binary;

namespace Ork.Protocol;

/// <summary>What a frame is for.</summary>
public enum FrameKind : byte
{
    /// <summary>Not a frame.</summary>
    None = 0,

    /// <summary>First frame of the side that opened the link.</summary>
    Hello = 1,

    /// <summary>Answer to Hello.</summary>
    Welcome = 2,

    /// <summary>Carries an envelope that asks.</summary>
    Request = 3,

    /// <summary>Carries the envelope that answers the Request of the same correlation.</summary>
    Response = 4,

    /// <summary>Last frame: why the link ends.</summary>
    Goodbye = 5,
}

/// <summary>The fixed part of a frame: <c>u32 length (LE, of what follows) | u8 kind | u64 correlation (LE)</c>.</summary>
/// <param name="Kind">What the frame is for.</param>
/// <param name="Correlation">Pairs a Response with its Request; 0 in other kinds.</param>
/// <param name="PayloadLength">Bytes of payload behind the header.</param>
[OrkRecord(1)]
public readonly record struct FrameHeader(FrameKind Kind, ulong Correlation, int PayloadLength)
{
    /// <summary>Bytes of a header.</summary>
    public const int Size = 13;

    /// <summary>The default limit of a frame's length field, in bytes.</summary>
    public const int DefaultMaxFrameBytes = 1024 * 1024;

    private const int FixedPart = 9;

    /// <summary>The most payload a frame may carry under a limit of its length field.</summary>
    public static int MaxPayload(int maxFrameBytes) => maxFrameBytes - FixedPart;

    /// <summary>Reads a header.</summary>
    /// <param name="bytes">At least <see cref="Size"/> bytes.</param>
    /// <param name="maxFrameBytes">The link's limit of the length field.</param>
    /// <param name="header">The header, where accepted.</param>
    /// <returns>Null if accepted, else <c>ERR_FRAME_TOO_LARGE</c> or <c>ERR_FRAME_MALFORMED</c>; the link cannot go on.</returns>
    public static ErrorCode? Read(ReadOnlySpan<byte> bytes, int maxFrameBytes, out FrameHeader header)
    {
        header = default;
        var length = BinaryPrimitives.ReadUInt32LittleEndian(bytes);
        if (length > (uint)maxFrameBytes) return ErrorCodes.FrameTooLarge;
        if (length < FixedPart) return ErrorCodes.FrameMalformed;
        var kind = (FrameKind)bytes[4];
        if (kind is < FrameKind.Hello or > FrameKind.Goodbye) return ErrorCodes.FrameMalformed;
        header = new FrameHeader(kind, BinaryPrimitives.ReadUInt64LittleEndian(bytes[5..]), (int)length - FixedPart);
        return null;
    }

    /// <summary>Writes the header into the first <see cref="Size"/> bytes.</summary>
    public void Write(Span<byte> bytes)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, (uint)(PayloadLength + FixedPart));
        bytes[4] = (byte)Kind;
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[5..], Correlation);
    }
}

/// <summary>
/// A frame that came in. Its payload may stand in a pooled buffer: whoever took the frame calls <see cref="Release"/> once when
/// nothing points into the payload any more.
/// </summary>
/// <param name="Kind">What the frame is for.</param>
/// <param name="Correlation">Pairs a Response with its Request.</param>
/// <param name="Payload">The payload's bytes.</param>
/// <param name="Behind">What lies behind the payload and is to be given back: an array of <see cref="FramePool"/>, or whatever else is told by being disposed of; null for nothing.</param>
public readonly record struct ReceivedFrame(FrameKind Kind, ulong Correlation, ReadOnlyMemory<byte> Payload, object? Behind = null)
{
    /// <summary>Gives the buffer back. Nothing may read the payload afterwards.</summary>
    public void Release()
    {
        if (Behind is byte[] pooled) FramePool.Return(pooled);
        else if (Behind is IDisposable other) other.Dispose();
    }
}
