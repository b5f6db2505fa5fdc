using System.Buffers.Text;
using System.Text;
using System.Text.Json;

namespace Ork.Protocol;

/// <summary>
/// Walks the members of one payload object in place. The bytes come from an accepted envelope, so they are well-formed; text that
/// is no text (a lone surrogate, say) reads as null. Of bytes that are not well-formed it reads some members, and ends.
/// </summary>
public ref struct PayloadReader
{
    private readonly ReadOnlyMemory<byte> _payload;
    private readonly ReadOnlySpan<byte> _json;
    private ReadOnlySpan<byte> _name;
    private ReadOnlySpan<byte> _value;
    private int _valueStart;
    private int _at;

    /// <summary>Starts before the first member of an object.</summary>
    /// <param name="payload">The bytes of one JSON object, or nothing, which has no members.</param>
    public PayloadReader(ReadOnlyMemory<byte> payload)
    {
        _payload = payload;
        _json = payload.Span;
        _at = PlainJson.SkipSpace(_json, 0);
        if (_at >= _json.Length || _json[_at] != (byte)'{') _at = _json.Length;
    }

    /// <summary>The kind of the current member's value.</summary>
    public readonly JsonTokenType Kind => _value.IsEmpty ? JsonTokenType.None : _value[0] switch
    {
        (byte)'{' => JsonTokenType.StartObject,
        (byte)'[' => JsonTokenType.StartArray,
        (byte)'"' => JsonTokenType.String,
        (byte)'t' => JsonTokenType.True,
        (byte)'f' => JsonTokenType.False,
        (byte)'n' => JsonTokenType.Null,
        _ => JsonTokenType.Number,
    };

    /// <summary>True where the current value is JSON null.</summary>
    public readonly bool IsNull => Kind == JsonTokenType.Null;

    /// <summary>Goes to the next member's value, passing over what is left of the current one.</summary>
    /// <returns>False at the end of the object.</returns>
    public bool Next()
    {
        // Before a member stands the object's beginning, or what parts it from the one before.
        var start = _at >= _json.Length ? _at : PlainJson.SkipSpace(_json, _at + 1);
        if (start >= _json.Length || _json[start] != (byte)'"') return End();
        var end = PlainJson.SkipValue(_json, start);
        _name = _json[start..end];
        _valueStart = PlainJson.SkipSpace(_json, PlainJson.SkipSpace(_json, end) + 1);
        if (_valueStart >= _json.Length) return End();
        end = PlainJson.SkipValue(_json, _valueStart);
        _value = _json[_valueStart..end];
        _at = PlainJson.SkipSpace(_json, end);
        return true;
    }

    /// <summary>True where the current member has this name.</summary>
    public readonly bool Is(ReadOnlySpan<byte> name) =>
        _name.Length == name.Length + 2 ? _name[1..^1].SequenceEqual(name) : _name.Contains((byte)'\\') && Name() is { } text && name.SequenceEqual(Encoding.UTF8.GetBytes(text));

    /// <summary>The current member's name, or null where it is no text.</summary>
    public readonly string? Name() => TextOf(_name);

    /// <summary>The current value as text, or null where it is something else.</summary>
    public readonly string? Text() => TextOf(_value);

    /// <summary>The current value as a whole number, or null where it is something else or does not fit.</summary>
    public readonly long? Integer() =>
        Kind == JsonTokenType.Number && Utf8Parser.TryParse(_value, out long value, out var length) && length == _value.Length ? value : null;

    /// <summary>The current value as a finite number, or null where it is something else.</summary>
    public readonly double? Number() =>
        Kind == JsonTokenType.Number && Utf8Parser.TryParse(_value, out double value, out var length) && length == _value.Length && double.IsFinite(value) ? value : null;

    /// <summary>The current value as true or false, or null where it is something else.</summary>
    public readonly bool? Boolean() => Kind switch
    {
        JsonTokenType.True => true,
        JsonTokenType.False => false,
        _ => null,
    };

    /// <summary>The current value's bytes, whatever it is.</summary>
    public readonly ReadOnlyMemory<byte> Raw() => _payload.Slice(_valueStart, _value.Length);

    /// <summary>The bytes of each element of the current value, or null where it is not an array.</summary>
    public readonly List<ReadOnlyMemory<byte>>? Elements()
    {
        if (Kind != JsonTokenType.StartArray) return null;
        var elements = new List<ReadOnlyMemory<byte>>();
        var end = _valueStart + _value.Length;
        for (var at = PlainJson.SkipSpace(_json, _valueStart + 1); at < end && _json[at] != (byte)']';)
        {
            var start = at;
            at = PlainJson.SkipValue(_json, start);
            elements.Add(_payload[start..at]);
            at = PlainJson.SkipSpace(_json, at);
            if (at < end && _json[at] == (byte)',') at = PlainJson.SkipSpace(_json, at + 1);
        }

        return elements;
    }

    /// <summary>One JSON value's bytes as text, or null where they are not a string.</summary>
    public static string? TextOf(ReadOnlyMemory<byte> value) => TextOf(value.Span);

    /// <summary>True where one JSON value's bytes are an object.</summary>
    public static bool IsObject(ReadOnlyMemory<byte> value) => !value.IsEmpty && value.Span[0] == (byte)'{';

    private static string? TextOf(ReadOnlySpan<byte> value)
    {
        if (value.Length < 2 || value[0] != (byte)'"') return null;
        return value.Contains((byte)'\\') ? Decoded(value) : Encoding.UTF8.GetString(value[1..^1]);
    }

    private static string? Decoded(ReadOnlySpan<byte> value)
    {
        var reader = new Utf8JsonReader(value);
        try
        {
            return reader.Read() ? reader.GetString() : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private bool End()
    {
        _at = _json.Length;
        _value = default;
        return false;
    }
}
