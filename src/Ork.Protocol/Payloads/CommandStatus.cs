namespace Ork.Protocol;

/// <summary>How a command stands, as callers and Workers say it.</summary>
public enum CommandStatus
{
    /// <summary>No status.</summary>
    None = 0,

    /// <summary>Accepted, durable, waiting to be assigned.</summary>
    Queued,

    /// <summary>Assigned to its Worker's window, not sent.</summary>
    Dispatched,

    /// <summary>Sent; the device may be acting.</summary>
    Executing,

    /// <summary>An attempt ended without an answer; what follows is decided at once.</summary>
    Timeout,

    /// <summary>Executed by the device. Final.</summary>
    Success,

    /// <summary>Not executed, or failed, or unknown: the outcome says which. Final.</summary>
    Failed,

    /// <summary>Refused: the request left no trace.</summary>
    Rejected,

    /// <summary>A Worker's honest answer: it started the command and does not know how it ended.</summary>
    Unknown,
}

/// <summary>The scope of a command.</summary>
public enum CommandScope
{
    /// <summary>One device.</summary>
    Device,

    /// <summary>All devices of one Worker, or those of them that <c>targets</c> names.</summary>
    Worker,

    /// <summary>The devices of one Worker that <c>targets</c> names, a rack of them.</summary>
    Rack,
}

/// <summary>A command's class in line at its devices. The numbers are stored.</summary>
public enum CommandPriority
{
    /// <summary>In order of acceptance.</summary>
    Normal = 0,

    /// <summary>An emergency, such as curtailment: ahead of all that are not, never two at a device at once.</summary>
    Urgent = 1,
}

/// <summary>What is known of the device after a command failed.</summary>
public enum CommandOutcome
{
    /// <summary>Nothing to say: not failed.</summary>
    None = 0,

    /// <summary>No device acted on it.</summary>
    NotStarted,

    /// <summary>The Worker said that it failed.</summary>
    Failed,

    /// <summary>It may or may not have taken effect.</summary>
    Unknown,
}

/// <summary>Wire names of the enums of commands.</summary>
public static class CommandWords
{
    private static readonly string[] Statuses =
        ["", "QUEUED", "DISPATCHED", "EXECUTING", "TIMEOUT", "SUCCESS", "FAILED", "REJECTED", "UNKNOWN"];

    private static readonly string[] Scopes = ["device", "worker", "rack"];
    private static readonly string[] Priorities = ["normal", "urgent"];
    private static readonly string[] Outcomes = ["", "not-started", "failed", "unknown"];

    /// <summary>The status on the wire.</summary>
    public static string Of(CommandStatus status) => Statuses[(int)status];

    /// <summary>The scope on the wire.</summary>
    public static string Of(CommandScope scope) => Scopes[(int)scope];

    /// <summary>The priority on the wire.</summary>
    public static string Of(CommandPriority priority) => Priorities[(int)priority];

    /// <summary>The outcome on the wire, or null where there is nothing to say.</summary>
    public static string? Of(CommandOutcome outcome) => outcome == CommandOutcome.None ? null : Outcomes[(int)outcome];

    /// <summary>The status of a wire word; <see cref="CommandStatus.None"/> where there is none.</summary>
    public static CommandStatus Status(string? word) => word is null ? default : (CommandStatus)Math.Max(0, Array.IndexOf(Statuses, word));

    /// <summary>The scope of a wire word, or null where there is none.</summary>
    public static CommandScope? Scope(string? word) => Array.IndexOf(Scopes, word) is var index and >= 0 ? (CommandScope)index : null;

    /// <summary>The priority of a wire word, or null where there is none.</summary>
    public static CommandPriority? Priority(string? word) => Array.IndexOf(Priorities, word) is var index and >= 0 ? (CommandPriority)index : null;

    /// <summary>The outcome of a wire word; <see cref="CommandOutcome.None"/> where there is none.</summary>
    public static CommandOutcome Outcome(string? word) => word is null ? default : (CommandOutcome)Math.Max(0, Array.IndexOf(Outcomes, word));

    /// <summary>True for <see cref="CommandStatus.Success"/> and <see cref="CommandStatus.Failed"/>.</summary>
    public static bool IsTerminal(CommandStatus status) => status is CommandStatus.Success or CommandStatus.Failed;
}
