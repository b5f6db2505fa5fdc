using Ork.Protocol;

namespace Ork.Kernel;

/// <summary>A link the kernel has open, to a caller or a Worker.</summary>
internal interface ISession
{
    /// <summary>Sends a frame; must not wait.</summary>
    void Send(FrameKind kind, ulong correlation, ReadOnlySpan<byte> payload);

    /// <summary>Ends the link, with the reason in a Goodbye.</summary>
    void Close(Refusal reason);
}
