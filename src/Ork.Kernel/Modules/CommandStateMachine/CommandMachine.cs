namespace Ork.Kernel;

/// <summary>The table of the Command State Machine, one machine for all commands.</summary>
public static class CommandMachine
{
    /// <summary>Builds the machine.</summary>
    /// <param name="observer">Hears of transitions.</param>
    /// <param name="strict">True: an unhandled trigger throws.</param>
    public static ModuleMachine<CommandState, CommandTrigger> Build(IKernelObserver observer, bool strict) => new("command", machine =>
    {
        machine.Configure(CommandState.New)
            .Permit(CommandTrigger.Accept, CommandState.Queued);
        machine.Configure(CommandState.Queued)
            .Permit(CommandTrigger.Assign, CommandState.Dispatched)
            .Permit(CommandTrigger.Cancel, CommandState.Failed)
            .Permit(CommandTrigger.DeadlinePassed, CommandState.Failed)
            .Permit(CommandTrigger.Abandon, CommandState.Failed)
            .Permit(CommandTrigger.LateSuccess, CommandState.Success)
            .Permit(CommandTrigger.LateFailure, CommandState.Failed);
        machine.Configure(CommandState.Dispatched)
            .Permit(CommandTrigger.Send, CommandState.Executing)
            .Permit(CommandTrigger.AttemptTimedOut, CommandState.Timeout)
            .Permit(CommandTrigger.LinkLost, CommandState.Timeout)
            .Permit(CommandTrigger.Recovered, CommandState.Timeout)
            .Permit(CommandTrigger.ShuttingDown, CommandState.Timeout)
            .Permit(CommandTrigger.Cancel, CommandState.Failed)
            .Permit(CommandTrigger.DeadlinePassed, CommandState.Failed)
            .Permit(CommandTrigger.LateSuccess, CommandState.Success)
            .Permit(CommandTrigger.LateFailure, CommandState.Failed);
        machine.Configure(CommandState.Executing)
            .Permit(CommandTrigger.WorkerSucceeded, CommandState.Success)
            .Permit(CommandTrigger.WorkerFailed, CommandState.Failed)
            .Permit(CommandTrigger.AttemptTimedOut, CommandState.Timeout)
            .Permit(CommandTrigger.WorkerBusy, CommandState.Timeout)
            .Permit(CommandTrigger.JournalFailed, CommandState.Timeout)
            .Permit(CommandTrigger.WorkerUnsure, CommandState.Timeout)
            .Permit(CommandTrigger.Withdrawn, CommandState.Timeout)
            .Permit(CommandTrigger.LinkLost, CommandState.Timeout)
            .Permit(CommandTrigger.Recovered, CommandState.Timeout)
            .Permit(CommandTrigger.ShuttingDown, CommandState.Timeout)
            .Permit(CommandTrigger.LateSuccess, CommandState.Success);
        machine.Configure(CommandState.Timeout)
            .Permit(CommandTrigger.Retry, CommandState.Queued)
            .Permit(CommandTrigger.GiveUp, CommandState.Failed)
            .Permit(CommandTrigger.LateSuccess, CommandState.Success)
            .Permit(CommandTrigger.LateFailure, CommandState.Failed);
        machine.Configure(CommandState.Success);
        machine.Configure(CommandState.Failed);
    }, observer, strict);
}
