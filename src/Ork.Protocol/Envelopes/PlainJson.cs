using System.Buffers;

namespace Ork.Protocol;

/// <summary>
/// Walks JSON bytes without a tokenizer's bookkeeping: every frame is walked several times, and most of what stands in it is only passed over. What is not plain (an
/// escape, white space) is left to the tokenizer where it matters.
/// </summary>
internal static class PlainJson
{
    /// <summary>Bytes that end a run of plain text: a quote, an escape, a control character.</summary>
    internal static readonly SearchValues<byte> NotPlain =
        SearchValues.Create([(byte)'"', (byte)'\\', .. Enumerable.Range(0, 0x20).Select(control => (byte)control)]);

    /// <summary>True where the bytes are one well-formed object without white space and without escapes. False says nothing: a tokenizer has to look.</summary>
    /// <param name="json">The bytes; valid UTF-8.</param>
    /// <param name="maxDepth">The most objects and arrays within each other, at most 64.</param>
    internal static bool IsObject(ReadOnlySpan<byte> json, int maxDepth)
    {
        if (json.IsEmpty || json[0] != (byte)'{') return false;
        if (json.Length > 1 && json[1] == (byte)'}') return json.Length == 2;
        var at = 1;
        var depth = 1;

        // One bit for each level: set where it is an object.
        var objects = 1UL;
        while (true)
        {
            if ((objects & 1) != 0 && !(TakeText(json, ref at) && TakeByte(json, ref at, (byte)':'))) return false;
            var first = Peek(json, at);
            if (first is (byte)'{' or (byte)'[')
            {
                at++;
                var isObject = first == (byte)'{';
                if (Peek(json, at) != (isObject ? (byte)'}' : (byte)']'))
                {
                    if (++depth > maxDepth) return false;
                    objects = (objects << 1) | (isObject ? 1UL : 0);
                    continue;
                }

                if (depth == maxDepth) return false;
                at++;
            }
            else if (!(first == (byte)'"' ? TakeText(json, ref at) : TakeScalar(json, ref at)))
            {
                return false;
            }

            while (!TakeByte(json, ref at, (byte)','))
            {
                if (!TakeByte(json, ref at, (objects & 1) != 0 ? (byte)'}' : (byte)']')) return false;
                objects >>= 1;
                if (--depth == 0) return at == json.Length;
            }
        }
    }

    /// <summary>Passes over white space.</summary>
    internal static int SkipSpace(ReadOnlySpan<byte> json, int at)
    {
        while (at < json.Length && json[at] is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t') at++;
        return at;
    }

    /// <summary>Passes over a value of well-formed JSON.</summary>
    /// <returns>Where it ends; in what is not well-formed, somewhere behind its beginning.</returns>
    internal static int SkipValue(ReadOnlySpan<byte> json, int at)
    {
        if (at >= json.Length) return json.Length;
        if (json[at] == (byte)'"') return SkipText(json, at);
        if (json[at] is not ((byte)'{' or (byte)'[')) return SkipScalar(json, at);
        for (var depth = 0; at < json.Length;)
        {
            var next = json[at];
            if (next == (byte)'"')
            {
                at = SkipText(json, at);
                continue;
            }

            at++;
            if (next is (byte)'{' or (byte)'[') depth++;
            else if (next is (byte)'}' or (byte)']' && --depth == 0) return at;
        }

        return json.Length;
    }

    private static int SkipText(ReadOnlySpan<byte> json, int at)
    {
        for (at++; at < json.Length; at += 2)
        {
            var length = json[at..].IndexOfAny((byte)'"', (byte)'\\');
            if (length < 0) break;
            at += length;
            if (json[at] == (byte)'"') return at + 1;
        }

        return json.Length;
    }

    private static int SkipScalar(ReadOnlySpan<byte> json, int at)
    {
        // Short, as a rule: a number, a word.
        for (at++; at < json.Length && json[at] is > (byte)' ' and not ((byte)',' or (byte)']' or (byte)'}'); at++)
        {
        }

        return at;
    }

    private static bool TakeText(ReadOnlySpan<byte> json, ref int at)
    {
        if (!TakeByte(json, ref at, (byte)'"')) return false;
        var length = json[at..].IndexOfAny(NotPlain);
        if (length < 0 || json[at + length] != (byte)'"') return false;
        at += length + 1;
        return true;
    }

    private static bool TakeScalar(ReadOnlySpan<byte> json, ref int at) => Peek(json, at) switch
    {
        (byte)'t' => TakeWord(json, ref at, "true"u8),
        (byte)'f' => TakeWord(json, ref at, "false"u8),
        (byte)'n' => TakeWord(json, ref at, "null"u8),
        _ => TakeNumber(json, ref at),
    };

    private static bool TakeWord(ReadOnlySpan<byte> json, ref int at, ReadOnlySpan<byte> word)
    {
        if (!json[at..].StartsWith(word)) return false;
        at += word.Length;
        return true;
    }

    private static bool TakeNumber(ReadOnlySpan<byte> json, ref int at)
    {
        _ = TakeByte(json, ref at, (byte)'-');
        if (!TakeByte(json, ref at, (byte)'0') && !TakeDigits(json, ref at)) return false;
        if (TakeByte(json, ref at, (byte)'.') && !TakeDigits(json, ref at)) return false;
        if (Peek(json, at) is not ((byte)'e' or (byte)'E')) return true;
        at++;
        if (!TakeByte(json, ref at, (byte)'+')) _ = TakeByte(json, ref at, (byte)'-');
        return TakeDigits(json, ref at);
    }

    private static bool TakeDigits(ReadOnlySpan<byte> json, ref int at)
    {
        var start = at;
        while (Peek(json, at) is >= (byte)'0' and <= (byte)'9') at++;
        return at > start;
    }

    private static bool TakeByte(ReadOnlySpan<byte> json, ref int at, byte expected)
    {
        if (Peek(json, at) != expected) return false;
        at++;
        return true;
    }

    // No JSON outside of texts has a zero.
    private static byte Peek(ReadOnlySpan<byte> json, int at) => at < json.Length ? json[at] : (byte)0;
}
