using System.Collections.Frozen;
using System.Reflection;

namespace Ork.Protocol;

// The sentence of each code is its documentation; an XML comment would only repeat it.
#pragma warning disable CS1591

/// <summary>Every code that crosses a wire, ends a process or stands in a log. A code never changes its meaning.</summary>
public static class ErrorCodes
{
    // Frames and links
    public static readonly ErrorCode FrameNotJson = new("ERR_FRAME_NOT_JSON", "The frame's payload is not one well-formed UTF-8 JSON value.");
    public static readonly ErrorCode FrameTooLarge = new("ERR_FRAME_TOO_LARGE", "The frame is longer than the limit of the link; the link is closed.");
    public static readonly ErrorCode FrameMalformed = new("ERR_FRAME_MALFORMED", "The bytes are not a frame: the length is too small or the kind is unknown; the link is closed.");
    public static readonly ErrorCode PullOnlyViolation = new("ERR_PULL_ONLY_VIOLATION", "A Worker sent something that answers no outstanding request; its link is closed.");
    public static readonly ErrorCode HandshakeInvalid = new("ERR_HANDSHAKE_INVALID", "The first frame of the link is not the greeting this endpoint expects.");
    public static readonly ErrorCode HandshakeTimeout = new("ERR_HANDSHAKE_TIMEOUT", "The peer did not finish the handshake in time.");
    public static readonly ErrorCode KeyNotAllowed = new("ERR_KEY_NOT_ALLOWED", "The peer's public key is not on the allowlist of this endpoint.");
    public static readonly ErrorCode LinkReplaced = new("ERR_LINK_REPLACED", "The same Worker opened a newer link.");
    public static readonly ErrorCode LinkLost = new("ERR_LINK_LOST", "The link was lost before the answer came.");
    public static readonly ErrorCode PeerTooSlow = new("ERR_PEER_TOO_SLOW", "The peer does not read what it asked for; the link is closed.");
    public static readonly ErrorCode TooManyLinks = new("ERR_TOO_MANY_LINKS", "There is no room for another link: as many callers as may be are linked, or as many links as the limit of open files allows.");
    public static readonly ErrorCode WorkerUnresponsive = new("ERR_WORKER_UNRESPONSIVE", "The Worker left too many health pings unanswered; its link is closed.");

    // Envelope, in the order they are checked
    public static readonly ErrorCode EnvelopeNotObject = new("ERR_ENVELOPE_NOT_OBJECT", "The envelope is not a JSON object.");
    public static readonly ErrorCode EnvelopeIdMissing = new("ERR_ENVELOPE_ID_MISSING", "The envelope's id is not a non-empty string.");
    public static readonly ErrorCode EnvelopeVersionMissing = new("ERR_ENVELOPE_VERSION_MISSING", "The envelope's version is not a non-empty string.");
    public static readonly ErrorCode EnvelopeTypeInvalid = new("ERR_ENVELOPE_TYPE_INVALID", "The envelope's type is not request, response or event, or is not the one expected here.");
    public static readonly ErrorCode EnvelopeActionInvalid = new("ERR_ENVELOPE_ACTION_INVALID", "The envelope's action is not a non-empty string.");
    public static readonly ErrorCode EnvelopeActionUnknown = new("ERR_ENVELOPE_ACTION_UNKNOWN", "The envelope's action is not one of the protocol's.");
    public static readonly ErrorCode EnvelopeSenderInvalid = new("ERR_ENVELOPE_SENDER_INVALID", "The envelope's sender is not a non-empty string.");
    public static readonly ErrorCode EnvelopeTimestampInvalid = new("ERR_ENVELOPE_TIMESTAMP_INVALID", "The envelope's timestamp is not a non-zero number.");
    public static readonly ErrorCode EnvelopePayloadInvalid = new("ERR_ENVELOPE_PAYLOAD_INVALID", "The envelope's payload is neither absent, null nor an object.");

    // Payload
    public static readonly ErrorCode PayloadNotObject = new("ERR_PAYLOAD_NOT_OBJECT", "The action needs a payload object.");
    public static readonly ErrorCode PayloadWorkerIdRequired = new("ERR_PAYLOAD_WORKER_ID_REQUIRED", "The payload needs a non-empty workerId.");
    public static readonly ErrorCode PayloadDevicesRequired = new("ERR_PAYLOAD_DEVICES_REQUIRED", "The payload needs an array of devices, each with a non-empty deviceId.");
    public static readonly ErrorCode PayloadContractRequired = new("ERR_PAYLOAD_CONTRACT_REQUIRED", "The payload needs a contract object with metadata and capabilities.");
    public static readonly ErrorCode PayloadCommandRequired = new("ERR_PAYLOAD_COMMAND_REQUIRED", "The payload needs the name of a command.");
    public static readonly ErrorCode PayloadScopeInvalid = new("ERR_PAYLOAD_SCOPE_INVALID", "The scope is not device, worker or rack.");
    public static readonly ErrorCode PayloadWorkerIdInvalid = new("ERR_PAYLOAD_WORKER_ID_INVALID", "The workerId is not a string.");
    public static readonly ErrorCode PayloadTargetsInvalid = new("ERR_PAYLOAD_TARGETS_INVALID", "The targets are not an array.");
    public static readonly ErrorCode PayloadTargetsTooMany = new("ERR_PAYLOAD_TARGETS_TOO_MANY", "The command reaches more than 1,024 devices.");
    public static readonly ErrorCode PayloadTargetInvalid = new("ERR_PAYLOAD_TARGET_INVALID", "A target is not a non-empty string.");
    public static readonly ErrorCode PayloadCommandIdRequired = new("ERR_PAYLOAD_COMMAND_ID_REQUIRED", "The payload needs a non-empty commandId.");
    public static readonly ErrorCode PayloadStatusRequired = new("ERR_PAYLOAD_STATUS_REQUIRED", "The payload needs a status.");
    public static readonly ErrorCode PayloadStatusInvalid = new("ERR_PAYLOAD_STATUS_INVALID", "The status is not one this action may carry.");
    public static readonly ErrorCode PayloadCancelledRequired = new("ERR_PAYLOAD_CANCELLED_REQUIRED", "The payload needs cancelled as true or false.");
    public static readonly ErrorCode PayloadStateRequired = new("ERR_PAYLOAD_STATE_REQUIRED", "The payload needs a state object.");
    public static readonly ErrorCode PayloadFieldInvalid = new("ERR_PAYLOAD_FIELD_INVALID", "An optional member of the payload has the wrong type or is out of range.");
    public static readonly ErrorCode QueryInvalid = new("ERR_QUERY_INVALID", "The telemetry query is missing or its type is not one of the protocol's.");

    // Dispatcher and kernel refusals (status REJECTED)
    public static readonly ErrorCode CommandRequired = new("ERR_COMMAND_REQUIRED", "The request names no command.");
    public static readonly ErrorCode DeviceIdRequired = new("ERR_DEVICE_ID_REQUIRED", "The request names no device.");
    public static readonly ErrorCode DeviceNotFound = new("ERR_DEVICE_NOT_FOUND", "No Worker owns a device of this name.");
    public static readonly ErrorCode WorkerIdRequired = new("ERR_WORKER_ID_REQUIRED", "The request names no Worker.");
    public static readonly ErrorCode WorkerNotFound = new("ERR_WORKER_NOT_FOUND", "No Worker of this name is known.");
    public static readonly ErrorCode WorkerNotRoutable = new("ERR_WORKER_NOT_ROUTABLE", "The Worker cannot take requests now: it is not registered, not linked, sick, dead or terminated.");
    public static readonly ErrorCode CommandNotInCapabilities = new("ERR_COMMAND_NOT_IN_CAPABILITIES", "The Worker's contract has no command of this name.");
    public static readonly ErrorCode ParamRequired = new("ERR_PARAM_REQUIRED", "A parameter that the contract requires is missing.");
    public static readonly ErrorCode ParamType = new("ERR_PARAM_TYPE", "A parameter has another type than the contract says.");
    public static readonly ErrorCode ParamEnum = new("ERR_PARAM_ENUM", "A parameter is not one of the values the contract allows.");
    public static readonly ErrorCode ParamRange = new("ERR_PARAM_RANGE", "A parameter is outside the contract's minimum and maximum.");
    public static readonly ErrorCode QueueFull = new("ERR_QUEUE_FULL", "A queue is at its limit; try again after retryAfterMs.");
    public static readonly ErrorCode CircuitOpen = new("ERR_CIRCUIT_OPEN", "The Worker's circuit is open: after repeated failures, or held so by an operator.");
    public static readonly ErrorCode KernelBusy = new("ERR_KERNEL_BUSY", "The kernel has more work than its bounds allow; try again after retryAfterMs.");
    public static readonly ErrorCode KernelUnavailable = new("ERR_KERNEL_UNAVAILABLE", "The kernel is stopping, recovering or not reachable.");
    public static readonly ErrorCode CommandNotFound = new("ERR_COMMAND_NOT_FOUND", "No command of this id is known, or its retention has ended.");
    public static readonly ErrorCode NotSupported = new("ERR_NOT_SUPPORTED", "The action is reserved, or cannot be asked of this side.");
    public static readonly ErrorCode DeviceConflict = new("ERR_DEVICE_CONFLICT", "The device is owned by another live Worker.");
    public static readonly ErrorCode WorkerKeyMismatch = new("ERR_WORKER_KEY_MISMATCH", "The workerId is bound to another public key.");
    public static readonly ErrorCode TooManyWorkers = new("ERR_TOO_MANY_WORKERS", "The kernel knows as many Workers as its configuration allows.");
    public static readonly ErrorCode TooManyDevices = new("ERR_TOO_MANY_DEVICES", "The Worker declares more devices than the configuration allows.");
    public static readonly ErrorCode WorkerTimeout = new("ERR_WORKER_TIMEOUT", "The Worker did not answer in time.");
    public static readonly ErrorCode WorkerAnswerInvalid = new("ERR_WORKER_ANSWER_INVALID", "The Worker's answer is not what the protocol asks for.");

    // How a command can end
    public static readonly ErrorCode Cancelled = new("ERR_CANCELLED", "The command was cancelled, and no Worker began it.");
    public static readonly ErrorCode Deadline = new("ERR_DEADLINE", "The command's deadline passed before it was sent.");
    public static readonly ErrorCode MaxRetriesExhausted = new("ERR_MAX_RETRIES_EXHAUSTED", "Every allowed attempt timed out or lost its link.");
    public static readonly ErrorCode RecoveryExhausted = new("ERR_RECOVERY_EXHAUSTED", "The command was in flight at more kernel restarts than allowed.");
    public static readonly ErrorCode OutcomeUnknown = new("ERR_OUTCOME_UNKNOWN", "The command may or may not have taken effect, and repeating it is not declared safe.");
    public static readonly ErrorCode WorkerTerminated = new("ERR_WORKER_TERMINATED", "The Worker was terminated by an operator.");

    // What a Worker runtime answers
    public static readonly ErrorCode StaleEpoch = new("ERR_STALE_EPOCH", "The command comes from an older kernel than one already seen; after a restored backup see 'ork kernel supersede'.");
    public static readonly ErrorCode HandlerFailed = new("ERR_HANDLER_FAILED", "The Worker's handler threw an exception.");
    public static readonly ErrorCode HandlerTimeout = new("ERR_HANDLER_TIMEOUT", "The Worker's handler ran past its deadline.");
    public static readonly ErrorCode HandlerResultTooLarge = new("ERR_HANDLER_RESULT_TOO_LARGE", "The Worker's handler returned more than a frame may hold.");
    public static readonly ErrorCode WorkerBusy = new("ERR_WORKER_BUSY", "The Worker runs as many handlers as it may; it did not begin this one.");
    public static readonly ErrorCode JournalFailed = new("ERR_JOURNAL_FAILED", "The Worker's command journal could not be written; the command was not started.");

    // Store, configuration, endpoints
    public static readonly ErrorCode StoreDamaged = new("ERR_STORE_DAMAGED", "The store's integrity check failed; it is not opened.");
    public static readonly ErrorCode StoreLocked = new("ERR_STORE_LOCKED", "Another kernel holds the store.");
    public static readonly ErrorCode StoreLost = new("ERR_STORE_LOST", "The store's files were removed or replaced while a kernel ran.");
    public static readonly ErrorCode StoreNewer = new("ERR_STORE_NEWER", "The store was written by a newer version of the kernel.");
    public static readonly ErrorCode StoreUnavailable = new("ERR_STORE_UNAVAILABLE", "The store cannot be opened or written.");
    public static readonly ErrorCode ConfigInvalid = new("ERR_CONFIG_INVALID", "The configuration has a value that cannot be used.");
    public static readonly ErrorCode EndpointInvalid = new("ERR_ENDPOINT_INVALID", "The endpoint is neither unix:/path nor tcp://host:port, or cannot be had.");
    public static readonly ErrorCode AllowlistEmpty = new("ERR_ALLOWLIST_EMPTY", "A TCP listener without an allowlist needs --allow-any to start.");
    public static readonly ErrorCode InsecureNotLoopback = new("ERR_INSECURE_NOT_LOOPBACK", "Plain TCP is only for loopback addresses.");

    private static readonly Lazy<FrozenDictionary<string, ErrorCode>> ByCode = new(() => typeof(ErrorCodes)
        .GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(field => field.GetValue(null))
        .OfType<ErrorCode>()
        .ToFrozenDictionary(error => error.Code, StringComparer.Ordinal));

    /// <summary>Every code.</summary>
    public static IReadOnlyCollection<ErrorCode> All => ByCode.Value.Values;

    /// <summary>The sentence of the code a wire text begins with, or null where it is not one of ours (a Worker's own, say).</summary>
    /// <param name="text">A code, with or without detail behind it.</param>
    public static string? SentenceOf(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var end = text.AsSpan().IndexOfAny(':', ' ');
        return ByCode.Value.TryGetValue(end < 0 ? text : text[..end], out var error) ? error.Sentence : null;
    }
}
