using Ork.Protocol;

namespace Ork.Kernel;

/// <summary>A Worker as stored.</summary>
/// <param name="WorkerId">Its id.</param>
/// <param name="PeerKey">The key the id is bound to.</param>
/// <param name="Endpoint">Where it was last linked from or dialled.</param>
/// <param name="Features">Its runtime's features, comma-separated.</param>
/// <param name="Contract">Its contract's JSON, empty where none was pulled yet.</param>
/// <param name="Terminated">True where an operator took it out of service.</param>
/// <param name="Hold">How an operator holds its circuit.</param>
/// <param name="Journal">The name of its journal's opening that the kernel relies on; empty where it told none.</param>
[OrkRecord(1)]
public sealed record WorkerRow(
    string WorkerId, string PeerKey, string Endpoint, string Features, ReadOnlyMemory<byte> Contract, bool Terminated, CircuitHold Hold = CircuitHold.None, string Journal = "");

/// <summary>A device as stored.</summary>
/// <param name="DeviceId">Its id.</param>
/// <param name="WorkerId">The Worker that owns it.</param>
/// <param name="State">The state last pulled, as JSON; empty where none was.</param>
[OrkRecord(1)]
public sealed record DeviceRow(string DeviceId, string WorkerId, ReadOnlyMemory<byte> State);

/// <summary>What never changes of a command.</summary>
public sealed record CommandSpec
{
    /// <summary>The command's id, a UUID.</summary>
    public required string CommandId { get; init; }

    /// <summary>Its name in the contract.</summary>
    public required string Command { get; init; }

    /// <summary>Its scope.</summary>
    public required CommandScope Scope { get; init; }

    /// <summary>The device, for scope device.</summary>
    public string? DeviceId { get; init; }

    /// <summary>The devices reached, for the wider scopes.</summary>
    public IReadOnlyList<string>? Targets { get; init; }

    /// <summary>The parameters' JSON, empty where there are none.</summary>
    public ReadOnlyMemory<byte> Params { get; init; }

    /// <summary>The authenticated identity of the caller.</summary>
    public required string Caller { get; init; }

    /// <summary>The caller's name for the request, or null.</summary>
    public string? IdempotencyKey { get; init; }

    /// <summary>Whether it goes ahead of others in line at its devices.</summary>
    public CommandPriority Priority { get; init; }

    /// <summary>True where the contract declared the command safe to repeat.</summary>
    public bool Idempotent { get; init; }

    /// <summary>Milliseconds an attempt may take.</summary>
    public long TimeoutMs { get; init; }

    /// <summary>Bytes of the parameters and targets, as they count against the kernel's bounds.</summary>
    public long RequestBytes => Params.Length + (Targets?.Sum(target => 3L * target.Length) ?? 0);

    /// <summary>When it was accepted, UTC milliseconds.</summary>
    public long CreatedAt { get; init; }

    /// <summary>When it fails if not sent by then, UTC milliseconds.</summary>
    public long DeadlineAt { get; init; }
}

/// <summary>A command as stored: what never changes, and how it stands.</summary>
[OrkRecord(1)]
public readonly record struct CommandRow
{
    /// <summary>Rises with each accepted command.</summary>
    public long Seq { get; init; }

    /// <summary>What never changes.</summary>
    public CommandSpec Spec { get; init; }

    /// <summary>The Worker it is for.</summary>
    public string WorkerId { get; init; }

    /// <summary>Its state.</summary>
    public CommandState State { get; init; }

    /// <summary>The number of its latest attempt, 0 before the first.</summary>
    public int Attempt { get; init; }

    /// <summary>How often it was retried.</summary>
    public int Retries { get; init; }

    /// <summary>How often a kernel restart met it in flight.</summary>
    public int Recoveries { get; init; }

    /// <summary>How many rows of the log are its own.</summary>
    public int Transitions { get; init; }

    /// <summary>True once any attempt may have left the kernel.</summary>
    public bool SentEver { get; init; }

    /// <summary>The first attempt that its Worker may have begun; 0 where none was sent, or each that was sent was refused unbegun.</summary>
    public int DoubtfulFrom { get; init; }

    /// <summary>True once a caller asked it to stop after an attempt was sent.</summary>
    public bool StopRequested { get; init; }

    /// <summary>The Worker's result, as JSON; empty where there is none.</summary>
    public ReadOnlyMemory<byte> Result { get; init; }

    /// <summary>Why it failed, or null.</summary>
    public string? Error { get; init; }

    /// <summary>What is known of the device after a failure.</summary>
    public CommandOutcome Outcome { get; init; }

    /// <summary>When it last changed, UTC milliseconds.</summary>
    public long UpdatedAt { get; init; }
}

/// <summary>One row of the command log.</summary>
/// <param name="CommandSeq">The command.</param>
/// <param name="Number">1 for the command's first transition.</param>
/// <param name="From">The state left.</param>
/// <param name="To">The state entered.</param>
/// <param name="At">When, UTC milliseconds.</param>
/// <param name="Attempt">The attempt it belongs to.</param>
/// <param name="Detail">The trigger, and the error where there is one.</param>
[OrkRecord(1, ReadBy = "operators, and the checks of a simulated run")]
public readonly record struct TransitionRow(long CommandSeq, int Number, CommandState From, CommandState To, long At, int Attempt, string Detail);
