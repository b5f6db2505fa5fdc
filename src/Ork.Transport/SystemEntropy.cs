using System.Buffers.Binary;
using System.Security.Cryptography;
using Ork.Protocol;

namespace Ork.Transport;

/// <summary>Chance from the operating system, asked for in blocks: a draw costs nanoseconds, a call of the system's generator a thousand.</summary>
public sealed class SystemEntropy : IEntropy
{
    private readonly byte[] _block = new byte[1024];
    private readonly object _gate = new();
    private int _left;

    /// <inheritdoc/>
    public ulong NextBits()
    {
        lock (_gate)
        {
            if (_left == 0)
            {
                RandomNumberGenerator.Fill(_block);
                _left = _block.Length;
            }

            _left -= sizeof(ulong);
            return BinaryPrimitives.ReadUInt64LittleEndian(_block.AsSpan(_left));
        }
    }
}
