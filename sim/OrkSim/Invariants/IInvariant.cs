namespace OrkSim;

/// <summary>
/// Something that must hold in every run, checked from outside. Made anew for each run; write one, hand it to the scenario, and it is checked like the built-in ones.
/// </summary>
public interface IInvariant
{
    /// <summary>Its id, as in reports: S1, L2.</summary>
    string Id { get; }

    /// <summary>What it says, in a sentence.</summary>
    string Says { get; }

    /// <summary>The events it wants to hear of.</summary>
    SimEventKind Hears { get; }

    /// <summary>Hears of an event.</summary>
    void Hear(in SimEvent happened, Facts facts);

    /// <summary>The run is over.</summary>
    void End(Facts facts)
    {
    }
}
