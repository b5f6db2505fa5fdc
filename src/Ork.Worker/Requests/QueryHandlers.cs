using System.Text.Json;
using Microsoft.Extensions.Logging;
using Ork.Protocol;

namespace Ork.Worker;

/// <summary>Answers pulls of state and telemetry within <see cref="WorkerOptions.QueryTimeoutMs"/>, whatever a handler does.</summary>
internal sealed class QueryHandlers(WorkerDefinition definition, WorkerOptions options, WorkerPorts ports, Admission admission, Replies replies)
{
    /// <summary>Takes a pull of state.</summary>
    internal void TakeState(Reply reply) => Start(reply, () => StateAsync(reply));

    /// <summary>Takes a pull of telemetry. The payload is copied.</summary>
    internal void TakeTelemetry(Reply reply, ReadOnlyMemory<byte> payload)
    {
        var query = Query(payload);
        Start(reply, () => TelemetryAsync(reply, query));
    }

    private static JsonElement Query(ReadOnlyMemory<byte> payload)
    {
        if (payload.IsEmpty) return default;
        var root = JsonElement.Parse(payload.Span);
        return root.TryGetProperty("query", out var query) && query.ValueKind == JsonValueKind.Object ? query : default;
    }

    private void Start(Reply reply, Func<Task> handle)
    {
        if (admission.TryEnterQuery()) ports.StartHandler(handle);
        else replies.Refuse(reply, ErrorCodes.WorkerBusy);
    }

    private async Task StateAsync(Reply reply)
    {
        await GuardQueryAsync(reply, async cancellation =>
        {
            if (reply.DeviceId is { } deviceId) return new { state = await definition.State(deviceId, cancellation) };
            var states = new Dictionary<string, object>(StringComparer.Ordinal);
            foreach (var device in definition.DeviceIds)
            {
                // Nobody waits any more for what is past its time: the devices that are left need not be asked.
                cancellation.ThrowIfCancellationRequested();
                states[device] = await definition.State(device, cancellation);
            }

            return new { state = states };
        });
    }

    private async Task TelemetryAsync(Reply reply, JsonElement query)
    {
        var type = query.ValueKind == JsonValueKind.Object && query.TryGetProperty("type", out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()!
            : "";
        if (definition.TelemetryOf(type) is not { } handler)
        {
            admission.Leave();
            replies.Refuse(reply, Refusal.With(ErrorCodes.QueryInvalid, $"{definition.WorkerId} has no telemetry '{type}'"));
            return;
        }

        await GuardQueryAsync(reply, cancellation => handler(new TelemetryCall(type, reply.DeviceId, query), cancellation));
    }

    /// <summary>Runs a query's handler within its time; whatever it does, the request is answered once.</summary>
    private async Task GuardQueryAsync(Reply reply, Func<CancellationToken, ValueTask<object>> handle)
    {
        using var deadline = new Deadline(ports.Time, options.QueryTimeoutMs);
        try
        {
            var work = AsTask(handle, deadline.Token);
            if (await Task.WhenAny(new Task[] { work, deadline.Passed }) != work)
            {
                admission.MarkQueryOverdue();
                replies.Refuse(reply, ErrorCodes.HandlerTimeout);
                _ = OutwaitAsync(work);
                return;
            }

            var bytes = JsonSerializer.SerializeToUtf8Bytes(await work, JsonSerializerOptions.Web);
            if (bytes.Length > options.MaxResultBytes) replies.Refuse(reply, ErrorCodes.HandlerResultTooLarge);
            else replies.Answer(reply, bytes);
        }
        catch (OperationCanceledException) when (deadline.Token.IsCancellationRequested)
        {
            replies.Refuse(reply, ErrorCodes.HandlerTimeout);
        }
        catch (Exception e)
        {
            ports.Log.LogWarning(e, "{Worker}: a query's handler failed", definition.WorkerId);
            replies.Refuse(reply, Refusal.With(ErrorCodes.HandlerFailed, e.Message));
        }
        finally
        {
            admission.Leave();
        }
    }

    private static async Task<object> AsTask(Func<CancellationToken, ValueTask<object>> handle, CancellationToken cancellation) => await handle(cancellation);

    /// <summary>A query's handler that is past its time still counts until it ends: one that never does must not be followed by others without bound.</summary>
    private async Task OutwaitAsync(Task query)
    {
        try
        {
            await query;
        }
        catch
        {
            // Its request was answered long ago.
        }

        admission.EndOverdueQuery();
    }
}
