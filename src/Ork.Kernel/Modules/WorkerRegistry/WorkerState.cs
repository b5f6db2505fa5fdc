namespace Ork.Kernel;

/// <summary>How far a Worker is registered.</summary>
[OrkTransient("A start takes every Worker for Discovered; its identity, its contract and that it was terminated are stored as such.")]
public enum WorkerState
{
    /// <summary>Not known.</summary>
    Unregistered,

    /// <summary>Known by id; not asked yet, or its link was lost.</summary>
    Discovered,

    /// <summary>It said who it is and which devices it has.</summary>
    IdentitySaved,

    /// <summary>Its contract is known: it can be asked to do things.</summary>
    Ready,

    /// <summary>Taken out of service by an operator, for good.</summary>
    Terminated,
}

/// <summary>What moves a Worker's registration.</summary>
public enum WorkerTrigger
{
    /// <summary>It was found: linked for the first time, or loaded from the store.</summary>
    Discover,

    /// <summary>Its identity answer was accepted.</summary>
    SaveIdentity,

    /// <summary>Its contract was accepted.</summary>
    SaveContract,

    /// <summary>Its link was lost.</summary>
    LoseLink,

    /// <summary>An operator terminates it.</summary>
    Terminate,
}
