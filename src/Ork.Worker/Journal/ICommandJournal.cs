using Ork.Protocol;

namespace Ork.Worker;

/// <summary>What a journal knows of a command that is about to be started.</summary>
public enum JournalVerdict
{
    /// <summary>Nothing: it is recorded as started now, durably, and may be executed.</summary>
    Started,

    /// <summary>It ended: the recorded answer is given instead of executing.</summary>
    Ended,

    /// <summary>It was started and has no recorded end: nobody knows how it ended.</summary>
    Unknown,

    /// <summary>It comes from an older kernel than one already seen.</summary>
    StaleEpoch,
}

/// <summary>How a command ended.</summary>
/// <param name="Status">Success or failed.</param>
/// <param name="Result">The result's JSON, empty where there is none.</param>
/// <param name="Error">The error text, or null.</param>
public sealed record JournalAnswer(CommandStatus Status, ReadOnlyMemory<byte> Result, string? Error);

/// <summary>A command about to be started.</summary>
/// <param name="WorkerId">The Worker, so that several may share a journal.</param>
/// <param name="CommandId">The command.</param>
/// <param name="Attempt">The attempt.</param>
/// <param name="Epoch">The kernel's epoch.</param>
/// <param name="Reexecute">True where a command without a recorded end may be executed again.</param>
public sealed record JournalStart(string WorkerId, string CommandId, int Attempt, long Epoch, bool Reexecute);

/// <summary>
/// The port to a Worker's durable memory of what it started and how that ended. Contract: when <see cref="StartAsync"/> has returned
/// <see cref="JournalVerdict.Started"/>, no later call for the same command returns it again, whatever crashes in between, unless it is told to re-execute.
/// </summary>
public interface ICommandJournal
{
    /// <summary>
    /// Names of the journal's openings, this one first, then those before it, as far as they are kept; empty where it does not outlive its process. Each opening makes a name of its own, kept
    /// with the entries: who finds the name that was told before finds what was written until then. A journal that was lost, replaced or restored from a copy does not have it, and the kernel
    /// then takes what it sent before for unknown.
    /// </summary>
    IReadOnlyList<string> Incarnations { get; }

    /// <summary>Records a start, unless something is known of the command.</summary>
    ValueTask<(JournalVerdict Verdict, JournalAnswer? Answer)> StartAsync(JournalStart start);

    /// <summary>Records an end.</summary>
    ValueTask EndAsync(string workerId, string commandId, JournalAnswer answer);
}
