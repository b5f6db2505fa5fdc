using Ork.Protocol;

namespace Ork.Kernel;

/// <summary>A link the kernel has open, to a caller or a Worker.</summary>
internal interface ISession
{
    /// <summary>Puts a frame into the output, to leave with <see cref="Flush"/>; must not wait.</summary>
    void Send(FrameKind kind, ulong correlation, ReadOnlySpan<byte> payload);

    /// <summary>Lets what was sent leave; must not wait.</summary>
    void Flush();

    /// <summary>True between a send and the flush; the hub's to set.</summary>
    bool IsUnflushed { get; set; }

    /// <summary>Ends the link, with the reason in a Goodbye.</summary>
    void Close(Refusal reason);
}

/// <summary>What the core may know of the shell's links.</summary>
internal interface IOpenLinks
{
    /// <summary>How many are open, to callers and Workers, those being greeted aside.</summary>
    int Open { get; }
}
