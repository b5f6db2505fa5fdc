namespace Ork.Kernel;

/// <summary>Whether a Worker's circuit lets anything through. The numbers are shown, not stored.</summary>
[OrkTransient("A start begins with every circuit closed; how an operator holds one is stored with its Worker.")]
public enum CircuitState
{
    /// <summary>Everything passes.</summary>
    Closed,

    /// <summary>Nothing passes.</summary>
    Open,

    /// <summary>A few probes pass, and decide.</summary>
    HalfOpen,
}

/// <summary>What moves a circuit.</summary>
public enum CircuitTrigger
{
    /// <summary>Too many exchanges failed.</summary>
    Trip,

    /// <summary>It has cooled down.</summary>
    CoolDown,

    /// <summary>Enough probes were answered.</summary>
    ProbesSucceeded,

    /// <summary>A probe failed.</summary>
    ProbeFailed,

    /// <summary>An operator takes the Worker off.</summary>
    Isolate,

    /// <summary>An operator lets the Worker on again.</summary>
    Restore,
}
