using Ork.Protocol;

namespace Ork.Kernel;

/// <summary>
/// A proxy between callers and the stores their Workers keep. It stores nothing. Identical queries under way at once share one pull; everything
/// travels in the lane that never waits for the disk, payload bytes untouched.
/// </summary>
internal sealed class TelemetryCollector(
    PullOptions options, IWorkerRoutes routes, ICircuits circuits, Exchanges exchanges, Answers answers, IKernelObserver observer) : IAnswerHandler
{
    private static readonly ReadOnlyMemory<byte> MetricsQuery = "{\"query\":{\"type\":\"metrics\"}}"u8.ToArray();

    private readonly Dictionary<PullKey, Pull> _byKey = [];
    private readonly Dictionary<WorkerEntry, int> _perWorker = [];
    private int _pulls;

    /// <summary>Proxied pulls under way; never above the limit (S12).</summary>
    internal int PullsInFlight => _pulls;

    /// <summary>A caller's <c>telemetry.pull</c> or <c>state.pull</c>.</summary>
    internal void Proxy(in CallerRef caller, in Envelope request, Turn turn)
    {
        if (request.Action == OrkAction.TelemetryPull && TelemetryQuery.Read(request.Payload, out _) is { } invalid)
        {
            answers.Refuse(turn, caller, invalid);
            return;
        }

        WorkerEntry? worker = null;
        var refusal = request.Payload.Length + request.Id.Raw.Length + request.Unknown.Length > options.MaxQueryBytes
            ? Refusal.With(ErrorCodes.QueryInvalid, $"larger than {options.MaxQueryBytes} bytes")
            : Route(in request, out worker);
        if (refusal is not null)
        {
            answers.Refuse(turn, caller, refusal);
            return;
        }

        var key = new PullKey(request.Action, request.DeviceId.Raw, request.Payload);
        if (_byKey.TryGetValue(key, out var running) && running.Link == worker!.Link)
        {
            observer.Note(KernelEvent.PullShared, worker.WorkerId);
            (running.Others ??= []).Add(caller.Keep());
            return;
        }

        if (Full(worker!) is { } full) answers.Refuse(turn, caller, full);
        else Start(Pull.Keep(in key, in caller, worker!.Link!), in request, turn);
    }

    /// <summary>A scheduled pull of all a Worker's telemetry, for the sinks. A refusal is none.</summary>
    internal void PullMetrics(WorkerEntry worker, Action<Turn> done, Turn turn) =>
        PullScheduled(worker, OrkAction.TelemetryPull, MetricsQuery, (payload, at) =>
        {
            if (!Refused(worker, payload)) at.AtOnce.Telemetry(worker.WorkerId, payload.Span);
        }, done, turn);

    /// <summary>A scheduled pull of the states of all a Worker's devices.</summary>
    internal void PullStates(WorkerEntry worker, Action<ReadOnlyMemory<byte>, Turn> take, Action<Turn> done, Turn turn) =>
        PullScheduled(worker, OrkAction.StatePull, default, (payload, at) =>
        {
            if (!Refused(worker, payload) && PayloadRules.ReadState(payload, out var state) is null) take(state, at);
        }, done, turn);

    /// <inheritdoc/>
    public void Answered(Ask ask, in Envelope answer, Turn turn)
    {
        if (ask.Expired)
        {
            observer.Note(KernelEvent.LatePullIgnored, ask.Link.Worker.WorkerId);
            return;
        }

        if (ask.Subject is Scheduled scheduled)
        {
            scheduled.Take(answer.Payload, turn);
            scheduled.Done(turn);
            return;
        }

        var pull = (Pull)ask.Subject;
        End(pull);
        answers.AtOnce(turn, pull.Caller, answer.Payload);
        if (pull.Others is not { } others) return;
        foreach (var caller in others) answers.AtOnce(turn, caller, answer.Payload);
    }

    /// <inheritdoc/>
    public void Unanswered(Ask ask, ErrorCode why, Turn turn)
    {
        if (ask.Subject is Scheduled scheduled)
        {
            scheduled.Done(turn);
            return;
        }

        var pull = (Pull)ask.Subject;
        End(pull);
        answers.Refuse(turn, pull.Caller, why);
        if (pull.Others is not { } others) return;
        foreach (var caller in others) answers.Refuse(turn, caller, why);
    }

    private Refusal? Route(in Envelope request, out WorkerEntry? worker)
    {
        worker = null;
        if (request.DeviceId.IsEmpty) return ErrorCodes.DeviceIdRequired;
        if (routes.FindDevice(request.DeviceId) is not { } device) return ErrorCodes.DeviceNotFound;
        worker = device.Owner;
        return worker.IsLinkedAndReady ? null : ErrorCodes.WorkerNotRoutable;
    }

    private Refusal? Full(WorkerEntry worker) =>
        _pulls >= options.MaxPulls ? ErrorCodes.KernelBusy
        : _perWorker.GetValueOrDefault(worker) >= options.WindowPerWorker ? ErrorCodes.QueueFull
        : HeldOff(worker) ? ErrorCodes.CircuitOpen
        : null;

    private bool Refused(WorkerEntry worker, ReadOnlyMemory<byte> payload)
    {
        if (PayloadRules.ReadRefusal(payload) is not { } error) return false;
        observer.Note(KernelEvent.PullRefused, worker.WorkerId, error);
        return true;
    }

    private bool HeldOff(WorkerEntry worker)
    {
        if (circuits.Admits(worker)) return false;
        observer.Note(KernelEvent.PullHeldOff, worker.WorkerId);
        return true;
    }

    private void Start(Pull pull, in Envelope request, Turn turn)
    {
        _byKey[pull.Key] = pull;
        _pulls++;
        _perWorker[pull.Link.Worker] = _perWorker.GetValueOrDefault(pull.Link.Worker) + 1;
        exchanges.Send(pull.Link, request.Action, request.Payload, options.TimeoutMs, this, pull, turn.AtOnce, turn, in request);
    }

    private void End(Pull pull)
    {
        if (_byKey.TryGetValue(pull.Key, out var running) && running == pull) _byKey.Remove(pull.Key);
        _pulls--;
        _perWorker[pull.Link.Worker]--;
    }

    private void PullScheduled(
        WorkerEntry worker, OrkAction action, ReadOnlyMemory<byte> payload, Action<ReadOnlyMemory<byte>, Turn> take, Action<Turn> done, Turn turn)
    {
        if (worker.IsLinkedAndReady && !HeldOff(worker))
        {
            exchanges.Send(worker.Link!, action, payload, options.TimeoutMs, this, new Scheduled(take, done), turn.AtOnce, turn);
        }
        else
        {
            done(turn);
        }
    }

    private sealed class Pull(OrkAction action, ReadOnlyMemory<byte> payload, WorkerLink link, CallerRef caller)
    {
        /// <summary>What it is found by.</summary>
        internal PullKey Key => new(action, Caller.DeviceId.Raw, payload);

        internal WorkerLink Link { get; } = link;

        /// <summary>Who asked first.</summary>
        internal CallerRef Caller { get; } = caller;

        /// <summary>Who asked the same while it was under way, or null for nobody.</summary>
        internal List<CallerRef>? Others { get; set; }

        /// <summary>Copies a query and who asks it out of the frame, into one array.</summary>
        internal static Pull Keep(in PullKey key, in CallerRef caller, WorkerLink link)
        {
            var (device, query, asker) = (caller.DeviceId.Raw, key.Payload, caller.Id.Raw);
            var bytes = new byte[device.Length + query.Length + asker.Length];
            var payload = bytes.AsMemory(device.Length, query.Length);
            device.CopyTo(bytes);
            query.CopyTo(payload);
            asker.CopyTo(bytes.AsMemory(device.Length + query.Length));
            var kept = caller with
            {
                Id = new Utf8Text(bytes.AsMemory(device.Length + query.Length), caller.Id.Escaped),
                DeviceId = new Utf8Text(bytes.AsMemory(0, device.Length), caller.DeviceId.Escaped),
            };
            return new Pull(key.Action, payload, link, kept);
        }
    }

    private sealed record Scheduled(Action<ReadOnlyMemory<byte>, Turn> Take, Action<Turn> Done);

    /// <summary>What makes two queries the same: the action, the device and the payload, byte for byte.</summary>
    private readonly struct PullKey(OrkAction action, ReadOnlyMemory<byte> deviceId, ReadOnlyMemory<byte> payload) : IEquatable<PullKey>
    {
        private readonly ReadOnlyMemory<byte> _deviceId = deviceId;

        internal OrkAction Action { get; } = action;

        internal ReadOnlyMemory<byte> Payload { get; } = payload;

        public bool Equals(PullKey other) =>
            Action == other.Action && _deviceId.Span.SequenceEqual(other._deviceId.Span) && Payload.Span.SequenceEqual(other.Payload.Span);

        public override bool Equals(object? obj) => obj is PullKey other && Equals(other);

        public override int GetHashCode()
        {
            var hash = default(HashCode);
            hash.Add(Action);
            hash.AddBytes(_deviceId.Span);
            hash.AddBytes(Payload.Span);
            return hash.ToHashCode();
        }
    }
}
