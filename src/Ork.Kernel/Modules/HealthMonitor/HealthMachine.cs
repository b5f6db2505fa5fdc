namespace Ork.Kernel;

/// <summary>The table of the Health Monitor, one machine for all Workers.</summary>
public static class HealthMachine
{
    /// <summary>Builds the machine.</summary>
    /// <param name="observer">Hears of transitions.</param>
    /// <param name="strict">True: an unhandled trigger throws.</param>
    public static ModuleMachine<HealthState, HealthTrigger> Build(IKernelObserver observer, bool strict) => new("health", machine =>
    {
        machine.Configure(HealthState.Unknown)
            .Permit(HealthTrigger.PingAnswered, HealthState.Healthy)
            .Permit(HealthTrigger.PingFailed, HealthState.Sick);
        machine.Configure(HealthState.Healthy)
            .Permit(HealthTrigger.PingFailed, HealthState.Sick);
        machine.Configure(HealthState.Sick)
            .Permit(HealthTrigger.PingAnswered, HealthState.Healthy)
            .Permit(HealthTrigger.LastPingFailed, HealthState.Dead);
        machine.Configure(HealthState.Dead)
            .Permit(HealthTrigger.PingAnswered, HealthState.Healthy);
    }, observer, strict);
}
