using System.Text.Json;
using Ork.Protocol;

namespace Ork.Client;

/// <summary>A command to send.</summary>
public sealed record CommandOrder
{
    /// <summary>The command's name in the contract.</summary>
    public required string Command { get; init; }

    /// <summary>The device, for scope device.</summary>
    public string? DeviceId { get; init; }

    /// <summary>The scope.</summary>
    public CommandScope Scope { get; init; } = CommandScope.Device;

    /// <summary>The Worker, for the wider scopes.</summary>
    public string? WorkerId { get; init; }

    /// <summary>The devices meant, where the scope leaves a choice.</summary>
    public IReadOnlyList<string>? Targets { get; init; }

    /// <summary>The parameters; anything that serialises to a JSON object.</summary>
    public object? Params { get; init; }

    /// <summary>Whether it goes ahead of others in line at its devices.</summary>
    public CommandPriority Priority { get; init; }

    /// <summary>The caller's name for this request. With it, and only with it, the client repeats the request when the link is lost.</summary>
    public string? IdempotencyKey { get; init; }

    /// <summary>Milliseconds from acceptance within which the command must have been sent.</summary>
    public long? DeadlineMs { get; init; }
}

/// <summary>A command was accepted: it will not be lost.</summary>
/// <param name="CommandId">Its id.</param>
/// <param name="Status">QUEUED, or how the first command of a repeated key stands.</param>
public sealed record CommandReceipt(string CommandId, CommandStatus Status)
{
    internal static CommandReceipt Read(ReadOnlyMemory<byte> payload)
    {
        string? commandId = null, status = null;
        var reader = new PayloadReader(payload);
        while (reader.Next())
        {
            if (reader.Is("commandId"u8)) commandId = reader.Text();
            else if (reader.Is("status"u8)) status = reader.Text();
        }

        return new CommandReceipt(commandId ?? "", CommandWords.Status(status));
    }
}

/// <summary>How a command stands.</summary>
public sealed record CommandView
{
    /// <summary>Its id.</summary>
    public required string CommandId { get; init; }

    /// <summary>Its status.</summary>
    public required CommandStatus Status { get; init; }

    /// <summary>Its name.</summary>
    public string Command { get; init; } = "";

    /// <summary>Its device, for scope device.</summary>
    public string? DeviceId { get; init; }

    /// <summary>Its Worker.</summary>
    public string? WorkerId { get; init; }

    /// <summary>Its scope.</summary>
    public string? Scope { get; init; }

    /// <summary>The latest attempt.</summary>
    public int Attempt { get; init; }

    /// <summary>How often it was retried.</summary>
    public int Retries { get; init; }

    /// <summary>The Worker's result; undefined where there is none.</summary>
    public JsonElement Result { get; init; }

    /// <summary>Why it failed, or null.</summary>
    public string? Error { get; init; }

    /// <summary>What is known of the device after a failure.</summary>
    public CommandOutcome Outcome { get; init; }

    /// <summary>When it was accepted, UTC milliseconds.</summary>
    public long CreatedAt { get; init; }

    /// <summary>When it last changed, UTC milliseconds.</summary>
    public long UpdatedAt { get; init; }

    /// <summary>True once it has reached its end.</summary>
    public bool IsTerminal => CommandWords.IsTerminal(Status);

    internal static CommandView Read(ReadOnlyMemory<byte> payload)
    {
        string? commandId = null, status = null, command = null, deviceId = null, workerId = null, scope = null, error = null, outcome = null;
        long? attempt = null, retries = null, createdAt = null, updatedAt = null;
        ReadOnlyMemory<byte> result = default;
        var reader = new PayloadReader(payload);
        while (reader.Next())
        {
            if (reader.Is("commandId"u8)) commandId = reader.Text();
            else if (reader.Is("status"u8)) status = reader.Text();
            else if (reader.Is("command"u8)) command = reader.Text();
            else if (reader.Is("deviceId"u8)) deviceId = reader.Text();
            else if (reader.Is("workerId"u8)) workerId = reader.Text();
            else if (reader.Is("scope"u8)) scope = reader.Text();
            else if (reader.Is("attempt"u8)) attempt = reader.Integer();
            else if (reader.Is("retries"u8)) retries = reader.Integer();
            else if (reader.Is("result"u8)) result = reader.IsNull ? default : reader.Raw();
            else if (reader.Is("error"u8)) error = reader.Text();
            else if (reader.Is("outcome"u8)) outcome = reader.Text();
            else if (reader.Is("createdAt"u8)) createdAt = reader.Integer();
            else if (reader.Is("updatedAt"u8)) updatedAt = reader.Integer();
        }

        return new CommandView
        {
            CommandId = commandId ?? "",
            Status = CommandWords.Status(status),
            Command = command ?? "",
            DeviceId = deviceId,
            WorkerId = workerId,
            Scope = scope,
            Attempt = (int)(attempt ?? 0),
            Retries = (int)(retries ?? 0),
            Result = result.IsEmpty ? default : JsonElement.Parse(result.Span),
            Error = error,
            Outcome = CommandWords.Outcome(outcome),
            CreatedAt = createdAt ?? 0,
            UpdatedAt = updatedAt ?? 0,
        };
    }
}

/// <summary>What became of a request to cancel.</summary>
/// <param name="Cancelled">True: no Worker began it, and none will.</param>
/// <param name="Stopped">True: a Worker may have begun it; no further attempt will be made.</param>
/// <param name="Status">How the command stands.</param>
public sealed record CancelView(bool Cancelled, bool Stopped, CommandStatus Status)
{
    internal static CancelView Read(ReadOnlyMemory<byte> payload)
    {
        bool cancelled = false, stopped = false;
        string? status = null;
        var reader = new PayloadReader(payload);
        while (reader.Next())
        {
            if (reader.Is("cancelled"u8)) cancelled = reader.Boolean() == true;
            else if (reader.Is("stopped"u8)) stopped = reader.Boolean() == true;
            else if (reader.Is("status"u8)) status = reader.Text();
        }

        return new CancelView(cancelled, stopped, CommandWords.Status(status));
    }
}

/// <summary>A Worker as the kernel sees it.</summary>
public sealed record WorkerView
{
    /// <summary>Its id.</summary>
    public required string WorkerId { get; init; }

    /// <summary>Its registration's state.</summary>
    public string State { get; init; } = "";

    /// <summary>Its health.</summary>
    public string Health { get; init; } = "";

    /// <summary>True while it has a link.</summary>
    public bool Linked { get; init; }

    /// <summary>How it is reached.</summary>
    public string? Endpoint { get; init; }

    /// <summary>Where its link comes from.</summary>
    public string? Address { get; init; }

    /// <summary>The key its id is bound to.</summary>
    public string? Key { get; init; }

    /// <summary>The family of its devices.</summary>
    public string? DeviceFamily { get; init; }

    /// <summary>How many devices it owns.</summary>
    public int DeviceCount { get; init; }

    /// <summary>Claims refused because another live Worker owns the device.</summary>
    public int RefusedClaims { get; init; }

    /// <summary>Its circuit: Closed, Open or HalfOpen.</summary>
    public string Circuit { get; init; } = "";

    /// <summary>How an operator holds the circuit: none, open or closed.</summary>
    public string Hold { get; init; } = "none";

    /// <summary>How often the circuit opened in a row.</summary>
    public int CircuitOpens { get; init; }

    /// <summary>Commands waiting.</summary>
    public int Queued { get; init; }

    /// <summary>Commands in flight.</summary>
    public int InFlight { get; init; }

    /// <summary>Its devices, where asked for.</summary>
    public IReadOnlyList<string> Devices { get; init; } = [];
}

/// <summary>The kernel and its Workers.</summary>
/// <param name="Kernel">The kernel's own figures.</param>
/// <param name="Workers">The Workers.</param>
public sealed record FleetView(JsonElement Kernel, IReadOnlyList<WorkerView> Workers);

internal static class Json
{
    internal static string? Text(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;
}
