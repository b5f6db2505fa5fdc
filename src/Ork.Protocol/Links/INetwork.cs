namespace Ork.Protocol;

/// <summary>The port to the network: framed, ordered, authenticated connections. Real sockets or virtual ones stand behind it.</summary>
public interface INetwork
{
    /// <summary>Opens a connection and authenticates both sides.</summary>
    /// <param name="endpoint">Where to.</param>
    /// <param name="expectedKey">The public-key hash that the peer must prove, or null for any the allowlist allows.</param>
    /// <param name="cancellation">Ends the attempt.</param>
    /// <exception cref="LinkException">No authenticated connection came about.</exception>
    ValueTask<IConnection> ConnectAsync(LinkEndpoint endpoint, string? expectedKey, CancellationToken cancellation);

    /// <summary>Opens a listener.</summary>
    /// <param name="endpoint">Where.</param>
    /// <param name="audience">Whose allowlist applies.</param>
    /// <exception cref="LinkException">The endpoint cannot be listened on.</exception>
    IListener Listen(LinkEndpoint endpoint, Audience audience);
}

/// <summary>Who may connect to a listener.</summary>
public enum Audience
{
    /// <summary>Gateways, scripts, the CLI.</summary>
    Callers,

    /// <summary>Workers that announce themselves.</summary>
    Workers,

    /// <summary>The kernel that dials a Worker.</summary>
    Kernels,
}

/// <summary>An open listener.</summary>
public interface IListener
{
    /// <summary>Where it listens, the chosen port filled in.</summary>
    LinkEndpoint Endpoint { get; }

    /// <summary>Waits for the next connection that is fully authenticated; peers that fail are told why, as far as they understand it, and dropped on the way.</summary>
    /// <returns>The connection, or null when the listener was closed.</returns>
    ValueTask<IConnection?> AcceptAsync();

    /// <summary>Stops listening. Open connections stay.</summary>
    void Close();
}

/// <summary>One framed connection. Sending never waits; receiving is for one reader at a time.</summary>
public interface IConnection
{
    /// <summary>Who is at the other end.</summary>
    PeerIdentity Peer { get; }

    /// <summary>Why the connection ended, or null while it is open or when the peer just went.</summary>
    Refusal? CloseReason { get; }

    /// <summary>Waits for the next frame.</summary>
    /// <returns>The frame, to be released by the caller, or null at the end of the connection.</returns>
    ValueTask<ReceivedFrame?> ReceiveAsync();

    /// <summary>Puts a frame into the output; the bytes are copied before the call returns. Nothing happens on a closed connection.</summary>
    /// <returns>False when the output has passed its high-water mark: the sender should hold back until <see cref="DrainedAsync"/>.</returns>
    bool Send(FrameKind kind, ulong correlation, ReadOnlySpan<byte> payload);

    /// <summary>
    /// Like <see cref="Send"/>, but the frame need not leave before <see cref="Flush"/> or the next <see cref="Send"/>: many frames then cost one write. A connection
    /// that has nothing to save by it sends at once.
    /// </summary>
    /// <returns>As <see cref="Send"/> does.</returns>
    bool Put(FrameKind kind, ulong correlation, ReadOnlySpan<byte> payload) => Send(kind, correlation, payload);

    /// <summary>Lets what was <see cref="Put"/> leave. Never waits.</summary>
    void Flush()
    {
    }

    /// <summary>Completes when the output is below its low-water mark or the connection has ended.</summary>
    ValueTask DrainedAsync();

    /// <summary>Ends the connection after what is in the output, with a Goodbye that says why where a reason is given. Idempotent.</summary>
    void Close(Refusal? reason);
}

/// <summary>A connection or listener that did not come about, with its code.</summary>
public sealed class LinkException : Exception
{
    /// <summary>A failure with a code.</summary>
    public LinkException(Refusal refusal, Exception? inner = null)
        : base($"{refusal.Text} ({refusal.Error.Sentence})", inner) => Refusal = refusal;

    /// <summary>The code.</summary>
    public Refusal Refusal { get; }
}
