using Ork.Protocol;

namespace Ork.Kernel;

/// <summary>
/// Takes a caller's <c>command.request</c>: validates it, resolves its Worker and devices, checks it against the contract and hands it to the ledger.
/// A refused request leaves no trace; an accepted one is answered <c>QUEUED</c> only when it is durable.
/// </summary>
internal sealed class CommandDispatcher(
    KernelOptions options, ModuleMachine<DispatchState, DispatchTrigger> machine, IWorkerRoutes routes, ICommandLedger ledger, IHealth health,
    IDeviceLocks locks, ICircuits circuits, Answers answers, IEntropy entropy, IKernelObserver observer)
{
    private const long MaxDeadlineMs = 30L * 24 * 3_600_000;

    private bool _draining;

    /// <summary>From here on every request is refused: the kernel stops.</summary>
    internal void Drain() => _draining = true;

    /// <summary>Takes a request.</summary>
    /// <param name="caller">Where the answer goes.</param>
    /// <param name="identity">The caller's authenticated identity.</param>
    /// <param name="request">The request's accepted envelope.</param>
    /// <param name="turn">The turn.</param>
    internal void Take(in CallerRef caller, string identity, in Envelope request, Turn turn)
    {
        var state = DispatchState.Validating;
        var refusal = Validate(in request, out var payload);

        // However much there is to do: who hears of an order that was accepted that it is refused takes it for not given.
        if (refusal is null && payload.IdempotencyKey is { } key && ledger.FindByKey(identity, key) is { } first)
        {
            observer.Note(KernelEvent.IdempotencyHit, first.Spec.CommandId);
            answers.AfterCommit(turn, caller, CommandPayload.Repeated(turn, first));
            return;
        }

        refusal ??= WhyNotNow(turn);
        if (refusal is null) machine.Fire(ref state, DispatchTrigger.Valid, payload.Command);
        CommandSpec? spec = null;
        WorkerEntry? worker = null;
        refusal ??= Route(in request, in payload, identity, turn, out spec, out worker);
        if (refusal is not null)
        {
            machine.Fire(ref state, DispatchTrigger.Refuse, payload.Command ?? "");
            observer.Note(KernelEvent.RequestRefused, payload.Command ?? "", refusal.Text);
            answers.Refuse(turn, caller, refusal);
            return;
        }

        machine.Fire(ref state, DispatchTrigger.Routed, payload.Command);
        var command = ledger.Accept(spec!, worker!, turn);
        answers.AfterCommit(turn, caller, CommandPayload.Queued(turn, command));
    }

    private static Refusal? Validate(in Envelope request, out CommandRequestPayload payload) =>
        CommandRequestPayload.Read(request.Payload, out payload) ?? (string.IsNullOrWhiteSpace(payload.Command) ? ErrorCodes.CommandRequired : (Refusal?)null);

    /// <summary>Why the kernel takes no order just now, or null.</summary>
    private Refusal? WhyNotNow(Turn turn) =>
        _draining ? ErrorCodes.KernelUnavailable
        : turn.RecordCount >= options.Loop.PendingRecordLimit ? ErrorCodes.KernelBusy
        : null;

    private Refusal? Route(
        in Envelope request, in CommandRequestPayload payload, string caller, Turn turn, out CommandSpec? spec, out WorkerEntry? worker)
    {
        spec = null;
        string? deviceId = null;
        string[]? targets = null;
        var refusal = payload.Scope == CommandScope.Device
            ? ResolveDevice(in request, in payload, out worker, out deviceId)
            : ResolveWorker(in payload, out worker, out targets);
        refusal ??= CheckRoutable(worker!) ?? circuits.Refuses(worker!, payload.Priority);
        if (refusal is not null) return refusal;
        if (worker!.Contract!.Find(payload.Command) is not { } contract)
        {
            return Refusal.With(ErrorCodes.CommandNotInCapabilities, payload.Command);
        }

        refusal = contract.Check(payload.Params);
        if (refusal is not null) return refusal;
        spec = new CommandSpec
        {
            CommandId = entropy.NextId(turn.UtcMs).ToString(),
            Command = contract.Name,
            Scope = payload.Scope,
            DeviceId = deviceId,
            Targets = targets,
            Params = payload.Params.ToArray(),
            Caller = caller,
            IdempotencyKey = payload.IdempotencyKey,
            Priority = payload.Priority,
            Idempotent = contract.Idempotent,
            TimeoutMs = contract.TimeoutMs ?? options.Commands.AttemptTimeoutMs,
            CreatedAt = turn.UtcMs,
            DeadlineAt = turn.UtcMs + Math.Min(payload.DeadlineMs ?? options.Commands.DefaultDeadlineMs, MaxDeadlineMs),
        };
        return ledger.Admit(spec.RequestBytes) ?? locks.Admit(spec, worker);
    }

    private Refusal? ResolveDevice(in Envelope request, in CommandRequestPayload payload, out WorkerEntry? worker, out string? deviceId)
    {
        worker = null;
        deviceId = null;
        if (request.DeviceId.IsEmpty) return ErrorCodes.DeviceIdRequired;
        if (routes.FindDevice(request.DeviceId) is not { } device) return ErrorCodes.DeviceNotFound;
        worker = device.Owner;
        deviceId = device.DeviceId;
        var named = payload.WorkerId;
        return named is null || named == worker.WorkerId ? null : Refusal.With(ErrorCodes.DeviceNotFound, $"{deviceId} is not of Worker {named}");
    }

    private Refusal? ResolveWorker(in CommandRequestPayload payload, out WorkerEntry? worker, out string[]? targets)
    {
        targets = null;
        worker = null;
        if (string.IsNullOrWhiteSpace(payload.WorkerId)) return ErrorCodes.WorkerIdRequired;
        worker = routes.FindWorker(payload.WorkerId);
        if (worker is null) return ErrorCodes.WorkerNotFound;
        if (payload.Targets is null or { Count: 0 })
        {
            targets = [.. worker.Devices.Select(device => device.DeviceId)];
        }
        else
        {
            targets = [.. payload.Targets.Distinct(StringComparer.Ordinal)];
            foreach (var target in targets)
            {
                if (routes.FindDevice(target)?.Owner != worker) return Refusal.With(ErrorCodes.DeviceNotFound, target);
            }
        }

        if (targets.Length == 0) return ErrorCodes.DeviceNotFound;
        return targets.Length > CommandRequestPayload.MaxTargets ? ErrorCodes.PayloadTargetsTooMany : null;
    }

    /// <summary>
    /// A Worker that is just unlinked, unknown or sick may be back at once: its commands queue. One that is dead, terminated or was never registered
    /// takes none.
    /// </summary>
    private Refusal? CheckRoutable(WorkerEntry worker) =>
        worker.State == WorkerState.Terminated || worker.Contract is null || health.Of(worker) == HealthState.Dead ? ErrorCodes.WorkerNotRoutable : null;
}
