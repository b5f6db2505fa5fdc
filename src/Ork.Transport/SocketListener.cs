using System.Net;
using System.Net.Sockets;
using Ork.Protocol;

namespace Ork.Transport;

/// <summary>
/// Accepts sockets and authenticates a bounded number of them at once. One that hangs, or that nobody takes yet, holds its place for a moment only. Who is to speak first, as
/// with TLS, has a place only once it spoke; elsewhere the others wait in the system's backlog.
/// </summary>
internal sealed class SocketListener : IListener
{
    private const int LeastSilent = 16;

    private readonly Socket _socket;
    private readonly SocketNetwork _network;
    private readonly Audience _audience;
    private readonly SocketRoom _room;
    private readonly SocketNetworkOptions _options;
    private readonly SemaphoreSlim _places;
    private readonly SilentSockets? _silent;
    private readonly AdmittedLinks? _admitted;
    private readonly CancellationTokenSource _closing = new();
    private readonly Arrivals<(IConnection Connection, HeldPlace Place)> _ready = new();
    private int _closed;
    private bool _toldOfRoom;

    internal SocketListener(Socket socket, LinkEndpoint endpoint, Audience audience, SocketNetwork network, SocketRoom room, SocketNetworkOptions options)
    {
        _socket = socket;
        _network = network;
        _audience = audience;
        _room = room;
        _options = options;
        _places = new SemaphoreSlim(options.MaxHandshakes);
        if (!endpoint.IsUnix && !options.Insecure) _silent = new SilentSockets(Math.Clamp(room.MostOf(audience) / 4, LeastSilent, options.MaxSilent));
        if (!endpoint.IsUnix && !options.Insecure && options.ListOf(audience) is { MayChange: true } keys) _admitted = new AdmittedLinks(keys.Allows, () => keys.Version, options.Tell);
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
            if (!_ready.TryTake(out var ready)) continue;
            ready.Place.Dispose();
            return ready.Connection;
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
        while (_ready.TryTake(out var left))
        {
            left.Place.Dispose();
            left.Connection.Close(ErrorCodes.KernelUnavailable);
        }
    }

    private async Task AcceptLoopAsync()
    {
        while (true)
        {
            try
            {
                if (_silent is null) await _places.WaitAsync(_closing.Token);
                var socket = await _socket.AcceptAsync(_closing.Token);
                if (EnterRoom() is { } room) _ = AdmitAsync(socket, room);
                else Drop(socket);
            }
            catch (SocketException) when (!_closing.IsCancellationRequested)
            {
                // The peer was gone before it was accepted, or descriptors ran out: the next one may do better.
                if (_silent is null) _places.Release();
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

    /// <summary>Tells of the first link there is no room for; the next one that is told of follows one that had room.</summary>
    private SocketRoom.Place? EnterRoom()
    {
        var place = _room.Enter(_audience);
        var isFull = place is not { IsRefused: false };
        if (isFull && !_toldOfRoom) _options.Refused?.Invoke(Endpoint.ToString(), ErrorCodes.TooManyLinks);
        _toldOfRoom = isFull;
        return place;
    }

    private void Drop(Socket socket)
    {
        socket.Dispose();
        if (_silent is null) _places.Release();
    }

    private async Task AdmitAsync(Socket socket, SocketRoom.Place room)
    {
        var address = AddressOf(socket);
        var place = _silent is null ? HoldPlace() : null;
        try
        {
            using var timeout = CancellationTokenSource.CreateLinkedTokenSource(_closing.Token);
            timeout.CancelAfter(TimeSpan.FromMilliseconds(_options.HandshakeTimeoutMs));
            if (_silent is not null)
            {
                await _silent.UntilItSpeaksAsync(socket, timeout.Token);
                timeout.CancelAfter(Timeout.InfiniteTimeSpan);
                await _places.WaitAsync(_closing.Token);
                place = HoldPlace();
                timeout.CancelAfter(TimeSpan.FromMilliseconds(_options.HandshakeTimeoutMs));
            }

            var connection = await _network.AdmitAsync(socket, room, Endpoint, _audience, timeout.Token);
            _admitted?.Add(connection);
            if (connection.CloseReason is null && _ready.Offer((connection, place!))) return;
            if (!room.IsRefused) _options.Refused?.Invoke(connection.Peer.Address, connection.CloseReason ?? ErrorCodes.KernelUnavailable);
            connection.Close(ErrorCodes.KernelUnavailable);
        }
        catch (Exception e)
        {
            // Whatever a stranger's handshake leads to, it costs the stranger the link and nobody a place.
            if (!_closing.IsCancellationRequested) _options.Refused?.Invoke(address, e is OperationCanceledException ? ErrorCodes.HandshakeTimeout : Refusal.With(ErrorCodes.HandshakeInvalid, e.Message));
            socket.Dispose();
            room.Dispose();
        }

        place?.Dispose();
    }

    private HeldPlace HoldPlace() => new(_places, _options.PatienceMs, TimeProvider.System);

    private string AddressOf(Socket socket)
    {
        try
        {
            return socket.RemoteEndPoint?.ToString() is { Length: > 0 } address ? address : Endpoint.ToString();
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            return Endpoint.ToString();
        }
    }
}
