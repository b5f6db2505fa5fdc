namespace OrkSim;

/// <summary>S14: no Worker begins a command of a lower epoch on a device after one of a higher.</summary>
public sealed class Fencing : IInvariant
{
    /// <inheritdoc/>
    public string Id => "S14";

    /// <inheritdoc/>
    public string Says => "No Worker begins a command of a lower epoch on a device after one of a higher.";

    /// <inheritdoc/>
    public SimEventKind Hears => SimEventKind.Begun;

    private readonly Dictionary<(int Worker, string Device), ulong> _seen = [];

    /// <inheritdoc/>
    public void Hear(in SimEvent happened, Facts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);

        // A Worker that forgets its journal when it crashes forgets which kernel it has seen.
        if (!facts.World.KeepsJournal(happened.Node!.Name)) return;
        var at = (happened.Node.Id, happened.Detail!);
        var seen = _seen.GetValueOrDefault(at);
        if (happened.Correlation < seen) facts.Violated(this, $"{happened.Node} begins {happened.Subject} of epoch {happened.Correlation} on {happened.Detail} after one of epoch {seen}.");
        else _seen[at] = happened.Correlation;
    }
}
