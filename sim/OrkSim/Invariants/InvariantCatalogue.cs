namespace OrkSim;

/// <summary>The built-in invariants.</summary>
public static class InvariantCatalogue
{
    /// <summary>All of them, made anew.</summary>
    public static IReadOnlyList<IInvariant> All() =>
    [
        new WriteAhead(), new NoLostCommand(), new NoDoubleExecution(), new TerminalIsFinal(), new LegalTransitions(), new SingleOwner(), new NoSendToUnroutable(),
        new OneAtATime(), new PullOnly(), new CancelMeansCancel(), new NoFalseSuccess(), new Bounds(), new MonotoneStatus(), new Fencing(), new Idempotency(),
        new RecoveryIsExact(), new Convergence(), new Settlement(), new AnswersInTime(), new Metronome(), new RecoveryTime(),
    ];

    /// <summary>Those whose modules are built: S8 waits for the Concurrency Manager, as does the clause of S7 on circuits for the Fault Supervisor.</summary>
    public static IReadOnlyList<IInvariant> Active() => [.. All().Where(invariant => IsActive(invariant.Id))];

    /// <summary>False for one that waits for its module.</summary>
    public static bool IsActive(string id) => id != "S8";
}
