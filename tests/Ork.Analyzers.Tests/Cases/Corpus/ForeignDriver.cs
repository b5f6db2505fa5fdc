// A driver as authors of Workers write them: dials devices, keeps state, parses, caches, retries. No rule for Workers has anything to say.
using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text.Json;
using Ork.Protocol;
using Ork.Worker;

namespace Foreign.Antminer;

public sealed record Reading(string DeviceId, double Celsius, int Fans);

public interface IDeviceLink : IAsyncDisposable
{
    ValueTask<JsonElement> AskAsync(string command, CancellationToken cancellation);
}

public sealed class TcpDeviceLink(string host, int port) : IDeviceLink
{
    private TcpClient? _client;

    public async ValueTask<JsonElement> AskAsync(string command, CancellationToken cancellation)
    {
        _client ??= await OpenAsync(cancellation);
        var stream = _client.GetStream();
        await stream.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(new { command }), cancellation);
        var head = new byte[4];
        await stream.ReadExactlyAsync(head, cancellation);
        var body = new byte[BinaryPrimitives.ReadInt32LittleEndian(head)];
        await stream.ReadExactlyAsync(body, cancellation);
        return JsonElement.Parse(body);
    }

    public ValueTask DisposeAsync()
    {
        _client?.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task<TcpClient> OpenAsync(CancellationToken cancellation)
    {
        var client = new TcpClient();
        await client.ConnectAsync(host, port, cancellation);
        return client;
    }
}

public sealed class Driver(TimeProvider time, Func<string, IDeviceLink> open)
{
    private readonly Dictionary<string, IDeviceLink> _links = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (Reading Reading, long At)> _cache = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _one = new(1);

    public WorkerDefinition Define(string workerId, WorkerContract contract, IReadOnlyList<string> deviceIds)
    {
        var definition = new WorkerDefinition(workerId, contract, deviceIds);
        foreach (var command in contract.Commands.Keys) definition.OnCommand(command, HandleAsync);
        return definition.OnTelemetry("metrics", async (call, cancellation) => await ReadAsync(call.DeviceId ?? deviceIds[0], cancellation)).OnState(async (deviceId, cancellation) => new { fans = (await ReadAsync(deviceId, cancellation)).Fans });
    }

    private async ValueTask<CommandReply> HandleAsync(CommandCall call, CancellationToken cancellation)
    {
        foreach (var deviceId in call.DeviceIds)
        {
            await _one.WaitAsync();
            try
            {
                var answer = await LinkOf(deviceId).AskAsync(call.Command, cancellation);
                if (answer.TryGetProperty("error", out var error)) return CommandReply.Failure(error.GetString() ?? "unknown");
                _cache.Remove(deviceId);
            }
            finally
            {
                _one.Release();
            }
        }

        return CommandReply.Success(new { devices = call.DeviceIds.Count });
    }

    private async Task<Reading> ReadAsync(string deviceId, CancellationToken cancellation)
    {
        if (_cache.TryGetValue(deviceId, out var known) && time.GetElapsedTime(known.At) < TimeSpan.FromSeconds(2)) return known.Reading;
        var answer = await LinkOf(deviceId).AskAsync("stats", cancellation);
        var reading = new Reading(deviceId, answer.GetProperty("temp").GetDouble(), answer.GetProperty("fans").GetInt32());
        _cache[deviceId] = (reading, time.GetTimestamp());
        return reading;
    }

    private IDeviceLink LinkOf(string deviceId)
    {
        if (!_links.TryGetValue(deviceId, out var link)) _links.Add(deviceId, link = open(deviceId));
        return link;
    }
}
