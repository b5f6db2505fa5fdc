using Ork.Protocol;

namespace OrkSim;

/// <summary>S14: no Worker begins a command of a lower epoch after one of a higher, or under another epoch or attempt than it was told, and none acts on a command that it did not begin.</summary>
public sealed class Fencing : IInvariant
{
    private readonly Dictionary<(SimNode Worker, int Disk), ulong> _seen = [];
    private readonly HashSet<(SimNode Worker, string CommandId, ulong Epoch)> _begun = [];
    private readonly HashSet<(SimNode Worker, string CommandId, long Epoch, int Attempt)> _told = [];

    /// <inheritdoc/>
    public string Id => "S14";

    /// <inheritdoc/>
    public string Says => "No Worker begins a command of a lower epoch after one of a higher, or under another epoch or attempt than it was told, and none acts on a command that it did not begin.";

    /// <inheritdoc/>
    public SimEventKind Hears => SimEventKind.FrameTaken | SimEventKind.Begun | SimEventKind.Executed;

    /// <inheritdoc/>
    public void Hear(in SimEvent happened, Facts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        if (happened.Kind == SimEventKind.FrameTaken)
        {
            if (happened is { Node.Kind: NodeKind.Worker, Message: { Action: OrkAction.CommandRequest, CommandId: { } told } message }) _told.Add((happened.Node, told, message.Epoch, message.Attempt));
            return;
        }

        if (happened.Kind == SimEventKind.Executed)
        {
            var execution = happened.Execution!;
            if (_begun.Contains((happened.Node!, execution.CommandId, (ulong)execution.Epoch))) return;
            facts.Violated(this, $"{happened.Node} acts on {execution.CommandId} of epoch {execution.Epoch} without having begun it.");
            return;
        }

        _begun.Add((happened.Node!, happened.Subject!, happened.Correlation));
        var start = happened.Journal!.Start!;
        if (!_told.Contains((happened.Node!, start.CommandId, start.Epoch, start.Attempt))) facts.Violated(this, $"{happened.Node} begins attempt {start.Attempt} of {start.CommandId} under epoch {start.Epoch}, of which it was not told.");

        // A Worker whose journal dies with it forgets which kernel it has seen.
        if (!facts.World.KeepsJournal(happened.Node!.Name)) return;
        var journal = (happened.Node, happened.Journal.Disk);
        var seen = _seen.GetValueOrDefault(journal);
        if (happened.Correlation < seen) facts.Violated(this, $"{happened.Node} begins {happened.Subject} of epoch {happened.Correlation} after one of epoch {seen}.");
        else _seen[journal] = happened.Correlation;
    }
}
