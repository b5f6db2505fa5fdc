using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Ork.Kernel;

/// <summary>What a job does. The runner calls <paramref name="done"/> exactly once, in this turn or a later one.</summary>
/// <param name="kind">What to pull.</param>
/// <param name="worker">From whom.</param>
/// <param name="done">To be called at the end.</param>
/// <param name="turn">The turn.</param>
internal delegate void RunJob(JobKind kind, WorkerEntry worker, Action<Turn> done, Turn turn);

/// <summary>
/// The metronome: every interval pull of every Worker. A job never overlaps itself; each Worker's phase is its own, so that pulls spread evenly;
/// nothing of it is stored, a restart begins from zero.
/// </summary>
internal sealed class Scheduler(
    ScheduleOptions options, ModuleMachine<JobState, JobTrigger> machine, TimerWheel timers, IKernelObserver observer, RunJob run)
{
    private readonly Dictionary<(WorkerEntry Worker, JobKind Kind), Job> _jobs = [];
    [SuppressMessage("Ork.Bounds", "ORK0301", Justification = "One place for each job: a job that waits is not due again.")]
    private readonly Queue<Job> _waiting = new();
    private int _pulls;
    private bool _beginsWaiting;

    /// <summary>Scheduled telemetry and state pulls under way; never above the limit (S12).</summary>
    internal int PullsInFlight => _pulls;

    /// <summary>Starts a job; one already started stays as it is.</summary>
    internal void Start(JobKind kind, WorkerEntry worker, Turn turn)
    {
        if (_jobs.ContainsKey((worker, kind))) return;
        var job = new Job(kind, worker, IntervalOf(kind), PhaseOf(worker, kind), $"{kind}:{worker.WorkerId}");
        job.Timer = new WheelTimer(at => Elapse(job, at));
        job.Done = at => Finish(job, at);
        _jobs.Add((worker, kind), job);
        timers.Set(job.Timer, job.NextAfter(turn.NowMs));
    }

    /// <summary>Ends a job: what is under way still ends by itself.</summary>
    internal void Stop(JobKind kind, WorkerEntry worker)
    {
        if (!_jobs.Remove((worker, kind), out var job)) return;
        job.Stopped = true;
        TimerWheel.Cancel(job.Timer!);
    }

    private void Elapse(Job job, Turn turn)
    {
        timers.Set(job.Timer!, job.NextAfter(turn.NowMs));
        switch (job.State)
        {
            case JobState.Idle:
                machine.Fire(ref job.State, JobTrigger.Elapse, job.Name);
                Begin(job, turn);
                break;
            case JobState.Running:
                machine.Fire(ref job.State, JobTrigger.Elapse, job.Name);
                observer.Note(KernelEvent.JobOverrun, job.Worker.WorkerId, job.Kind.ToString());
                break;
        }
    }

    private void Begin(Job job, Turn turn)
    {
        if (job.Kind != JobKind.Health && _pulls >= options.MaxPulls)
        {
            observer.Note(KernelEvent.JobWaits, job.Worker.WorkerId, job.Kind.ToString());
            _waiting.Enqueue(job);
            return;
        }

        machine.Fire(ref job.State, JobTrigger.Start, job.Name);
        if (job.Kind != JobKind.Health) _pulls++;
        run(job.Kind, job.Worker, job.Done!, turn);
    }

    private void Finish(Job job, Turn turn)
    {
        machine.Fire(ref job.State, JobTrigger.Finish, job.Name);
        if (job.Kind != JobKind.Health) _pulls--;
        BeginWaiting(turn);
    }

    /// <summary>A pull may end as it begins, where its Worker is not to be asked: the loop that runs already goes on then, for thousands may wait and a stack has an end.</summary>
    private void BeginWaiting(Turn turn)
    {
        if (_beginsWaiting) return;
        _beginsWaiting = true;
        while (_pulls < options.MaxPulls && _waiting.TryDequeue(out var next))
        {
            if (next.Stopped) machine.Fire(ref next.State, JobTrigger.Drop, next.Name);
            else Begin(next, turn);
        }

        _beginsWaiting = false;
    }

    private long IntervalOf(JobKind kind) => kind switch
    {
        JobKind.Health => options.HealthIntervalMs,
        JobKind.State => options.StateIntervalMs,
        _ => options.TelemetryIntervalMs,
    };

    private long PhaseOf(WorkerEntry worker, JobKind kind)
    {
        var phaseMs = Phase(worker.WorkerId, kind, IntervalOf(kind));
        return phaseMs - (phaseMs % options.StepMs);
    }

    /// <summary>A place in the interval that depends on nothing but the names, so that it is the same in every run (FNV-1a).</summary>
    private static long Phase(string workerId, JobKind kind, long intervalMs)
    {
        var hash = 14695981039346656037UL ^ (ulong)kind;
        foreach (var b in Encoding.UTF8.GetBytes(workerId)) hash = (hash ^ b) * 1099511628211UL;
        hash ^= hash >> 32;
        return (long)(hash % (ulong)intervalMs);
    }

    private sealed class Job(JobKind kind, WorkerEntry worker, long intervalMs, long phaseMs, string name)
    {
        internal JobState State;

        internal JobKind Kind { get; } = kind;

        internal WorkerEntry Worker { get; } = worker;

        internal string Name { get; } = name;

        internal bool Stopped { get; set; }

        internal WheelTimer? Timer { get; set; }

        internal Action<Turn>? Done { get; set; }

        /// <summary>The first time of the job's phase after <paramref name="nowMs"/>.</summary>
        internal long NextAfter(long nowMs) =>
            nowMs < phaseMs ? phaseMs : phaseMs + ((((nowMs - phaseMs) / intervalMs) + 1) * intervalMs);
    }
}
