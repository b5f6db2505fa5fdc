namespace OrkSim;

/// <summary>
/// What lies behind payloads that nodes have taken. Once it is given back nothing of it stands there any more: who still reads it reads nonsense, as it would read another
/// frame's bytes in production, where buffers are pooled.
/// </summary>
internal sealed class FrameBuffers
{
    // So long is nonsense left to be read before a buffer serves again.
    private const int Resting = 8;
    private const int Grain = 512;
    private const byte Nonsense = 0xEE;

    private readonly Queue<FrameBuffer> _rested = new();

    /// <summary>A copy of a payload, to be given back by being disposed of.</summary>
    internal FrameBuffer Take(ReadOnlySpan<byte> payload)
    {
        var buffer = _rested.Count > Resting ? _rested.Dequeue() : new FrameBuffer(this);
        buffer.Fill(payload);
        return buffer;
    }

    internal sealed class FrameBuffer(FrameBuffers buffers) : IDisposable
    {
        private byte[] _bytes = [];
        private int _length;

        internal ReadOnlyMemory<byte> Payload => _bytes.AsMemory(0, _length);

        internal void Fill(ReadOnlySpan<byte> payload)
        {
            if (_bytes.Length < payload.Length) _bytes = new byte[(payload.Length + Grain - 1) / Grain * Grain];
            _length = payload.Length;
            payload.CopyTo(_bytes);
        }

        /// <inheritdoc/>
        public void Dispose()
        {
            _bytes.AsSpan(0, _length).Fill(Nonsense);
            buffers._rested.Enqueue(this);
        }
    }
}
