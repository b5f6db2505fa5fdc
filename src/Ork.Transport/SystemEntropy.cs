using System.Buffers.Binary;
using System.Security.Cryptography;
using Ork.Protocol;

namespace Ork.Transport;

/// <summary>Chance from the operating system.</summary>
public sealed class SystemEntropy : IEntropy
{
    /// <inheritdoc/>
    public ulong NextBits()
    {
        Span<byte> bytes = stackalloc byte[8];
        RandomNumberGenerator.Fill(bytes);
        return BinaryPrimitives.ReadUInt64LittleEndian(bytes);
    }
}
