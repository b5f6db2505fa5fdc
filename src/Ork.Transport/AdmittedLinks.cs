using Ork.Protocol;

namespace Ork.Transport;

/// <summary>
/// Links that were let in by their keys. One whose key is taken away is closed within <see cref="KeyFiles.Interval"/>: who is no longer allowed must not stay because he came before.
/// </summary>
/// <param name="allows">Whether a key is allowed.</param>
/// <param name="version">Another number whenever other keys may be allowed than before.</param>
/// <param name="taken">Told of each link that is closed.</param>
internal sealed class AdmittedLinks(Func<string, bool> allows, Func<int> version, Action<SocketConnection> taken)
{
    private readonly HashSet<SocketConnection> _links = [];
    private int _version = version();
    private bool _watching;

    /// <summary>Takes a link in, to be looked at whenever keys have changed: since it was let in for one of them, too.</summary>
    internal void Add(SocketConnection link)
    {
        bool begins;
        lock (_links)
        {
            _links.Add(link);
            (begins, _watching) = (!_watching, true);
        }

        if (!allows(link.Peer.Key)) Close(link);
        if (begins) _ = WatchAsync();
    }

    /// <summary>Looks at the links for as long as there are any.</summary>
    private async Task WatchAsync()
    {
        do
        {
            await Task.Delay(KeyFiles.Interval);
            try
            {
                foreach (var link in LookAgain()) taken(link);
            }
            catch (Exception)
            {
                // The disk has its moods: the keys are looked at again.
            }
        }
        while (GoesOn());
    }

    private bool GoesOn()
    {
        lock (_links) return _watching = _links.Count > 0;
    }

    /// <summary>Forgets links that have ended and, where keys have changed, closes those whose keys are not allowed any more.</summary>
    /// <returns>Those that it closes.</returns>
    private SocketConnection[] LookAgain()
    {
        // That may wait for a disk.
        var now = version();
        SocketConnection[] strangers;
        lock (_links)
        {
            _links.RemoveWhere(static link => link.IsClosed);
            if (now == _version) return [];
            strangers = [.. _links.Where(link => !allows(link.Peer.Key))];
            _version = now;
        }

        foreach (var link in strangers) Close(link);
        return strangers;
    }

    private static void Close(SocketConnection link) => link.Close(Refusal.With(ErrorCodes.KeyNotAllowed, link.Peer.Key));
}
