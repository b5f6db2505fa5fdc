using System.Text.Json;
using Ork.Protocol;

namespace Ork.Worker;

/// <summary>
/// Takes the kernel's requests to what answers them. Every answer is made inside the request it answers; handlers are bounded in number and time, and what one throws or
/// returns too much of harms nobody else.
/// </summary>
internal sealed class RequestHandlers
{
    private static readonly Utf8Text Unnamed = Utf8Text.Plain("-");
    private static readonly ReadOnlyMemory<byte> Pong = "{\"status\":\"ok\"}"u8.ToArray();

    private readonly Replies _replies;
    private readonly QueryHandlers _queries;
    private readonly CommandHandlers _commands;
    private readonly byte[] _identity;
    private readonly byte[] _capability;

    internal RequestHandlers(WorkerDefinition definition, WorkerOptions options, WorkerPorts ports, Admission admission)
    {
        _replies = new Replies(definition.WorkerId, ports.Time);
        _queries = new QueryHandlers(definition, options, ports, admission, _replies);
        _commands = new CommandHandlers(definition, options, ports, admission, _replies);
        _identity = JsonSerializer.SerializeToUtf8Bytes(new
        {
            workerId = definition.WorkerId,
            devices = definition.DeviceIds.Select(deviceId => new { deviceId }),
            features = ports.Journal.Incarnations.Count > 0 ? new[] { IdentityPayload.JournalFeature } : [],
            journal = ports.Journal.Incarnations,
        });
        _capability = [.. "{\"contract\":"u8, .. definition.Contract.Raw.Span, .. "}"u8];
    }

    /// <summary>Takes a request. What outlives the call is copied out of the frame.</summary>
    internal void Take(IConnection connection, in ReceivedFrame frame)
    {
        var error = EnvelopeReader.Read(frame.Payload, out var request);
        if (error is null && request.Type != MessageType.Request) error = ErrorCodes.EnvelopeTypeInvalid;
        var reply = new Reply(connection, frame.Correlation, request.Id.IsEmpty ? Unnamed : request.Id.Keep(), request.DeviceId.Decode(), OrkActions.AnswerTo(request.Action));
        if (error is not null)
        {
            _replies.Refuse(reply, error);
            return;
        }

        switch (request.Action)
        {
            case OrkAction.IdentityRequest:
                _replies.Answer(reply, _identity);
                break;
            case OrkAction.CapabilityRequest:
                _replies.Answer(reply, _capability);
                break;
            case OrkAction.HealthPing:
                _replies.Answer(reply, Pong);
                break;
            case OrkAction.StatePull:
                _queries.TakeState(reply);
                break;
            case OrkAction.TelemetryPull:
                _queries.TakeTelemetry(reply, request.Payload);
                break;
            case OrkAction.CommandRequest:
                _commands.Take(reply, request.Payload);
                break;
            default:
                _replies.Refuse(reply, ErrorCodes.NotSupported);
                break;
        }
    }
}
