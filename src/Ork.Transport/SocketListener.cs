using System.Net;
using System.Net.Sockets;
using Ork.Protocol;

namespace Ork.Transport;

/// <summary>
/// Accepts sockets and authenticates a bounded number of them at once. One that fails, or that nobody takes yet, holds its place only until its
/// handshake's time is over; the others wait in the system's backlog.
/// </summary>
internal sealed class SocketListener : IListener
{
    private readonly Socket _socket;
    private readonly SocketNetwork _network;
    private readonly KeyAllowlist _allowlist;
    private readonly SocketNetworkOptions _options;
    private readonly SemaphoreSlim _places;
    private readonly CancellationTokenSource _closing = new();
    private readonly Arrivals<IConnection> _ready = new();
    private int _closed;

    internal SocketListener(Socket socket, LinkEndpoint endpoint, SocketNetwork network, KeyAllowlist allowlist, SocketNetworkOptions options)
    {
        _socket = socket;
        _network = network;
        _allowlist = allowlist;
        _options = options;
        _places = new SemaphoreSlim(options.MaxHandshakes);
        Endpoint = socket.LocalEndPoint is IPEndPoint bound ? LinkEndpoint.Tcp(endpoint.Host, bound.Port) : endpoint;
        _ = AcceptLoopAsync();
    }

    /// <inheritdoc/>
    public LinkEndpoint Endpoint { get; }

    /// <inheritdoc/>
    public async ValueTask<IConnection?> AcceptAsync()
    {
        while (await _ready.WaitAsync())
        {
            if (!_ready.TryTake(out var connection)) continue;
            _places.Release();
            return connection;
        }

        return null;
    }

    /// <inheritdoc/>
    public void Close()
    {
        if (Interlocked.Exchange(ref _closed, 1) == 1) return;
        _ready.Close();
        _closing.Cancel();
        _socket.Dispose();
        if (Endpoint.Path is { } path) File.Delete(path);
        while (_ready.TryTake(out var left)) left.Close(ErrorCodes.KernelUnavailable);
    }

    private async Task AcceptLoopAsync()
    {
        while (true)
        {
            try
            {
                await _places.WaitAsync(_closing.Token);
                var socket = await _socket.AcceptAsync(_closing.Token);
                _ = AdmitAsync(socket);
            }
            catch (SocketException) when (!_closing.IsCancellationRequested)
            {
                // The peer was gone before it was accepted, or descriptors ran out: the next one may do better.
                _places.Release();
                await Task.Delay(10);
            }
            catch (Exception)
            {
                // Closed, or beyond help: whoever waits for a connection hears that none will come.
                Close();
                return;
            }
        }
    }

    private async Task AdmitAsync(Socket socket)
    {
        try
        {
            using var timeout = CancellationTokenSource.CreateLinkedTokenSource(_closing.Token);
            timeout.CancelAfter(TimeSpan.FromMilliseconds(_options.HandshakeTimeoutMs));
            var connection = await _network.AdmitAsync(socket, Endpoint, _allowlist, timeout.Token);
            if (connection.CloseReason is null && _ready.Offer(connection)) return;
            connection.Close(ErrorCodes.KernelUnavailable);
        }
        catch (Exception)
        {
            // Whatever a stranger's handshake leads to, it costs the stranger the link and nobody a place.
            socket.Dispose();
        }

        _places.Release();
    }
}
