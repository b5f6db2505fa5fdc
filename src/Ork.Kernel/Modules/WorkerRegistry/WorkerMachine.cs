namespace Ork.Kernel;

/// <summary>The table of the Worker Registry, one machine for all Workers.</summary>
public static class WorkerMachine
{
    /// <summary>Builds the machine.</summary>
    /// <param name="observer">Hears of transitions.</param>
    /// <param name="strict">True: an unhandled trigger throws.</param>
    public static ModuleMachine<WorkerState, WorkerTrigger> Build(IKernelObserver observer, bool strict) => new("worker", machine =>
    {
        machine.Configure(WorkerState.Unregistered)
            .Permit(WorkerTrigger.Discover, WorkerState.Discovered);
        machine.Configure(WorkerState.Discovered)
            .Permit(WorkerTrigger.SaveIdentity, WorkerState.IdentitySaved)
            .Permit(WorkerTrigger.Terminate, WorkerState.Terminated);
        machine.Configure(WorkerState.IdentitySaved)
            .Permit(WorkerTrigger.SaveContract, WorkerState.Ready)
            .Permit(WorkerTrigger.LoseLink, WorkerState.Discovered)
            .Permit(WorkerTrigger.Terminate, WorkerState.Terminated);
        machine.Configure(WorkerState.Ready)
            .Permit(WorkerTrigger.LoseLink, WorkerState.Discovered)
            .Permit(WorkerTrigger.Terminate, WorkerState.Terminated);
        machine.Configure(WorkerState.Terminated);
    }, observer, strict);
}
