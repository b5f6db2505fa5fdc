using Ork.Protocol;

namespace Ork.Kernel;

/// <summary>What the Health Monitor offers.</summary>
internal interface IHealth
{
    /// <summary>How well a Worker is.</summary>
    HealthState Of(WorkerEntry worker);

    /// <summary>True where commands may go to the Worker: it is healthy. Unknown, sick and dead ones get none (S7).</summary>
    bool IsRoutable(WorkerEntry worker);
}

/// <summary>
/// Pings every known Worker, registered or not: on each new link at once, then at its interval. One failed ping makes it sick, three in a row dead; the
/// silent link of a dead one is closed, whenever it was opened, so that it can come back on a new one.
/// </summary>
internal sealed class HealthMonitor(
    HealthOptions options, ModuleMachine<HealthState, HealthTrigger> machine, Exchanges exchanges, IKernelObserver observer,
    Action<WorkerEntry, Turn> changed) : IHealth, IAnswerHandler
{
    private readonly Dictionary<WorkerEntry, Record> _records = [];

    /// <inheritdoc/>
    public HealthState Of(WorkerEntry worker) => _records.TryGetValue(worker, out var record) ? record.State : HealthState.Unknown;

    /// <inheritdoc/>
    public bool IsRoutable(WorkerEntry worker) => Of(worker) == HealthState.Healthy;

    /// <summary>The Worker is to be probed from now on.</summary>
    internal void Watch(WorkerEntry worker) => _records.TryAdd(worker, new Record(worker));

    /// <summary>The Worker is probed no longer.</summary>
    internal void Forget(WorkerEntry worker) => _records.Remove(worker);

    /// <summary>Pings a Worker; without a link the ping fails at once.</summary>
    /// <param name="worker">Whom.</param>
    /// <param name="done">Called when the ping has ended, or null.</param>
    /// <param name="turn">The turn.</param>
    internal void Ping(WorkerEntry worker, Action<Turn>? done, Turn turn)
    {
        if (!_records.TryGetValue(worker, out var record)) return;
        if (worker.Link is { } link)
        {
            exchanges.Send(link, OrkAction.HealthPing, default, options.PingTimeoutMs, this, new Probe(record, done), turn.AtOnce, turn);
            return;
        }

        Failed(record, turn);
        done?.Invoke(turn);
    }

    /// <inheritdoc/>
    public void Answered(Ask ask, in Envelope answer, Turn turn)
    {
        if (ask.Expired) return;
        if (PayloadRules.ReadHealth(answer.Payload, out _) is { } refusal)
        {
            exchanges.Invalid(ask, refusal.Text, turn);
            return;
        }

        var probe = (Probe)ask.Subject;
        ask.Link.PingsFailed = 0;
        Succeeded(probe.Record, turn);
        probe.Done?.Invoke(turn);
    }

    /// <inheritdoc/>
    public void Unanswered(Ask ask, ErrorCode why, Turn turn)
    {
        var probe = (Probe)ask.Subject;
        ask.Link.PingsFailed++;
        Failed(probe.Record, turn);
        probe.Done?.Invoke(turn);
    }

    private void Succeeded(Record record, Turn turn)
    {
        record.FailedInRow = 0;
        if (record.State == HealthState.Healthy) return;
        machine.Fire(ref record.State, HealthTrigger.PingAnswered, record.Worker.WorkerId);
        observer.Note(KernelEvent.WorkerHealthy, record.Worker.WorkerId);
        changed(record.Worker, turn);
    }

    private void Failed(Record record, Turn turn)
    {
        record.FailedInRow++;
        if (record.State == HealthState.Dead)
        {
            // Linked anew, and silent again.
            if (record.Worker.Link?.PingsFailed >= options.DeadAfter) GiveUpLink(record.Worker, turn);
            return;
        }

        if (record.State != HealthState.Sick)
        {
            machine.Fire(ref record.State, HealthTrigger.PingFailed, record.Worker.WorkerId);
            observer.Note(KernelEvent.WorkerSick, record.Worker.WorkerId);
            changed(record.Worker, turn);
        }

        // The first may be the last already.
        if (record.FailedInRow >= options.DeadAfter)
        {
            machine.Fire(ref record.State, HealthTrigger.LastPingFailed, record.Worker.WorkerId);
            observer.Note(KernelEvent.WorkerDead, record.Worker.WorkerId);
            GiveUpLink(record.Worker, turn);
            changed(record.Worker, turn);
        }
    }

    private static void GiveUpLink(WorkerEntry worker, Turn turn)
    {
        if (worker.Link is { } link) turn.AtOnce.Close(link.Session, ErrorCodes.WorkerUnresponsive);
    }

    private sealed class Record(WorkerEntry worker)
    {
        internal HealthState State;

        internal WorkerEntry Worker { get; } = worker;

        internal int FailedInRow { get; set; }
    }

    private sealed record Probe(Record Record, Action<Turn>? Done);
}
