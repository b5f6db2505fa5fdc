namespace Ork.Protocol;

/// <summary>The port to chance: the only source of ids and jitter in deterministic code.</summary>
public interface IEntropy
{
    /// <summary>64 random bits.</summary>
    ulong NextBits();
}

/// <summary>What deterministic code draws from <see cref="IEntropy"/>.</summary>
public static class EntropyDraws
{
    /// <summary>A number from 0 up to, not including, <paramref name="limit"/>.</summary>
    public static long Below(this IEntropy entropy, long limit) => limit <= 1 ? 0 : (long)(entropy.NextBits() % (ulong)limit);

    /// <summary>
    /// Exponential backoff with full jitter: a uniform draw from 0 to <c>min(cap, base x 2^attempt)</c>, in milliseconds.
    /// </summary>
    /// <param name="entropy">The source.</param>
    /// <param name="attempt">0 for the first retry.</param>
    /// <param name="baseMs">The first ceiling.</param>
    /// <param name="capMs">The highest ceiling.</param>
    public static long FullJitterMs(this IEntropy entropy, int attempt, long baseMs, long capMs)
    {
        var ceiling = attempt >= 32 ? capMs : Math.Min(capMs, baseMs << attempt);
        return entropy.Below(ceiling + 1);
    }

    /// <summary>A UUID of version 7: ordered by time, so that stores append rather than scatter.</summary>
    /// <param name="entropy">The source of its random part.</param>
    /// <param name="utcMs">The wall clock, milliseconds since 1970.</param>
    public static Guid NextId(this IEntropy entropy, long utcMs)
    {
        Span<byte> bytes = stackalloc byte[16];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64BigEndian(bytes, (ulong)utcMs << 16);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64LittleEndian(bytes[8..], entropy.NextBits());
        var low = entropy.NextBits();
        bytes[6] = (byte)(0x70 | (low & 0x0F));
        bytes[7] = (byte)(low >> 8);
        bytes[8] = (byte)(0x80 | (bytes[8] & 0x3F));
        return new Guid(bytes, bigEndian: true);
    }
}
