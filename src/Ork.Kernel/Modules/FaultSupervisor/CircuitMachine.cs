namespace Ork.Kernel;

/// <summary>The table of the Fault Supervisor, one machine for the circuits of all Workers.</summary>
public static class CircuitMachine
{
    /// <summary>Builds the machine.</summary>
    /// <param name="observer">Hears of transitions.</param>
    /// <param name="strict">True: an unhandled trigger throws.</param>
    public static ModuleMachine<CircuitState, CircuitTrigger> Build(IKernelObserver observer, bool strict) => new("circuit", machine =>
    {
        machine.Configure(CircuitState.Closed)
            .Permit(CircuitTrigger.Trip, CircuitState.Open)
            .Permit(CircuitTrigger.Isolate, CircuitState.Open);
        machine.Configure(CircuitState.Open)
            .Permit(CircuitTrigger.CoolDown, CircuitState.HalfOpen)
            .Permit(CircuitTrigger.Restore, CircuitState.Closed);
        machine.Configure(CircuitState.HalfOpen)
            .Permit(CircuitTrigger.ProbesSucceeded, CircuitState.Closed)
            .Permit(CircuitTrigger.ProbeFailed, CircuitState.Open)
            .Permit(CircuitTrigger.Isolate, CircuitState.Open)
            .Permit(CircuitTrigger.Restore, CircuitState.Closed);
    }, observer, strict);
}
