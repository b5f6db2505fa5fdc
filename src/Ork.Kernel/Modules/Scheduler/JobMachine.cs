namespace Ork.Kernel;

/// <summary>The table of the Scheduler, one machine for all jobs.</summary>
public static class JobMachine
{
    /// <summary>Builds the machine.</summary>
    /// <param name="observer">Hears of transitions.</param>
    /// <param name="strict">True: an unhandled trigger throws.</param>
    public static ModuleMachine<JobState, JobTrigger> Build(IKernelObserver observer, bool strict) => new("job", machine =>
    {
        machine.Configure(JobState.Idle)
            .Permit(JobTrigger.Elapse, JobState.Due);
        machine.Configure(JobState.Due)
            .Permit(JobTrigger.Start, JobState.Running)
            .Permit(JobTrigger.Drop, JobState.Idle);
        machine.Configure(JobState.Running)
            .Permit(JobTrigger.Finish, JobState.Idle)
            .Permit(JobTrigger.Elapse, JobState.Overrun);
        machine.Configure(JobState.Overrun)
            .Permit(JobTrigger.Finish, JobState.Idle);
    }, observer, strict);
}
