using Ork.Protocol;

namespace Ork.Kernel;

/// <summary>What the Concurrency Manager offers: who may hold which devices, and how much may queue.</summary>
internal interface IDeviceLocks
{
    /// <summary>Whether one more command may queue.</summary>
    /// <returns>Null if it may, else the refusal.</returns>
    Refusal? Admit(CommandSpec command, WorkerEntry worker);

    /// <summary>Takes all of a command's devices, or none.</summary>
    /// <returns>False where one is held: the command waits, and is driven when it is free.</returns>
    bool TryAcquire(Command command);

    /// <summary>Gives a command's devices back.</summary>
    void Release(Command command);
}

/// <summary>Locks that are always free.</summary>
internal sealed class FreeLocks : IDeviceLocks
{
    /// <inheritdoc/>
    public Refusal? Admit(CommandSpec command, WorkerEntry worker) => null;

    /// <inheritdoc/>
    public bool TryAcquire(Command command) => true;

    /// <inheritdoc/>
    public void Release(Command command)
    {
    }
}
