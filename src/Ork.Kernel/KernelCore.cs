using Ork.Protocol;

namespace Ork.Kernel;

/// <summary>
/// The kernel without its shell: a synchronous function of (state, input, time, chance). Composes the modules and passes on to each what
/// concerns it.
/// </summary>
internal sealed class KernelCore : IWorkerEvents
{
    private readonly KernelOptions _options;
    private readonly IKernelObserver _observer;
    private readonly Answers _answers;
    private readonly Exchanges _exchanges;
    private readonly WorkerDialer _dialer;
    private readonly Scheduler _scheduler;
    private readonly CommandDispatcher _dispatcher;
    private readonly TelemetryCollector _collector;
    private readonly StatusViews _views;

    /// <summary>Composes a kernel and recovers it from what its store holds.</summary>
    /// <param name="options">Every bound and cadence.</param>
    /// <param name="image">What the store holds.</param>
    /// <param name="entropy">Ids and jitter.</param>
    /// <param name="observer">Hears of everything.</param>
    /// <param name="links">The links that the shell has open.</param>
    /// <param name="turn">The first turn: its records are what the sweep decided.</param>
    internal KernelCore(KernelOptions options, KernelImage image, IEntropy entropy, IKernelObserver observer, IOpenLinks links, Turn turn)
    {
        Links = links;
        _options = options;
        _observer = observer;
        var strict = options.StrictMachines;
        Timers = new TimerWheel(turn.NowMs);
        Epoch = image.Epoch;
        _answers = new Answers(options);
        Circuits = new FaultSupervisor(
            options.Circuits, options.Retries, CircuitMachine.Build(observer, strict), Timers, entropy, observer, PathChanged, turn.NowMs);
        _exchanges = new Exchanges(options.Loop, Timers, entropy, _answers, Circuits, observer);
        _dialer = new WorkerDialer(options.Links, Timers, entropy, observer);
        Health = new HealthMonitor(options.Health, HealthMachine.Build(observer, strict), _exchanges, observer, PathChanged);
        Registry = new WorkerRegistry(options.Links, WorkerMachine.Build(observer, strict), _exchanges, Timers, entropy, observer, this);
        _scheduler = new Scheduler(options.Schedule, JobMachine.Build(observer, strict), Timers, observer, RunJob);
        _collector = new TelemetryCollector(options.Pulls, Registry, Circuits, _exchanges, _answers, observer);
        Locks = new ConcurrencyManager(options.Commands, DeviceLockMachine.Build(observer, strict));
        Ledger = new CommandLedger(
            options.Commands, CommandMachine.Build(observer, strict), Registry, Health, Circuits, Locks, _exchanges, Timers, entropy, _answers,
            observer, image.Epoch, options.Retries.WaitMs);
        _dispatcher = new CommandDispatcher(
            options, DispatchMachine.Build(observer, strict), Registry, Ledger, Health, Locks, Circuits, _answers, entropy, observer);
        _views = new StatusViews(this, turn.NowMs);
        Registry.Load(image, turn);
        foreach (var worker in Registry.Workers.Where(worker => worker.State != WorkerState.Terminated)) Circuits.ApplyHold(worker, turn);
        Ledger.Load(image, turn);
    }

    /// <summary>The links that are open, to callers and Workers.</summary>
    internal IOpenLinks Links { get; }

    internal TimerWheel Timers { get; }

    internal long Epoch { get; }

    internal WorkerRegistry Registry { get; }

    internal HealthMonitor Health { get; }

    internal CommandLedger Ledger { get; }

    internal FaultSupervisor Circuits { get; }

    internal ConcurrencyManager Locks { get; }

    internal int PullsInFlight => _collector.PullsInFlight + _scheduler.PullsInFlight;

    /// <summary>True once the kernel stops.</summary>
    internal bool Draining { get; private set; }

    /// <summary>Takes one input.</summary>
    internal void Handle(in Input input, Turn turn)
    {
        switch (input.Kind)
        {
            case InputKind.CallerRequest:
                TakeRequest(input.Session, (string)input.Detail!, in input, turn);
                break;
            case InputKind.CallerGone:
                Ledger.CallerGone(input.Session);
                break;
            case InputKind.LinkUp:
                var greeting = (LinkGreeting)input.Detail!;
                if (greeting.Target is { } dialled) _dialer.Linked(dialled, turn);
                Registry.LinkUp(input.Session, greeting, turn);
                break;
            case InputKind.LinkDown:
                Registry.LinkDown(input.Session, turn);
                if (input.Detail is DialTarget lost) _dialer.Unlinked(lost, turn);
                break;
            case InputKind.WorkerAnswer:
                if (Registry.LinkOf(input.Session) is { } link) TakeAnswer(link, in input, turn);
                break;
            case InputKind.LinkCongested:
                Congested(input.Session, true, turn);
                break;
            case InputKind.LinkDrained:
                Congested(input.Session, false, turn);
                break;
            case InputKind.DialFailed:
                var (target, why) = ((DialTarget, string))input.Detail!;
                _dialer.Failed(target, why, turn);
                break;
            case InputKind.Discovered:
                _dialer.Discovered((IReadOnlyList<DialTarget>)input.Detail!, turn);
                break;
            case InputKind.Stop:
                Drain();
                break;
        }
    }

    /// <summary>A turn is durable: the time of what it asks of Workers begins.</summary>
    internal void Leave(Turn ended, Turn turn) => _exchanges.Leave(ended, turn);

    /// <inheritdoc/>
    public void WorkerKnown(WorkerEntry worker, Turn turn)
    {
        Health.Watch(worker);
        _scheduler.Start(JobKind.Health, worker, turn);
    }

    /// <inheritdoc/>
    public void WorkerLinked(WorkerEntry worker, Turn turn) => Health.Ping(worker, null, turn);

    /// <inheritdoc/>
    public void JournalReplaced(WorkerEntry worker, Turn turn) => Ledger.JournalReplaced(worker, turn);

    /// <inheritdoc/>
    public void WorkerReady(WorkerEntry worker, Turn turn)
    {
        // Two targets that lead to one Worker take turns, and that less and less often.
        if (worker is { Link.Target: { } target, Replacements: 0 }) _dialer.Served(target);
        _scheduler.Start(JobKind.State, worker, turn);
        _scheduler.Start(JobKind.Telemetry, worker, turn);
        Ledger.WorkerReady(worker, turn);
    }

    /// <inheritdoc/>
    public void WorkerUnlinked(WorkerEntry worker, Turn turn)
    {
        _scheduler.Stop(JobKind.State, worker);
        _scheduler.Stop(JobKind.Telemetry, worker);
        Circuits.LinkLost(worker, turn);
        Ledger.LinkLost(worker, turn);
    }

    /// <inheritdoc/>
    public void WorkerTerminated(WorkerEntry worker, Turn turn)
    {
        _scheduler.Stop(JobKind.Health, worker);
        Health.Forget(worker);
        Circuits.Forget(worker);
        Ledger.Abandon(worker, turn);
    }

    /// <inheritdoc/>
    public void DevicesLeft(WorkerEntry formerOwner, Turn turn) => Ledger.DevicesLeft(formerOwner, turn);

    /// <inheritdoc/>
    public bool IsDead(WorkerEntry worker) => Health.Of(worker) == HealthState.Dead;

    /// <summary>
    /// Lets every timer elapse that is due. Of those that are due together, a Worker's missed ping counts before the command that another timer made ready for it:
    /// nothing is assigned before all have elapsed (S7).
    /// </summary>
    internal void AdvanceTimers(Turn turn)
    {
        Ledger.AssignLater();
        Timers.Advance(turn.NowMs, turn);
        Ledger.AssignAll(turn);
    }

    private void Drain()
    {
        if (Draining) return;
        Draining = true;
        _observer.Note(KernelEvent.Draining, _options.Name);
        _dispatcher.Drain();
        Ledger.Drain();
    }

    /// <summary>A Worker's health or circuit changed: what waits for it may go on.</summary>
    private void PathChanged(WorkerEntry worker, Turn turn)
    {
        if (!Health.IsRoutable(worker) || !Circuits.Admits(worker)) return;
        Ledger.SendHeldBack(worker, turn);
        Ledger.Drive(worker, turn);
    }

    private void RunJob(JobKind kind, WorkerEntry worker, Action<Turn> done, Turn turn)
    {
        switch (kind)
        {
            case JobKind.Health:
                Health.Ping(worker, done, turn);
                break;
            case JobKind.State:
                _collector.PullStates(worker, (states, at) => Registry.TakeStates(worker, states, at), done, turn);
                break;
            default:
                _collector.PullMetrics(worker, done, turn);
                break;
        }
    }

    private void Congested(long session, bool congested, Turn turn)
    {
        if (Registry.LinkOf(session) is not { } link) return;
        link.Congested = congested;
        if (congested) _observer.Note(KernelEvent.LinkCongested, link.Worker.WorkerId);
        else Ledger.SendHeldBack(link.Worker, turn);
    }

    /// <summary>
    /// What an answer says of its Worker's circuit counts before anything that it makes room for is assigned (S18). Where it ends several commands, as a new contract or a
    /// list of devices may, none of those that are to end is assigned in the place of one before it.
    /// </summary>
    private void TakeAnswer(WorkerLink link, in Input input, Turn turn)
    {
        Ledger.AssignLater();
        _exchanges.Receive(link, input.Frame, turn);
        Ledger.AssignAll(turn);
    }

    private void TakeRequest(long session, string identity, in Input input, Turn turn)
    {
        var error = EnvelopeReader.Read(input.Frame.Payload, out var request);
        if (error is null && request.Type != MessageType.Request) error = ErrorCodes.EnvelopeTypeInvalid;
        var caller = new CallerRef(session, input.Frame.Correlation, request.Id, request.DeviceId, OrkActions.AnswerTo(request.Action));
        if (error is not null)
        {
            _observer.Note(KernelEvent.RequestRefused, identity, error.Code);
            _answers.Refuse(turn, caller, error);
            return;
        }

        switch (request.Action)
        {
            case OrkAction.CommandRequest:
                _dispatcher.Take(caller, identity, in request, turn);
                break;
            case OrkAction.CommandStatus or OrkAction.CommandCancel:
                TakeCommandQuery(caller, in request, turn);
                break;
            case OrkAction.TelemetryPull or OrkAction.StatePull:
                _collector.Proxy(caller, in request, turn);
                break;
            case OrkAction.WorkerList:
                _answers.AfterCommit(turn, caller, _views.WorkerList(request.Payload, turn));
                break;
            case OrkAction.DeviceCapabilities:
                if (_views.Capabilities(request.DeviceId, turn, out var capabilities) is { } unknown) _answers.Refuse(turn, caller, unknown);
                else _answers.AfterCommit(turn, caller, capabilities);
                break;
            case OrkAction.WorkerTerminate:
                TakeTerminate(caller, in request, turn);
                break;
            case OrkAction.WorkerHold:
                TakeHold(caller, in request, turn);
                break;
            default:
                _answers.Refuse(turn, caller, ErrorCodes.NotSupported);
                break;
        }
    }

    private void TakeCommandQuery(in CallerRef caller, in Envelope request, Turn turn)
    {
        if (CommandQueryPayload.Read(request.Payload, out var query) is { } refusal) _answers.Refuse(turn, caller, refusal);
        else if (request.Action == OrkAction.CommandStatus) Ledger.Status(caller, in query, turn);
        else Ledger.Cancel(caller, query.CommandId, turn);
    }

    private void TakeHold(in CallerRef caller, in Envelope request, Turn turn)
    {
        var refusal = PayloadRules.ReadHold(request.Payload, out var workerId, out var hold);
        var worker = refusal is null ? Registry.FindWorker(workerId) : null;
        if (refusal is null && worker is null) refusal = ErrorCodes.WorkerNotFound;
        if (worker?.State == WorkerState.Terminated) refusal = ErrorCodes.WorkerTerminated;
        if (refusal is not null)
        {
            _answers.Refuse(turn, caller, refusal);
            return;
        }

        WorkerRegistry.Hold(worker!, hold, turn);
        Circuits.ApplyHold(worker!, turn);
        _answers.AfterCommit(turn, caller, turn.Payload((worker!, Circuits.Of(worker!)), static (json, it) =>
        {
            json.WriteStartObject();
            json.WriteString("workerId"u8, it.Item1.WorkerId);
            json.WriteString("hold"u8, CircuitHolds.Of(it.Item1.Hold));
            json.WriteString("circuit"u8, it.Item2.ToString());
            json.WriteEndObject();
        }));
    }

    private void TakeTerminate(in CallerRef caller, in Envelope request, Turn turn)
    {
        var refusal = PayloadRules.ReadWorkerId(request.Payload, out var workerId);
        var worker = refusal is null ? Registry.FindWorker(workerId) : null;
        if (refusal is null && worker is null) refusal = ErrorCodes.WorkerNotFound;
        if (refusal is not null)
        {
            _answers.Refuse(turn, caller, refusal);
            return;
        }

        Registry.Terminate(worker!, turn);
        _answers.AfterCommit(turn, caller, turn.Payload(workerId, static (json, workerId) =>
        {
            json.WriteStartObject();
            json.WriteString("workerId"u8, workerId);
            json.WriteBoolean("terminated"u8, true);
            json.WriteEndObject();
        }));
    }
}
