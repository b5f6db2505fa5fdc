using Ork.Protocol;

namespace Ork.Kernel;

/// <summary>
/// A caller's link on the wire. A Hello is answered and not required: the transport has already proved who the caller is. The link is read only
/// while the caller has room in its window and reads its answers, so a caller that floods or stalls holds back itself.
/// </summary>
internal sealed class CallerSession(long id, IConnection connection, Mailbox<Input> inbox, byte[] welcome, int window, TimeProvider time) : ISession
{
    private readonly object _gate = new();
    private TaskCompletionSource? _room;
    private int _underWay;
    private bool _closed;
    private long _idleSince = time.GetTimestamp();
    private volatile bool _congested;

    internal long Id => id;

    internal string Address => connection.Peer.Address;

    /// <summary>How long nothing has been under way on it; zero while something is.</summary>
    internal TimeSpan Idle
    {
        get
        {
            lock (_gate) return _underWay > 0 ? TimeSpan.Zero : time.GetElapsedTime(_idleSince);
        }
    }

    /// <inheritdoc/>
    public bool IsUnflushed { get; set; }

    /// <inheritdoc/>
    public void Send(FrameKind kind, ulong correlation, ReadOnlySpan<byte> payload)
    {
        if (!connection.Put(kind, correlation, payload)) _congested = true;
        TaskCompletionSource? room;
        lock (_gate)
        {
            _underWay--;
            _idleSince = time.GetTimestamp();
            (room, _room) = (_room, null);
        }

        room?.TrySetResult();
    }

    /// <inheritdoc/>
    public void Flush() => connection.Flush();

    /// <inheritdoc/>
    public void Close(Refusal reason)
    {
        connection.Close(reason);
        TaskCompletionSource? room;
        lock (_gate)
        {
            _closed = true;
            (room, _room) = (_room, null);
        }

        room?.TrySetResult();
    }

    /// <summary>Reads the link until it ends.</summary>
    internal async Task RunAsync()
    {
        var open = true;
        while (open && await connection.ReceiveAsync() is { } frame)
        {
            open = frame.Kind switch
            {
                FrameKind.Hello => Greet(in frame),
                FrameKind.Request => await TakeAsync(frame),
                _ => Refuse(in frame),
            };
        }

        connection.Close(null);
        inbox.PostControl(new Input(InputKind.CallerGone, id));
    }

    private bool Greet(in ReceivedFrame frame)
    {
        frame.Release();
        connection.Send(FrameKind.Welcome, frame.Correlation, welcome);
        return true;
    }

    private bool Refuse(in ReceivedFrame frame)
    {
        frame.Release();
        if (frame.Kind != FrameKind.Goodbye) connection.Close(Refusal.With(ErrorCodes.HandshakeInvalid, $"a caller may not send {frame.Kind}"));
        return false;
    }

    private async ValueTask<bool> TakeAsync(ReceivedFrame frame)
    {
        await RoomAsync();

        // It may be full again by the time that its room is heard of here.
        while (_congested)
        {
            _congested = false;
            await connection.DrainedAsync();
        }

        lock (_gate) _underWay++;
        if (await inbox.PostAsync(new Input(InputKind.CallerRequest, id, frame, connection.Peer.Key))) return true;
        frame.Release();
        return false;
    }

    private async ValueTask RoomAsync()
    {
        TaskCompletionSource room;
        lock (_gate)
        {
            // A frame may have been received just before the session was closed: nobody makes room for it any more.
            if (_underWay < window || _closed) return;
            room = _room = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        await room.Task;
    }
}
