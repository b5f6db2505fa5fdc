using System.Buffers;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Ork.Protocol;

namespace Ork.Worker;

/// <summary>
/// Answers the kernel's requests. Every answer is made inside the request it answers; handlers are bounded in number and time, and what one throws or
/// returns too much of harms nobody else.
/// </summary>
internal sealed class RequestHandlers
{
    private const int KeptBytes = 64 * 1024;

    // With these the runtime says that it did not begin a command.
    private static readonly ErrorCode[] NotBegun = [ErrorCodes.WorkerBusy, ErrorCodes.JournalFailed, ErrorCodes.StaleEpoch];

    private static readonly Utf8Text Unnamed = Utf8Text.Plain("-");
    private static readonly ReadOnlyMemory<byte> Pong = "{\"status\":\"ok\"}"u8.ToArray();

    private readonly WorkerDefinition _definition;
    private readonly WorkerOptions _options;
    private readonly WorkerPorts _ports;
    private readonly Utf8Text _sender;
    private readonly byte[] _identity;
    private readonly byte[] _capability;
    private readonly object _gate = new();
    private readonly object _writing = new();
    private readonly Dictionary<string, TaskCompletionSource<JournalAnswer?>> _running = new(StringComparer.Ordinal);
    private ArrayBufferWriter<byte> _answer = new(1024);
    private int _handlers;
    private int _overdue;
    private int _overdueQueries;
    private readonly TaskCompletionSource _drained = new();
    private int _commands;
    private bool _draining;

    internal RequestHandlers(WorkerDefinition definition, WorkerOptions options, WorkerPorts ports)
    {
        _definition = definition;
        _options = options;
        _ports = ports;
        _sender = Utf8Text.From(definition.WorkerId);
        _identity = JsonSerializer.SerializeToUtf8Bytes(new
        {
            workerId = definition.WorkerId,
            devices = definition.DeviceIds.Select(deviceId => new { deviceId }),
            features = ports.Journal.Incarnations.Count > 0 ? new[] { IdentityPayload.JournalFeature } : [],
            journal = ports.Journal.Incarnations,
        });
        _capability = [.. "{\"contract\":"u8, .. definition.Contract.Raw.Span, .. "}"u8];
    }

    /// <summary>Handlers' places that are taken.</summary>
    internal int Taken
    {
        get
        {
            lock (_gate) return _handlers;
        }
    }

    /// <summary>Handlers that run on past their time.</summary>
    internal int Overdue
    {
        get
        {
            lock (_gate) return _overdue + _overdueQueries;
        }
    }

    /// <summary>Commands that were taken and have not been answered.</summary>
    internal int Commands
    {
        get
        {
            lock (_gate) return _commands;
        }
    }

    /// <summary>
    /// No command is begun any more. One that comes is left without an answer, for any would cost it a retry: its kernel sends it again when the link has ended and the Worker is back.
    /// </summary>
    /// <returns>Ends when all that was begun is answered.</returns>
    internal Task Drain()
    {
        bool isDrained;
        lock (_gate)
        {
            _draining = true;
            isDrained = _commands == 0;
        }

        if (isDrained) _drained.TrySetResult();
        return _drained.Task;
    }

    /// <summary>Takes a request. What outlives the call is copied out of the frame.</summary>
    internal void Take(IConnection connection, in ReceivedFrame frame)
    {
        var error = EnvelopeReader.Read(frame.Payload, out var request);
        if (error is null && request.Type != MessageType.Request) error = ErrorCodes.EnvelopeTypeInvalid;
        var reply = new Reply(connection, frame.Correlation, request.Id.IsEmpty ? Unnamed : request.Id.Keep(), request.DeviceId.Decode(), OrkActions.AnswerTo(request.Action));
        if (error is not null)
        {
            Refuse(reply, error);
            return;
        }

        switch (request.Action)
        {
            case OrkAction.IdentityRequest:
                Answer(reply, _identity);
                break;
            case OrkAction.CapabilityRequest:
                Answer(reply, _capability);
                break;
            case OrkAction.HealthPing:
                Answer(reply, Pong);
                break;
            case OrkAction.StatePull:
                Start(reply, () => StateAsync(reply));
                break;
            case OrkAction.TelemetryPull:
                var query = Query(request.Payload);
                Start(reply, () => TelemetryAsync(reply, query));
                break;
            case OrkAction.CommandRequest:
                TakeCommand(reply, request.Payload);
                break;
            default:
                Refuse(reply, ErrorCodes.NotSupported);
                break;
        }
    }

    private static JsonElement Query(ReadOnlyMemory<byte> payload)
    {
        if (payload.IsEmpty) return default;
        var root = JsonElement.Parse(payload.Span);
        return root.TryGetProperty("query", out var query) && query.ValueKind == JsonValueKind.Object ? query : default;
    }

    private void Start(Reply reply, Func<Task> handle)
    {
        if (TryEnterQuery()) _ports.StartHandler(handle);
        else Refuse(reply, ErrorCodes.WorkerBusy);
    }

    private bool TryEnterQuery()
    {
        lock (_gate) return TryTakePlace(_overdueQueries);
    }

    /// <summary>Takes a command in. One that is under way may be asked for again, however many others are: it is joined, and whoever waits for its end holds no place.</summary>
    private Entry EnterCommand(string commandId, out TaskCompletionSource<JournalAnswer?>? execution)
    {
        lock (_gate)
        {
            var isUnderWay = _running.TryGetValue(commandId, out execution);
            if (!isUnderWay)
            {
                if (_draining) return Entry.Held;
                if (!TryTakePlace(_overdue)) return Entry.Busy;
                execution = new TaskCompletionSource<JournalAnswer?>(TaskCreationOptions.RunContinuationsAsynchronously);
                _running.Add(commandId, execution);
            }

            _commands++;
            return isUnderWay ? Entry.Joined : Entry.Taken;
        }
    }

    /// <summary>Takes a handler's place, unless all are taken or too many of its kind are past their deadline: telemetry that hangs keeps no command from a device.</summary>
    private bool TryTakePlace(int overdue)
    {
        if (_handlers >= _options.MaxHandlers || overdue >= _options.MaxOverdueHandlers) return false;
        _handlers++;
        return true;
    }

    private void LeaveCommand()
    {
        bool isDrained;
        lock (_gate) isDrained = --_commands == 0 && _draining;
        if (isDrained) _drained.TrySetResult();
    }

    private void Leave()
    {
        lock (_gate) _handlers--;
    }

    private async Task StateAsync(Reply reply)
    {
        await GuardQueryAsync(reply, async cancellation =>
        {
            if (reply.DeviceId is { } deviceId) return new { state = await _definition.State(deviceId, cancellation) };
            var states = new Dictionary<string, object>(StringComparer.Ordinal);
            foreach (var device in _definition.DeviceIds)
            {
                // Nobody waits any more for what is past its time: the devices that are left need not be asked.
                cancellation.ThrowIfCancellationRequested();
                states[device] = await _definition.State(device, cancellation);
            }

            return new { state = states };
        });
    }

    private async Task TelemetryAsync(Reply reply, JsonElement query)
    {
        var type = query.ValueKind == JsonValueKind.Object && query.TryGetProperty("type", out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()!
            : "";
        if (_definition.TelemetryOf(type) is not { } handler)
        {
            Leave();
            Refuse(reply, Refusal.With(ErrorCodes.QueryInvalid, $"{_definition.WorkerId} has no telemetry '{type}'"));
            return;
        }

        await GuardQueryAsync(reply, cancellation => handler(new TelemetryCall(type, reply.DeviceId, query), cancellation));
    }

    /// <summary>Runs a query's handler within its time; whatever it does, the request is answered once.</summary>
    private async Task GuardQueryAsync(Reply reply, Func<CancellationToken, ValueTask<object>> handle)
    {
        using var deadline = new Deadline(_ports.Time, _options.QueryTimeoutMs);
        try
        {
            var work = AsTask(handle, deadline.Token);
            if (await Task.WhenAny(new Task[] { work, deadline.Passed }) != work)
            {
                lock (_gate) _overdueQueries++;
                Refuse(reply, ErrorCodes.HandlerTimeout);
                _ = OutwaitAsync(work);
                return;
            }

            var bytes = JsonSerializer.SerializeToUtf8Bytes(await work, JsonSerializerOptions.Web);
            if (bytes.Length > _options.MaxResultBytes) Refuse(reply, ErrorCodes.HandlerResultTooLarge);
            else Answer(reply, bytes);
        }
        catch (OperationCanceledException) when (deadline.Token.IsCancellationRequested)
        {
            Refuse(reply, ErrorCodes.HandlerTimeout);
        }
        catch (Exception e)
        {
            _ports.Log.LogWarning(e, "{Worker}: a query's handler failed", _definition.WorkerId);
            Refuse(reply, Refusal.With(ErrorCodes.HandlerFailed, e.Message));
        }
        finally
        {
            Leave();
        }
    }

    private static async Task<object> AsTask(Func<CancellationToken, ValueTask<object>> handle, CancellationToken cancellation) => await handle(cancellation);

    private void TakeCommand(Reply reply, ReadOnlyMemory<byte> payload)
    {
        if (CommandRequestPayload.Read(payload, out var request) is { } refusal)
        {
            Refuse(reply, refusal);
            return;
        }

        if (string.IsNullOrEmpty(request.CommandId))
        {
            Refuse(reply, ErrorCodes.PayloadCommandIdRequired);
            return;
        }

        var call = new CommandCall(
            request.CommandId, request.Command, DevicesOf(reply, in request), request.Params.IsEmpty ? default : JsonElement.Parse(request.Params.Span),
            request.Attempt, request.Epoch);
        var timeoutMs = request.TimeoutMs > 0 ? request.TimeoutMs : _options.DefaultTimeoutMs;
        var reexecute = Reexecute(payload);
        switch (EnterCommand(call.CommandId, out var execution))
        {
            case Entry.Taken:
                _ports.StartHandler(() => CarryOutAsync(reply, call, timeoutMs, reexecute, execution!));
                break;
            case Entry.Joined:
                _ports.StartHandler(() => JoinAsync(reply, call.CommandId, execution!.Task));
                break;
            case Entry.Busy:
                AnswerCommand(reply, call.CommandId, new JournalAnswer(CommandStatus.Failed, default, ErrorCodes.WorkerBusy.Code));
                break;
        }
    }

    private IReadOnlyList<string> DevicesOf(Reply reply, in CommandRequestPayload request) =>
        request.Scope == CommandScope.Device ? reply.DeviceId is { } deviceId ? [deviceId] : [] : request.Targets ?? _definition.DeviceIds;

    private static bool Reexecute(ReadOnlyMemory<byte> payload)
    {
        var reader = new PayloadReader(payload);
        while (reader.Next())
        {
            if (reader.Is("reexecute"u8)) return reader.Boolean() ?? false;
        }

        return false;
    }

    private async Task CarryOutAsync(Reply reply, CommandCall call, long timeoutMs, bool reexecute, TaskCompletionSource<JournalAnswer?> own)
    {
        try
        {
            await ExecuteAsync(call, timeoutMs, reexecute, own);
        }
        finally
        {
            await JoinAsync(reply, call.CommandId, own.Task);
        }
    }

    /// <summary>Answers with the end of an execution, when it has come.</summary>
    private async Task JoinAsync(Reply reply, string commandId, Task<JournalAnswer?> execution)
    {
        try
        {
            if (await execution is { } answer) AnswerCommand(reply, commandId, answer);
        }
        finally
        {
            LeaveCommand();
        }
    }

    /// <summary>Journal, then execute, then journal: the command's answer is known to the journal before anyone hears it.</summary>
    private async Task ExecuteAsync(CommandCall call, long timeoutMs, bool reexecute, TaskCompletionSource<JournalAnswer?> own)
    {
        JournalAnswer? answer = null;
        var holdsPlace = true;
        try
        {
            var mayRepeat = reexecute && _definition.Contract.Find(call.Command) is { Idempotent: true };
            var (verdict, known) = await _ports.Journal.StartAsync(new JournalStart(_definition.WorkerId, call.CommandId, call.Attempt, call.Epoch, mayRepeat));
            if (verdict == JournalVerdict.Started)
            {
                (answer, holdsPlace) = await RunAsync(call, timeoutMs);
                await _ports.Journal.EndAsync(_definition.WorkerId, call.CommandId, answer);
            }
            else
            {
                answer = verdict switch
                {
                    JournalVerdict.Ended => known,
                    JournalVerdict.Unknown => new JournalAnswer(CommandStatus.Unknown, default, ErrorCodes.OutcomeUnknown.Code),
                    _ => new JournalAnswer(CommandStatus.Failed, default, ErrorCodes.StaleEpoch.Code),
                };
            }
        }
        catch (IOException e)
        {
            // Not recorded as started: not started. Recorded as started but not as ended: the answer is still true.
            _ports.Log.LogError(e, "{Worker}: journal failed", _definition.WorkerId);
            answer ??= new JournalAnswer(CommandStatus.Failed, default, ErrorCodes.JournalFailed.Code);
        }
        finally
        {
            if (holdsPlace) Leave();
            lock (_gate) _running.Remove(call.CommandId);
            own.SetResult(answer);
        }
    }

    private async Task<(JournalAnswer Answer, bool HoldsPlace)> RunAsync(CommandCall call, long timeoutMs)
    {
        using var deadline = new Deadline(_ports.Time, timeoutMs);
        var work = HandleAsync(call, deadline.Token);
        if (await Task.WhenAny(new Task[] { work, deadline.Passed }) == work) return (await work, true);

        // The kernel no longer waits, and whether the device acted only the handler can tell: it is waited for without holding a place.
        _ports.Log.LogWarning("{Worker}: {Command} {CommandId} is past its deadline", _definition.WorkerId, call.Command, call.CommandId);
        lock (_gate)
        {
            _handlers--;
            _overdue++;
        }

        var late = await work;
        lock (_gate) _overdue--;
        return (late, false);
    }

    private async Task<JournalAnswer> HandleAsync(CommandCall call, CancellationToken cancellation)
    {
        if (_definition.CommandOf(call.Command) is not { } handler)
        {
            return new JournalAnswer(CommandStatus.Failed, default, Refusal.With(ErrorCodes.CommandNotInCapabilities, call.Command).Text);
        }

        try
        {
            var reply = await handler(call, cancellation);
            var result = reply.Result is null ? [] : JsonSerializer.SerializeToUtf8Bytes(reply.Result, JsonSerializerOptions.Web);
            if (result.Length > _options.MaxResultBytes)
            {
                // The devices did it: that stays true without the result.
                result = JsonSerializer.SerializeToUtf8Bytes(new { error = ErrorCodes.HandlerResultTooLarge.Code, bytes = result.Length });
            }

            return new JournalAnswer(
                reply.Succeeded ? CommandStatus.Success : CommandStatus.Failed, result, reply.Succeeded ? null : ReasonOf(reply));
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            return new JournalAnswer(CommandStatus.Failed, default, ErrorCodes.HandlerTimeout.Code);
        }
        catch (Exception e)
        {
            _ports.Log.LogWarning(e, "{Worker}: {Command} failed", _definition.WorkerId, call.Command);
            return new JournalAnswer(CommandStatus.Failed, default, Refusal.With(ErrorCodes.HandlerFailed, e.Message).Text);
        }
    }

    /// <summary>
    /// Why a handler says that it failed. With some codes the runtime says that a command was not begun, and what was not begun may be sent again: from a handler, which began it, they are no more than words.
    /// </summary>
    private static string ReasonOf(CommandReply reply) =>
        reply.Error is not { } error ? ErrorCodes.HandlerFailed.Code
        : Array.Exists(NotBegun, code => error.StartsWith(code.Code, StringComparison.Ordinal)) ? Refusal.With(ErrorCodes.HandlerFailed, error).Text
        : error;

    /// <summary>A query's handler that is past its time still counts until it ends: one that never does must not be followed by others without bound.</summary>
    private async Task OutwaitAsync(Task query)
    {
        try
        {
            await query;
        }
        catch
        {
            // Its request was answered long ago.
        }

        lock (_gate) _overdueQueries--;
    }

    private void AnswerCommand(Reply reply, string commandId, JournalAnswer answer)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { SkipValidation = true }))
        {
            json.WriteStartObject();
            json.WriteString("commandId"u8, commandId);
            json.WriteString("status"u8, CommandWords.Of(answer.Status));
            json.WritePropertyName("result"u8);
            json.WriteRawValue(answer.Result.IsEmpty ? "null"u8 : answer.Result.Span, skipInputValidation: true);
            json.WriteString("error"u8, answer.Error);
            json.WriteEndObject();
        }

        Answer(reply, buffer.WrittenMemory);
    }

    private void Refuse(Reply reply, Refusal refusal) => Answer(reply, JsonSerializer.SerializeToUtf8Bytes(new
    {
        status = CommandWords.Of(CommandStatus.Rejected),
        error = refusal.Text,
        message = refusal.Error.Sentence,
    }));

    private void Answer(Reply reply, ReadOnlyMemory<byte> payload)
    {
        var answer = new Envelope
        {
            Id = reply.Id,
            Type = MessageType.Response,
            Action = reply.Action,
            Sender = _sender,
            DeviceId = Utf8Text.From(reply.DeviceId),
            Timestamp = _ports.Time.GetUtcNow().ToUnixTimeMilliseconds(),
            Payload = payload,
        };
        lock (_writing)
        {
            _answer.ResetWrittenCount();
            EnvelopeWriter.Write(_answer, in answer);
            reply.Connection.Send(FrameKind.Response, reply.Correlation, _answer.WrittenSpan);
            if (_answer.Capacity > KeptBytes) _answer = new ArrayBufferWriter<byte>(1024);
        }
    }

    private enum Entry
    {
        /// <summary>It has a place.</summary>
        Taken,

        /// <summary>It is under way already.</summary>
        Joined,

        /// <summary>All places are taken.</summary>
        Busy,

        /// <summary>The Worker is about to stop.</summary>
        Held,
    }

    /// <summary>The one answer a request is owed.</summary>
    private sealed record Reply(IConnection Connection, ulong Correlation, Utf8Text Id, string? DeviceId, OrkAction Action);
}

/// <summary>A point in time, as a token and as a task, on the clock that is handed in.</summary>
internal sealed class Deadline : IDisposable
{
    private readonly CancellationTokenSource _source = new();
    private readonly TaskCompletionSource _passed = new();
    private readonly ITimer _timer;

    internal Deadline(TimeProvider time, long afterMs) => _timer = time.CreateTimer(_ => Pass(), null, TimeSpan.FromMilliseconds(afterMs), Timeout.InfiniteTimeSpan);

    internal CancellationToken Token => _source.Token;

    internal Task Passed => _passed.Task;

    /// <inheritdoc/>
    public void Dispose()
    {
        _timer.Dispose();
        _source.Dispose();
    }

    /// <summary>The handler is told first: who waits for the deadline goes on within the call, and disposes of what would tell it.</summary>
    private void Pass()
    {
        try
        {
            _source.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The work was done just in time.
        }
        catch (AggregateException)
        {
            // A handler's own callback threw; its handler hears of it.
        }

        _passed.TrySetResult();
    }
}
