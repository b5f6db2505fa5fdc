using System.Net.Sockets;

namespace Ork.Transport;

/// <summary>
/// Sockets that were accepted and have not said a word. They cost a file each and no work, so they hold no place among the handshakes under way: a scanner, a probe or half-open
/// links that a switch left behind would otherwise keep every Worker out. Where there are too many, the one that has been silent longest goes.
/// </summary>
internal sealed class SilentSockets(int most)
{
    private readonly LinkedList<Socket> _sockets = new();

    /// <summary>Waits until the peer says something, or ends its link.</summary>
    /// <exception cref="OperationCanceledException">Its time is over, or too many came after it: the socket is of no use any more.</exception>
    internal async Task UntilItSpeaksAsync(Socket socket, CancellationToken cancellation)
    {
        var place = Enter(socket);
        try
        {
            // Reading nothing ends when there is something to read.
            await socket.ReceiveAsync(Memory<byte>.Empty, SocketFlags.None, cancellation);
        }
        catch (Exception e) when (!Leave(place))
        {
            throw new OperationCanceledException("Too many are silent.", e);
        }

        if (!Leave(place)) throw new OperationCanceledException("Too many are silent.");
    }

    private LinkedListNode<Socket> Enter(Socket socket)
    {
        Socket? longest = null;
        LinkedListNode<Socket> place;
        lock (_sockets)
        {
            if (_sockets.Count >= most)
            {
                longest = _sockets.First!.Value;
                _sockets.RemoveFirst();
            }

            place = _sockets.AddLast(socket);
        }

        longest?.Dispose();
        return place;
    }

    /// <returns>False where it was made to leave.</returns>
    private bool Leave(LinkedListNode<Socket> place)
    {
        lock (_sockets)
        {
            if (place.List is null) return false;
            _sockets.Remove(place);
            return true;
        }
    }
}
