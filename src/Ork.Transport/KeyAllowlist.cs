using System.Collections.Frozen;
using Ork.Protocol;

namespace Ork.Transport;

/// <summary>Which public keys may connect.</summary>
/// <param name="keys">Hashes, <c>sha256:</c> and 64 hex digits.</param>
/// <param name="allowAny">True: any key may.</param>
/// <param name="files">Files with more of them, or null.</param>
public sealed class KeyAllowlist(IEnumerable<string> keys, bool allowAny = false, KeyFiles? files = null)
{
    private readonly FrozenSet<string> _keys = keys.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    /// <summary>Allows nobody.</summary>
    public static KeyAllowlist Nobody { get; } = new([]);

    /// <summary>Allows everybody.</summary>
    public static KeyAllowlist Anybody { get; } = new([], allowAny: true);

    /// <summary>True where nobody can connect.</summary>
    public bool IsEmpty => _keys.Count == 0 && !allowAny && files is not { IsEmpty: false };

    /// <summary>Another whenever other keys may be allowed than before.</summary>
    internal int Version => files?.Version ?? 0;

    /// <summary>True where there are files that may come to hold other keys.</summary>
    internal bool MayChange => files is { MayChange: true } && !allowAny;

    /// <summary>True where this key may connect.</summary>
    public bool Allows(string key) => allowAny || _keys.Contains(key) || files?.Contains(key) == true;

    /// <summary>Reads a list from lines: a key a line, what follows a blank is a comment, as is a line that begins with <c>#</c>.</summary>
    /// <exception cref="LinkException">A line is no key.</exception>
    public static IReadOnlyList<string> ParseLines(IEnumerable<string> lines, string source)
    {
        ArgumentNullException.ThrowIfNull(lines);
        var keys = new List<string>();
        foreach (var (line, number) in lines.Select((line, index) => (line.Trim(), index + 1)))
        {
            if (line.Length == 0 || line[0] == '#') continue;
            var key = line.Split(' ', '\t')[0];
            if (!IsKey(key)) throw new LinkException(Refusal.With(ErrorCodes.ConfigInvalid, $"{source}:{number}: not a key: {key}"));
            keys.Add(key);
        }

        return keys;
    }

    /// <summary>True for <c>sha256:</c> and 64 hex digits.</summary>
    public static bool IsKey(string text)
    {
        const string prefix = "sha256:";
        ArgumentNullException.ThrowIfNull(text);
        return text.Length == prefix.Length + 64 && text.StartsWith(prefix, StringComparison.OrdinalIgnoreCase)
            && text.AsSpan(prefix.Length).IndexOfAnyExcept("0123456789abcdefABCDEF") < 0;
    }
}
