using System.Text.Json;
using Ork.Protocol;

namespace Ork.Worker;

/// <summary>A command a handler is asked to carry out.</summary>
/// <param name="CommandId">The command, the same for every attempt.</param>
/// <param name="Command">Its name.</param>
/// <param name="DeviceIds">The devices to act on.</param>
/// <param name="Params">The parameters, an object; undefined where there are none.</param>
/// <param name="Attempt">1 for the first attempt.</param>
/// <param name="Epoch">The kernel's epoch.</param>
public sealed record CommandCall(
    string CommandId, string Command, IReadOnlyList<string> DeviceIds, JsonElement Params, int Attempt, long Epoch);

/// <summary>What a handler says of a command.</summary>
/// <param name="Succeeded">True where the devices did it.</param>
/// <param name="Result">What to tell the caller, serialised as JSON; null for nothing.</param>
/// <param name="Error">Why it failed, where it did.</param>
public sealed record CommandReply(bool Succeeded, object? Result, string? Error)
{
    /// <summary>The devices did it.</summary>
    public static CommandReply Success(object? result = null) => new(true, result, null);

    /// <summary>The devices did not do it.</summary>
    public static CommandReply Failure(string error) => new(false, null, error);
}

/// <summary>A telemetry query.</summary>
/// <param name="Type">Its type, <c>metrics</c> for one.</param>
/// <param name="DeviceId">The device, or null for all of the Worker's.</param>
/// <param name="Query">The whole query object.</param>
public sealed record TelemetryCall(string Type, string? DeviceId, JsonElement Query);

/// <summary>Carries out a command. The token ends when the kernel no longer waits; throwing is a failure.</summary>
public delegate ValueTask<CommandReply> CommandHandler(CommandCall call, CancellationToken cancellation);

/// <summary>Answers a telemetry query with something serialised as a JSON object.</summary>
public delegate ValueTask<object> TelemetryHandler(TelemetryCall call, CancellationToken cancellation);

/// <summary>Tells the state of a device, serialised as a JSON object.</summary>
public delegate ValueTask<object> StateHandler(string deviceId, CancellationToken cancellation);

/// <summary>What a Worker is: its id, its contract, its devices, one handler per command and telemetry query.</summary>
public sealed class WorkerDefinition
{
    private readonly Dictionary<string, CommandHandler> _commands = new(StringComparer.Ordinal);
    private readonly Dictionary<string, TelemetryHandler> _telemetry = new(StringComparer.Ordinal);

    /// <summary>Defines a Worker.</summary>
    /// <param name="workerId">Its id, bound to its key at the kernel from the first link on.</param>
    /// <param name="contract">Its contract, from <see cref="ContractOf"/> or <see cref="ContractFromFile"/>.</param>
    /// <param name="deviceIds">The devices it owns.</param>
    public WorkerDefinition(string workerId, WorkerContract contract, IReadOnlyList<string> deviceIds)
    {
        ArgumentException.ThrowIfNullOrEmpty(workerId);
        WorkerId = workerId;
        Contract = contract;
        DeviceIds = deviceIds;
    }

    /// <summary>The Worker's id.</summary>
    public string WorkerId { get; }

    /// <summary>The contract.</summary>
    public WorkerContract Contract { get; }

    /// <summary>The devices.</summary>
    public IReadOnlyList<string> DeviceIds { get; }

    /// <summary>Tells a device's state; an empty object where no handler is set.</summary>
    public StateHandler State { get; private set; } = (_, _) => new(new Dictionary<string, object>());

    /// <summary>A contract from anything that serialises to its JSON.</summary>
    /// <exception cref="ArgumentException">It has no shape of a contract.</exception>
    public static WorkerContract ContractOf(object contract) => Parse(JsonSerializer.SerializeToUtf8Bytes(contract, JsonSerializerOptions.Web));

    /// <summary>A contract from a JSON file.</summary>
    /// <exception cref="ArgumentException">It has no shape of a contract.</exception>
    public static WorkerContract ContractFromFile(string path) => Parse(File.ReadAllBytes(path));

    /// <summary>Sets the handler of a command of the contract.</summary>
    /// <exception cref="ArgumentException">The contract has no such command.</exception>
    public WorkerDefinition OnCommand(string command, CommandHandler handler)
    {
        if (Contract.Find(command) is null) throw new ArgumentException($"The contract has no command '{command}'.", nameof(command));
        _commands[command] = handler;
        return this;
    }

    /// <summary>Sets the handler of a telemetry query.</summary>
    /// <exception cref="ArgumentException">The protocol has no such query.</exception>
    public WorkerDefinition OnTelemetry(string type, TelemetryHandler handler)
    {
        if (!TelemetryQuery.AllTypes.Contains(type)) throw new ArgumentException($"The protocol has no telemetry query '{type}'.", nameof(type));
        _telemetry[type] = handler;
        return this;
    }

    /// <summary>Sets the handler that tells a device's state.</summary>
    public WorkerDefinition OnState(StateHandler handler)
    {
        State = handler;
        return this;
    }

    /// <summary>The handler of a command, or null where none is set.</summary>
    public CommandHandler? CommandOf(string name) => _commands.GetValueOrDefault(name);

    internal TelemetryHandler? TelemetryOf(string type) => _telemetry.GetValueOrDefault(type);

    private static WorkerContract Parse(byte[] json) =>
        WorkerContract.Read(json, out var contract) is { } refusal ? throw new ArgumentException(refusal.Text) : contract!;
}
