using Ork.Protocol;

namespace Ork.Kernel;

/// <summary>What the Fault Supervisor offers: whether a Worker may be sent to, and whether a retry fits the kernel's budget.</summary>
internal interface ICircuits
{
    /// <summary>How a Worker's circuit stands.</summary>
    CircuitState Of(WorkerEntry worker);

    /// <summary>True where the Worker's circuit lets one more exchange through: all do while it is closed, none while it is open, a few while it is half-open.</summary>
    bool Admits(WorkerEntry worker);

    /// <summary>Whether a new command for the Worker may be accepted. Urgent ones may wait for a circuit that opened by itself.</summary>
    /// <returns>Null if it may, else the refusal.</returns>
    Refusal? Refuses(WorkerEntry worker, CommandPriority priority);

    /// <summary>Takes one retry from the kernel's budget.</summary>
    /// <returns>False where it is used up: the retry waits.</returns>
    bool TryTakeRetry(long nowMs);

    /// <summary>A command was sent for the first time: the budget for retries grows by its share.</summary>
    void FirstAttempt(long nowMs);
}

/// <summary>Hears how exchanges with Workers go. Health pings and registrations do not count: they are how the kernel learns that a Worker is back.</summary>
internal interface IExchangeWatch
{
    /// <summary>An exchange begins.</summary>
    /// <returns>The ticket to end it with.</returns>
    int Begin(WorkerEntry worker);

    /// <summary>An exchange has ended.</summary>
    /// <param name="worker">The Worker.</param>
    /// <param name="ticket">What <see cref="Begin"/> gave.</param>
    /// <param name="error">Null where it was answered, else why not.</param>
    /// <param name="turn">The turn.</param>
    void End(WorkerEntry worker, int ticket, ErrorCode? error, Turn turn);
}
