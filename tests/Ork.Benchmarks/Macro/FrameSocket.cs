using System.Net.Sockets;
using Ork.Protocol;

namespace Ork.Benchmarks;

/// <summary>
/// Frames over a bare Unix domain socket, as few calls as can be: one receive takes what has come, one send takes what was put. The load and the bare relay are
/// made of it, so that what they cost is the sockets and little else.
/// </summary>
internal sealed class FrameSocket : IDisposable
{
    private readonly Socket _socket;
    private byte[] _input = new byte[64 * 1024];
    private byte[] _output = new byte[16 * 1024];
    private int _start;
    private int _end;
    private int _put;
    private byte[] _leaving = new byte[16 * 1024];
    private bool _sending;

    internal FrameSocket(Socket socket) => _socket = socket;

    /// <summary>Where the payload lies that was taken last; valid until the next receive.</summary>
    internal ReadOnlyMemory<byte> Payload { get; private set; }

    internal static FrameSocket Connect(string path)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(path));
            return new FrameSocket(socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Connects, and greets as a kernel expects it.</summary>
    internal static FrameSocket Greet(string path, Greeting greeting)
    {
        var link = Connect(path);
        link.Put(FrameKind.Hello, 0, greeting.ToBytes());
        link.Flush();
        if (link.Take() is not { Kind: FrameKind.Welcome }) throw new IOException($"{path} did not welcome the link.");
        return link;
    }

    /// <summary>Room for the payload of one more frame, to be closed with <see cref="EndFrame"/>.</summary>
    internal Span<byte> BeginFrame(int most)
    {
        if (_output.Length - _put < FrameHeader.Size + most) Array.Resize(ref _output, Math.Max(_output.Length * 2, _put + FrameHeader.Size + most));
        return _output.AsSpan(_put + FrameHeader.Size, most);
    }

    internal void EndFrame(FrameKind kind, ulong correlation, int length)
    {
        new FrameHeader(kind, correlation, length).Write(_output.AsSpan(_put));
        _put += FrameHeader.Size + length;
    }

    internal void Put(FrameKind kind, ulong correlation, ReadOnlySpan<byte> payload)
    {
        payload.CopyTo(BeginFrame(payload.Length));
        EndFrame(kind, correlation, payload.Length);
    }

    internal void Flush()
    {
        for (var sent = 0; sent < _put;) sent += _socket.Send(_output.AsSpan(sent, _put - sent));
        _put = 0;
    }

    /// <summary>Sends what was put without waiting for it: what is put while a send is under way leaves together with the next one. Puts are made under a lock on this.</summary>
    internal void FlushSoon()
    {
        lock (this)
        {
            if (_sending || _put == 0) return;
            _sending = true;
        }

        _ = SendAsync();
    }

    private async Task SendAsync()
    {
        while (true)
        {
            int count;
            lock (this)
            {
                count = _put;
                if (count == 0)
                {
                    _sending = false;
                    return;
                }

                (_leaving, _output, _put) = (_output, _leaving, 0);
            }

            for (var sent = 0; sent < count;) sent += await _socket.SendAsync(_leaving.AsMemory(sent, count - sent));
        }
    }

    /// <summary>The next whole frame that has come, without waiting.</summary>
    internal bool TryTake(out FrameHeader header)
    {
        header = default;
        if (_end - _start < FrameHeader.Size) return false;
        if (FrameHeader.Read(_input.AsSpan(_start, FrameHeader.Size), FrameHeader.DefaultMaxFrameBytes, out header) is { } error) throw new IOException(error.Code);
        var size = FrameHeader.Size + header.PayloadLength;
        if (_end - _start < size)
        {
            if (_input.Length < size) Array.Resize(ref _input, size);
            return false;
        }

        Payload = _input.AsMemory(_start + FrameHeader.Size, header.PayloadLength);
        _start += size;
        return true;
    }

    /// <summary>Waits for the next frame.</summary>
    /// <returns>Null where the link has ended.</returns>
    internal FrameHeader? Take()
    {
        FrameHeader header;
        while (!TryTake(out header))
        {
            if (!Receive()) return null;
        }

        return header;
    }

    /// <summary>Waits until something has come.</summary>
    internal bool Receive()
    {
        MakeRoom();
        var count = _socket.Receive(_input.AsSpan(_end));
        _end += count;
        return count > 0;
    }

    /// <inheritdoc cref="Receive"/>
    internal async ValueTask<bool> ReceiveAsync()
    {
        MakeRoom();
        var count = await _socket.ReceiveAsync(_input.AsMemory(_end));
        _end += count;
        return count > 0;
    }

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose();

    private void MakeRoom()
    {
        if (_start > 0)
        {
            _input.AsSpan(_start, _end - _start).CopyTo(_input);
            (_start, _end) = (0, _end - _start);
        }

        if (_end == _input.Length) Array.Resize(ref _input, _input.Length * 2);
    }
}
