using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;
using System.Text.Json;
using Ork.Protocol;

namespace Ork.Transport;

/// <summary>Frames on a stream, both directions through pipes: sending copies into the output and never waits, a pump writes it out.</summary>
internal sealed class SocketConnection : IConnection
{
    private readonly Socket _socket;
    private readonly Stream _stream;
    private readonly SocketNetworkOptions _options;
    private readonly PipeReader _input;
    private readonly Pipe _output = new(new PipeOptions(pauseWriterThreshold: 0, useSynchronizationContext: false));
    private readonly object _gate = new();
    private readonly CancellationTokenSource _aborted = new();
    private TaskCompletionSource? _drained;
    private long _unsent;
    private bool _closed;

    internal SocketConnection(Socket socket, Stream stream, PeerIdentity peer, SocketNetworkOptions options)
    {
        _socket = socket;
        _stream = stream;
        _options = options;
        Peer = peer;
        _input = PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: 16 * 1024, minimumReadSize: 1024, leaveOpen: true));
        _ = PumpAsync();
    }

    /// <inheritdoc/>
    public PeerIdentity Peer { get; }

    /// <inheritdoc/>
    public Refusal? CloseReason { get; private set; }

    /// <inheritdoc/>
    public async ValueTask<ReceivedFrame?> ReceiveAsync()
    {
        try
        {
            while (true)
            {
                var read = await _input.ReadAsync();
                if (read.IsCanceled) break;
                if (TryTake(read.Buffer, out var frame)) return frame;
                if (read.IsCompleted || IsClosed) break;
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
        bool roomLeft;
        lock (_gate)
        {
            if (_closed) return true;
            Append(kind, correlation, payload);
            roomLeft = _unsent <= _options.OutputHighWater;
            if (_unsent <= _options.OutputLimit) return roomLeft;
        }

        Abort(ErrorCodes.PeerTooSlow);
        return true;
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
            _output.Writer.Complete();
        }

        _aborted.CancelAfter(TimeSpan.FromMilliseconds(_options.LingerMs));
        _input.CancelPendingRead();
        SignalDrained();
    }

    private bool IsClosed
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

    /// <summary>Called under the gate; the writer never pauses, so flushing never waits.</summary>
    private void Append(FrameKind kind, ulong correlation, ReadOnlySpan<byte> payload)
    {
        var size = FrameHeader.Size + payload.Length;
        var span = _output.Writer.GetSpan(size);
        new FrameHeader(kind, correlation, payload.Length).Write(span);
        payload.CopyTo(span[FrameHeader.Size..]);
        _output.Writer.Advance(size);
        _unsent += size;
#pragma warning disable ORK0010 // The writer never pauses: what it returns has completed.
        _ = _output.Writer.FlushAsync();
#pragma warning restore ORK0010
    }

    private bool TryTake(ReadOnlySequence<byte> buffer, out ReceivedFrame frame)
    {
        frame = default;
        Span<byte> head = stackalloc byte[FrameHeader.Size];
        if (buffer.Length < FrameHeader.Size)
        {
            _input.AdvanceTo(buffer.Start, buffer.End);
            return false;
        }

        buffer.Slice(0, FrameHeader.Size).CopyTo(head);
        if (FrameHeader.Read(head, _options.MaxFrameBytes, out var header) is { } refusal)
        {
            _input.AdvanceTo(buffer.End);
            Close(refusal);
            return false;
        }

        var end = (long)FrameHeader.Size + header.PayloadLength;
        if (buffer.Length < end)
        {
            _input.AdvanceTo(buffer.Start, buffer.End);
            return false;
        }

        var pooled = ArrayPool<byte>.Shared.Rent(header.PayloadLength);
        buffer.Slice(FrameHeader.Size, header.PayloadLength).CopyTo(pooled);
        _input.AdvanceTo(buffer.GetPosition(end));
        frame = new ReceivedFrame(header.Kind, header.Correlation, pooled.AsMemory(0, header.PayloadLength), pooled);
        return true;
    }

    private async Task PumpAsync()
    {
        try
        {
            await WriteOutAsync();
            Close(null);
            await _output.Reader.CompleteAsync();
            if (CloseReason is not null) await LetReadAsync();
            await _stream.DisposeAsync();
        }
        catch (Exception)
        {
            // Whatever it was, the link is at its end, and nobody is left to be told.
            Close(null);
            _socket.Dispose();
        }
    }

    private async Task WriteOutAsync()
    {
        try
        {
            while (true)
            {
                var read = await _output.Reader.ReadAsync(_aborted.Token);
                foreach (var segment in read.Buffer) await _stream.WriteAsync(segment, _aborted.Token);
                var sent = read.Buffer.Length;
                _output.Reader.AdvanceTo(read.Buffer.End);
                Sent(sent);
                if (read.IsCompleted) break;
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or OperationCanceledException or InvalidOperationException)
        {
            // The link broke or lingered too long: what is left cannot be sent.
        }
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
