using System.Text;

namespace Ork.Protocol;

/// <summary>The payload of <c>identity.response</c>: who a Worker is and what it owns.</summary>
/// <param name="WorkerId">The Worker's id, bound to its public key.</param>
/// <param name="Devices">The devices it claims, in its order.</param>
/// <param name="Features">What its runtime can do, <c>journal</c> for one.</param>
/// <param name="Journal">Names of its journal's openings, the present one first; empty where it tells none.</param>
[OrkRecord(1)]
public sealed record IdentityPayload(string WorkerId, IReadOnlyList<string> Devices, IReadOnlyList<string> Features, IReadOnlyList<string> Journal)
{
    /// <summary>The feature of a runtime that answers a repeated commandId from a durable journal.</summary>
    public const string JournalFeature = "journal";

    /// <summary>Reads and checks the payload.</summary>
    /// <returns>Null if accepted, else the first rule it breaks.</returns>
    public static Refusal? Read(ReadOnlyMemory<byte> payload, out IdentityPayload? identity)
    {
        identity = null;
        if (payload.IsEmpty) return ErrorCodes.PayloadNotObject;
        string? workerId = null;
        List<ReadOnlyMemory<byte>>? devices = null, features = null, journal = null;
        var reader = new PayloadReader(payload);
        while (reader.Next())
        {
            if (reader.Is("workerId"u8)) workerId = reader.Text();
            else if (reader.Is("devices"u8)) devices = reader.Elements();
            else if (reader.Is("features"u8)) features = reader.Elements();
            else if (reader.Is("journal"u8)) journal = reader.Elements();
        }

        if (string.IsNullOrEmpty(workerId)) return ErrorCodes.PayloadWorkerIdRequired;
        if (devices is null) return ErrorCodes.PayloadDevicesRequired;
        var names = new List<string>(devices.Count);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var device in devices)
        {
            if (DeviceIdOf(device) is not { Length: > 0 and <= Greeting.MaxIdLength } name) return ErrorCodes.PayloadDevicesRequired;
            if (seen.Add(name)) names.Add(name);
        }

        identity = new IdentityPayload(workerId, names, TextsOf(features), [.. TextsOf(journal).Where(static name => name.Length is > 0 and <= Greeting.MaxIdLength)]);
        return null;
    }

    private static string[] TextsOf(List<ReadOnlyMemory<byte>>? elements) => elements?.Select(PayloadReader.TextOf).OfType<string>().ToArray() ?? [];

    private static string? DeviceIdOf(ReadOnlyMemory<byte> device)
    {
        if (!PayloadReader.IsObject(device)) return PayloadReader.TextOf(device);
        string? name = null;
        var reader = new PayloadReader(device);
        while (reader.Next())
        {
            if (reader.Is("deviceId"u8)) name = reader.Text();
        }

        return name;
    }
}

/// <summary>The telemetry queries of the protocol.</summary>
public static class TelemetryQuery
{
    private static readonly string[] Types = ["metrics", "list", "count", "logs", "logs_multi", "historical_logs", "settings", "config", "thing_config", "stats", "ext_data"];

    /// <summary>Every query type.</summary>
    public static IReadOnlyCollection<string> AllTypes => Types;

    /// <summary>Reads the payload of <c>telemetry.pull</c> just far enough to know its query's type.</summary>
    /// <returns>Null if accepted, else why not.</returns>
    public static Refusal? Read(ReadOnlyMemory<byte> payload, out string type)
    {
        type = "";
        if (payload.IsEmpty) return ErrorCodes.PayloadNotObject;
        var reader = new PayloadReader(payload);
        while (reader.Next())
        {
            if (reader.Is("query"u8) && reader.Raw() is var query && PayloadReader.IsObject(query)) type = TypeOf(query) ?? "";
        }

        return Array.IndexOf(Types, type) >= 0 ? null : ErrorCodes.QueryInvalid;
    }

    private static string? TypeOf(ReadOnlyMemory<byte> query)
    {
        string? type = null;
        var reader = new PayloadReader(query);
        while (reader.Next())
        {
            if (reader.Is("type"u8)) type = KnownType(reader.Raw().Span) ?? reader.Text();
        }

        return type;
    }

    /// <summary>The type of a quoted word that is one, as the protocol's own string: pulls are many, and none needs another.</summary>
    private static string? KnownType(ReadOnlySpan<byte> quoted)
    {
        if (quoted.Length < 2) return null;
        foreach (var type in Types)
        {
            if (Ascii.Equals(quoted[1..^1], type)) return type;
        }

        return null;
    }
}

/// <summary>The rules of protocol.md for the payloads of every action, in one call.</summary>
public static class PayloadRules
{
    /// <summary>Checks a payload against its action's rules.</summary>
    /// <param name="envelope">An accepted envelope.</param>
    /// <returns>Null if accepted, else the first rule it breaks.</returns>
    public static Refusal? Check(in Envelope envelope) => envelope.Action switch
    {
        OrkAction.CommandRequest => CommandRequestPayload.Read(envelope.Payload, out _),
        OrkAction.CommandResult => CommandResultPayload.Read(envelope.Payload, out _),
        OrkAction.CommandStatus or OrkAction.CommandCancel => CommandQueryPayload.Read(envelope.Payload, out _),
        OrkAction.CommandStatusResponse => CheckStatusResponse(envelope.Payload),
        OrkAction.CommandCancelResponse => CheckCancelResponse(envelope.Payload),
        OrkAction.IdentityResponse => IdentityPayload.Read(envelope.Payload, out _),
        OrkAction.CapabilityResponse => ReadContract(envelope.Payload, out _),
        OrkAction.StateResponse => ReadState(envelope.Payload, out _),
        OrkAction.HealthPong => ReadHealth(envelope.Payload, out _),
        OrkAction.TelemetryPull => TelemetryQuery.Read(envelope.Payload, out _),
        OrkAction.WorkerTerminate => ReadWorkerId(envelope.Payload, out _),
        OrkAction.WorkerHold => ReadHold(envelope.Payload, out _, out _),
        _ => null,
    };

    /// <summary>Reads the contract of <c>capability.response</c>.</summary>
    public static Refusal? ReadContract(ReadOnlyMemory<byte> payload, out ReadOnlyMemory<byte> contract)
    {
        contract = default;
        if (payload.IsEmpty) return ErrorCodes.PayloadNotObject;
        contract = ObjectMember(payload, "contract"u8);
        var whole = !contract.IsEmpty && !ObjectMember(contract, "metadata"u8).IsEmpty && !ObjectMember(contract, "capabilities"u8).IsEmpty;
        return whole ? null : ErrorCodes.PayloadContractRequired;
    }

    /// <summary>Reads the state of <c>state.response</c>.</summary>
    public static Refusal? ReadState(ReadOnlyMemory<byte> payload, out ReadOnlyMemory<byte> state)
    {
        state = default;
        if (payload.IsEmpty) return ErrorCodes.PayloadNotObject;
        state = ObjectMember(payload, "state"u8);
        return state.IsEmpty ? ErrorCodes.PayloadStateRequired : null;
    }

    /// <summary>Reads why a Worker refused a request: <c>{"status":"REJECTED","error":...}</c>.</summary>
    /// <returns>The error, or null where the payload is no refusal.</returns>
    public static string? ReadRefusal(ReadOnlyMemory<byte> payload) =>
        TextMember(payload, "status"u8) == CommandWords.Of(CommandStatus.Rejected) ? TextMember(payload, "error"u8) ?? "" : null;

    /// <summary>Reads why a link was closed, as its Goodbye says.</summary>
    /// <returns>The reason, or null where it says none.</returns>
    public static string? ReadGoodbye(ReadOnlyMemory<byte> payload) => TextMember(payload, "error"u8);

    /// <summary>Reads the status of <c>health.pong</c>.</summary>
    public static Refusal? ReadHealth(ReadOnlyMemory<byte> payload, out string status)
    {
        status = TextMember(payload, "status"u8) ?? "";
        if (payload.IsEmpty) return ErrorCodes.PayloadNotObject;
        return status.Length == 0 ? ErrorCodes.PayloadStatusRequired : null;
    }

    /// <summary>Reads the Worker that <c>worker.terminate</c> means.</summary>
    public static Refusal? ReadWorkerId(ReadOnlyMemory<byte> payload, out string workerId)
    {
        workerId = TextMember(payload, "workerId"u8) ?? "";
        if (payload.IsEmpty) return ErrorCodes.PayloadNotObject;
        return workerId.Length == 0 ? ErrorCodes.PayloadWorkerIdRequired : null;
    }

    /// <summary>Reads <c>worker.hold</c>.</summary>
    public static Refusal? ReadHold(ReadOnlyMemory<byte> payload, out string workerId, out CircuitHold hold)
    {
        hold = default;
        if (ReadWorkerId(payload, out workerId) is { } refusal) return refusal;
        if (CircuitHolds.Parse(TextMember(payload, "hold"u8)) is not { } known) return Refusal.With(ErrorCodes.PayloadFieldInvalid, "hold must be none, open or closed");
        hold = known;
        return null;
    }

    private static Refusal? CheckStatusResponse(ReadOnlyMemory<byte> payload)
    {
        if (payload.IsEmpty) return ErrorCodes.PayloadNotObject;
        if (string.IsNullOrEmpty(TextMember(payload, "commandId"u8))) return ErrorCodes.PayloadCommandIdRequired;
        if (string.IsNullOrEmpty(TextMember(payload, "status"u8))) return ErrorCodes.PayloadStatusRequired;
        return CommandWords.Status(TextMember(payload, "status"u8)) == CommandStatus.None ? ErrorCodes.PayloadStatusInvalid : null;
    }

    private static Refusal? CheckCancelResponse(ReadOnlyMemory<byte> payload)
    {
        if (payload.IsEmpty) return ErrorCodes.PayloadNotObject;
        if (string.IsNullOrEmpty(TextMember(payload, "commandId"u8))) return ErrorCodes.PayloadCommandIdRequired;
        var cancelled = (bool?)null;
        var reader = new PayloadReader(payload);
        while (reader.Next())
        {
            if (reader.Is("cancelled"u8)) cancelled = reader.Boolean();
        }

        return cancelled is null ? ErrorCodes.PayloadCancelledRequired : null;
    }

    private static ReadOnlyMemory<byte> ObjectMember(ReadOnlyMemory<byte> payload, ReadOnlySpan<byte> name)
    {
        ReadOnlyMemory<byte> value = default;
        var reader = new PayloadReader(payload);
        while (reader.Next())
        {
            if (reader.Is(name)) value = reader.Raw();
        }

        return PayloadReader.IsObject(value) ? value : default;
    }

    private static string? TextMember(ReadOnlyMemory<byte> payload, ReadOnlySpan<byte> name)
    {
        string? value = null;
        var reader = new PayloadReader(payload);
        while (reader.Next())
        {
            if (reader.Is(name)) value = reader.Text();
        }

        return value;
    }
}
