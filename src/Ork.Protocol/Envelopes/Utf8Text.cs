using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Ork.Protocol;

/// <summary>
/// A JSON string as it stands in a frame: its bytes between the quotes, undecoded, so that most text of most envelopes is
/// never turned into a <see cref="string"/>.
/// </summary>
/// <param name="Raw">The UTF-8 bytes between the quotes, escapes included. They live as long as their frame.</param>
/// <param name="Escaped">True where <paramref name="Raw"/> holds escape sequences.</param>
public readonly record struct Utf8Text(ReadOnlyMemory<byte> Raw, bool Escaped)
{
    private static readonly SearchValues<char> NeverEscaped =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:/@#$%*()[]{}=;,!?|~^ ");

    /// <summary>True where there is no text: absent, null, or the empty string.</summary>
    public bool IsEmpty => Raw.IsEmpty;

    /// <summary>The decoded text, or null where there is none.</summary>
    public string? Decode()
    {
        if (Raw.IsEmpty) return null;
        if (!Escaped) return Encoding.UTF8.GetString(Raw.Span);
        var quoted = new byte[Raw.Length + 2];
        quoted[0] = quoted[^1] = (byte)'"';
        Raw.Span.CopyTo(quoted.AsSpan(1));
        var reader = new Utf8JsonReader(quoted);
        reader.Read();
        return reader.GetString();
    }

    /// <summary>Text that is plain ASCII without anything JSON would escape, as the protocol's own words are.</summary>
    public static Utf8Text Plain(string text) => new(Encoding.UTF8.GetBytes(text), false);

    /// <summary>Any text, escaped as JSON needs it.</summary>
    public static Utf8Text From(string? text) =>
        string.IsNullOrEmpty(text) ? default
        : text.AsSpan().ContainsAnyExcept(NeverEscaped) ? new(JsonEncodedText.Encode(text).EncodedUtf8Bytes.ToArray(), true)
        : Plain(text);

    /// <summary>The same text, in bytes of its own that outlive the frame.</summary>
    public Utf8Text Keep() => new(Raw.ToArray(), Escaped);

    /// <inheritdoc/>
    public override string ToString() => Decode() ?? "";
}
