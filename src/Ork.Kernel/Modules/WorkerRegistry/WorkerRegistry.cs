using System.Diagnostics.CodeAnalysis;
using Ork.Protocol;

namespace Ork.Kernel;

/// <summary>
/// Knows every Worker and its link, and owns the map from device to Worker. Registers Workers at a bounded rate: what is over the bound waits,
/// and nobody is dropped. A Worker that hangs over its registration goes on without a place among those under way.
/// </summary>
internal sealed class WorkerRegistry : IWorkerRoutes, IAnswerHandler
{
    private const int FailuresToTell = 3;

    // A machine that lost its power comes back before its link is given up, and that is no news.
    private const int ReplacementsToTell = 3;

    private readonly LinkOptions _options;
    private readonly ModuleMachine<WorkerState, WorkerTrigger> _machine;
    private readonly Exchanges _exchanges;
    private readonly TimerWheel _timers;
    private readonly IEntropy _entropy;
    private readonly IKernelObserver _observer;
    private readonly IWorkerEvents _events;
    private readonly List<WorkerEntry> _workers = [];
    private readonly Dictionary<string, WorkerEntry> _byId = new(StringComparer.Ordinal);
    private readonly DeviceMap _devices;
    private readonly Dictionary<long, WorkerLink> _links = [];
    [SuppressMessage("Ork.Bounds", "ORK0301", Justification = "One place for each Worker, and those are bounded.")]
    private readonly Queue<WorkerEntry> _waiting = new();
    private int _registering;

    internal WorkerRegistry(
        LinkOptions options, ModuleMachine<WorkerState, WorkerTrigger> machine, Exchanges exchanges, TimerWheel timers, IEntropy entropy,
        IKernelObserver observer, IWorkerEvents events)
    {
        _options = options;
        _machine = machine;
        _exchanges = exchanges;
        _timers = timers;
        _entropy = entropy;
        _observer = observer;
        _events = events;
        _devices = new DeviceMap(options, observer, events);
    }

    /// <inheritdoc/>
    public IReadOnlyList<WorkerEntry> Workers => _workers;

    /// <summary>Registrations under way whose Workers have not let the kernel wait for long; never above the limit (S12).</summary>
    internal int Registering => _registering;

    /// <inheritdoc/>
    public WorkerEntry? FindWorker(string workerId) => _byId.GetValueOrDefault(workerId);

    /// <inheritdoc/>
    public DeviceEntry? FindDevice(string deviceId) => _devices.Find(deviceId);

    /// <inheritdoc/>
    public DeviceEntry? FindDevice(Utf8Text deviceId) => _devices.Find(deviceId);

    /// <summary>The link of a session, or null.</summary>
    internal WorkerLink? LinkOf(long session) => _links.GetValueOrDefault(session);

    /// <summary>Loads what the store holds: every Worker is Discovered until it is linked and asked again.</summary>
    internal void Load(KernelImage image, Turn turn)
    {
        foreach (var row in image.Workers)
        {
            var worker = Add(row.WorkerId, row.PeerKey, turn);
            worker.Endpoint = row.Endpoint;
            worker.Features = row.Features.Split(',', StringSplitOptions.RemoveEmptyEntries);
            if (!row.Contract.IsEmpty && WorkerContract.Read(row.Contract, out var contract) is null) worker.Contract = contract;
            worker.Hold = row.Hold;
            worker.Journal = row.Journal;
            worker.Stored = row;
            if (!row.Terminated) continue;
            _machine.Fire(ref worker.State, WorkerTrigger.Terminate, worker.WorkerId);
            _events.WorkerTerminated(worker, turn);
        }

        foreach (var row in image.Devices)
        {
            if (_byId.TryGetValue(row.WorkerId, out var owner)) _devices.Load(row, owner);
        }
    }

    /// <summary>A Worker's link is up: binds it to its id, or closes it with the reason.</summary>
    internal void LinkUp(long session, LinkGreeting greeting, Turn turn)
    {
        var refusal = Admit(greeting, turn, out var worker);
        if (refusal is not null)
        {
            _observer.Note(KernelEvent.WorkerRefused, greeting.WorkerId, refusal.Text);

            // That it is terminated must be durable before it is told.
            turn.AfterCommit.Close(session, refusal);
            return;
        }

        if (worker!.Link is { } older)
        {
            turn.AtOnce.Close(older.Session, ErrorCodes.LinkReplaced);
            LinkDown(older.Session, turn);
            if (++worker.Replacements == ReplacementsToTell) _observer.Note(KernelEvent.LinkContested, worker.WorkerId, $"{older.Peer.Address} and {greeting.Peer.Address}");
        }
        else
        {
            worker.Replacements = 0;
        }

        var link = new WorkerLink(session, worker, greeting.Peer, greeting.Target);
        _links.Add(session, link);
        worker.Link = link;
        worker.Endpoint = greeting.Target?.Endpoint.ToString() ?? "announce";
        if (worker.Stored is not null) Save(worker, turn);
        worker.FailedTries = 0;
        _observer.Note(KernelEvent.LinkUp, worker.WorkerId, greeting.Peer.Address);
        Register(link, turn);
    }

    /// <summary>A Worker's link is gone.</summary>
    internal void LinkDown(long session, Turn turn)
    {
        if (!_links.Remove(session, out var link)) return;
        var worker = link.Worker;
        _observer.Note(KernelEvent.LinkDown, worker.WorkerId);
        worker.Link = null;
        if (worker.RegistrationTimer is { } timer) TimerWheel.Cancel(timer);
        if (worker.State is WorkerState.IdentitySaved or WorkerState.Ready) _machine.Fire(ref worker.State, WorkerTrigger.LoseLink, worker.WorkerId);
        _exchanges.LinkGone(link, turn);
        End(worker, turn);
        _events.WorkerUnlinked(worker, turn);
    }

    /// <summary>Takes a Worker out of service for good.</summary>
    internal void Terminate(WorkerEntry worker, Turn turn)
    {
        if (worker.State == WorkerState.Terminated) return;
        _machine.Fire(ref worker.State, WorkerTrigger.Terminate, worker.WorkerId);
        _observer.Note(KernelEvent.WorkerTerminated, worker.WorkerId);
        Save(worker, turn);
        if (worker.Link is { } link)
        {
            turn.AfterCommit.Close(link.Session, ErrorCodes.WorkerTerminated);
            LinkDown(link.Session, turn);
        }

        _events.WorkerTerminated(worker, turn);
    }

    /// <summary>Records how an operator holds a Worker's circuit.</summary>
    internal static void Hold(WorkerEntry worker, CircuitHold hold, Turn turn)
    {
        worker.Hold = hold;
        Save(worker, turn);
    }

    /// <summary>Takes the states of a Worker's devices as it just told them, and claims again what was refused before.</summary>
    internal void TakeStates(WorkerEntry worker, ReadOnlyMemory<byte> states, Turn turn) => _devices.TakeStates(worker, states, turn);

    /// <inheritdoc/>
    public void Answered(Ask ask, in Envelope answer, Turn turn)
    {
        if (ask.Expired || ask.Link.Worker.Link != ask.Link) return;
        if (ask.Action == OrkAction.IdentityRequest) TakeIdentity(ask, answer.Payload, turn);
        else TakeContract(ask, answer.Payload, turn);
    }

    /// <inheritdoc/>
    public void Unanswered(Ask ask, ErrorCode why, Turn turn)
    {
        var worker = ask.Link.Worker;
        if (worker.Link != ask.Link) return;
        End(worker, turn);
        var delayMs = 1 + _entropy.FullJitterMs(worker.FailedTries++, _options.RetryBaseMs, _options.RetryCapMs);
        _observer.Note(KernelEvent.RegistrationRetry, worker.WorkerId, $"{OrkActions.NameOf(ask.Action)}: {why.Code}, again in {delayMs} ms");
        if (worker.FailedTries == FailuresToTell) _observer.Note(KernelEvent.RegistrationStuck, worker.WorkerId, $"{OrkActions.NameOf(ask.Action)}: {why.Code}");
        _timers.Set(worker.RegistrationTimer!, turn.NowMs + delayMs);
    }

    private Refusal? Admit(LinkGreeting greeting, Turn turn, out WorkerEntry? worker)
    {
        worker = FindWorker(greeting.WorkerId);
        if (worker is not null)
        {
            if (worker.PeerKey != greeting.Peer.Key) return ErrorCodes.WorkerKeyMismatch;
            return worker.State == WorkerState.Terminated ? ErrorCodes.WorkerTerminated : null;
        }

        if (_workers.Count >= _options.MaxWorkers) return ErrorCodes.TooManyWorkers;
        worker = Add(greeting.WorkerId, greeting.Peer.Key, turn);
        return null;
    }

    private WorkerEntry Add(string workerId, string peerKey, Turn turn)
    {
        var worker = new WorkerEntry(workerId, peerKey);
        _workers.Insert(IndexAfter(workerId), worker);
        _byId.Add(workerId, worker);
        _machine.Fire(ref worker.State, WorkerTrigger.Discover, workerId);
        _events.WorkerKnown(worker, turn);
        return worker;
    }

    /// <inheritdoc/>
    public int IndexAfter(string workerId)
    {
        var (from, to) = (0, _workers.Count);
        while (from < to)
        {
            var middle = (from + to) >>> 1;
            if (string.CompareOrdinal(_workers[middle].WorkerId, workerId) <= 0) from = middle + 1;
            else to = middle;
        }

        return from;
    }

    private void Register(WorkerLink link, Turn turn)
    {
        var worker = link.Worker;
        if (worker.Registering || worker.State == WorkerState.Ready) return;
        if (_registering >= _options.MaxRegistrations)
        {
            if (worker.WaitsToRegister) return;
            worker.WaitsToRegister = true;
            _observer.Note(KernelEvent.RegistrationWaits, worker.WorkerId);
            _waiting.Enqueue(worker);
            return;
        }

        _registering++;
        worker.Registering = worker.HoldsPlace = true;
        worker.RegistrationTimer ??= new WheelTimer(at => Due(worker, at));
        _timers.Set(worker.RegistrationTimer, turn.NowMs + _options.PatienceMs);
        if (!link.Asked) _events.WorkerLinked(worker, turn);
        link.Asked = true;
        if (worker.State == WorkerState.Discovered) Question(link, OrkAction.IdentityRequest, turn);
        else Question(link, OrkAction.CapabilityRequest, turn);
    }

    private void Question(WorkerLink link, OrkAction action, Turn turn) =>
        _exchanges.Send(link, action, default, _options.RegistrationTimeoutMs, this, link, turn.AtOnce, turn);

    /// <summary>What a registration may hold its place for is over, or the pause before the next try.</summary>
    private void Due(WorkerEntry worker, Turn turn)
    {
        if (worker.Registering) LeavePlace(worker, turn);
        else if (worker.Link is { } link) Register(link, turn);
    }

    private void End(WorkerEntry worker, Turn turn)
    {
        worker.Registering = false;
        LeavePlace(worker, turn);
    }

    private void LeavePlace(WorkerEntry worker, Turn turn)
    {
        if (!worker.HoldsPlace) return;
        worker.HoldsPlace = false;
        TimerWheel.Cancel(worker.RegistrationTimer!);
        _registering--;
        while (_registering < _options.MaxRegistrations && _waiting.TryDequeue(out var next))
        {
            next.WaitsToRegister = false;
            if (next.Link is { } link) Register(link, turn);
        }
    }

    private void TakeIdentity(Ask ask, ReadOnlyMemory<byte> payload, Turn turn)
    {
        var worker = ask.Link.Worker;
        var refusal = IdentityPayload.Read(payload, out var identity);
        if (refusal is null && identity!.WorkerId != worker.WorkerId) refusal = Refusal.With(ErrorCodes.WorkerAnswerInvalid, "workerId differs from the greeting");
        if (refusal is null && identity!.Devices.Count > _options.MaxDevicesPerWorker) refusal = ErrorCodes.TooManyDevices;
        if (refusal is not null)
        {
            _exchanges.Invalid(ask, refusal.Text, turn);
            return;
        }

        TakeJournal(worker, identity!, turn);
        _devices.Claim(worker, identity!.Devices, turn);
        _machine.Fire(ref worker.State, WorkerTrigger.SaveIdentity, worker.WorkerId);
        Save(worker, turn);
        Question(ask.Link, OrkAction.CapabilityRequest, turn);
    }

    /// <summary>
    /// A journal that does not know the opening that was relied on was lost, replaced, or is another machine's: that it has not heard of a command says nothing. What came of that is durable
    /// together with the opening that is relied on from now on. One that never named its openings is there or not.
    /// </summary>
    private void TakeJournal(WorkerEntry worker, IdentityPayload identity, Turn turn)
    {
        var had = worker.HasJournal;
        worker.Features = identity.Features;
        if (worker.Journal.Length > 0 ? !identity.Journal.Contains(worker.Journal) : had && !worker.HasJournal) _events.JournalReplaced(worker, turn);
        worker.Journal = identity.Journal.Count > 0 ? identity.Journal[0] : "";
    }

    private void TakeContract(Ask ask, ReadOnlyMemory<byte> payload, Turn turn)
    {
        var worker = ask.Link.Worker;
        WorkerContract? contract = null;
        var refusal = PayloadRules.ReadContract(payload, out var json) ?? WorkerContract.Read(json, out contract);
        if (refusal is not null)
        {
            _exchanges.Invalid(ask, refusal.Text, turn);
            return;
        }

        worker.Contract = contract;
        worker.FailedTries = 0;
        _machine.Fire(ref worker.State, WorkerTrigger.SaveContract, worker.WorkerId);
        Save(worker, turn);
        End(worker, turn);
        _observer.Note(KernelEvent.WorkerReady, worker.WorkerId, $"{worker.Devices.Count} devices");
        _events.WorkerReady(worker, turn);
    }

    private static void Save(WorkerEntry worker, Turn turn)
    {
        var row = new WorkerRow(
            worker.WorkerId, worker.PeerKey, worker.Endpoint, string.Join(',', worker.Features), worker.Contract?.Raw ?? default,
            worker.State == WorkerState.Terminated, worker.Hold, worker.Journal);
        if (worker.Stored is { } stored && stored with { Contract = default } == row with { Contract = default }
            && stored.Contract.Span.SequenceEqual(row.Contract.Span))
        {
            return;
        }

        worker.Stored = row;
        turn.Records.Workers.Add(row);
    }
}
