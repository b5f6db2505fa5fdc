using System.Text;
using Ork.Protocol;

namespace OrkSim;

/// <summary>A request that a kernel refuses for one reason only, which stands in it behind <see cref="Mistakes.Mark"/>: who hears the answer knows what it must be.</summary>
/// <param name="Correlation">Under which it is sent.</param>
/// <param name="Frame">All of it.</param>
internal readonly record struct Mistake(ulong Correlation, byte[] Frame);

/// <summary>One request for each way in which an envelope or a payload can break the rules of protocol.md.</summary>
internal static class Mistakes
{
    /// <summary>What stands before the reason, up to a quote.</summary>
    internal const string Mark = "mistake ";

    private const ulong First = 1_000;

    private static readonly byte[] MarkBytes = Encoding.UTF8.GetBytes(Mark);

    private static readonly string AsMany = string.Join(',', Enumerable.Repeat("\"d\"", CommandRequestPayload.MaxTargets));
    private static readonly string TooMany = AsMany + ",\"d\"";
    private static readonly string AsLong = new('k', CommandRequestPayload.MaxIdempotencyKeyLength);
    private static readonly string TooLong = AsLong + "k";

    /// <summary>All of them.</summary>
    internal static IReadOnlyList<Mistake> All { get; } = [.. InPayloads().Concat(InEnvelopes()).Select(static (frame, index) => new Mistake(First + (ulong)index, Encoding.UTF8.GetBytes(frame)))];

    /// <summary>The reason for which a request is to be refused, or null where it is no mistake of these.</summary>
    internal static string? CodeIn(ReadOnlySpan<byte> frame)
    {
        var at = frame.IndexOf(MarkBytes);
        if (at < 0) return null;
        var rest = frame[(at + MarkBytes.Length)..];
        return Encoding.UTF8.GetString(rest[..rest.IndexOf((byte)'"')]);
    }

    private static IEnumerable<string> InEnvelopes() =>
        new (string Members, ErrorCode Code)[]
        {
            (""" "version":"0.2.0","type":"request","action":"worker.list","sender":"b","timestamp":1,"payload":{} """, ErrorCodes.EnvelopeIdMissing),
            (""" "id":"","version":"0.2.0","type":"request","action":"worker.list","sender":"b","timestamp":1,"payload":{} """, ErrorCodes.EnvelopeIdMissing),
            (""" "id":"b","type":"request","action":"worker.list","sender":"b","timestamp":1,"payload":{} """, ErrorCodes.EnvelopeVersionMissing),
            (""" "id":"b","version":"0.2.0","type":"order","action":"worker.list","sender":"b","timestamp":1,"payload":{} """, ErrorCodes.EnvelopeTypeInvalid),
            (""" "id":"b","version":"0.2.0","action":"worker.list","sender":"b","timestamp":1,"payload":{} """, ErrorCodes.EnvelopeTypeInvalid),
            (""" "id":"b","version":"0.2.0","type":"response","action":"command.result","sender":"b","timestamp":1,"payload":{} """, ErrorCodes.EnvelopeTypeInvalid),
            (""" "id":"b","version":"0.2.0","type":"request","action":7,"sender":"b","timestamp":1,"payload":{} """, ErrorCodes.EnvelopeActionInvalid),
            (""" "id":"b","version":"0.2.0","type":"request","action":"worker.explode","sender":"b","timestamp":1,"payload":{} """, ErrorCodes.EnvelopeActionUnknown),
            (""" "id":"b","version":"0.2.0","type":"request","action":"worker.list","timestamp":1,"payload":{} """, ErrorCodes.EnvelopeSenderInvalid),
            (""" "id":"b","version":"0.2.0","type":"request","action":"worker.list","sender":"b","payload":{} """, ErrorCodes.EnvelopeTimestampInvalid),
            (""" "id":"b","version":"0.2.0","type":"request","action":"worker.list","sender":"b","timestamp":"1","payload":{} """, ErrorCodes.EnvelopeTimestampInvalid),
            (""" "id":"b","version":"0.2.0","type":"request","action":"worker.list","sender":"b","timestamp":1,"payload":[] """, ErrorCodes.EnvelopePayloadInvalid),
            (""" "id":"b","version":"0.2.0","type":"request","action":"health.ping","sender":"b","timestamp":1,"payload":{} """, ErrorCodes.NotSupported),
            (""" "id":"b","version":"0.2.0","type":"request","action":"identity.request","sender":"b","timestamp":1,"payload":{} """, ErrorCodes.NotSupported),
            (""" "id":"b","version":"0.2.0","type":"request","action":"capability.request","sender":"b","timestamp":1,"payload":{} """, ErrorCodes.NotSupported),
        }.Select(static mistake => $$"""{"x-mistake":"{{Mark}}{{mistake.Code.Code}}",{{mistake.Members}}}""")
        .Append($$"""["{{Mark}}{{ErrorCodes.EnvelopeNotObject.Code}}"]""")
        .Append($$"""{"x-mistake":"{{Mark}}{{ErrorCodes.FrameNotJson.Code}}" """)
        .Append($$"""{"x-mistake":"{{Mark}}{{ErrorCodes.FrameNotJson.Code}}"} {}""");

    private static IEnumerable<string> InPayloads() =>
        new (string Action, string Payload, ErrorCode Code)[]
        {
            ("command.request", "{}", ErrorCodes.PayloadCommandRequired),
            ("command.request", "{\"command\":5}", ErrorCodes.PayloadCommandRequired),
            ("command.request", "{\"command\":\"reboot\",\"scope\":5}", ErrorCodes.PayloadScopeInvalid),
            ("command.request", "{\"command\":\"reboot\",\"scope\":\"worker\"}", ErrorCodes.PayloadWorkerIdRequired),
            ("command.request", "{\"command\":\"reboot\",\"workerId\":5}", ErrorCodes.PayloadWorkerIdInvalid),
            ("command.request", "{\"command\":\"reboot\",\"scope\":\"rack\",\"workerId\":\"w-001\",\"targets\":\"all\"}", ErrorCodes.PayloadTargetsInvalid),
            ("command.request", "{\"command\":\"reboot\",\"scope\":\"rack\",\"workerId\":\"w-001\",\"targets\":[\"d-001-01\",5]}", ErrorCodes.PayloadTargetInvalid),
            ("command.request", "{\"command\":\"reboot\",\"scope\":\"rack\",\"workerId\":\"w-001\",\"targets\":[" + TooMany + "]}", ErrorCodes.PayloadTargetsTooMany),
            ("command.request", "{\"command\":\"reboot\",\"params\":[]}", ErrorCodes.PayloadFieldInvalid),
            ("command.request", "{\"command\":\"reboot\",\"priority\":\"soon\"}", ErrorCodes.PayloadFieldInvalid),
            ("command.request", "{\"command\":\"reboot\",\"deadlineMs\":0}", ErrorCodes.PayloadFieldInvalid),
            ("command.request", "{\"command\":\"reboot\",\"deadlineMs\":\"5\"}", ErrorCodes.PayloadFieldInvalid),
            ("command.request", "{\"command\":\"reboot\",\"idempotencyKey\":\"\"}", ErrorCodes.PayloadFieldInvalid),
            ("command.request", "{\"command\":\"reboot\",\"idempotencyKey\":\"" + TooLong + "\"}", ErrorCodes.PayloadFieldInvalid),
            ("command.status", "{}", ErrorCodes.PayloadCommandIdRequired),
            ("command.status", "{\"commandId\":\"none\",\"waitMs\":-1}", ErrorCodes.PayloadFieldInvalid),
            ("command.status", "{\"commandId\":\"none\",\"waitMs\":null}", ErrorCodes.CommandNotFound),
            ("command.cancel", "{\"commandId\":\"\"}", ErrorCodes.PayloadCommandIdRequired),
            ("worker.terminate", "{\"workerId\":5}", ErrorCodes.PayloadWorkerIdRequired),
            ("worker.hold", "{\"hold\":\"open\"}", ErrorCodes.PayloadWorkerIdRequired),
            ("worker.hold", "{\"workerId\":\"w-001\",\"hold\":\"maybe\"}", ErrorCodes.PayloadFieldInvalid),
            ("telemetry.pull", "{}", ErrorCodes.QueryInvalid),
            ("telemetry.pull", "{\"query\":{\"type\":\"weather\"}}", ErrorCodes.QueryInvalid),
            ("command.request", "{\"command\":\"reboot\",\"scope\":\"worker\",\"workerId\":\"w-none\"}", ErrorCodes.WorkerNotFound),
            ("command.request", "{\"command\":\"reboot\",\"scope\":\"rack\",\"workerId\":\"w-none\",\"targets\":[" + AsMany + "]}", ErrorCodes.WorkerNotFound),
            ("worker.terminate", "{\"workerId\":\"w-none\"}", ErrorCodes.WorkerNotFound),
            ("worker.hold", "{\"workerId\":\"w-none\",\"hold\":\"open\"}", ErrorCodes.WorkerNotFound),
            ("command.status", "{\"commandId\":\"none\"}", ErrorCodes.CommandNotFound),
            ("command.cancel", "{\"commandId\":\"none\"}", ErrorCodes.CommandNotFound),
        }.Select(static mistake => Request(mistake.Action, mistake.Payload, mistake.Code, ",\"deviceId\":\"d-001-01\""))
        .Concat(new (string Action, string Payload)[]
        {
            ("command.request", "{\"command\":\"reboot\"}"),
            ("command.request", "{\"command\":\"reboot\",\"idempotencyKey\":\"" + AsLong + "\"}"),

            // What is null is not said.
            ("command.request", "{\"command\":\"reboot\",\"params\":null,\"scope\":null,\"workerId\":null,\"targets\":null,\"idempotencyKey\":null,\"priority\":null,\"deadlineMs\":null}"),
            ("telemetry.pull", "{\"query\":{\"type\":\"metrics\"}}"),
            ("state.pull", "{}"),
            ("device.capabilities", "{}"),
        }.SelectMany(static question => new[] { Request(question.Action, question.Payload, ErrorCodes.DeviceIdRequired, ""), Request(question.Action, question.Payload, ErrorCodes.DeviceNotFound, ",\"deviceId\":\"d-none\"") }));

    private static string Request(string action, string payload, ErrorCode code, string device) =>
        $$"""{"id":"{{Mark}}{{code.Code}}","version":"0.2.0","type":"request","action":"{{action}}","sender":"broken"{{device}},"timestamp":1,"payload":{{payload}}}""";
}
