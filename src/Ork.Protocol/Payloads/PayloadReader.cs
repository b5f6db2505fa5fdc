using System.Text.Json;

namespace Ork.Protocol;

/// <summary>
/// Walks the members of one payload object in place. The bytes come from an accepted envelope, so they are well-formed; text that
/// is no text (a lone surrogate, say) reads as null.
/// </summary>
public ref struct PayloadReader
{
    private readonly ReadOnlyMemory<byte> _payload;
    private Utf8JsonReader _reader;
    private Utf8JsonReader _name;
    private int _valueStart;

    /// <summary>Starts before the first member of an object.</summary>
    /// <param name="payload">The bytes of one JSON object, or nothing, which has no members.</param>
    public PayloadReader(ReadOnlyMemory<byte> payload)
    {
        _payload = payload;
        _reader = new Utf8JsonReader(payload.Span, new JsonReaderOptions { MaxDepth = EnvelopeReader.MaxDepth });
        if (!payload.IsEmpty) _reader.Read();
    }

    /// <summary>The kind of the current member's value.</summary>
    public readonly JsonTokenType Kind => _reader.TokenType;

    /// <summary>True where the current value is JSON null.</summary>
    public readonly bool IsNull => _reader.TokenType == JsonTokenType.Null;

    /// <summary>Goes to the next member's value, passing over what is left of the current one.</summary>
    /// <returns>False at the end of the object.</returns>
    public bool Next()
    {
        if (_payload.IsEmpty) return false;
        if (_reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray && _reader.CurrentDepth > 0) _reader.Skip();
        if (!_reader.Read() || _reader.TokenType != JsonTokenType.PropertyName) return false;
        _name = _reader;
        _reader.Read();
        _valueStart = (int)_reader.TokenStartIndex;
        return true;
    }

    /// <summary>True where the current member has this name.</summary>
    public readonly bool Is(ReadOnlySpan<byte> name) =>
        _name.ValueIsEscaped ? Name() is { } text && name.SequenceEqual(System.Text.Encoding.UTF8.GetBytes(text)) : _name.ValueTextEquals(name);

    /// <summary>The current member's name, or null where it is no text.</summary>
    public readonly string? Name()
    {
        try
        {
            return _name.GetString();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>The current value as text, or null where it is something else.</summary>
    public readonly string? Text()
    {
        if (_reader.TokenType != JsonTokenType.String) return null;
        try
        {
            return _reader.GetString();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>The current value as a whole number, or null where it is something else or does not fit.</summary>
    public readonly long? Integer() =>
        _reader.TokenType == JsonTokenType.Number && _reader.TryGetInt64(out var value) ? value : null;

    /// <summary>The current value as a finite number, or null where it is something else.</summary>
    public readonly double? Number() =>
        _reader.TokenType == JsonTokenType.Number && _reader.TryGetDouble(out var value) && double.IsFinite(value) ? value : null;

    /// <summary>The current value as true or false, or null where it is something else.</summary>
    public readonly bool? Boolean() => _reader.TokenType switch
    {
        JsonTokenType.True => true,
        JsonTokenType.False => false,
        _ => null,
    };

    /// <summary>The current value's bytes, whatever it is.</summary>
    public ReadOnlyMemory<byte> Raw()
    {
        if (_reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray) _reader.Skip();
        return _payload[_valueStart..(int)_reader.BytesConsumed];
    }

    /// <summary>The bytes of each element of the current value, or null where it is not an array.</summary>
    public List<ReadOnlyMemory<byte>>? Elements()
    {
        if (_reader.TokenType != JsonTokenType.StartArray) return null;
        var elements = new List<ReadOnlyMemory<byte>>();
        while (_reader.Read() && _reader.TokenType != JsonTokenType.EndArray)
        {
            var start = (int)_reader.TokenStartIndex;
            _reader.Skip();
            elements.Add(_payload[start..(int)_reader.BytesConsumed]);
        }

        return elements;
    }

    /// <summary>One JSON value's bytes as text, or null where they are not a string.</summary>
    public static string? TextOf(ReadOnlyMemory<byte> value)
    {
        var reader = new Utf8JsonReader(value.Span);
        try
        {
            return reader.Read() && reader.TokenType == JsonTokenType.String ? reader.GetString() : null;
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>True where one JSON value's bytes are an object.</summary>
    public static bool IsObject(ReadOnlyMemory<byte> value) => !value.IsEmpty && value.Span[0] == (byte)'{';
}
