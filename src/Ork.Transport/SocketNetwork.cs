using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Ork.Protocol;

namespace Ork.Transport;

/// <summary>
/// The network as it is: Unix domain sockets with the peer's user id checked, TCP with TLS 1.3 and both public keys checked, and plain TCP on loopback
/// where told to be insecure.
/// </summary>
/// <param name="options">Keys, allowlists and limits.</param>
public sealed class SocketNetwork(SocketNetworkOptions options) : INetwork
{
    private const int Probes = 4;

    private readonly SocketRoom _room = options.Room ?? SocketRoom.OfThisProcess();

    // Those that were connected to without a key that they must have.
    private readonly AdmittedLinks? _dialled = !options.Insecure && (options.Workers.MayChange || options.Kernels.MayChange)
        ? new AdmittedLinks(options.AllowsToConnectTo, () => options.Workers.Version + options.Kernels.Version, options.Tell)
        : null;

    /// <inheritdoc/>
    public async ValueTask<IConnection> ConnectAsync(LinkEndpoint endpoint, string? expectedKey, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        Socket? socket = null;
        SocketRoom.Place? place = null;
        try
        {
            place = _room.Enter(Audience.Workers);
            if (place is not { IsRefused: false }) throw new LinkException(Refusal.With(ErrorCodes.TooManyLinks, endpoint.ToString()));
            socket = NewSocket(endpoint);
            if (endpoint.Path is { } path) await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellation);
            else await socket.ConnectAsync(await ResolveAsync(endpoint, cancellation), endpoint.Port, cancellation);
            return await SecureAsync(socket, place, endpoint, expectedKey, cancellation);
        }
        catch (Exception e)
        {
            socket?.Dispose();
            place?.Dispose();
            throw e switch
            {
                LinkException or OperationCanceledException => e,
                _ => new LinkException(Refusal.With(ErrorCodes.KernelUnavailable, $"{endpoint}: {e.Message}"), e),
            };
        }
    }

    /// <inheritdoc/>
    public IListener Listen(LinkEndpoint endpoint, Audience audience)
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        var allowlist = options.ListOf(audience);
        if (!endpoint.IsUnix && !options.Insecure)
        {
            if (allowlist.IsEmpty) throw new LinkException(Refusal.With(ErrorCodes.AllowlistEmpty, $"{endpoint} for {audience}"));
            RequireIdentity();
        }

        Socket? socket = null;
        try
        {
            socket = NewSocket(endpoint);
            return new SocketListener(Bind(socket, endpoint), endpoint, audience, this, _room, options);
        }
        catch (Exception e) when (e is SocketException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            socket?.Dispose();
            throw new LinkException(Refusal.With(ErrorCodes.EndpointInvalid, $"{endpoint}: {e.Message}"), e);
        }
    }

    /// <summary>Authenticates an accepted socket.</summary>
    internal async ValueTask<SocketConnection> AdmitAsync(Socket socket, SocketRoom.Place place, LinkEndpoint endpoint, Audience audience, CancellationToken cancellation)
    {
        if (endpoint.IsUnix) return Plain(socket, place, UnixPeer(socket, endpoint));
        Prepare(socket);
        var address = socket.RemoteEndPoint?.ToString() ?? "";
        if (options.Insecure) return Plain(socket, place, new PeerIdentity("insecure", address));
        var tls = new SslStream(new NetworkStream(socket, ownsSocket: true));
        await tls.AuthenticateAsServerAsync(
            new SslServerAuthenticationOptions
            {
                ServerCertificateContext = RequireIdentity().Context,
                ClientCertificateRequired = true,
                EnabledSslProtocols = SslProtocols.Tls13,
                CertificateChainPolicy = NoChain,
                RemoteCertificateValidationCallback = AnyCertificate,
            },
            cancellation);
        return Checked(socket, place, tls, address, options.ListOf(audience).Allows);
    }

    private async ValueTask<IConnection> SecureAsync(Socket socket, SocketRoom.Place place, LinkEndpoint endpoint, string? expectedKey, CancellationToken cancellation)
    {
        if (endpoint.IsUnix) return Plain(socket, place, UnixPeer(socket, endpoint));
        Prepare(socket);
        if (options.Insecure) return Plain(socket, place, new PeerIdentity("insecure", endpoint.ToString()));
        var tls = new SslStream(new NetworkStream(socket, ownsSocket: true));
        var identity = RequireIdentity();
        await tls.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions
            {
                TargetHost = endpoint.Host,
                ClientCertificateContext = identity.Context,
                EnabledSslProtocols = SslProtocols.Tls13,
                CertificateChainPolicy = NoChain,
                RemoteCertificateValidationCallback = AnyCertificate,
            },
            cancellation);
        bool Expected(string key) => expectedKey is null ? options.AllowsToConnectTo(key) : string.Equals(key, expectedKey, StringComparison.OrdinalIgnoreCase);
        var connection = Checked(socket, place, tls, endpoint.ToString(), Expected);
        if (connection.CloseReason is { } refused) throw new LinkException(refused);
        if (expectedKey is null) _dialled?.Add(connection);
        return connection;
    }

    /// <summary>The key counts and no authority does: a chain to one is not looked for, which would cost each handshake the system's whole list of them.</summary>
    private static X509ChainPolicy NoChain => new()
    {
        TrustMode = X509ChainTrustMode.CustomRootTrust,
        RevocationMode = X509RevocationMode.NoCheck,
        VerificationFlags = X509VerificationFlags.AllFlags,
        DisableCertificateDownloads = true,
    };

    /// <summary>The handshake proves possession of the key whatever the certificate says; whether the key may connect is decided afterwards.</summary>
    private static bool AnyCertificate(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors) => certificate is not null;

    private SocketConnection Checked(Socket socket, SocketRoom.Place place, SslStream tls, string address, Func<string, bool> allows)
    {
        var key = tls.RemoteCertificate is X509Certificate2 certificate ? LinkIdentity.KeyOf(certificate) : "none";
        var connection = new SocketConnection(socket, place, tls, new PeerIdentity(key, address), options);
        if (place.IsRefused) connection.Close(ErrorCodes.TooManyLinks);
        else if (!allows(key)) connection.Close(Refusal.With(ErrorCodes.KeyNotAllowed, key));
        return connection;
    }

    private SocketConnection Plain(Socket socket, SocketRoom.Place place, PeerIdentity peer)
    {
        var connection = new SocketConnection(socket, place, new NetworkStream(socket, ownsSocket: true), peer, options);
        if (place.IsRefused) connection.Close(ErrorCodes.TooManyLinks);
        else if (peer.Key.StartsWith("uid:", StringComparison.Ordinal) && !IsOwnOrRoot(peer.Key)) connection.Close(Refusal.With(ErrorCodes.KeyNotAllowed, peer.Key));
        return connection;
    }

    private static bool IsOwnOrRoot(string key) => key == "uid:0" || key == $"uid:{geteuid()}";

    private static PeerIdentity UnixPeer(Socket socket, LinkEndpoint endpoint)
    {
        // struct ucred { pid, uid, gid } of SO_PEERCRED.
        const int solSocket = 1, soPeerCred = 17;
        Span<byte> credentials = stackalloc byte[12];
        socket.GetRawSocketOption(solSocket, soPeerCred, credentials);
        var pid = BitConverter.ToInt32(credentials);
        var uid = BitConverter.ToUInt32(credentials[4..]);
        return new PeerIdentity($"uid:{uid}", $"{endpoint} pid {pid}");
    }

    private LinkIdentity RequireIdentity() =>
        options.Identity ?? throw new LinkException(Refusal.With(ErrorCodes.ConfigInvalid, "TCP with TLS needs a key"));

    /// <summary>
    /// A caller may say nothing for days, and one whose machine lost its power never will again: without probes its link, and its place among the callers, would be held for good.
    /// </summary>
    private void Prepare(Socket socket)
    {
        socket.NoDelay = true;
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, options.ProbeAfterSeconds);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, Math.Max(1, options.ProbeAfterSeconds / Probes));
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, Probes);
    }

    private static Socket NewSocket(LinkEndpoint endpoint) => endpoint.IsUnix
        ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
        : new Socket(SocketType.Stream, ProtocolType.Tcp);

    private async ValueTask<IPAddress[]> ResolveAsync(LinkEndpoint endpoint, CancellationToken cancellation)
    {
        var addresses = IPAddress.TryParse(endpoint.Host, out var address) ? [address] : await Dns.GetHostAddressesAsync(endpoint.Host, cancellation);
        RequireLoopback(endpoint, addresses);
        return addresses;
    }

    private void RequireLoopback(LinkEndpoint endpoint, IPAddress[] addresses)
    {
        if (addresses.Length == 0) throw new LinkException(Refusal.With(ErrorCodes.EndpointInvalid, $"{endpoint}: no address"));
        if (options.Insecure && !addresses.All(IPAddress.IsLoopback)) throw new LinkException(Refusal.With(ErrorCodes.InsecureNotLoopback, endpoint.ToString()));
    }

    private Socket Bind(Socket socket, LinkEndpoint endpoint)
    {
        if (endpoint.Path is { } path) BindUnix(socket, path);
        else
        {
            var addresses = IPAddress.TryParse(endpoint.Host, out var address) ? [address] : Dns.GetHostAddresses(endpoint.Host);
            RequireLoopback(endpoint, addresses);
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            socket.Bind(new IPEndPoint(addresses[0], endpoint.Port));
        }

        socket.Listen(options.Backlog);
        return socket;
    }

    /// <summary>A socket file left by a process that was killed is removed; one that somebody listens on is not. Nobody can connect before the mode is set.</summary>
    private static void BindUnix(Socket socket, string path)
    {
        var endpoint = new UnixDomainSocketEndPoint(path);
        if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } directory) Directory.CreateDirectory(directory);
        if (File.Exists(path))
        {
            using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                probe.Connect(endpoint);
                throw new IOException("another process listens there");
            }
            catch (SocketException)
            {
                File.Delete(path);
            }
        }

        socket.Bind(endpoint);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    [DllImport("libc")]
    private static extern uint geteuid();
}
