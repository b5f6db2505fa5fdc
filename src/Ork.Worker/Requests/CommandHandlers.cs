using System.Text.Json;
using Microsoft.Extensions.Logging;
using Ork.Protocol;

namespace Ork.Worker;

/// <summary>Carries commands out, each at most once: journal, then execute, then journal, then answer.</summary>
internal sealed class CommandHandlers(WorkerDefinition definition, WorkerOptions options, WorkerPorts ports, Admission admission, Replies replies)
{
    // With these the runtime says that it did not begin a command.
    private static readonly ErrorCode[] NotBegun = [ErrorCodes.WorkerBusy, ErrorCodes.JournalFailed, ErrorCodes.StaleEpoch];

    /// <summary>Takes a command. What outlives the call is copied out of the payload.</summary>
    internal void Take(Reply reply, ReadOnlyMemory<byte> payload)
    {
        if (CommandRequestPayload.Read(payload, out var request) is { } refusal)
        {
            replies.Refuse(reply, refusal);
            return;
        }

        if (string.IsNullOrEmpty(request.CommandId))
        {
            replies.Refuse(reply, ErrorCodes.PayloadCommandIdRequired);
            return;
        }

        var call = new CommandCall(
            request.CommandId, request.Command, DevicesOf(reply, in request), request.Params.IsEmpty ? default : JsonElement.Parse(request.Params.Span),
            request.Attempt, request.Epoch);
        var timeoutMs = request.TimeoutMs > 0 ? request.TimeoutMs : options.DefaultTimeoutMs;
        var reexecute = Reexecute(payload);
        switch (admission.EnterCommand(call.CommandId, out var execution))
        {
            case Entry.Taken:
                ports.StartHandler(() => CarryOutAsync(reply, call, timeoutMs, reexecute, execution!));
                break;
            case Entry.Joined:
                ports.StartHandler(() => JoinAsync(reply, call.CommandId, execution!.Task));
                break;
            case Entry.Busy:
                replies.AnswerCommand(reply, call.CommandId, new JournalAnswer(CommandStatus.Failed, default, ErrorCodes.WorkerBusy.Code));
                break;
        }
    }

    private IReadOnlyList<string> DevicesOf(Reply reply, in CommandRequestPayload request) =>
        request.Scope == CommandScope.Device ? reply.DeviceId is { } deviceId ? [deviceId] : [] : request.Targets ?? definition.DeviceIds;

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
            if (await execution is { } answer) replies.AnswerCommand(reply, commandId, answer);
        }
        finally
        {
            admission.LeaveCommand();
        }
    }

    /// <summary>Journal, then execute, then journal: the command's answer is known to the journal before anyone hears it.</summary>
    private async Task ExecuteAsync(CommandCall call, long timeoutMs, bool reexecute, TaskCompletionSource<JournalAnswer?> own)
    {
        JournalAnswer? answer = null;
        var holdsPlace = true;
        try
        {
            var mayRepeat = reexecute && definition.Contract.Find(call.Command) is { Idempotent: true };
            var (verdict, known) = await ports.Journal.StartAsync(new JournalStart(definition.WorkerId, call.CommandId, call.Attempt, call.Epoch, mayRepeat));
            if (verdict == JournalVerdict.Started)
            {
                (answer, holdsPlace) = await RunAsync(call, timeoutMs);
                await ports.Journal.EndAsync(definition.WorkerId, call.CommandId, answer);
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
            ports.Log.LogError(e, "{Worker}: journal failed", definition.WorkerId);
            answer ??= new JournalAnswer(CommandStatus.Failed, default, ErrorCodes.JournalFailed.Code);
        }
        finally
        {
            if (holdsPlace) admission.Leave();
            admission.EndExecution(call.CommandId);
            own.SetResult(answer);
        }
    }

    private async Task<(JournalAnswer Answer, bool HoldsPlace)> RunAsync(CommandCall call, long timeoutMs)
    {
        using var deadline = new Deadline(ports.Time, timeoutMs);
        var work = HandleAsync(call, deadline.Token);
        if (await Task.WhenAny(new Task[] { work, deadline.Passed }) == work) return (await work, true);

        // The kernel no longer waits, and whether the device acted only the handler can tell: it is waited for without holding a place.
        ports.Log.LogWarning("{Worker}: {Command} {CommandId} is past its deadline", definition.WorkerId, call.Command, call.CommandId);
        admission.MarkCommandOverdue();
        var late = await work;
        admission.EndOverdueCommand();
        return (late, false);
    }

    private async Task<JournalAnswer> HandleAsync(CommandCall call, CancellationToken cancellation)
    {
        if (definition.CommandOf(call.Command) is not { } handler)
        {
            return new JournalAnswer(CommandStatus.Failed, default, Refusal.With(ErrorCodes.CommandNotInCapabilities, call.Command).Text);
        }

        try
        {
            var reply = await handler(call, cancellation);
            var result = reply.Result is null ? [] : JsonSerializer.SerializeToUtf8Bytes(reply.Result, JsonSerializerOptions.Web);
            if (result.Length > options.MaxResultBytes)
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
            ports.Log.LogWarning(e, "{Worker}: {Command} failed", definition.WorkerId, call.Command);
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
}
