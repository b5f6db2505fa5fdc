using System.Collections.Frozen;

namespace Ork.Protocol;

/// <summary>The protocol's actions. <see cref="OrkActions"/> gives each its name on the wire.</summary>
public enum OrkAction
{
    /// <summary>Not an action of the protocol.</summary>
    None = 0,

    /// <summary>Kernel asks a Worker who it is.</summary>
    IdentityRequest,

    /// <summary>Answer to <see cref="IdentityRequest"/>.</summary>
    IdentityResponse,

    /// <summary>Kernel asks a Worker for its contract.</summary>
    CapabilityRequest,

    /// <summary>Answer to <see cref="CapabilityRequest"/>.</summary>
    CapabilityResponse,

    /// <summary>A telemetry query, proxied to the Worker that owns the device.</summary>
    TelemetryPull,

    /// <summary>Answer to <see cref="TelemetryPull"/>.</summary>
    TelemetryResponse,

    /// <summary>Asks for the state of a device, or of all devices of a Worker.</summary>
    StatePull,

    /// <summary>Answer to <see cref="StatePull"/>.</summary>
    StateResponse,

    /// <summary>Asks for a command to be carried out.</summary>
    CommandRequest,

    /// <summary>Answer to <see cref="CommandRequest"/>.</summary>
    CommandResult,

    /// <summary>Asks how a command stands, waiting for its end if told to.</summary>
    CommandStatus,

    /// <summary>Answer to <see cref="CommandStatus"/>.</summary>
    CommandStatusResponse,

    /// <summary>Asks for a command not to be carried out.</summary>
    CommandCancel,

    /// <summary>Answer to <see cref="CommandCancel"/>.</summary>
    CommandCancelResponse,

    /// <summary>Kernel asks a Worker whether it is well.</summary>
    HealthPing,

    /// <summary>Answer to <see cref="HealthPing"/>.</summary>
    HealthPong,

    /// <summary>Asks for all Workers with their health, links and queues.</summary>
    WorkerList,

    /// <summary>Answer to <see cref="WorkerList"/>.</summary>
    WorkerListResponse,

    /// <summary>Asks for the contract behind a device.</summary>
    DeviceCapabilities,

    /// <summary>Answer to <see cref="DeviceCapabilities"/>.</summary>
    DeviceCapabilitiesResponse,

    /// <summary>Takes a Worker out of service for good.</summary>
    WorkerTerminate,

    /// <summary>Answer to <see cref="WorkerTerminate"/>.</summary>
    WorkerTerminateResponse,

    /// <summary>Holds a Worker's circuit open or closed, or lets it go.</summary>
    WorkerHold,

    /// <summary>Answer to <see cref="WorkerHold"/>.</summary>
    WorkerHoldResponse,

    /// <summary>Reserved (approval-gated writes).</summary>
    ActionPush,

    /// <summary>Reserved (approval-gated writes).</summary>
    ActionPushBatch,

    /// <summary>Reserved (approval-gated writes).</summary>
    ActionGet,

    /// <summary>Reserved (approval-gated writes).</summary>
    ActionGetBatch,

    /// <summary>Reserved (approval-gated writes).</summary>
    ActionQuery,

    /// <summary>Reserved (approval-gated writes).</summary>
    ActionVote,

    /// <summary>Reserved (approval-gated writes).</summary>
    ActionCancelBatch,

    /// <summary>Reserved (approval-gated writes).</summary>
    WriteCallsRequest,

    /// <summary>Reserved (approval-gated writes).</summary>
    WriteCallsResponse,

    /// <summary>Answers a request whose action cannot be told, so that no request stays without an answer.</summary>
    ErrorResponse,
}

/// <summary>Names and pairs of the actions.</summary>
public static class OrkActions
{
    private static readonly (OrkAction Action, string Name, OrkAction Answer)[] Table =
    [
        (OrkAction.IdentityRequest, "identity.request", OrkAction.IdentityResponse),
        (OrkAction.IdentityResponse, "identity.response", OrkAction.None),
        (OrkAction.CapabilityRequest, "capability.request", OrkAction.CapabilityResponse),
        (OrkAction.CapabilityResponse, "capability.response", OrkAction.None),
        (OrkAction.TelemetryPull, "telemetry.pull", OrkAction.TelemetryResponse),
        (OrkAction.TelemetryResponse, "telemetry.response", OrkAction.None),
        (OrkAction.StatePull, "state.pull", OrkAction.StateResponse),
        (OrkAction.StateResponse, "state.response", OrkAction.None),
        (OrkAction.CommandRequest, "command.request", OrkAction.CommandResult),
        (OrkAction.CommandResult, "command.result", OrkAction.None),
        (OrkAction.CommandStatus, "command.status", OrkAction.CommandStatusResponse),
        (OrkAction.CommandStatusResponse, "command.status.response", OrkAction.None),
        (OrkAction.CommandCancel, "command.cancel", OrkAction.CommandCancelResponse),
        (OrkAction.CommandCancelResponse, "command.cancel.response", OrkAction.None),
        (OrkAction.HealthPing, "health.ping", OrkAction.HealthPong),
        (OrkAction.HealthPong, "health.pong", OrkAction.None),
        (OrkAction.WorkerList, "worker.list", OrkAction.WorkerListResponse),
        (OrkAction.WorkerListResponse, "worker.list.response", OrkAction.None),
        (OrkAction.DeviceCapabilities, "device.capabilities", OrkAction.DeviceCapabilitiesResponse),
        (OrkAction.DeviceCapabilitiesResponse, "device.capabilities.response", OrkAction.None),
        (OrkAction.WorkerTerminate, "worker.terminate", OrkAction.WorkerTerminateResponse),
        (OrkAction.WorkerTerminateResponse, "worker.terminate.response", OrkAction.None),
        (OrkAction.WorkerHold, "worker.hold", OrkAction.WorkerHoldResponse),
        (OrkAction.WorkerHoldResponse, "worker.hold.response", OrkAction.None),
        (OrkAction.ActionPush, "action.push", OrkAction.ErrorResponse),
        (OrkAction.ActionPushBatch, "action.push-batch", OrkAction.ErrorResponse),
        (OrkAction.ActionGet, "action.get", OrkAction.ErrorResponse),
        (OrkAction.ActionGetBatch, "action.get-batch", OrkAction.ErrorResponse),
        (OrkAction.ActionQuery, "action.query", OrkAction.ErrorResponse),
        (OrkAction.ActionVote, "action.vote", OrkAction.ErrorResponse),
        (OrkAction.ActionCancelBatch, "action.cancel-batch", OrkAction.ErrorResponse),
        (OrkAction.WriteCallsRequest, "write.calls.request", OrkAction.WriteCallsResponse),
        (OrkAction.WriteCallsResponse, "write.calls.response", OrkAction.None),
        (OrkAction.ErrorResponse, "error.response", OrkAction.None),
    ];

    private static readonly Utf8Text[] NameBytes = BuildNames();
    private static readonly OrkAction[] Answers = BuildAnswers();
    private static readonly FrozenDictionary<string, OrkAction> ByName =
        Table.ToFrozenDictionary(row => row.Name, row => row.Action, StringComparer.Ordinal);
    private static readonly FrozenDictionary<string, OrkAction>.AlternateLookup<ReadOnlySpan<char>> BySpan =
        ByName.GetAlternateLookup<ReadOnlySpan<char>>();
    private static readonly int LongestName = Table.Max(row => row.Name.Length);

    /// <summary>Every action with a name.</summary>
    public static IEnumerable<OrkAction> All => Table.Select(row => row.Action);

    /// <summary>The action's name on the wire.</summary>
    public static string NameOf(OrkAction action) => WireName(action).ToString();

    /// <summary>The action that answers this one; <see cref="OrkAction.ErrorResponse"/> where no other does.</summary>
    public static OrkAction AnswerTo(OrkAction action) =>
        Answers[(int)action] is var answer && answer != OrkAction.None ? answer : OrkAction.ErrorResponse;

    internal static Utf8Text WireName(OrkAction action) => NameBytes[(int)action];

    internal static OrkAction Find(Utf8Text name)
    {
        if (name.Escaped) return ByName.GetValueOrDefault(name.Decode()!, OrkAction.None);
        if (name.Raw.Length > LongestName) return OrkAction.None;
        Span<char> chars = stackalloc char[LongestName];
        var length = System.Text.Encoding.UTF8.GetChars(name.Raw.Span, chars);
        return BySpan.TryGetValue(chars[..length], out var action) ? action : OrkAction.None;
    }

    private static Utf8Text[] BuildNames()
    {
        var names = new Utf8Text[Table.Length + 1];
        foreach (var row in Table) names[(int)row.Action] = Utf8Text.Plain(row.Name);
        return names;
    }

    private static OrkAction[] BuildAnswers()
    {
        var answers = new OrkAction[Table.Length + 1];
        foreach (var row in Table) answers[(int)row.Action] = row.Answer;
        return answers;
    }
}
