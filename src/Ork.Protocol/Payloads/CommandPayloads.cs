namespace Ork.Protocol;

/// <summary>The payload of <c>command.request</c>, from a caller or, with the last four members, from the kernel.</summary>
[OrkRecord(1)]
public readonly record struct CommandRequestPayload
{
    /// <summary>The most devices one command may reach.</summary>
    public const int MaxTargets = 1024;

    /// <summary>The longest idempotency key, in UTF-16 units.</summary>
    public const int MaxIdempotencyKeyLength = 256;

    /// <summary>The command's name in the Worker's contract.</summary>
    public string Command { get; init; }

    /// <summary>The parameters' bytes, untouched; empty where there are none.</summary>
    public ReadOnlyMemory<byte> Params { get; init; }

    /// <summary>Device, worker or rack.</summary>
    public CommandScope Scope { get; init; }

    /// <summary>The Worker meant by scope worker and rack.</summary>
    public string? WorkerId { get; init; }

    /// <summary>The devices meant, where the scope leaves a choice.</summary>
    public IReadOnlyList<string>? Targets { get; init; }

    /// <summary>The caller's name for this request: repeating it gives the first command, never a second one.</summary>
    public string? IdempotencyKey { get; init; }

    /// <summary>Whether it goes ahead of others in line at its devices.</summary>
    public CommandPriority Priority { get; init; }

    /// <summary>Milliseconds from acceptance within which the command must have been sent, or it fails.</summary>
    public long? DeadlineMs { get; init; }

    /// <summary>Set by the kernel: the command's id, the same for every attempt.</summary>
    public string? CommandId { get; init; }

    /// <summary>Set by the kernel: 1 for the first attempt.</summary>
    public int Attempt { get; init; }

    /// <summary>Set by the kernel: rises with every kernel start. Workers refuse a lower one than they have seen.</summary>
    public long Epoch { get; init; }

    /// <summary>Set by the kernel: milliseconds the kernel will wait for this attempt.</summary>
    public long TimeoutMs { get; init; }

    /// <summary>Reads and checks the payload.</summary>
    /// <returns>Null if accepted, else the first rule it breaks.</returns>
    public static Refusal? Read(ReadOnlyMemory<byte> payload, out CommandRequestPayload request)
    {
        request = default;
        if (payload.IsEmpty) return ErrorCodes.PayloadNotObject;
        string? command = null, scopeWord = null, workerId = null, key = null, commandId = null;
        bool scopeGiven = false, workerGiven = false, targetsGiven = false;
        ReadOnlyMemory<byte> parameters = default;
        List<ReadOnlyMemory<byte>>? targets = null;
        var priority = CommandPriority.Normal;
        long? deadlineMs = null, attempt = null, epoch = null, timeoutMs = null;
        Refusal? field = null;
        var reader = new PayloadReader(payload);
        while (reader.Next())
        {
            if (reader.Is("command"u8)) command = reader.Text();
            else if (reader.IsNull) continue;
            else if (reader.Is("params"u8)) field = Object(ref reader, "params", out parameters) ?? field;
            else if (reader.Is("scope"u8)) (scopeGiven, scopeWord) = (true, reader.Text());
            else if (reader.Is("workerId"u8)) (workerGiven, workerId) = (true, reader.Text());
            else if (reader.Is("targets"u8)) (targetsGiven, targets) = (true, reader.Elements());
            else if (reader.Is("idempotencyKey"u8)) field = Key(reader.Text(), out key) ?? field;
            else if (reader.Is("priority"u8)) field = PriorityOf(reader.Text(), out priority) ?? field;
            else if (reader.Is("deadlineMs"u8)) field = Positive(reader.Integer(), "deadlineMs", out deadlineMs) ?? field;
            else if (reader.Is("commandId"u8)) commandId = reader.Text();
            else if (reader.Is("attempt"u8)) attempt = reader.Integer();
            else if (reader.Is("epoch"u8)) epoch = reader.Integer();
            else if (reader.Is("timeoutMs"u8)) timeoutMs = reader.Integer();
        }

        if (string.IsNullOrEmpty(command)) return ErrorCodes.PayloadCommandRequired;
        var scope = scopeGiven ? CommandWords.Scope(scopeWord) : CommandScope.Device;
        if (scope is null) return ErrorCodes.PayloadScopeInvalid;
        if (scope != CommandScope.Device && string.IsNullOrEmpty(workerId)) return ErrorCodes.PayloadWorkerIdRequired;
        if (workerGiven && workerId is null) return ErrorCodes.PayloadWorkerIdInvalid;
        if (targetsGiven && targets is null) return ErrorCodes.PayloadTargetsInvalid;
        if (ReadTargets(targets, out var names) is { } refused) return refused;
        if (field is not null) return field;
        request = new CommandRequestPayload
        {
            Command = command,
            Params = parameters,
            Scope = scope.Value,
            WorkerId = workerId,
            Targets = names,
            IdempotencyKey = key,
            Priority = priority,
            DeadlineMs = deadlineMs,
            CommandId = commandId,
            Attempt = (int)Math.Clamp(attempt ?? 0, 0, int.MaxValue),
            Epoch = epoch ?? 0,
            TimeoutMs = timeoutMs ?? 0,
        };
        return null;
    }

    private static Refusal? ReadTargets(List<ReadOnlyMemory<byte>>? elements, out string[]? names)
    {
        names = null;
        if (elements is null) return null;
        if (elements.Count > MaxTargets) return ErrorCodes.PayloadTargetsTooMany;
        names = new string[elements.Count];
        for (var i = 0; i < names.Length; i++)
        {
            var name = PayloadReader.TextOf(elements[i]);
            if (string.IsNullOrEmpty(name)) return new Refusal(ErrorCodes.PayloadTargetInvalid, $" at index {i}");
            names[i] = name;
        }

        return null;
    }

    private static Refusal? Object(ref PayloadReader reader, string name, out ReadOnlyMemory<byte> value)
    {
        value = reader.Raw();
        return PayloadReader.IsObject(value) ? null : Refusal.With(ErrorCodes.PayloadFieldInvalid, name + " must be an object");
    }

    private static Refusal? Key(string? text, out string? key)
    {
        key = text;
        return text is { Length: > 0 and <= MaxIdempotencyKeyLength }
            ? null
            : Refusal.With(ErrorCodes.PayloadFieldInvalid, $"idempotencyKey must be 1 to {MaxIdempotencyKeyLength} characters");
    }

    private static Refusal? PriorityOf(string? word, out CommandPriority priority)
    {
        var known = CommandWords.Priority(word);
        priority = known ?? default;
        return known is null ? Refusal.With(ErrorCodes.PayloadFieldInvalid, "priority must be normal or urgent") : null;
    }

    private static Refusal? Positive(long? number, string name, out long? value)
    {
        value = number;
        return number is > 0 ? null : Refusal.With(ErrorCodes.PayloadFieldInvalid, name + " must be a whole number above 0");
    }
}

/// <summary>The payload of a Worker's <c>command.result</c>.</summary>
/// <param name="CommandId">The command answered.</param>
/// <param name="Status">Success, failed or unknown.</param>
/// <param name="Result">The result's bytes, untouched; empty where there is none.</param>
/// <param name="Error">The Worker's error text, where it failed.</param>
[OrkRecord(1)]
public readonly record struct CommandResultPayload(string CommandId, CommandStatus Status, ReadOnlyMemory<byte> Result, string? Error)
{
    /// <summary>Reads and checks the payload.</summary>
    /// <returns>Null if accepted, else the first rule it breaks.</returns>
    public static Refusal? Read(ReadOnlyMemory<byte> payload, out CommandResultPayload result)
    {
        result = default;
        if (payload.IsEmpty) return ErrorCodes.PayloadNotObject;
        string? commandId = null, status = null, error = null;
        ReadOnlyMemory<byte> value = default;
        var reader = new PayloadReader(payload);
        while (reader.Next())
        {
            if (reader.IsNull) continue;
            if (reader.Is("commandId"u8)) commandId = reader.Text();
            else if (reader.Is("status"u8)) status = reader.Text();
            else if (reader.Is("result"u8)) value = reader.Raw();
            else if (reader.Is("error"u8)) error = reader.Text() ?? System.Text.Encoding.UTF8.GetString(reader.Raw().Span);
        }

        if (string.IsNullOrEmpty(commandId)) return ErrorCodes.PayloadCommandIdRequired;
        if (string.IsNullOrEmpty(status)) return ErrorCodes.PayloadStatusRequired;
        var parsed = CommandWords.Status(status);
        if (parsed is not (CommandStatus.Success or CommandStatus.Failed or CommandStatus.Unknown)) return ErrorCodes.PayloadStatusInvalid;
        result = new CommandResultPayload(commandId, parsed, value, error);
        return null;
    }
}

/// <summary>The payload of <c>command.status</c> and <c>command.cancel</c>.</summary>
/// <param name="CommandId">The command meant.</param>
/// <param name="WaitMs">Milliseconds to wait for the command's end before answering, 0 to <see cref="MaxWaitMs"/>.</param>
[OrkRecord(1)]
public readonly record struct CommandQueryPayload(string CommandId, long WaitMs)
{
    /// <summary>The longest wait of a long poll, in milliseconds; longer ones are shortened to it.</summary>
    public const long MaxWaitMs = 30_000;

    /// <summary>Reads and checks the payload.</summary>
    /// <returns>Null if accepted, else the first rule it breaks.</returns>
    public static Refusal? Read(ReadOnlyMemory<byte> payload, out CommandQueryPayload query)
    {
        query = default;
        if (payload.IsEmpty) return ErrorCodes.PayloadNotObject;
        string? commandId = null;
        long waitMs = 0;
        var waitInvalid = false;
        var reader = new PayloadReader(payload);
        while (reader.Next())
        {
            if (reader.IsNull) continue;
            if (reader.Is("commandId"u8)) commandId = reader.Text();
            else if (reader.Is("waitMs"u8)) (waitMs, waitInvalid) = (reader.Integer() ?? 0, reader.Integer() is null or < 0);
        }

        if (string.IsNullOrEmpty(commandId)) return ErrorCodes.PayloadCommandIdRequired;
        if (waitInvalid) return Refusal.With(ErrorCodes.PayloadFieldInvalid, "waitMs must be a whole number, 0 or above");
        query = new CommandQueryPayload(commandId, Math.Min(waitMs, MaxWaitMs));
        return null;
    }
}
