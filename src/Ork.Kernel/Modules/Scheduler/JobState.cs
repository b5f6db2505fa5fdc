namespace Ork.Kernel;

/// <summary>Where a scheduled job stands.</summary>
[OrkTransient("A start begins every job anew.")]
public enum JobState
{
    /// <summary>Waits for its time.</summary>
    Idle,

    /// <summary>Its time has come; it waits for a place in the window.</summary>
    Due,

    /// <summary>Under way.</summary>
    Running,

    /// <summary>Under way, and its time has come again.</summary>
    Overrun,
}

/// <summary>What moves a scheduled job.</summary>
public enum JobTrigger
{
    /// <summary>Its time has come.</summary>
    Elapse,

    /// <summary>It starts.</summary>
    Start,

    /// <summary>It ended, well or not.</summary>
    Finish,

    /// <summary>It is dropped before it started: its Worker is not there any more.</summary>
    Drop,
}

/// <summary>The kinds of job.</summary>
public enum JobKind
{
    /// <summary>Health ping.</summary>
    Health,

    /// <summary>State pull.</summary>
    State,

    /// <summary>Telemetry pull.</summary>
    Telemetry,
}
