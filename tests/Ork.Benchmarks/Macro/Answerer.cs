using System.Buffers;
using System.Text;
using System.Text.Json;
using Ork.Protocol;

namespace Ork.Benchmarks;

/// <summary>
/// One Worker that does nothing but answer, at once and in memory: what is measured is the kernel, and a Worker's own work would hide it.
/// </summary>
internal sealed class Answerer
{
    internal const string Command = "set-power-pct";

    private static readonly Utf8Text Unnamed = Utf8Text.Plain("-");
    private static readonly byte[] Pong = "{\"status\":\"ok\"}"u8.ToArray();
    private static readonly byte[] DeviceState = "{\"state\":{\"power\":\"on\",\"pct\":80}}"u8.ToArray();
    private static readonly byte[] Telemetry = Encoding.UTF8.GetBytes(
        """{"metrics":{"hashrateThs":112.7,"powerW":3284,"temperatureC":[61.2,63.9,58.4],"fanRpm":[5940,5880],"uptimeS":86400,"accepted":91833,"rejected":12}}""");

    private static readonly byte[] Capability = JsonSerializer.SerializeToUtf8Bytes(new
    {
        contract = new
        {
            metadata = new { provider = "ork", deviceFamily = "miner", brand = "Simulated", modelsSupported = new[] { "S-1" }, overview = "A load." },
            capabilities = new
            {
                telemetry = new[] { "metrics" },
                commands = new object[]
                {
                    new
                    {
                        name = Command,
                        description = "Scale power.",
                        idempotent = true,
                        timeoutMs = 5_000,
                        @params = new[] { new { name = "pct", type = "number", required = true, min = 10, max = 110 } },
                    },
                },
            },
            health = new { },
            errors = new { },
        },
    });

    private readonly Utf8Text _sender;
    private readonly byte[] _identity;
    private readonly byte[] _state;
    private readonly ArrayBufferWriter<byte> _answer = new(1024);
    private readonly ArrayBufferWriter<byte> _result = new(256);

    internal Answerer(string workerId, IReadOnlyList<string> devices)
    {
        WorkerId = workerId;
        _sender = Utf8Text.Plain(workerId);
        _identity = JsonSerializer.SerializeToUtf8Bytes(new
        {
            workerId,
            devices = devices.Select(deviceId => new { deviceId }),
            features = new[] { IdentityPayload.JournalFeature },
        });
        _state = JsonSerializer.SerializeToUtf8Bytes(new { state = devices.ToDictionary(device => device, _ => new { power = "on", pct = 80 }) });
    }

    internal string WorkerId { get; }

    /// <summary>The answer to a request; valid until the next one.</summary>
    internal ReadOnlySpan<byte> Answer(ReadOnlyMemory<byte> requestBytes)
    {
        if (EnvelopeReader.Read(requestBytes, out var request) is { } error) throw new IOException(error.Code);
        _answer.ResetWrittenCount();
        EnvelopeWriter.Write(_answer, new Envelope
        {
            Id = request.Id.IsEmpty ? Unnamed : request.Id,
            Type = MessageType.Response,
            Action = OrkActions.AnswerTo(request.Action),
            Sender = _sender,
            DeviceId = request.DeviceId,
            Timestamp = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(),
            Payload = request.Action switch
            {
                OrkAction.IdentityRequest => _identity,
                OrkAction.CapabilityRequest => Capability,
                OrkAction.HealthPing => Pong,
                OrkAction.StatePull => request.DeviceId.IsEmpty ? _state : DeviceState,
                OrkAction.TelemetryPull => Telemetry,
                OrkAction.CommandRequest => Result(request.Payload.Span),
                _ => throw new IOException($"{request.Action} is not answered."),
            },
        });
        return _answer.WrittenSpan;
    }

    private ReadOnlyMemory<byte> Result(ReadOnlySpan<byte> payload)
    {
        _result.ResetWrittenCount();
        _result.Write("{\"commandId\":\""u8);
        _result.Write(Text.After(payload, "\"commandId\":\""u8));
        _result.Write("\",\"status\":\"SUCCESS\",\"result\":{\"pct\":80},\"error\":null}"u8);
        return _result.WrittenMemory;
    }
}

/// <summary>Finds values in JSON that the benchmark's own peers wrote, without parsing it.</summary>
internal static class Text
{
    /// <summary>What follows a mark, up to the next quotation mark; empty where the mark is not there.</summary>
    internal static ReadOnlySpan<byte> After(ReadOnlySpan<byte> json, ReadOnlySpan<byte> mark)
    {
        var at = json.IndexOf(mark);
        if (at < 0) return default;
        var rest = json[(at + mark.Length)..];
        return rest[..rest.IndexOf((byte)'"')];
    }
}
