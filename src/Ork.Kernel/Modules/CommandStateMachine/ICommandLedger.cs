using Ork.Protocol;

namespace Ork.Kernel;

/// <summary>What the Command State Machine offers the other modules.</summary>
internal interface ICommandLedger
{
    /// <summary>The command a caller's idempotency key stands for, or null.</summary>
    Command? FindByKey(string caller, string key);

    /// <summary>Whether there is memory for one more command.</summary>
    /// <param name="requestBytes">Bytes of the command's parameters and targets.</param>
    /// <returns>Null if there is, else the refusal.</returns>
    Refusal? Admit(long requestBytes);

    /// <summary>Accepts a command: from here on it is never lost.</summary>
    Command Accept(CommandSpec spec, WorkerEntry worker, Turn turn);

    /// <summary>Something changed that may make commands of a Worker assignable.</summary>
    void Drive(WorkerEntry worker, Turn turn);
}
