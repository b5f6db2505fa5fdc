namespace Ork.Kernel;

/// <summary>
/// Hears what happens in the kernel, for logs, metrics and traces. Nothing the kernel does depends on it.
/// </summary>
public interface IKernelObserver
{
    /// <summary>A machine made a transition.</summary>
    void Transition<TState, TTrigger>(ModuleMachine<TState, TTrigger> machine, string entity, TState from, TTrigger trigger, TState to)
        where TState : struct, Enum
        where TTrigger : struct, Enum;

    /// <summary>Something worth knowing happened.</summary>
    /// <param name="what">Its kind.</param>
    /// <param name="subject">The Worker, device, command or link it is about.</param>
    /// <param name="detail">What else there is to say, or null.</param>
    void Note(KernelEvent what, string subject, string? detail = null);

    /// <summary>A command reached its end.</summary>
    /// <param name="command">The command as recorded.</param>
    void Settled(in CommandRow command);

    /// <summary>A turn's records are durable.</summary>
    /// <param name="records">How many records the commit held.</param>
    /// <param name="elapsed">How long it took.</param>
    void Committed(int records, TimeSpan elapsed);

    /// <summary>An exchange with a Worker ended.</summary>
    /// <param name="action">What was asked, as on the wire.</param>
    /// <param name="workerId">Of whom.</param>
    /// <param name="elapsedMs">How long it took, in milliseconds.</param>
    /// <param name="error">The code it failed with, or null.</param>
    void Exchanged(Ork.Protocol.OrkAction action, string workerId, long elapsedMs, Ork.Protocol.ErrorCode? error);
}

/// <summary>Kinds of <see cref="IKernelObserver.Note"/>. The numbers are the event ids of the log and never change their meaning.</summary>
public enum KernelEvent
{
    /// <summary>No event.</summary>
    None = 0,

    /// <summary>The kernel serves.</summary>
    Started = 1,

    /// <summary>The kernel has loaded its store and swept the command log.</summary>
    Recovered = 2,

    /// <summary>The kernel takes no more commands and lets those in flight end.</summary>
    Draining = 3,

    /// <summary>The kernel has stopped.</summary>
    Stopped = 4,

    /// <summary>A commit failed or its outcome is unknown: the instance is thrown away.</summary>
    CommitFailed = 5,

    /// <summary>The store could not be opened; it is tried again.</summary>
    StoreRetry = 6,

    /// <summary>A trigger met a state that does not handle it.</summary>
    IllegalTransition = 7,

    /// <summary>A turn threw: the instance is thrown away.</summary>
    TurnFailed = 8,

    /// <summary>A listener is open.</summary>
    Listening = 9,

    /// <summary>Something of the shell around the turns threw: a session, a listener, a dial. It has ended; the kernel goes on.</summary>
    ShellFailed = 10,

    /// <summary>Discovery could not tell which Workers to dial. It is asked again at its interval; until then its latest word counts.</summary>
    DiscoveryFailed = 11,

    /// <summary>A link to a Worker is up.</summary>
    LinkUp = 20,

    /// <summary>A link to a Worker is down.</summary>
    LinkDown = 21,

    /// <summary>A link was closed because the Worker did more than answer.</summary>
    PullOnlyViolation = 22,

    /// <summary>A Worker's link was refused.</summary>
    WorkerRefused = 23,

    /// <summary>A Worker is registered.</summary>
    WorkerReady = 24,

    /// <summary>A step of a Worker's registration failed and is tried again.</summary>
    RegistrationRetry = 25,

    /// <summary>A Worker waits for a registration slot.</summary>
    RegistrationWaits = 26,

    /// <summary>A claim on a device of another live Worker was refused.</summary>
    DeviceConflict = 27,

    /// <summary>A device went from one Worker to another.</summary>
    DeviceMoved = 28,

    /// <summary>A Worker was terminated by an operator.</summary>
    WorkerTerminated = 29,

    /// <summary>Dialling a Worker failed and is tried again.</summary>
    DialFailed = 30,

    /// <summary>A Worker's output is full: requests to it are held back.</summary>
    LinkCongested = 31,

    /// <summary>A handshake failed.</summary>
    HandshakeFailed = 32,

    /// <summary>A Worker refused a command because it has seen a newer kernel.</summary>
    Fenced = 33,

    /// <summary>A Worker's answer was not what the protocol asks for.</summary>
    AnswerInvalid = 34,

    /// <summary>Dialling a Worker that discovery names has failed again and again since it last served. Told once, until it serves.</summary>
    TargetUnreachable = 35,

    /// <summary>All places of callers were taken, and a link that was idle was closed for a further one.</summary>
    CallerGaveWay = 36,

    /// <summary>A Worker's registration has failed again and again since its link came up. Told once for each link.</summary>
    RegistrationStuck = 37,

    /// <summary>
    /// Links of a Worker have taken each other's place again and again, each while the one before was up: it runs twice, or is reached in two ways. Told once, until one ends by itself.
    /// </summary>
    LinkContested = 38,

    /// <summary>
    /// A Worker came back with a journal that does not know the one relied on before: lost, replaced, restored from a copy, or another machine's. What it had been sent and is not safe to repeat
    /// has ended as unknown.
    /// </summary>
    JournalReplaced = 39,

    /// <summary>A Worker turned sick.</summary>
    WorkerSick = 40,

    /// <summary>A Worker is dead.</summary>
    WorkerDead = 41,

    /// <summary>A Worker is healthy again.</summary>
    WorkerHealthy = 42,

    /// <summary>A scheduled job was due while it still ran.</summary>
    JobOverrun = 43,

    /// <summary>A scheduled job waits for a place in the window of pulls.</summary>
    JobWaits = 44,

    /// <summary>A request was refused.</summary>
    RequestRefused = 50,

    /// <summary>A repeated idempotency key was answered with its first command.</summary>
    IdempotencyHit = 51,

    /// <summary>An answer came for a command that had already ended.</summary>
    LateAnswerIgnored = 52,

    /// <summary>An answer to an earlier attempt settled a command.</summary>
    LateAnswerSettled = 53,

    /// <summary>An attempt ended without an answer and is repeated.</summary>
    CommandRetry = 54,

    /// <summary>A command was asked to stop after an attempt had been sent.</summary>
    CommandStopped = 55,

    /// <summary>A Worker answered UNKNOWN and the command is declared safe to repeat.</summary>
    UnknownReexecuted = 56,

    /// <summary>Settled commands left the store at the end of their retention.</summary>
    Compacted = 57,

    /// <summary>A telemetry query joined one already under way.</summary>
    PullShared = 58,

    /// <summary>A Worker answered a pull too late for anyone to hear it.</summary>
    LatePullIgnored = 59,

    /// <summary>A command waits in DISPATCHED because its Worker's link is congested.</summary>
    SendHeldBack = 60,

    /// <summary>A queued command went to its device's new Worker.</summary>
    CommandRerouted = 61,

    /// <summary>A telemetry sink threw; what it was handed is lost to it.</summary>
    SinkFailed = 62,

    /// <summary>A Worker's circuit opened: nothing but pings and registrations is sent to it.</summary>
    CircuitOpened = 70,

    /// <summary>A Worker's circuit lets a few probes through.</summary>
    CircuitHalfOpen = 71,

    /// <summary>A Worker's circuit closed.</summary>
    CircuitClosed = 72,

    /// <summary>A retry waits for the budget.</summary>
    RetryDelayed = 73,

    /// <summary>A pull was not made because its Worker's circuit does not let it through.</summary>
    PullHeldOff = 74,

    /// <summary>A Worker refused a scheduled pull: there is no telemetry or state of it this time.</summary>
    PullRefused = 75,

    /// <summary>A Worker has no place for commands, again and again, although it is at none: its handlers may stand still.</summary>
    WorkerBusy = 76,
}
