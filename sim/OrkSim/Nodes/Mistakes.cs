using Ork.Protocol;

namespace OrkSim;

/// <summary>A request that a kernel refuses for one reason only, which the request's id names: who hears the answer knows what it must be.</summary>
/// <param name="Correlation">Under which it is sent.</param>
/// <param name="Action">Its action.</param>
/// <param name="Payload">Its payload.</param>
/// <param name="Code">The reason.</param>
internal readonly record struct Mistake(ulong Correlation, string Action, string Payload, string Code)
{
    /// <summary>The envelope's id.</summary>
    internal string Id => Mistakes.Mark + Code;
}

/// <summary>One request for each way in which a payload can break the rules of protocol.md.</summary>
internal static class Mistakes
{
    /// <summary>How the ids of mistaken requests begin.</summary>
    internal const string Mark = "mistake ";

    private const ulong First = 1_000;

    private static readonly string TooMany = string.Join(',', Enumerable.Repeat("\"d\"", CommandRequestPayload.MaxTargets + 1));
    private static readonly string TooLong = new('k', CommandRequestPayload.MaxIdempotencyKeyLength + 1);

    /// <summary>All of them.</summary>
    internal static IReadOnlyList<Mistake> All { get; } =
    [
        .. new (string Action, string Payload, ErrorCode Code)[]
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
            ("command.cancel", "{\"commandId\":\"\"}", ErrorCodes.PayloadCommandIdRequired),
            ("worker.terminate", "{\"workerId\":5}", ErrorCodes.PayloadWorkerIdRequired),
            ("worker.hold", "{\"hold\":\"open\"}", ErrorCodes.PayloadWorkerIdRequired),
            ("worker.hold", "{\"workerId\":\"w-001\",\"hold\":\"maybe\"}", ErrorCodes.PayloadFieldInvalid),
        }.Select(static (mistake, index) => new Mistake(First + (ulong)index, mistake.Action, mistake.Payload, mistake.Code.Code)),
    ];
}
