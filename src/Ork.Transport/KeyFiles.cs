using System.Collections.Frozen;
using Ork.Protocol;

namespace Ork.Transport;

/// <summary>
/// Keys that stand in files, which are read again when they change: who is let in, and who no longer is, needs no restart. They are looked at when a key is asked for, once a
/// second at most. Files that cannot be read, or hold what is no key, leave what was read before.
/// </summary>
public sealed class KeyFiles
{
    /// <summary>How often files are looked at, at most.</summary>
    internal static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly IReadOnlyList<string> _paths;
    private readonly TimeProvider _time;
    private readonly Action<int, Exception?> _readAgain;
    private readonly object _gate = new();
    private FrozenSet<string> _keys;
    private (DateTime Written, long Bytes)[] _stamps;
    private long _lookedAt;
    private int _version;

    /// <summary>Reads the files.</summary>
    /// <param name="paths">The files; see <see cref="KeyAllowlist.ParseLines"/>.</param>
    /// <param name="time">The clock.</param>
    /// <param name="readAgain">Hears how many keys there are once files have changed, or why they were not taken. Must be quick and must not throw.</param>
    /// <exception cref="LinkException">A file cannot be read, or a line is no key: <c>ERR_CONFIG_INVALID</c>.</exception>
    public KeyFiles(IReadOnlyList<string> paths, TimeProvider time, Action<int, Exception?> readAgain)
    {
        ArgumentNullException.ThrowIfNull(time);
        _paths = paths;
        _time = time;
        _readAgain = readAgain;
        _stamps = Stamps();
        _keys = Read();
        _lookedAt = time.GetTimestamp();
    }

    internal bool IsEmpty => _keys.Count == 0;

    /// <summary>True where there are files at all.</summary>
    internal bool MayChange => _paths.Count > 0;

    /// <summary>Another whenever the keys may be others.</summary>
    internal int Version
    {
        get
        {
            lock (_gate)
            {
                LookAgain();
                return _version;
            }
        }
    }

    internal bool Contains(string key)
    {
        lock (_gate)
        {
            LookAgain();
            return _keys.Contains(key);
        }
    }

    private void LookAgain()
    {
        if (_paths.Count == 0 || _time.GetElapsedTime(_lookedAt) < Interval) return;
        _lookedAt = _time.GetTimestamp();
        var stamps = Stamps();
        if (stamps.SequenceEqual(_stamps)) return;
        _stamps = stamps;
        try
        {
            _keys = Read();
            _version++;
            _readAgain(_keys.Count, null);
        }
        catch (LinkException e)
        {
            _readAgain(_keys.Count, e);
        }
    }

    private (DateTime, long)[] Stamps() => [.. _paths.Select(static path => new FileInfo(path)).Select(static file => file.Exists ? (file.LastWriteTimeUtc, file.Length) : default)];

    private FrozenSet<string> Read()
    {
        try
        {
            return _paths.SelectMany(static path => KeyAllowlist.ParseLines(File.ReadLines(path), path)).ToFrozenSet(StringComparer.OrdinalIgnoreCase);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new LinkException(Refusal.With(ErrorCodes.ConfigInvalid, e.Message), e);
        }
    }
}
