using System.Text;
using System.Text.Json;
using Ork.Protocol;

namespace OrkSim;

/// <summary>What a refusal may be, as it leaves a kernel or a Worker and as its caller is told of it (L7). Each says what is wrong, or null.</summary>
internal static class Refusals
{
    // As they stand in a refusal, and not in the end of a command.
    private static readonly byte[][] Passing =
    [
        .. new[] { ErrorCodes.QueueFull, ErrorCodes.KernelBusy, ErrorCodes.KernelUnavailable, ErrorCodes.WorkerNotRoutable, ErrorCodes.CircuitOpen }.Select(static code => Encoding.UTF8.GetBytes($"\"error\":\"{code.Code}")),
    ];

    private static readonly byte[] Busy = Encoding.UTF8.GetBytes(ErrorCodes.KernelBusy.Code);
    private static readonly byte[] Full = Encoding.UTF8.GetBytes(ErrorCodes.QueueFull.Code);
    private static readonly byte[][] Excuses = [.. new[] { ErrorCodes.WorkerBusy, ErrorCodes.HandlerTimeout, ErrorCodes.HandlerResultTooLarge, ErrorCodes.DeviceNotFound }.Select(static code => Encoding.UTF8.GetBytes(code.Code))];

    private static readonly byte[] NoAnswer = Encoding.UTF8.GetBytes($"telemetry \\u0027{SimCaller.Unanswered}\\u0027");
    private static readonly byte[] Unread = Encoding.UTF8.GetBytes(SimWorker.Unread);

    /// <summary>A kernel's answer: what may pass says when to ask again, and a pull is refused for want of a place only where half of the places at least are taken.</summary>
    internal static string? OfKernel(in SimEvent answer, Facts facts)
    {
        var payload = answer.Payload.Span;
        if (payload.IndexOf("\"REJECTED\""u8) < 0) return null;
        foreach (var code in Passing)
        {
            if (payload.IndexOf(code) >= 0 && payload.IndexOf("\"retryAfterMs\":"u8) < 0) return $"{answer.Connection!.Facts!.Peer} is refused for what may pass, {Encoding.UTF8.GetString(code)}, and is not told when to ask again.";
        }

        return answer.Message is { Action: OrkAction.TelemetryResponse or OrkAction.StateResponse } ? OfPull(in answer, facts) : null;
    }

    /// <summary>A kernel's answer to a request that is mistaken in one way: it is refused for that, unless a kernel that is about to end or full did not get that far.</summary>
    internal static string? OfMistake(in SimEvent answer)
    {
        if (!answer.Connection!.Facts!.Questions.TryGetValue(answer.Correlation, out var question) || Mistakes.CodeIn(question.Envelope.Span) is not { } code) return null;
        var refusal = EnvelopeReader.Read(answer.Payload, out var told) is null ? PayloadRules.ReadRefusal(told.Payload) : null;
        return refusal is not null && ((string[])[code, ErrorCodes.KernelUnavailable.Code, ErrorCodes.KernelBusy.Code]).Any(known => refusal.StartsWith(known, StringComparison.Ordinal))
            ? null : $"A request that is to be refused for {code} is {(refusal is null ? "accepted" : $"refused: {refusal}")}.";
    }

    /// <summary>A Worker's answer to a question that a kernel hands on: one that has the device and a place refuses none.</summary>
    internal static string? OfWorker(SimNode worker, in SimEvent answer, Facts facts)
    {
        var payload = answer.Payload.Span;
        if (facts.World.Ports.Worker is not null || !facts.World.IsHonest(worker.Name) || payload.IndexOf("\"REJECTED\""u8) < 0) return null;
        foreach (var code in Excuses)
        {
            if (payload.IndexOf(code) >= 0) return null;
        }

        return payload.IndexOf(NoAnswer) >= 0 || payload.IndexOf(Unread) >= 0 ? null : $"{worker} refuses a question that it can answer: {Encoding.UTF8.GetString(payload)}";
    }

    /// <summary>The end of a call: what is in order is refused for no reason that it does not give.</summary>
    internal static string? OfCall(in SimEvent answered, Facts facts)
    {
        if (answered is not { Detail: { } error, Subject: { } what, Call: { } call, Node.Kind: NodeKind.Caller } || error == SimCaller.GivenUp || facts.World.Ports.Worker is not null) return null;
        if (Reasons.Allow(what, error, call.Order, facts.World.Workers.All(static worker => worker.Mischief is null), facts.World.Workers.Any(static worker => worker.WasHeld))) return null;
        return $"A call of {answered.Node} that is in order ({what}{(call.Order is { } order ? $" {order.Command} {JsonSerializer.Serialize(order.Params)}" : "")}) is refused: {error}.";
    }

    private static string? OfPull(in SimEvent answer, Facts facts)
    {
        var payload = answer.Payload.Span;
        var options = facts.World.KernelOptions.Pulls;
        var room = payload.IndexOf(Busy) >= 0 ? options.MaxPulls / 2 : payload.IndexOf(Full) >= 0 ? options.WindowPerWorker / 2 : 0;
        if (room == 0) return null;

        // Those of callers that have gone are under way still.
        var underWay = facts.CallerLinks.Sum(static link => link.Questions.Values.Count(static asked => asked.Action is OrkAction.TelemetryPull or OrkAction.StatePull));
        var outstanding = facts.WorkerLinks.Sum(static link => link.Outstanding.Values.Count(static asked => asked.Action is OrkAction.TelemetryPull or OrkAction.StatePull));
        return underWay <= room && outstanding <= room ? $"A pull of {answer.Connection!.Facts!.Peer} is refused for want of a place; {underWay} are asked for and {outstanding} under way." : null;
    }
}
