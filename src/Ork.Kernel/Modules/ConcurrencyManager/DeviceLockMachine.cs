namespace Ork.Kernel;

/// <summary>The table of the Concurrency Manager, one machine for the locks of all devices.</summary>
public static class DeviceLockMachine
{
    /// <summary>Builds the machine.</summary>
    /// <param name="observer">Hears of transitions.</param>
    /// <param name="strict">True: an unhandled trigger throws.</param>
    public static ModuleMachine<DeviceLockState, DeviceLockTrigger> Build(IKernelObserver observer, bool strict) => new("lock", machine =>
    {
        machine.Configure(DeviceLockState.Free)
            .Permit(DeviceLockTrigger.Acquire, DeviceLockState.Held);
        machine.Configure(DeviceLockState.Held)
            .Permit(DeviceLockTrigger.Release, DeviceLockState.Free);
    }, observer, strict);
}
