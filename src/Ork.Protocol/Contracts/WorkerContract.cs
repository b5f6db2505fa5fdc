using System.Collections.Frozen;
using System.Globalization;
using System.Text.Json;

namespace Ork.Protocol;

/// <summary>The types a command's parameter may have.</summary>
public enum ParamType
{
    /// <summary>Any JSON value.</summary>
    Any,

    /// <summary>A JSON number.</summary>
    Number,

    /// <summary>A JSON string.</summary>
    String,

    /// <summary>True or false.</summary>
    Boolean,

    /// <summary>A JSON object.</summary>
    Object,
}

/// <summary>What a contract says of one parameter.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Its type.</param>
/// <param name="Required">Whether it must be there.</param>
/// <param name="Allowed">The JSON texts of the values allowed, or null where any is.</param>
/// <param name="Min">The least number, or null.</param>
/// <param name="Max">The greatest number, or null.</param>
public sealed record ParamContract(string Name, ParamType Type, bool Required, IReadOnlyList<string>? Allowed, double? Min, double? Max);

/// <summary>What a contract says of one command.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Params">Its parameters.</param>
/// <param name="Idempotent">True where repeating it is declared safe.</param>
/// <param name="TimeoutMs">Milliseconds an attempt may take, or null for the kernel's default.</param>
public sealed record CommandContract(string Name, IReadOnlyList<ParamContract> Params, bool Idempotent, long? TimeoutMs)
{
    /// <summary>Checks a request's parameters. Parameters the contract does not know are passed on.</summary>
    /// <param name="parameters">The bytes of the <c>params</c> object; empty counts as <c>{}</c>.</param>
    /// <returns>Null if accepted, else the first parameter that breaks the contract.</returns>
    public Refusal? Check(ReadOnlyMemory<byte> parameters)
    {
        if (Params.Count == 0) return null;
        var given = new Dictionary<string, ReadOnlyMemory<byte>>(StringComparer.Ordinal);
        var reader = new PayloadReader(parameters);
        while (reader.Next())
        {
            var isNull = reader.IsNull;
            if (reader.Name() is { } name && !isNull) given[name] = reader.Raw();
        }

        foreach (var param in Params)
        {
            if (given.TryGetValue(param.Name, out var value))
            {
                if (CheckValue(param, value) is { } refusal) return refusal;
            }
            else if (param.Required)
            {
                return Refusal.With(ErrorCodes.ParamRequired, param.Name);
            }
        }

        return null;
    }

    private static Refusal? CheckValue(ParamContract param, ReadOnlyMemory<byte> value)
    {
        var element = JsonElement.Parse(value.Span);
        var fits = param.Type switch
        {
            ParamType.Number => element.ValueKind == JsonValueKind.Number,
            ParamType.String => element.ValueKind == JsonValueKind.String,
            ParamType.Boolean => element.ValueKind is JsonValueKind.True or JsonValueKind.False,
            ParamType.Object => element.ValueKind == JsonValueKind.Object,
            _ => true,
        };
        if (!fits) return Refusal.With(ErrorCodes.ParamType, $"{param.Name} must be {param.Type.ToString().ToLowerInvariant()}");
        if (param.Allowed is not null && !IsAllowed(param.Allowed, element)) return Refusal.With(ErrorCodes.ParamEnum, param.Name);
        if (element.ValueKind != JsonValueKind.Number) return null;

        // A number too large for a double is infinite here, and so above any maximum.
        var number = element.GetDouble();
        if (number < param.Min) return Refusal.With(ErrorCodes.ParamRange, $"{param.Name} below min {Text(param.Min)}");
        if (number > param.Max) return Refusal.With(ErrorCodes.ParamRange, $"{param.Name} above max {Text(param.Max)}");
        return null;
    }

    private static bool IsAllowed(IReadOnlyList<string> allowed, JsonElement value)
    {
        foreach (var text in allowed)
        {
            var candidate = JsonElement.Parse(text);
            if (JsonElement.DeepEquals(candidate, value)) return true;
        }

        return false;
    }

    private static string Text(double? number) => number!.Value.ToString(CultureInfo.InvariantCulture);
}

/// <summary>
/// What a Worker declares, read as far as the kernel needs it. <see cref="Raw"/> keeps the whole for those who want more.
/// </summary>
public sealed class WorkerContract
{
    private readonly FrozenDictionary<string, CommandContract> _commands;

    private WorkerContract(byte[] raw, string? family, FrozenDictionary<string, CommandContract> commands)
    {
        Raw = raw;
        DeviceFamily = family;
        _commands = commands;
    }

    /// <summary>The contract's JSON, as the Worker sent it.</summary>
    public ReadOnlyMemory<byte> Raw { get; }

    /// <summary>The family of devices, <c>metadata.deviceFamily</c>.</summary>
    public string? DeviceFamily { get; }

    /// <summary>The commands by name.</summary>
    public IReadOnlyDictionary<string, CommandContract> Commands => _commands;

    /// <summary>The command of this name, or null.</summary>
    public CommandContract? Find(string command) => _commands.GetValueOrDefault(command);

    /// <summary>Reads a contract. What it does not understand it leaves aside; it refuses only what has no shape of a contract.</summary>
    /// <param name="json">One JSON object with <c>metadata</c> and <c>capabilities</c>.</param>
    /// <param name="contract">The contract, where accepted.</param>
    /// <returns>Null if accepted, else <c>ERR_PAYLOAD_CONTRACT_REQUIRED</c> with what is wrong.</returns>
    public static Refusal? Read(ReadOnlyMemory<byte> json, out WorkerContract? contract)
    {
        contract = null;
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = EnvelopeReader.MaxDepth });
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object
                || !root.TryGetProperty("metadata", out var metadata) || metadata.ValueKind != JsonValueKind.Object
                || !root.TryGetProperty("capabilities", out var capabilities) || capabilities.ValueKind != JsonValueKind.Object)
            {
                return ErrorCodes.PayloadContractRequired;
            }

            var commands = new Dictionary<string, CommandContract>(StringComparer.Ordinal);
            if (capabilities.TryGetProperty("commands", out var declared)) ReadCommands(declared, commands);
            contract = new WorkerContract(json.ToArray(), TextOf(metadata, "deviceFamily"), commands.ToFrozenDictionary(StringComparer.Ordinal));
            return null;
        }
        catch (JsonException)
        {
            return ErrorCodes.PayloadContractRequired;
        }
        catch (InvalidOperationException)
        {
            return ErrorCodes.PayloadContractRequired;
        }
    }

    private static void ReadCommands(JsonElement declared, Dictionary<string, CommandContract> commands)
    {
        if (declared.ValueKind == JsonValueKind.Array)
        {
            foreach (var command in declared.EnumerateArray())
            {
                if (TextOf(command, "name") is { Length: > 0 } name) commands[name] = ReadCommand(name, command);
            }
        }
        else if (declared.ValueKind == JsonValueKind.Object)
        {
            foreach (var command in declared.EnumerateObject()) commands[command.Name] = ReadCommand(command.Name, command.Value);
        }
    }

    private static CommandContract ReadCommand(string name, JsonElement command)
    {
        var parameters = new List<ParamContract>();
        if (Member(command, "params") is { ValueKind: JsonValueKind.Array } list)
        {
            foreach (var param in list.EnumerateArray())
            {
                if (TextOf(param, "name") is { Length: > 0 } paramName) parameters.Add(ReadParam(paramName, param));
            }
        }

        var idempotent = Member(command, "idempotent") is { ValueKind: JsonValueKind.True };
        var timeoutMs = NumberOf(command, "timeoutMs") is { } number and >= 1 and <= 86_400_000 ? (long?)number : null;
        return new CommandContract(name, parameters, idempotent, timeoutMs);
    }

    private static ParamContract ReadParam(string name, JsonElement param)
    {
        var type = TextOf(param, "type") switch
        {
            "number" => ParamType.Number,
            "string" => ParamType.String,
            "boolean" => ParamType.Boolean,
            "object" => ParamType.Object,
            _ => ParamType.Any,
        };
        var allowed = Member(param, "enum") is { ValueKind: JsonValueKind.Array } list
            ? list.EnumerateArray().Select(value => value.GetRawText()).ToArray()
            : null;
        var required = Member(param, "required") is { ValueKind: JsonValueKind.True };
        return new ParamContract(name, type, required, allowed, NumberOf(param, "min"), NumberOf(param, "max"));
    }

    private static JsonElement? Member(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) ? value : null;

    private static string? TextOf(JsonElement element, string name) =>
        Member(element, name) is { ValueKind: JsonValueKind.String } value ? value.GetString() : null;

    private static double? NumberOf(JsonElement element, string name) =>
        Member(element, name) is { ValueKind: JsonValueKind.Number } value && value.TryGetDouble(out var number) ? number : null;
}
