namespace OrkSim;

/// <summary>The built-in invariants.</summary>
public static class InvariantCatalogue
{
    /// <summary>All of them, made anew.</summary>
    public static IReadOnlyList<IInvariant> All() =>
    [
        new WriteAhead(), new NoLostCommand(), new NoDoubleExecution(), new TerminalIsFinal(), new LegalTransitions(), new SingleOwner(), new NoSendToUnroutable(),
        new OneAtATime(), new PullOnly(), new CancelMeansCancel(), new NoFalseSuccess(), new Bounds(), new MonotoneStatus(), new Fencing(), new Idempotency(),
        new RecoveryIsExact(), new RetriesInBudget(), new CircuitDiscipline(), new Convergence(), new Settlement(), new AnswersInTime(), new Metronome(), new RecoveryTime(), new Fairness(),
    ];
}
