using System.Globalization;
using System.Text;

namespace Ork.Protocol;

/// <summary>Where a link leads: <c>unix:/path</c> or <c>tcp://host:port</c>.</summary>
public sealed record LinkEndpoint
{
    /// <summary>The most bytes that the path of a Unix socket may have, in UTF-8: what an address of Linux has room for.</summary>
    public const int MaxPathBytes = 108;

    /// <summary>What <see cref="TryParse"/> takes, to be told to who wrote something else.</summary>
    public const string Form = "unix:/path, of 108 bytes at most, or tcp://host:port";

    private LinkEndpoint(string? path, string host, int port)
    {
        Path = path;
        Host = host;
        Port = port;
    }

    /// <summary>The socket file, or null for TCP.</summary>
    public string? Path { get; }

    /// <summary>The host name or address, empty for a Unix socket.</summary>
    public string Host { get; }

    /// <summary>The port; 0 lets the system choose one where listening.</summary>
    public int Port { get; }

    /// <summary>True for <c>unix:</c>.</summary>
    public bool IsUnix => Path is not null;

    /// <summary>An endpoint on a Unix domain socket.</summary>
    public static LinkEndpoint Unix(string path) => new(path, "", 0);

    /// <summary>An endpoint on TCP.</summary>
    public static LinkEndpoint Tcp(string host, int port) => new(null, host, port);

    /// <summary>Reads an endpoint.</summary>
    /// <returns>Null if it has not the <see cref="Form"/> of one.</returns>
    public static LinkEndpoint? TryParse(string? text)
    {
        const string unix = "unix:", tcp = "tcp://";
        if (text is null) return null;
        if (text.StartsWith(unix, StringComparison.Ordinal)) return Encoding.UTF8.GetByteCount(text.AsSpan(unix.Length)) is > 0 and <= MaxPathBytes ? Unix(text[unix.Length..]) : null;
        if (!text.StartsWith(tcp, StringComparison.Ordinal)) return null;
        var rest = text[tcp.Length..];
        var colon = rest.LastIndexOf(':');
        if (colon <= 0 || !ushort.TryParse(rest[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var port)) return null;
        return Tcp(rest[..colon].Trim('[', ']'), port);
    }

    /// <inheritdoc/>
    public override string ToString() => Path is not null ? "unix:" + Path
        : Host.Contains(':', StringComparison.Ordinal) ? $"tcp://[{Host}]:{Port}"
        : $"tcp://{Host}:{Port}";
}

/// <summary>Who is at the other end, as the transport proved it.</summary>
/// <param name="Key"><c>sha256:</c> and the hash of the public key, <c>uid:</c> and the user id of a Unix peer, or <c>insecure</c>.</param>
/// <param name="Address">Where the peer is, for a log.</param>
public readonly record struct PeerIdentity(string Key, string Address);
