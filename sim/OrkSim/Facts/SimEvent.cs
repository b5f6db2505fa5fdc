using Ork.Client;
using Ork.Kernel;
using Ork.Protocol;
using Ork.Worker;

namespace OrkSim;

/// <summary>What can be seen of a world from outside. Flags, so that an invariant can say what it wants to hear of.</summary>
[Flags]
public enum SimEventKind
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>A node handed a frame to its connection.</summary>
    FrameSent = 1 << 0,

    /// <summary>A node took a frame from its connection.</summary>
    FrameTaken = 1 << 1,

    /// <summary>A connection came about.</summary>
    LinkOpened = 1 << 2,

    /// <summary>One side of a connection ended.</summary>
    LinkEnded = 1 << 3,

    /// <summary>A kernel opened the store.</summary>
    StoreOpened = 1 << 4,

    /// <summary>A kernel handed a batch to the store.</summary>
    CommitSubmitted = 1 << 5,

    /// <summary>A batch is about to be durable: facts are still those before it.</summary>
    CommitApplying = 1 << 6,

    /// <summary>A batch is durable.</summary>
    CommitDurable = 1 << 7,

    /// <summary>A commit failed.</summary>
    CommitFailed = 1 << 8,

    /// <summary>A device acted on a command.</summary>
    Executed = 1 << 9,

    /// <summary>A caller began a call.</summary>
    Asked = 1 << 10,

    /// <summary>A caller's call ended, with an answer or a refusal.</summary>
    Answered = 1 << 11,

    /// <summary>A node started.</summary>
    NodeUp = 1 << 12,

    /// <summary>A node crashed or went.</summary>
    NodeDown = 1 << 13,

    /// <summary>A kernel said something worth knowing: an event id of its log.</summary>
    Note = 1 << 14,

    /// <summary>A machine of a kernel made a transition.</summary>
    Transition = 1 << 15,

    /// <summary>A fault struck.</summary>
    Fault = 1 << 16,

    /// <summary>No more faults from here on.</summary>
    Healed = 1 << 17,

    /// <summary>Some virtual time went by.</summary>
    Pulse = 1 << 18,

    /// <summary>A Worker began to carry out a command on a device: its journal has it.</summary>
    Begun = 1 << 19,

    /// <summary>An invariant does not hold: the end of a trace, heard of by nobody.</summary>
    Violated = 1 << 20,

    /// <summary>A Worker's journal answered, or was lost. Heard of, and in no trace.</summary>
    Journaled = 1 << 21,

    /// <summary>A node began to connect. Heard of, and in no trace.</summary>
    Dialled = 1 << 22,

    /// <summary>A kernel handed a Worker's telemetry to the sink. Heard of, and in no trace.</summary>
    Handed = 1 << 23,

    /// <summary>A Worker's handler is done with a command. Heard of, and in no trace.</summary>
    Handled = 1 << 24,

    /// <summary>A fleet order was over, and its caller has what became of each device. Heard of, and in no trace.</summary>
    Told = 1 << 25,
}

/// <summary>A call about a command or a device, and what the client returned of it.</summary>
/// <param name="Order">What was ordered, where the call ordered something.</param>
/// <param name="CommandId">The command, as the client returned it or as it was asked for.</param>
/// <param name="View">How the command stands, as the client returned it, or null.</param>
/// <param name="Cancelled">Whether it was cancelled, as the client returned it, or null.</param>
/// <param name="Asked">The telemetry that was asked for, or null.</param>
/// <param name="Told">The telemetry that the answer says it is, or null.</param>
/// <param name="Workers">The Workers of a list of all, or null.</param>
/// <param name="GivenUp">True where the client gave the call up, rather than a kernel refused it.</param>
public sealed record CallEnd(
    CommandOrder? Order, string? CommandId, CommandView? View = null, bool? Cancelled = null, string? Asked = null, string? Told = null, FleetView? Workers = null, bool GivenUp = false);

/// <summary>What a Worker's handler made of a command.</summary>
/// <param name="CommandId">The command.</param>
/// <param name="Attempt">The attempt.</param>
/// <param name="Epoch">The epoch of the kernel that sent it.</param>
/// <param name="Succeeded">True where it says so.</param>
/// <param name="Error">What it says otherwise, or null.</param>
public sealed record Handling(string CommandId, int Attempt, long Epoch, bool Succeeded, string? Error);

/// <summary>What a Worker asked of its journal and what that answered; a journal that was lost where neither is there.</summary>
/// <param name="Start">The start it was asked about, or null.</param>
/// <param name="Verdict">Its verdict.</param>
/// <param name="EndedId">The command whose end it was told, or null.</param>
/// <param name="Answer">What it found of the start's command, or the end it was told.</param>
/// <param name="Disk">Which of the Worker's disks it is on: its own, or its standby's.</param>
public sealed record JournalCall(JournalStart? Start, JournalVerdict Verdict, string? EndedId, JournalAnswer? Answer, int Disk);

/// <summary>One event of a world.</summary>
public readonly struct SimEvent
{
    /// <summary>What happened.</summary>
    public SimEventKind Kind { get; init; }

    /// <summary>When, in ticks of 100 ns of virtual time.</summary>
    public long Ticks { get; init; }

    /// <summary>In which step.</summary>
    public long Step { get; init; }

    /// <summary>Where.</summary>
    public SimNode? Node { get; init; }

    /// <summary>The connection, for frames and links: the side of <see cref="Node"/>.</summary>
    public SimConnection? Connection { get; init; }

    /// <summary>The frame's kind.</summary>
    public FrameKind Frame { get; init; }

    /// <summary>The frame's correlation, or a number that belongs to the event.</summary>
    public ulong Correlation { get; init; }

    /// <summary>The frame's payload.</summary>
    public ReadOnlyMemory<byte> Payload { get; init; }

    /// <summary>What the frame says, where it is one of the protocol.</summary>
    public WireMessage? Message { get; init; }

    /// <summary>The batch, for commits.</summary>
    public CommitBatch? Batch { get; init; }

    /// <summary>The image, when a store was opened.</summary>
    public KernelImage? Image { get; init; }

    /// <summary>The execution.</summary>
    public Execution? Execution { get; init; }

    /// <summary>What a caller asked and what its client returned, when a call about a command ended.</summary>
    public CallEnd? Call { get; init; }

    /// <summary>What the journal was asked.</summary>
    public JournalCall? Journal { get; init; }

    /// <summary>What a handler made of a command.</summary>
    public Handling? Handling { get; init; }

    /// <summary>A fleet order that is over.</summary>
    public FleetRun? Fleet { get; init; }

    /// <summary>The kernel's event id, for notes.</summary>
    public KernelEvent Note { get; init; }

    /// <summary>The clock of what it follows on another node, where clocks are kept.</summary>
    internal int[]? Cause { get; init; }

    /// <summary>What its node could know of since this event and not before: pairs of a node's id and how many events of it. Null where nothing came to it, or clocks are not kept.</summary>
    public int[]? Saw { get; init; }

    /// <summary>What it is about.</summary>
    public string? Subject { get; init; }

    /// <summary>What else there is to say.</summary>
    public string? Detail { get; init; }
}

/// <summary>A device acted on a command.</summary>
/// <param name="DeviceId">The device.</param>
/// <param name="WorkerId">The Worker that told it to.</param>
/// <param name="CommandId">The command.</param>
/// <param name="Command">Its name.</param>
/// <param name="Attempt">The attempt.</param>
/// <param name="Epoch">The epoch of the kernel that sent it.</param>
/// <param name="Ticks">When.</param>
/// <param name="Params">The parameters it was handed, as JSON, or null where they are not known.</param>
public sealed record Execution(string DeviceId, string WorkerId, string CommandId, string Command, int Attempt, long Epoch, long Ticks, string? Params = null);

/// <summary>What a frame says, as far as checks need it.</summary>
public sealed class WireMessage
{
    /// <summary>Request or response.</summary>
    public MessageType Type { get; init; }

    /// <summary>What is asked or answered.</summary>
    public OrkAction Action { get; init; }

    /// <summary>The device.</summary>
    public string? DeviceId { get; init; }

    /// <summary>The command.</summary>
    public string? CommandId { get; init; }

    /// <summary>The envelope's id, of a caller's order or question.</summary>
    public string? EnvelopeId { get; init; }

    /// <summary>The idempotency key, of a caller's order.</summary>
    public string? Key { get; init; }

    /// <summary>The attempt.</summary>
    public int Attempt { get; init; }

    /// <summary>How often it was retried.</summary>
    public int Retries { get; init; }

    /// <summary>The kernel's epoch.</summary>
    public long Epoch { get; init; }

    /// <summary>True where a Worker is told that it may execute the command again.</summary>
    public bool Reexecute { get; init; }

    /// <summary>How the command stands.</summary>
    public CommandStatus Status { get; init; }

    /// <summary>What is known of the device.</summary>
    public CommandOutcome Outcome { get; init; }

    /// <summary>The error.</summary>
    public string? Error { get; init; }

    /// <summary>The result's bytes.</summary>
    public ReadOnlyMemory<byte> Result { get; init; }

    /// <summary>How long a question about a command waits for its end, in milliseconds.</summary>
    public long WaitMs { get; init; }

    /// <summary>When the command last changed, as told.</summary>
    public long UpdatedAt { get; init; }

    /// <summary>The devices of a wider command.</summary>
    public IReadOnlyList<string>? Targets { get; init; }

    /// <summary>True where a cancel was acknowledged.</summary>
    public bool Cancelled { get; init; }

    /// <summary>True where a stop was acknowledged.</summary>
    public bool Stopped { get; init; }

    /// <summary>The Worker's claim, in an identity.</summary>
    public IdentityPayload? Identity { get; init; }

    /// <summary>The whole answer, where it is a list of Workers or what a device can.</summary>
    public System.Text.Json.JsonElement Listing { get; init; }

    /// <summary>Reads a frame's payload.</summary>
    /// <returns>Null where it is no envelope of the protocol.</returns>
    internal static WireMessage? Read(NodeKind sender, ReadOnlyMemory<byte> payload)
    {
        if (Routine.Find(payload.Span) is { } routine) return routine;
        if (EnvelopeReader.Read(payload, out var envelope) is not null) return null;
        return envelope.Action switch
        {
            OrkAction.CommandRequest when sender == NodeKind.Kernel => CommandToWorker(in envelope),
            OrkAction.CommandRequest => OrderOf(in envelope),
            OrkAction.CommandResult or OrkAction.CommandStatusResponse or OrkAction.CommandCancelResponse => StatusOf(in envelope),
            OrkAction.IdentityResponse => IdentityOf(in envelope),
            OrkAction.CommandStatus or OrkAction.CommandCancel => StatusOf(in envelope),
            OrkAction.WorkerListResponse or OrkAction.DeviceCapabilitiesResponse => new WireMessage { Type = envelope.Type, Action = envelope.Action, Listing = Parsed(envelope.Payload) },
            _ => new WireMessage { Type = envelope.Type, Action = envelope.Action },
        };
    }

    private static System.Text.Json.JsonElement Parsed(ReadOnlyMemory<byte> payload) =>
        payload.IsEmpty ? default : System.Text.Json.JsonElement.Parse(payload.Span);

    private static WireMessage? CommandToWorker(in Envelope envelope) => CommandRequestPayload.Read(envelope.Payload, out var request) is not null ? null : new WireMessage
    {
        Type = envelope.Type,
        Action = envelope.Action,
        DeviceId = envelope.DeviceId.Decode(),
        CommandId = request.CommandId,
        Attempt = request.Attempt,
        Epoch = request.Epoch,
        Targets = request.Targets,
        Reexecute = envelope.Payload.Span.IndexOf("\"reexecute\":true"u8) >= 0,
    };

    private static WireMessage OrderOf(in Envelope envelope) => new()
    {
        Type = envelope.Type,
        Action = envelope.Action,
        EnvelopeId = envelope.Id.Decode(),
        Key = CommandRequestPayload.Read(envelope.Payload, out var request) is null ? request.IdempotencyKey : null,
    };

    private static WireMessage IdentityOf(in Envelope envelope) => new()
    {
        Type = envelope.Type,
        Action = envelope.Action,
        Identity = IdentityPayload.Read(envelope.Payload, out var identity) is null ? identity : null,
    };

    private static WireMessage StatusOf(in Envelope envelope)
    {
        string? commandId = null, status = null, error = null, outcome = null;
        long attempt = 0, retries = 0, updatedAt = 0, waitMs = 0;
        bool cancelled = false, stopped = false;
        ReadOnlyMemory<byte> result = default;
        var reader = new PayloadReader(envelope.Payload);
        while (reader.Next())
        {
            if (reader.IsNull) continue;
            if (reader.Is("commandId"u8)) commandId = reader.Text();
            else if (reader.Is("status"u8)) status = reader.Text();
            else if (reader.Is("error"u8)) error = reader.Text();
            else if (reader.Is("outcome"u8)) outcome = reader.Text();
            else if (reader.Is("attempt"u8)) attempt = reader.Integer() ?? 0;
            else if (reader.Is("retries"u8)) retries = reader.Integer() ?? 0;
            else if (reader.Is("waitMs"u8)) waitMs = reader.Integer() ?? 0;
            else if (reader.Is("updatedAt"u8)) updatedAt = reader.Integer() ?? 0;
            else if (reader.Is("cancelled"u8)) cancelled = reader.Boolean() ?? false;
            else if (reader.Is("stopped"u8)) stopped = reader.Boolean() ?? false;
            else if (reader.Is("result"u8)) result = reader.Raw();
        }

        return new WireMessage
        {
            Type = envelope.Type,
            Action = envelope.Action,
            CommandId = commandId,
            Status = CommandWords.Status(status),
            Error = error,
            Outcome = CommandWords.Outcome(outcome),
            Attempt = (int)attempt,
            Retries = (int)retries,
            UpdatedAt = updatedAt,
            WaitMs = waitMs,
            Cancelled = cancelled,
            Stopped = stopped,
            EnvelopeId = envelope.Action == OrkAction.CommandStatus ? envelope.Id.Decode() : null,
            Result = result,
        };
    }
}

/// <summary>
/// Messages of which checks need no more than what they are: most of all traffic. Told by their first bytes, which are those that the product's own writer writes.
/// </summary>
internal static class Routine
{
    private static readonly (byte[] Name, WireMessage Message)[] Known =
    [
        .. new[]
        {
            OrkAction.HealthPing, OrkAction.HealthPong, OrkAction.StatePull, OrkAction.StateResponse, OrkAction.TelemetryPull, OrkAction.TelemetryResponse,
            OrkAction.IdentityRequest, OrkAction.CapabilityRequest, OrkAction.CapabilityResponse,
        }.Select(action => (System.Text.Encoding.UTF8.GetBytes(OrkActions.NameOf(action) + "\""), new WireMessage
        {
            Type = OrkActions.AnswerTo(action) == OrkAction.ErrorResponse ? MessageType.Response : MessageType.Request,
            Action = action,
        })),
    ];

    internal static WireMessage? Find(ReadOnlySpan<byte> payload)
    {
        // {"id":"<36>","version":"0.2.0","type":"request","action":"...
        const int idEnd = 7 + 36;
        if (payload.Length < 110 || !payload.StartsWith("{\"id\":\""u8) || !payload[idEnd..].StartsWith("\",\"version\":\"0.2.0\",\"type\":\"re"u8)) return null;
        var rest = payload[(idEnd + 31)..];
        var at = rest.IndexOf("\",\"action\":\""u8);
        if (at is < 0 or > 8 || payload[^1] != (byte)'}') return null;
        var name = rest[(at + 12)..];
        foreach (var (known, message) in Known)
        {
            if (name.StartsWith(known)) return message;
        }

        return null;
    }
}
