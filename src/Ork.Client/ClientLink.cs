using System.Text.Json;
using Ork.Protocol;

namespace Ork.Client;

/// <summary>What came of a request: the answer's payload, or why it is none.</summary>
/// <param name="Payload">The payload's bytes: a copy, which outlives the frame. None where there is no answer.</param>
/// <param name="Refused">The refusal, or null.</param>
internal sealed record Answer(ReadOnlyMemory<byte> Payload, OrkRefusedException? Refused = null)
{
    /// <summary>Reads an envelope; nothing of it is kept but copies.</summary>
    internal static Answer Read(ReadOnlyMemory<byte> bytes)
    {
        if (EnvelopeReader.Read(bytes, out var envelope) is { } unreadable) return new Answer(default, new OrkRefusedException(unreadable.Code, unreadable.Sentence));
        string? error = null, message = null;
        long? retryAfterMs = null;
        var isRefused = false;
        var reader = new PayloadReader(envelope.Payload);
        while (reader.Next())
        {
            if (reader.Is("status"u8)) isRefused = CommandWords.Status(reader.Text()) == CommandStatus.Rejected;
            else if (reader.Is("error"u8)) error = reader.Text();
            else if (reader.Is("message"u8)) message = reader.Text();
            else if (reader.Is("retryAfterMs"u8)) retryAfterMs = reader.Integer();
        }

        return new Answer(envelope.Payload.ToArray(), isRefused ? new OrkRefusedException(error ?? "", message, retryAfterMs) : null);
    }

    /// <summary>The payload as a JSON value of its own.</summary>
    internal JsonElement ToElement() => JsonElement.Parse(Payload.IsEmpty ? "{}"u8 : Payload.Span);
}

/// <summary>A request under way.</summary>
internal sealed class PendingAnswer(ClientLink link, ulong correlation)
{
    private readonly TaskCompletionSource<Answer?> _source = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Its answer, or null where the link ended first or it was forgotten.</summary>
    internal Task<Answer?> Task => _source.Task;

    internal void Set(Answer? answer) => _source.TrySetResult(answer);

    /// <summary>The answer is no longer waited for.</summary>
    internal void Forget()
    {
        link.Remove(correlation);
        Set(null);
    }
}

/// <summary>One connection to the kernel, shared by all calls under way.</summary>
internal sealed class ClientLink
{
    private readonly object _gate = new();
    private readonly IConnection _connection;
    private readonly Dictionary<ulong, PendingAnswer> _pending = [];
    private readonly CancellationTokenSource _retired = new();
    private ulong _last;
    private long _received;
    private bool _ended;

    internal ClientLink(IConnection connection)
    {
        _connection = connection;
        _ = ReadAsync();
    }

    /// <summary>True where no call may be begun on it: it ended, or was retired.</summary>
    internal bool HasEnded
    {
        get
        {
            lock (_gate) return _ended || _retired.IsCancellationRequested;
        }
    }

    /// <summary>Frames that came on it.</summary>
    internal long Received => Interlocked.Read(ref _received);

    /// <summary>Why the kernel ended the link, as it said, or null.</summary>
    internal string? Goodbye { get; private set; }

    /// <summary>Sends a request.</summary>
    /// <returns>What waits for its answer, or null where the link has ended or was retired: then nothing was sent.</returns>
    internal PendingAnswer? Ask(ReadOnlySpan<byte> envelope)
    {
        PendingAnswer pending;
        ulong correlation;
        lock (_gate)
        {
            if (_ended || _retired.IsCancellationRequested) return null;
            pending = new PendingAnswer(this, correlation = ++_last);
            _pending.Add(correlation, pending);
        }

        _connection.Send(FrameKind.Request, correlation, envelope);
        return pending;
    }

    /// <summary>Waits until the kernel reads again, where it lags behind.</summary>
    internal ValueTask DrainedAsync() => _connection.DrainedAsync();

    /// <summary>Tells when the link is retired.</summary>
    internal CancellationToken Retired => _retired.Token;

    /// <summary>No call is begun on it any more; those under way keep it until they have ended.</summary>
    internal void Retire()
    {
        _retired.Cancel();
        CloseIfIdle();
    }

    /// <summary>A request's answer is no longer waited for.</summary>
    internal void Remove(ulong correlation)
    {
        lock (_gate) _pending.Remove(correlation);
        CloseIfIdle();
    }

    private void CloseIfIdle()
    {
        lock (_gate)
        {
            if (!_retired.IsCancellationRequested || _pending.Count > 0) return;
        }

        Close();
    }

    internal void Close() => _connection.Close(null);

    private async Task ReadAsync()
    {
        try
        {
            while (await _connection.ReceiveAsync() is { } frame)
            {
                PendingAnswer? pending = null;
                Interlocked.Increment(ref _received);
                if (frame.Kind == FrameKind.Response)
                {
                    lock (_gate) _pending.Remove(frame.Correlation, out pending);
                }
                else if (frame.Kind == FrameKind.Goodbye)
                {
                    Goodbye = PayloadRules.ReadGoodbye(frame.Payload);
                }

                pending?.Set(Answer.Read(frame.Payload));
                if (pending is not null) CloseIfIdle();
                frame.Release();
            }
        }
        catch (Exception)
        {
            // A link that cannot be read has ended: what waits on it is told so below.
            _connection.Close(null);
        }

        PendingAnswer[] left;
        lock (_gate)
        {
            _ended = true;
            left = [.. _pending.Values];
            _pending.Clear();
        }

        foreach (var pending in left) pending.Set(null);
    }
}
