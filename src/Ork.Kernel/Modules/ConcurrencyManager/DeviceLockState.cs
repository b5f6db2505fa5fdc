namespace Ork.Kernel;

/// <summary>Whether a device's lock is held.</summary>
[OrkTransient("A start rebuilds the locks from the command log.")]
public enum DeviceLockState
{
    /// <summary>No command is in flight at the device.</summary>
    Free,

    /// <summary>One command is in flight at the device.</summary>
    Held,
}

/// <summary>What moves a device's lock.</summary>
public enum DeviceLockTrigger
{
    /// <summary>A command is assigned that reaches the device.</summary>
    Acquire,

    /// <summary>The command is no longer in flight.</summary>
    Release,
}
