namespace Ork.Kernel;

/// <summary>Where a command request stands.</summary>
[OrkTransient("A request is dispatched within one turn.")]
public enum DispatchState
{
    /// <summary>Its payload is checked.</summary>
    Validating,

    /// <summary>Its Worker and devices are resolved and its parameters checked against the contract.</summary>
    Routing,

    /// <summary>Accepted. Final.</summary>
    Enqueued,

    /// <summary>Refused without a trace. Final.</summary>
    Rejected,
}

/// <summary>What moves a command request.</summary>
public enum DispatchTrigger
{
    /// <summary>The payload keeps the protocol's rules.</summary>
    Valid,

    /// <summary>It can be carried out, and there is room.</summary>
    Routed,

    /// <summary>It breaks a rule.</summary>
    Refuse,
}
