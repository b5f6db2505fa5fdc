// A module as somebody else would add one to a kernel: a machine, a table of entities, timers, requests, interfaces. No rule for kernels has anything to say.
using Ork;
using Ork.Kernel;
using Ork.Protocol;

namespace Foreign.Kernel.Modules.Firmware;

public enum UpdateState
{
    Idle,
    Fetching,
    Done,
}

public enum UpdateTrigger
{
    Fetch,
    Fetched,
    Failed,
}

internal interface IFirmware
{
    UpdateState Of(WorkerEntry worker);
}

[OrkRecord(1)]
internal sealed record UpdateRow(string WorkerId, UpdateState State)
{
    internal static UpdateRow Parse(string line) => new(line, UpdateState.Idle);
}

internal static class UpdateMachine
{
    internal static ModuleMachine<UpdateState, UpdateTrigger> Build(IKernelObserver observer, bool strict) => new("update", machine =>
    {
        machine.Configure(UpdateState.Idle).Permit(UpdateTrigger.Fetch, UpdateState.Fetching);
        machine.Configure(UpdateState.Fetching).Permit(UpdateTrigger.Fetched, UpdateState.Done).Permit(UpdateTrigger.Failed, UpdateState.Idle);
        machine.Configure(UpdateState.Done);
    }, observer, strict);
}

internal sealed class Firmware(
    ModuleMachine<UpdateState, UpdateTrigger> machine, IWorkerRoutes routes, Exchanges exchanges, TimerWheel timers, IEntropy entropy, long timeoutMs, int window) : IFirmware, IAnswerHandler
{
    private readonly Dictionary<WorkerEntry, Update> _updates = [];
    private int _running;

    public UpdateState Of(WorkerEntry worker) => _updates.TryGetValue(worker, out var update) ? update.State : UpdateState.Idle;

    internal void Start(Turn turn)
    {
        foreach (var worker in routes.Workers)
        {
            if (_running >= window) return;
            if (worker.Link is { } link && !_updates.ContainsKey(worker)) Fetch(worker, link, turn);
        }
    }

    public void Answered(Ask ask, in Envelope answer, Turn turn) => End((Update)ask.Subject, UpdateTrigger.Fetched, turn);

    public void Unanswered(Ask ask, ErrorCode why, Turn turn) => End((Update)ask.Subject, UpdateTrigger.Failed, turn);

    private void Fetch(WorkerEntry worker, WorkerLink link, Turn turn)
    {
        var update = new Update(worker);
        _updates.Add(worker, update);
        if (!Move(update, UpdateTrigger.Fetch, turn)) return;
        _running++;
        exchanges.Send(link, OrkAction.TelemetryPull, default, timeoutMs, this, update, turn.AfterCommit, turn);
    }

    private void End(Update update, UpdateTrigger trigger, Turn turn)
    {
        _running--;
        if (!Move(update, trigger, turn) || update.State == UpdateState.Done) return;
        update.Timer ??= new WheelTimer(at => Start(at));
        timers.Set(update.Timer, turn.NowMs + entropy.FullJitterMs(update.Failures++, 1_000, 60_000));
    }

    private bool Move(Update update, UpdateTrigger trigger, Turn turn)
    {
        if (!machine.Fire(ref update.State, trigger, update.Worker.WorkerId)) return false;
        turn.Records.Workers.Add(new WorkerRow(update.Worker.WorkerId, update.Worker.PeerKey, "", "", default, false));
        return true;
    }

    private sealed class Update(WorkerEntry worker)
    {
        internal UpdateState State;

        internal WorkerEntry Worker { get; } = worker;

        internal int Failures { get; set; }

        internal WheelTimer? Timer { get; set; }
    }
}
