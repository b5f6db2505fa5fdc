namespace Ork.Kernel;

/// <summary>How well a Worker is.</summary>
[OrkTransient("A start knows nothing of a Worker's health, and pings it.")]
public enum HealthState
{
    /// <summary>Not asked since the kernel started.</summary>
    Unknown,

    /// <summary>Its last ping was answered.</summary>
    Healthy,

    /// <summary>Its last ping was not answered.</summary>
    Sick,

    /// <summary>Too many pings in a row were not answered.</summary>
    Dead,
}

/// <summary>What moves a Worker's health.</summary>
public enum HealthTrigger
{
    /// <summary>A ping was answered.</summary>
    PingAnswered,

    /// <summary>A ping failed.</summary>
    PingFailed,

    /// <summary>A ping failed that makes too many in a row.</summary>
    LastPingFailed,
}
