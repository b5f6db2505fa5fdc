using Ork.Protocol;

namespace Ork.Transport;

/// <summary>What real links need.</summary>
public sealed record SocketNetworkOptions
{
    /// <summary>The node's own key; needed for TCP with TLS.</summary>
    public LinkIdentity? Identity { get; init; }

    /// <summary>Callers that may connect over TCP.</summary>
    public KeyAllowlist Callers { get; init; } = KeyAllowlist.Nobody;

    /// <summary>Workers that may connect over TCP, and that may be dialled where the target names no key.</summary>
    public KeyAllowlist Workers { get; init; } = KeyAllowlist.Nobody;

    /// <summary>Kernels that may dial a Worker over TCP, and that a Worker or caller connects to where it names no key.</summary>
    public KeyAllowlist Kernels { get; init; } = KeyAllowlist.Nobody;

    /// <summary>True: TCP without TLS or keys, on loopback addresses only.</summary>
    public bool Insecure { get; init; }

    /// <summary>Limit of a frame's length field, in bytes.</summary>
    public int MaxFrameBytes { get; init; } = FrameHeader.DefaultMaxFrameBytes;

    /// <summary>TLS handshakes under way at once per listener, those beyond <see cref="PatienceMs"/> aside; the rest wait for their turn.</summary>
    public int MaxHandshakes { get; init; } = 64;

    /// <summary>
    /// How long a handshake counts among those under way, in milliseconds. One that hangs goes on after that until its time is over, and keeps nobody out.
    /// </summary>
    public long PatienceMs { get; init; } = 500;

    /// <summary>
    /// Accepted sockets per listener that may be silent where they are to speak first; beyond, the one that has been silent longest is closed. No more than a quarter of the
    /// room for links, or 16.
    /// </summary>
    public int MaxSilent { get; init; } = 4_096;

    /// <summary>How long a TLS handshake may take, in milliseconds, and as long again until it begins.</summary>
    public long HandshakeTimeoutMs { get; init; } = 10_000;

    /// <summary>
    /// How long a TCP link may be idle before the system asks whether its peer is still there, in seconds; who does not say so within as long again has lost the link.
    /// </summary>
    public int ProbeAfterSeconds { get; init; } = 60;

    /// <summary>Connections the system keeps waiting to be accepted.</summary>
    public int Backlog { get; init; } = 4_096;

    /// <summary>How many links there may be; null: as many as the process may have, by <see cref="SocketRoom.OfThisProcess"/>.</summary>
    public SocketRoom? Room { get; init; }

    /// <summary>
    /// Hears of links that were asked for and did not come about, or whose keys were taken away: where from, and why. Of those for which there is no room, the first since there was some. Must be quick
    /// and must not throw.
    /// </summary>
    public Action<string, Refusal>? Refused { get; init; }

    /// <summary>Output in bytes above which a sender is told to hold back.</summary>
    public int OutputHighWater { get; init; } = 1024 * 1024;

    /// <summary>Output in bytes below which it may go on.</summary>
    public int OutputLowWater { get; init; } = 256 * 1024;

    /// <summary>Output in bytes at which a peer that does not read loses its link.</summary>
    public int OutputLimit { get; init; } = 64 * 1024 * 1024;

    /// <summary>How long a closing link may take to send what is left, in milliseconds.</summary>
    public long LingerMs { get; init; } = 2_000;

    internal KeyAllowlist ListOf(Audience audience) => audience switch
    {
        Audience.Callers => Callers,
        Audience.Workers => Workers,
        _ => Kernels,
    };

    /// <summary>True where a node may be connected to by its key alone.</summary>
    internal bool AllowsToConnectTo(string key) => Workers.Allows(key) || Kernels.Allows(key);

    /// <summary>Tells of a link that ends because its key was taken away.</summary>
    internal void Tell(SocketConnection taken) => Refused?.Invoke(taken.Peer.Address, taken.CloseReason ?? ErrorCodes.KeyNotAllowed);
}
