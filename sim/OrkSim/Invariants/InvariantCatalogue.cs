namespace OrkSim;

/// <summary>The built-in invariants.</summary>
public static class InvariantCatalogue
{
    /// <summary>All of them, made anew.</summary>
    public static IReadOnlyList<IInvariant> All() =>
    [
        new WriteAhead(), new NoLostCommand(), new NoDoubleExecution(), new TerminalIsFinal(), new LegalTransitions(), new SingleOwner(), new NoSendToUnroutable(),
        new OneAtATime(), new PullOnly(), new CancelMeansCancel(), new NoFalseSuccess(), new Bounds(), new MonotoneStatus(), new Fencing(), new Idempotency(),
        new RecoveryIsExact(), new RetriesInBudget(), new CircuitDiscipline(), new OrderFidelity(), new AnswerFidelity(), new ClientFidelity(), new OrderlyStop(), new Reconnecting(), new Convergence(), new Settlement(), new AnswersInTime(), new Metronome(), new RecoveryTime(), new Fairness(), new Availability(),
    ];

    /// <summary>Those, and the checks of the real store and journals against their models, which make a run some four times as long.</summary>
    public static IReadOnlyList<IInvariant> WithMirrors() => [.. All(), new StoreFidelity(), new JournalFidelity()];

    /// <summary>How runs of a gear are watched.</summary>
    internal static WatchOptions Watching(WatchOptions watch, Gear gear) =>
        gear != Gear.Mirror ? watch : watch with { Invariants = watch.Invariants is { } own ? () => [.. own(), new StoreFidelity(), new JournalFidelity()] : WithMirrors };
}
