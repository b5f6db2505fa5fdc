using System.Text;

namespace Ork.Protocol.Tests;

/// <summary>Makes frames out of good ones by mutation, and puts each through everything that reads what a stranger wrote.</summary>
public sealed class FrameFuzzer(int seed)
{
    /// <summary>Good frames of every shape.</summary>
    public static readonly string[] Samples =
    [
        """{"id":"a","version":"0.2.0","type":"request","action":"command.request","sender":"s","deviceId":"d","timestamp":1711640000000,"payload":{"command":"set","params":{"mode":"low","pct":12.5e1},"scope":"rack","workerId":"w","targets":["a","b"],"idempotencyKey":"k","deadlineMs":100}}""",
        """{"id":"a","version":"0.2.0","type":"response","action":"identity.response","sender":"w","timestamp":1,"payload":{"workerId":"w","devices":[{"deviceId":"d","x":{}},{"deviceId":"e"}],"features":["journal"]}}""",
        """{"id":"a","version":"0.2.0","type":"response","action":"capability.response","sender":"w","timestamp":1,"payload":{"contract":{"metadata":{"deviceFamily":"m"},"capabilities":{"commands":[{"name":"set","params":[{"name":"mode","type":"string","enum":["low",7,null],"min":1,"max":2,"required":true}]}]}}}}""",
        """{"id":"a","version":"0.2.0","type":"response","action":"command.result","sender":"w","timestamp":1,"payload":{"commandId":"c","status":"FAILED","result":{"a":[1,2,{"b":null}]},"error":{"code":7}}}""",
        """{"id":"\u00e4\ud83d\ude00","version":"0.2.0","type":"request","action":"telemetry.pull","sender":"\\","deviceId":"d","timestamp":-1.5e3,"trace":[[[]]],"payload":{"query":{"type":"logs","n":[1]}}}""",
        """{"id":"a","version":"0.2.0","type":"request","action":"command.status","sender":"s","timestamp":1,"payload":{"commandId":"c","waitMs":30000}}""",
        """{"id":"a","version":"0.2.0","type":"response","action":"state.response","sender":"s","timestamp":1,"payload":{"state":{"d":{"x":1}}}}""",
    ];

    private static readonly string[] Tokens =
        ["{", "}", "[", "]", "\"", ":", ",", "null", "true", "1e999", "-0", "\"\\ud800\"", "\\", "\"payload\":", "\"id\":\"\"", "\u0000", "\uFEFF", "{}", "[]", "\"command.request\""];

    private readonly Random _random = new(seed);

    /// <summary>The next mutated frame.</summary>
    public ReadOnlyMemory<byte> Next()
    {
        var bytes = Encoding.UTF8.GetBytes(Samples[_random.Next(Samples.Length)]).ToList();
        for (var mutations = _random.Next(4); mutations >= 0; mutations--) Mutate(bytes);
        return bytes.ToArray();
    }

    /// <summary>Reads a frame in every way there is. Throws only if a reader does.</summary>
    /// <returns>True if the envelope was accepted.</returns>
    public static bool Try(ReadOnlyMemory<byte> frame)
    {
        Greeting.TryRead(frame);
        WorkerContract.Read(frame, out _);
        if (frame.Length >= FrameHeader.Size) FrameHeader.Read(frame.Span, FrameHeader.DefaultMaxFrameBytes, out _);
        var refusal = EnvelopeReader.Read(frame, out var envelope);
        _ = envelope.Id.Decode() + envelope.Sender.Decode() + envelope.DeviceId.Decode() + envelope.Target.Decode();
        if (refusal is not null) return false;
        foreach (var action in OrkActions.All) PayloadRules.Check(new Envelope { Action = action, Payload = envelope.Payload });
        if (CommandRequestPayload.Read(envelope.Payload, out var request) is null)
        {
            new CommandContract("set", [new ParamContract("mode", ParamType.String, true, ["\"low\""], null, null), new ParamContract("pct", ParamType.Number, false, null, 1, 200)], false, null)
                .Check(request.Params);
        }

        return true;
    }

    private void Mutate(List<byte> bytes)
    {
        var at = _random.Next(bytes.Count + 1);
        switch (_random.Next(6))
        {
            case 0 when at < bytes.Count:
                bytes[at] = (byte)_random.Next(256);
                break;
            case 1 when at < bytes.Count:
                bytes.RemoveRange(at, Math.Min(_random.Next(1, 9), bytes.Count - at));
                break;
            case 2:
                bytes.InsertRange(at, Encoding.UTF8.GetBytes(Tokens[_random.Next(Tokens.Length)]));
                break;
            case 3:
                var from = _random.Next(bytes.Count + 1);
                bytes.InsertRange(at, bytes.Skip(from).Take(_random.Next(40)).ToArray());
                break;
            case 4 when at < bytes.Count:
                // A digit for a digit keeps the frame well-formed more often than not.
                if (bytes[at] is >= (byte)'0' and <= (byte)'9') bytes[at] = (byte)_random.Next('0', '9' + 1);
                break;
            case 5 when at < bytes.Count:
                if (bytes[at] is >= (byte)'a' and <= (byte)'z') bytes[at] = (byte)_random.Next('a', 'z' + 1);
                break;
        }
    }
}
