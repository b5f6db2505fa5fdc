using Ork.Protocol;

namespace Ork.Kernel;

/// <summary>
/// A Worker's link on the wire. Enforces pull-only (S9) before anything reaches the inbox: the only frame a Worker may send is the one Response to a
/// Request that is outstanding here. So a link can never put more into the inbox than the kernel asked for.
/// </summary>
internal sealed class WorkerSession(long id, IConnection connection, LinkGreeting greeting, Mailbox<Input> inbox, IKernelObserver observer) : ISession
{
    private readonly object _gate = new();
    private readonly HashSet<ulong> _outstanding = [];
    private bool _congested;
    private bool _isFullAgain;

    /// <inheritdoc/>
    public bool IsUnflushed { get; set; }

    /// <inheritdoc/>
    public void Send(FrameKind kind, ulong correlation, ReadOnlySpan<byte> payload)
    {
        lock (_gate) _outstanding.Add(correlation);
        if (connection.Put(kind, correlation, payload)) return;
        lock (_gate)
        {
            _isFullAgain = _congested;
            if (_congested) return;
            _congested = true;
            inbox.PostControl(new Input(InputKind.LinkCongested, id));
        }

        _ = ReportDrainedAsync();
    }

    /// <inheritdoc/>
    public void Flush() => connection.Flush();

    /// <inheritdoc/>
    public void Close(Refusal reason) => connection.Close(reason);

    /// <summary>Reads the link until it ends.</summary>
    internal async Task RunAsync()
    {
        if (await inbox.PostAsync(new Input(InputKind.LinkUp, id, Detail: greeting)))
        {
            while (await connection.ReceiveAsync() is { } frame)
            {
                if (frame.Kind == FrameKind.Goodbye)
                {
                    frame.Release();
                    break;
                }

                if (!Answers(in frame))
                {
                    observer.Note(KernelEvent.PullOnlyViolation, greeting.WorkerId, $"{frame.Kind} {frame.Correlation} from {greeting.Peer.Address}");
                    connection.Close(ErrorCodes.PullOnlyViolation);
                    frame.Release();
                    break;
                }

                if (!await inbox.PostAsync(new Input(InputKind.WorkerAnswer, id, frame)))
                {
                    frame.Release();
                    break;
                }
            }
        }

        connection.Close(null);
        inbox.PostControl(new Input(InputKind.LinkDown, id, Detail: greeting.Target));
    }

    private bool Answers(in ReceivedFrame frame)
    {
        if (frame.Kind != FrameKind.Response) return false;
        lock (_gate) return _outstanding.Remove(frame.Correlation);
    }

    private async Task ReportDrainedAsync()
    {
        try
        {
            do await connection.DrainedAsync();
            while (!TryReport());
        }
        catch (Exception e)
        {
            // As good as the end of the link, which ends what waits for it.
            observer.Note(KernelEvent.ShellFailed, greeting.WorkerId, e.ToString());
            connection.Close(null);
        }
    }

    /// <summary>Tells the kernel that there is room, unless it is full again by the time that this is heard of here.</summary>
    private bool TryReport()
    {
        lock (_gate)
        {
            if (!_isFullAgain)
            {
                _congested = false;
                inbox.PostControl(new Input(InputKind.LinkDrained, id));
                return true;
            }

            _isFullAgain = false;
            return false;
        }
    }
}
