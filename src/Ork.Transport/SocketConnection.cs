using System.Buffers;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Ork.Protocol;

namespace Ork.Transport;

/// <summary>
/// Frames on a stream. What is sent is copied into the output and leaves by the thread that sent it where the socket takes it at once; while a write is under way, what
/// is sent gathers and leaves together with the next one. One read takes whatever has come, and its frames are handed out one by one.
/// </summary>
internal sealed class SocketConnection : IConnection
{
    // A link that only answers pings keeps little; one that is busy grows, and gives back after a burst what is above.
    private const int FirstInput = 1024;
    private const int FirstOutput = 512;
    private const int KeptBytes = 256 * 1024;

    // So many smaller ones later a burst is over: between those of a link that is busy lie some that are small.
    private const int WritesOfABurst = 64;

    private readonly Socket _socket;
    private readonly IDisposable _place;
    private readonly Stream _stream;
    private readonly SocketNetworkOptions _options;
    private readonly object _gate = new();
    private readonly CancellationTokenSource _reading = new();
    private readonly CancellationTokenSource _aborted = new();
    private byte[] _input = [];
    private int _start;
    private int _end;
    private byte[] _output = [];
    private byte[] _leaving = [];
    private int _put;
    private int _sinceFilled;
    private bool _writing;
    private TaskCompletionSource? _drained;
    private long _unsent;
    private bool _closed;

    internal SocketConnection(Socket socket, IDisposable place, Stream stream, PeerIdentity peer, SocketNetworkOptions options)
    {
        _socket = socket;
        _place = place;
        _stream = stream;
        _options = options;
        Peer = peer;
    }

    /// <inheritdoc/>
    public PeerIdentity Peer { get; }

    /// <inheritdoc/>
    public Refusal? CloseReason { get; private set; }

    /// <inheritdoc/>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<ReceivedFrame?> ReceiveAsync()
    {
        try
        {
            while (true)
            {
                if (_reading.IsCancellationRequested) break;
                if (TryTake(out var frame)) return frame;
                if (IsClosed) break;
                MakeRoom();
                var count = await _stream.ReadAsync(_input.AsMemory(_end), _reading.Token);
                if (count == 0) break;
                _end += count;
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or InvalidOperationException or OperationCanceledException)
        {
            // The link broke: the same as its end.
        }

        Close(null);
        return null;
    }

    /// <inheritdoc/>
    public bool Send(FrameKind kind, ulong correlation, ReadOnlySpan<byte> payload)
    {
        var roomLeft = Put(kind, correlation, payload);
        Flush();
        return roomLeft;
    }

    /// <inheritdoc/>
    public bool Put(FrameKind kind, ulong correlation, ReadOnlySpan<byte> payload)
    {
        lock (_gate)
        {
            if (_closed) return true;
            Append(kind, correlation, payload);
            if (_unsent <= _options.OutputLimit) return _unsent <= _options.OutputHighWater;
        }

        Abort(ErrorCodes.PeerTooSlow);
        return true;
    }

    /// <inheritdoc/>
    public void Flush()
    {
        lock (_gate)
        {
            if (_writing || _put == 0) return;
            _writing = true;
        }

        _ = WriteOutAsync();
    }

    /// <inheritdoc/>
    public ValueTask DrainedAsync()
    {
        lock (_gate)
        {
            if (_closed || _unsent <= _options.OutputLowWater) return ValueTask.CompletedTask;
            _drained ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return new ValueTask(_drained.Task);
        }
    }

    /// <inheritdoc/>
    public void Close(Refusal? reason)
    {
        lock (_gate)
        {
            if (_closed) return;
            CloseReason = reason;
            if (reason is not null) Append(FrameKind.Goodbye, 0, JsonSerializer.SerializeToUtf8Bytes(new { error = reason.Text, message = reason.Error.Sentence }));
            _closed = true;
            if (!_writing) _ = WriteLastAsync();
            _writing = true;
        }

        _aborted.CancelAfter(TimeSpan.FromMilliseconds(_options.LingerMs));
        _reading.Cancel();
        SignalDrained();
    }

    /// <summary>True once it has ended or is about to.</summary>
    internal bool IsClosed
    {
        get
        {
            lock (_gate) return _closed;
        }
    }

    private void Abort(Refusal reason)
    {
        Close(reason);
        _aborted.Cancel();
    }

    /// <summary>Called under the gate.</summary>
    private void Append(FrameKind kind, ulong correlation, ReadOnlySpan<byte> payload)
    {
        var size = FrameHeader.Size + payload.Length;
        if (_output.Length - _put < size) Array.Resize(ref _output, Math.Max(Math.Max(_output.Length * 2, FirstOutput), _put + size));
        new FrameHeader(kind, correlation, payload.Length).Write(_output.AsSpan(_put));
        payload.CopyTo(_output.AsSpan(_put + FrameHeader.Size));
        _put += size;
        _unsent += size;
    }

    /// <summary>Makes room for the next read behind what was read and not taken yet.</summary>
    private void MakeRoom()
    {
        if (_start > 0)
        {
            _input.AsSpan(_start, _end - _start).CopyTo(_input);
            (_start, _end) = (0, _end - _start);
        }

        if (_end == 0 && _input.Length > KeptBytes) _input = [];
        if (_end == _input.Length) Array.Resize(ref _input, Math.Max(FirstInput, _input.Length * 2));
    }

    private bool TryTake(out ReceivedFrame frame)
    {
        frame = default;
        if (_end - _start < FrameHeader.Size) return false;
        if (FrameHeader.Read(_input.AsSpan(_start, FrameHeader.Size), _options.MaxFrameBytes, out var header) is { } refusal)
        {
            Close(refusal);
            return false;
        }

        if (_end - _start - FrameHeader.Size < header.PayloadLength) return false;
        var pooled = FramePool.Rent(header.PayloadLength);
        _input.AsSpan(_start + FrameHeader.Size, header.PayloadLength).CopyTo(pooled);
        _start += FrameHeader.Size + header.PayloadLength;
        frame = new ReceivedFrame(header.Kind, header.Correlation, pooled.AsMemory(0, header.PayloadLength), pooled);
        return true;
    }

    /// <summary>Writes until nothing is left. Runs on the sender's thread up to the first write that the socket does not take at once.</summary>
    private async Task WriteOutAsync()
    {
        try
        {
            while (TakeOutput() is { Length: > 0 } bytes)
            {
                await _stream.WriteAsync(bytes, _aborted.Token);
                Sent(bytes.Length);
            }
        }
        catch (Exception)
        {
            // The link broke or lingered too long: what is left cannot be sent.
            Close(null);
            _ = EndAsync();
        }
    }

    /// <summary>What was put since the last time, or nothing: then the next sender writes again, and after the end the stream is given up.</summary>
    private ReadOnlyMemory<byte> TakeOutput()
    {
        lock (_gate)
        {
            if (_put == 0)
            {
                if (_closed) _ = EndAsync();
                else _writing = false;
                return default;
            }

            var count = _put;

            _sinceFilled = count > KeptBytes / 2 ? 0 : _sinceFilled + 1;
            (_leaving, _output, _put) = (_output, _leaving.Length > KeptBytes && _sinceFilled > WritesOfABurst ? [] : _leaving, 0);
            return _leaving.AsMemory(0, count);
        }
    }

    /// <summary>Not on the closer's thread: it may hold locks of its own.</summary>
    private async Task WriteLastAsync()
    {
        try
        {
            await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            await WriteOutAsync();
        }
        catch (Exception)
        {
            // Writing ends by itself whatever happens; should it not, the socket is given up all the same.
            _socket.Dispose();
            _place.Dispose();
        }
    }

    private async Task EndAsync()
    {
        try
        {
            await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            if (CloseReason is not null) await LetReadAsync();
            await _stream.DisposeAsync();
        }
        catch (Exception)
        {
            // Whatever it was, the link is at its end, and nobody is left to be told.
            _socket.Dispose();
        }

        _place.Dispose();
    }

    /// <summary>
    /// Closing over unread input would reset the connection and could take the Goodbye with it: says that no more comes, and reads on for a moment.
    /// </summary>
    private async Task LetReadAsync()
    {
        var buffer = ArrayPool<byte>.Shared.Rent(16 * 1024);
        try
        {
            using var moment = CancellationTokenSource.CreateLinkedTokenSource(_aborted.Token);
            moment.CancelAfter(TimeSpan.FromMilliseconds(_options.LingerMs / 4));
            _socket.Shutdown(SocketShutdown.Send);
            while (await _socket.ReceiveAsync(buffer, moment.Token) > 0)
            {
            }
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // The peer is gone, or the moment is over.
        }

        ArrayPool<byte>.Shared.Return(buffer);
    }

    private void Sent(long bytes)
    {
        lock (_gate)
        {
            _unsent -= bytes;
            if (_unsent > _options.OutputLowWater) return;
        }

        SignalDrained();
    }

    private void SignalDrained()
    {
        TaskCompletionSource? drained;
        lock (_gate) (drained, _drained) = (_drained, null);
        drained?.TrySetResult();
    }
}
