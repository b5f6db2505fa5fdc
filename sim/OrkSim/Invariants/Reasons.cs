using System.Collections.Frozen;
using Ork.Client;
using Ork.Protocol;

namespace OrkSim;

/// <summary>For what a call of an honest caller may be refused, by what it asks (L7): the protocol's reasons, less those that only a malformed or mistaken request gives.</summary>
internal static class Reasons
{
    private static readonly FrozenSet<string> OfAll = Codes(ErrorCodes.KernelUnavailable, ErrorCodes.KernelBusy);
    private static readonly FrozenSet<string> OfOrders = Codes(
        ErrorCodes.QueueFull, ErrorCodes.WorkerNotRoutable, ErrorCodes.DeviceNotFound, ErrorCodes.CircuitOpen, ErrorCodes.CommandNotInCapabilities);

    private static readonly FrozenSet<string> OfParameters = Codes(ErrorCodes.ParamRequired, ErrorCodes.ParamType, ErrorCodes.ParamEnum, ErrorCodes.ParamRange);
    private static readonly FrozenSet<string> OfQuestions = Codes(ErrorCodes.CommandNotFound);
    private static readonly FrozenSet<string> OfPulls = Codes(
        ErrorCodes.QueueFull, ErrorCodes.WorkerNotRoutable, ErrorCodes.DeviceNotFound, ErrorCodes.CircuitOpen, ErrorCodes.LinkLost, ErrorCodes.WorkerTimeout, ErrorCodes.WorkerBusy,
        ErrorCodes.HandlerTimeout);

    private static readonly FrozenSet<string> OfDevices = Codes(ErrorCodes.DeviceNotFound, ErrorCodes.WorkerNotRoutable);
    private static readonly FrozenSet<string> OfOperators = Codes(ErrorCodes.WorkerNotFound, ErrorCodes.WorkerTerminated);

    /// <summary>True where a refusal is one that this call may get.</summary>
    /// <param name="what">What was called.</param>
    /// <param name="error">The refusal.</param>
    /// <param name="order">What was ordered, or null.</param>
    /// <param name="isHonest">True where all Workers keep the protocol: they refuse pulls, too.</param>
    /// <param name="isHeld">True where an operator held a circuit: what is urgent passes an open one that nobody holds.</param>
    internal static bool Allow(string what, string error, CommandOrder? order, bool isHonest, bool isHeld)
    {
        var code = error.AsSpan(0, error.AsSpan().IndexOfAny(':', ' ') is var end && end < 0 ? error.Length : end).ToString();
        if (OfAll.Contains(code)) return true;
        if (order is { Priority: CommandPriority.Urgent } && !isHeld && code == ErrorCodes.CircuitOpen.Code) return false;
        if (order is not null) return OfOrders.Contains(code) || AllowOrder(code, order);
        return what switch
        {
            SimCaller.Terminating or SimCaller.Holding => OfOperators.Contains(code),
            SimCaller.ListingAll or SimCaller.ListingOne => false,
            SimCaller.Capabilities => OfDevices.Contains(code),
            SimCaller.HistoryTelemetry => OfPulls.Contains(code) || IsUnread(error) || code == ErrorCodes.HandlerResultTooLarge.Code || !isHonest,
            SimCaller.VagueTelemetry => OfPulls.Contains(code) || IsUnread(error) || code == ErrorCodes.QueryInvalid.Code || !isHonest,
            SimCaller.Telemetry or SimCaller.State => OfPulls.Contains(code) || (what != SimCaller.State && IsUnread(error)) || !isHonest || error.StartsWith($"{ErrorCodes.QueryInvalid.Code}: larger", StringComparison.Ordinal),
            _ => OfQuestions.Contains(code),
        };
    }

    private static bool IsUnread(string error) => error == Refusal.With(ErrorCodes.HandlerFailed, SimWorker.Unread).Text;

    private static bool AllowOrder(string code, CommandOrder order) =>
        OfParameters.Contains(code) ? MinerContract.Forbids(order.Command, order.Params) != false
        : code == ErrorCodes.LinkLost.Code ? order.IdempotencyKey is null
        : code == ErrorCodes.WorkerNotFound.Code && order.WorkerId is not null;

    private static FrozenSet<string> Codes(params ErrorCode[] codes) => codes.Select(static code => code.Code).ToFrozenSet(StringComparer.Ordinal);
}
