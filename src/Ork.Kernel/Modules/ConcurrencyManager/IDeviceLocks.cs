using System.Diagnostics.CodeAnalysis;
using Ork.Protocol;

namespace Ork.Kernel;

/// <summary>What the Concurrency Manager offers: who may hold which devices, whose turn it is, and how much may queue.</summary>
internal interface IDeviceLocks
{
    /// <summary>Whether one more command may queue.</summary>
    /// <returns>Null if it may, else the refusal.</returns>
    Refusal? Admit(CommandSpec command, WorkerEntry worker);

    /// <summary>Commands in line, over all devices; never above the limit (S12).</summary>
    int Open { get; }

    /// <summary>How many of them are a Worker's.</summary>
    int OpenOf(WorkerEntry worker);

    /// <summary>An accepted command takes its place at each of its devices; it keeps it until <see cref="Leave"/>.</summary>
    void Enter(Command command);

    /// <summary>A command has ended: those behind it move up.</summary>
    void Leave(Command command);

    /// <summary>The command may be assigned from now on, as soon as it is its turn at all its devices.</summary>
    void Want(Command command);

    /// <summary>The command may not be assigned until it is wanted again. Its places stay.</summary>
    void Rest(Command command);

    /// <summary>The command goes on at another Worker.</summary>
    void Reassign(Command command, WorkerEntry worker);

    /// <summary>The command whose turn it is at a Worker, all its devices being free; null where there is none.</summary>
    Command? NextFor(WorkerEntry worker);

    /// <summary>Takes all devices of a command that <see cref="NextFor"/> named.</summary>
    void Acquire(Command command);

    /// <summary>Gives a command's devices back. Its place at them stays.</summary>
    void Release(Command command);

    /// <summary>A Worker one of whose commands has come to its turn since it was last asked, so that none waits for want of a nudge.</summary>
    bool TryTakeNudged([NotNullWhen(true)] out WorkerEntry? worker);
}
