using Ork.Protocol;

namespace Ork.Transport;

/// <summary>Links that were let in by their keys. One whose key is taken away is closed: who is no longer allowed must not stay because he came before.</summary>
internal sealed class AdmittedLinks(KeyAllowlist allowlist)
{
    private readonly HashSet<SocketConnection> _links = [];
    private int _version = allowlist.Version;

    /// <summary>Takes a link in, to be looked at whenever keys have changed: since it was let in for one of them, too.</summary>
    internal void Add(SocketConnection link)
    {
        lock (_links) _links.Add(link);
        if (!allowlist.Allows(link.Peer.Key)) Close(link);
    }

    /// <summary>Forgets links that have ended and, where keys have changed, closes those whose keys are not allowed any more.</summary>
    /// <returns>Those that it closes.</returns>
    internal IReadOnlyList<SocketConnection> LookAgain()
    {
        var version = allowlist.Version;
        SocketConnection[] strangers;
        lock (_links)
        {
            _links.RemoveWhere(static link => link.IsClosed);
            if (version == _version) return [];
            _version = version;
            strangers = [.. _links.Where(link => !allowlist.Allows(link.Peer.Key))];
        }

        foreach (var link in strangers) Close(link);
        return strangers;
    }

    private static void Close(SocketConnection link) => link.Close(Refusal.With(ErrorCodes.KeyNotAllowed, link.Peer.Key));
}
