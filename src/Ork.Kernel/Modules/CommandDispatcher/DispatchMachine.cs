namespace Ork.Kernel;

/// <summary>The table of the Command Dispatcher, one machine for all requests.</summary>
public static class DispatchMachine
{
    /// <summary>Builds the machine.</summary>
    /// <param name="observer">Hears of transitions.</param>
    /// <param name="strict">True: an unhandled trigger throws.</param>
    public static ModuleMachine<DispatchState, DispatchTrigger> Build(IKernelObserver observer, bool strict) => new("dispatch", machine =>
    {
        machine.Configure(DispatchState.Validating)
            .Permit(DispatchTrigger.Valid, DispatchState.Routing)
            .Permit(DispatchTrigger.Refuse, DispatchState.Rejected);
        machine.Configure(DispatchState.Routing)
            .Permit(DispatchTrigger.Routed, DispatchState.Enqueued)
            .Permit(DispatchTrigger.Refuse, DispatchState.Rejected);
        machine.Configure(DispatchState.Enqueued);
        machine.Configure(DispatchState.Rejected);
    }, observer, strict);
}
