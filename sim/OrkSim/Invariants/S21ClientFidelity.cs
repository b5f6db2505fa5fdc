using System.Text.Json;
using Ork.Client;
using Ork.Protocol;

namespace OrkSim;

/// <summary>S21: what a client returns of a command or a device is what a kernel answered it.</summary>
public sealed class ClientFidelity : IInvariant
{
    private readonly Dictionary<(SimNode Caller, string CommandId), List<WireMessage>> _answers = [];

    /// <inheritdoc/>
    public string Id => "S21";

    /// <inheritdoc/>
    public string Says => "What a client returns of a command or a device is what a kernel answered it.";

    /// <inheritdoc/>
    public SimEventKind Hears => SimEventKind.Answered | SimEventKind.FrameTaken;

    /// <inheritdoc/>
    public void Hear(in SimEvent happened, Facts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        if (happened.Node is not { Kind: NodeKind.Caller } caller) return;
        if (happened.Kind == SimEventKind.FrameTaken)
        {
            if (happened.Message is not { CommandId: { } about } message) return;
            if (!_answers.TryGetValue((caller, about), out var told)) _answers.Add((caller, about), told = []);
            told.Add(message);
            return;
        }

        if (happened is not { Detail: null, Call: { } call }) return;
        if (happened.Subject == SimCaller.Waiting && call.View is { IsTerminal: false } open) facts.Violated(this, $"{caller} waited for the end of {call.CommandId} and was given {open.Status}.");
        if (call.AskedDevice is { } asked && call.ToldDevice is { } device && asked != device && facts.World.Workers.All(static worker => worker.Mischief is null)) facts.Violated(this, $"{caller} asked for the telemetry of {asked} and was given that of {device}.");
        if (call.CommandId is { } id && Wrong(call, _answers.GetValueOrDefault((caller, id))) is { } what) facts.Violated(this, $"The client of {caller} returned {what} of {id}, and no kernel answered so.");
    }

    private static string? Wrong(CallEnd call, List<WireMessage>? answers) =>
        call.Order is not null && answers is null ? "the acceptance"
        : call.Cancelled is { } cancelled && !Any(answers, answer => answer.Action == OrkAction.CommandCancelResponse && answer.Cancelled == cancelled) ? $"cancelled: {cancelled}"
        : call.View is { } view && (view.CommandId != call.CommandId || !Any(answers, answer => Same(view, answer))) ? $"{view.Status}, attempt {view.Attempt}, {view.Error}"
        : null;

    private static bool Any(List<WireMessage>? answers, Predicate<WireMessage> predicate) => answers?.Exists(predicate) ?? false;

    private static bool Same(CommandView view, WireMessage answer) =>
        answer.Action == OrkAction.CommandStatusResponse && view.Status == answer.Status && view.Attempt == answer.Attempt && view.Retries == answer.Retries && view.Error == answer.Error
        && (view.Result.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null) == (answer.Result.IsEmpty || answer.Result.Span.SequenceEqual("null"u8));
}
