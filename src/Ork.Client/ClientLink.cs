using System.Text.Json;
using Ork.Protocol;

namespace Ork.Client;

/// <summary>One connection to the kernel, shared by all calls under way.</summary>
internal sealed class ClientLink
{
    private readonly object _gate = new();
    private readonly IConnection _connection;
    private readonly Dictionary<ulong, TaskCompletionSource<byte[]?>> _pending = [];
    private ulong _last;
    private bool _ended;

    internal ClientLink(IConnection connection)
    {
        _connection = connection;
        _ = ReadAsync();
    }

    internal bool HasEnded
    {
        get
        {
            lock (_gate) return _ended;
        }
    }

    /// <summary>Why the kernel ended the link, as it said, or null.</summary>
    internal string? Goodbye { get; private set; }

    /// <summary>Sends a request.</summary>
    /// <returns>Its answer's envelope, or null where the link ended first.</returns>
    internal Task<byte[]?> AskAsync(ReadOnlySpan<byte> envelope, out ulong correlation)
    {
        var answer = new TaskCompletionSource<byte[]?>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            correlation = ++_last;
            if (_ended) return Task.FromResult<byte[]?>(null);
            _pending.Add(correlation, answer);
        }

        _connection.Send(FrameKind.Request, correlation, envelope);
        return answer.Task;
    }

    /// <summary>Waits until the kernel reads again, where it lags behind.</summary>
    internal ValueTask DrainedAsync() => _connection.DrainedAsync();

    /// <summary>Forgets a request: its answer is no longer waited for.</summary>
    internal void Forget(ulong correlation)
    {
        TaskCompletionSource<byte[]?>? answer;
        lock (_gate) _pending.Remove(correlation, out answer);
        answer?.TrySetResult(null);
    }

    internal void Close() => _connection.Close(null);

    private static string? ReasonOf(ReadOnlyMemory<byte> payload)
    {
        try
        {
            return Json.Text(JsonElement.Parse(payload.Span), "error");
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private async Task ReadAsync()
    {
        try
        {
            while (await _connection.ReceiveAsync() is { } frame)
            {
                TaskCompletionSource<byte[]?>? answer = null;
                if (frame.Kind == FrameKind.Response)
                {
                    lock (_gate) _pending.Remove(frame.Correlation, out answer);
                }
                else if (frame.Kind == FrameKind.Goodbye)
                {
                    Goodbye = ReasonOf(frame.Payload);
                }

                answer?.TrySetResult(frame.Payload.ToArray());
                frame.Release();
            }
        }
        catch (Exception)
        {
            // A link that cannot be read has ended: what waits on it is told so below.
            _connection.Close(null);
        }

        TaskCompletionSource<byte[]?>[] left;
        lock (_gate)
        {
            _ended = true;
            left = [.. _pending.Values];
            _pending.Clear();
        }

        foreach (var pending in left) pending.TrySetResult(null);
    }
}
