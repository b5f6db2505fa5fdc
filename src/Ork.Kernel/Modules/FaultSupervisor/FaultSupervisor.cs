using Ork.Protocol;

namespace Ork.Kernel;

/// <summary>
/// A circuit per Worker, and a budget for retries over all of them: what a failing Worker costs the others is bounded. Too many failures, or too many lost links,
/// open a circuit; while it is open nothing is sent but pings and registrations; after a growing pause a few probes decide.
/// </summary>
internal sealed class FaultSupervisor(
    CircuitOptions options, RetryOptions retries, ModuleMachine<CircuitState, CircuitTrigger> machine, TimerWheel timers, IEntropy entropy, IKernelObserver observer,
    Action<WorkerEntry, Turn> changed, long nowMs) : ICircuits, IExchangeWatch
{
    private readonly Dictionary<WorkerEntry, Circuit> _circuits = [];
    private readonly RetryBudget _budget = new(retries, nowMs);

    /// <summary>Retries that the budget would allow now.</summary>
    internal long RetriesLeft(long nowMs) => _budget.Left(nowMs);

    /// <inheritdoc/>
    public CircuitState Of(WorkerEntry worker) => _circuits.TryGetValue(worker, out var circuit) ? circuit.State : CircuitState.Closed;

    /// <summary>How often a Worker's circuit has opened in a row.</summary>
    internal int OpensOf(WorkerEntry worker) => _circuits.TryGetValue(worker, out var circuit) ? circuit.Opens : 0;

    /// <inheritdoc/>
    public bool Admits(WorkerEntry worker) => !_circuits.TryGetValue(worker, out var circuit) || circuit.State switch
    {
        CircuitState.Closed => true,
        CircuitState.HalfOpen => circuit.Probes < options.HalfOpenProbes,
        _ => false,
    };

    /// <inheritdoc/>
    public Refusal? Refuses(WorkerEntry worker, CommandPriority priority) =>
        Of(worker) == CircuitState.Open && (worker.Hold == CircuitHold.Open || priority != CommandPriority.Urgent) ? ErrorCodes.CircuitOpen : null;

    /// <inheritdoc/>
    public bool TryTakeRetry(long nowMs) => _budget.TryTake(nowMs);

    /// <inheritdoc/>
    public void FirstAttempt(long nowMs) => _budget.FirstAttempt(nowMs);

    /// <inheritdoc/>
    public int Begin(WorkerEntry worker)
    {
        var circuit = CircuitOf(worker);
        if (circuit.State == CircuitState.HalfOpen) circuit.Probes++;
        return circuit.Ticket;
    }

    /// <inheritdoc/>
    public void End(WorkerEntry worker, int ticket, ErrorCode? error, Turn turn)
    {
        // What began under another state says nothing about this one.
        if (!_circuits.TryGetValue(worker, out var circuit) || circuit.Ticket != ticket) return;
        if (error == ErrorCodes.Deadline || error == ErrorCodes.Cancelled) NotMade(circuit, turn);
        else if (circuit.State == CircuitState.HalfOpen) EndProbe(circuit, error is null, turn);
        else if (circuit.State == CircuitState.Closed) Count(circuit, error, turn);
    }

    /// <summary>A Worker's link was lost: once is nothing, again and again is.</summary>
    internal void LinkLost(WorkerEntry worker, Turn turn)
    {
        var circuit = CircuitOf(worker);
        if (circuit.State != CircuitState.Closed) return;
        circuit.LinksLost.Add(turn.NowMs);
        if (circuit.LinksLost.Total(turn.NowMs) >= options.LinksLostToOpen) Trip(circuit, "flaps", turn);
    }

    /// <summary>Holds a Worker's circuit as its entry says: at an operator's word, or after a start.</summary>
    internal void ApplyHold(WorkerEntry worker, Turn turn)
    {
        var circuit = CircuitOf(worker);
        if (worker.Hold == CircuitHold.Open)
        {
            StopCooling(circuit);
            if (circuit.State != CircuitState.Open) Enter(circuit, CircuitTrigger.Isolate, "isolated", turn);
        }
        else if (circuit.State != CircuitState.Closed)
        {
            StopCooling(circuit);
            circuit.Opens = 0;
            Enter(circuit, CircuitTrigger.Restore, "restored", turn);
        }
    }

    /// <summary>The Worker is out of service.</summary>
    internal void Forget(WorkerEntry worker)
    {
        if (_circuits.Remove(worker, out var circuit)) StopCooling(circuit);
    }

    private void Count(Circuit circuit, ErrorCode? error, Turn turn)
    {
        // A lost link ends all its exchanges at once; it is counted as what it is, one link lost.
        if (error == ErrorCodes.LinkLost) return;
        if (error is null)
        {
            circuit.ConsecutiveFailures = 0;
            circuit.Answered.Add(turn.NowMs);
            return;
        }

        circuit.ConsecutiveFailures++;
        circuit.Failed.Add(turn.NowMs);
        var failed = circuit.Failed.Total(turn.NowMs);
        var all = failed + circuit.Answered.Total(turn.NowMs);
        if (circuit.ConsecutiveFailures >= options.ConsecutiveFailures) Trip(circuit, $"{circuit.ConsecutiveFailures} failures in a row", turn);
        else if (all >= options.MinExchanges && failed * 100L >= (long)all * options.FailurePercent) Trip(circuit, $"{failed} of {all} failed", turn);
    }

    /// <summary>An exchange that was taken back before it left says nothing of the Worker.</summary>
    private void NotMade(Circuit circuit, Turn turn)
    {
        if (circuit.State != CircuitState.HalfOpen) return;
        circuit.Probes--;
        changed(circuit.Worker, turn);
    }

    private void EndProbe(Circuit circuit, bool answered, Turn turn)
    {
        circuit.Probes--;
        if (!answered)
        {
            Cool(circuit, CircuitTrigger.ProbeFailed, "a probe failed", turn);
        }
        else if (++circuit.ProbesAnswered >= options.ProbesToClose)
        {
            circuit.ClosedAtMs = turn.NowMs;
            Enter(circuit, CircuitTrigger.ProbesSucceeded, "probes answered", turn);
        }
        else
        {
            changed(circuit.Worker, turn);
        }
    }

    private void Trip(Circuit circuit, string why, Turn turn)
    {
        if (circuit.Worker.Hold == CircuitHold.Closed) return;
        if (turn.NowMs - circuit.ClosedAtMs >= options.ForgetAfterMs) circuit.Opens = 0;
        Cool(circuit, CircuitTrigger.Trip, why, turn);
    }

    /// <summary>Opens the circuit for a pause that doubles each time, of which at least half is kept.</summary>
    private void Cool(Circuit circuit, CircuitTrigger trigger, string why, Turn turn)
    {
        var ceilingMs = Math.Min(options.CoolDownCapMs, options.CoolDownBaseMs << Math.Min(circuit.Opens, 30));
        circuit.Opens++;
        var pauseMs = (ceilingMs / 2) + (long)(entropy.NextBits() % (ulong)((ceilingMs / 2) + 1));
        circuit.CoolAtMs = turn.NowMs + pauseMs;
        circuit.Timer ??= new WheelTimer(at => Enter(circuit, CircuitTrigger.CoolDown, "cooled down", at));
        timers.Set(circuit.Timer, circuit.CoolAtMs);
        Enter(circuit, trigger, why, turn);
    }

    private void Enter(Circuit circuit, CircuitTrigger trigger, string why, Turn turn)
    {
        machine.Fire(ref circuit.State, trigger, circuit.Worker.WorkerId);
        circuit.Begin();
        var what = circuit.State switch
        {
            CircuitState.Open => KernelEvent.CircuitOpened,
            CircuitState.HalfOpen => KernelEvent.CircuitHalfOpen,
            _ => KernelEvent.CircuitClosed,
        };
        observer.Note(what, circuit.Worker.WorkerId, why);
        changed(circuit.Worker, turn);
    }

    private static void StopCooling(Circuit circuit)
    {
        circuit.CoolAtMs = 0;
        if (circuit.Timer is { } timer) TimerWheel.Cancel(timer);
    }

    private Circuit CircuitOf(WorkerEntry worker)
    {
        if (!_circuits.TryGetValue(worker, out var circuit)) _circuits.Add(worker, circuit = new Circuit(worker, options) { ClosedAtMs = nowMs });
        return circuit;
    }
}
