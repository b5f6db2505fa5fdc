namespace Ork.Kernel;

/// <summary>Where a command stands. The numbers are stored.</summary>
public enum CommandState
{
    /// <summary>Not accepted yet.</summary>
    New = 0,

    /// <summary>Accepted, waiting to be assigned.</summary>
    Queued = 1,

    /// <summary>Assigned, not sent.</summary>
    Dispatched = 2,

    /// <summary>Sent: the device may be acting.</summary>
    Executing = 3,

    /// <summary>An attempt ended without an answer.</summary>
    Timeout = 4,

    /// <summary>Executed by the device. Final.</summary>
    Success = 5,

    /// <summary>Failed. Final.</summary>
    Failed = 6,
}

/// <summary>What moves a command.</summary>
public enum CommandTrigger
{
    /// <summary>The dispatcher accepted it.</summary>
    Accept,

    /// <summary>Its Worker is routable, its devices are free, the circuit and the window admit it.</summary>
    Assign,

    /// <summary>It leaves for its Worker.</summary>
    Send,

    /// <summary>The Worker executed it.</summary>
    WorkerSucceeded,

    /// <summary>The Worker says it failed.</summary>
    WorkerFailed,

    /// <summary>No usable answer came in time, or its link was full for as long.</summary>
    AttemptTimedOut,

    /// <summary>The Worker had no place for it, and did not begin it.</summary>
    WorkerBusy,

    /// <summary>The Worker could not write its journal, and did not begin it.</summary>
    JournalFailed,

    /// <summary>The Worker cannot tell what became of an earlier attempt.</summary>
    WorkerUnsure,

    /// <summary>Its deadline passed, or it was cancelled, before its attempt could leave.</summary>
    Withdrawn,

    /// <summary>The Worker's link was lost.</summary>
    LinkLost,

    /// <summary>The kernel found it in flight when it started.</summary>
    Recovered,

    /// <summary>The kernel stops.</summary>
    ShuttingDown,

    /// <summary>It is tried again.</summary>
    Retry,

    /// <summary>It is not tried again.</summary>
    GiveUp,

    /// <summary>A caller cancels it.</summary>
    Cancel,

    /// <summary>Its deadline passed.</summary>
    DeadlinePassed,

    /// <summary>Its Worker was terminated, or its device is gone.</summary>
    Abandon,

    /// <summary>An earlier attempt turns out to have succeeded.</summary>
    LateSuccess,

    /// <summary>An earlier attempt turns out to have failed.</summary>
    LateFailure,
}
