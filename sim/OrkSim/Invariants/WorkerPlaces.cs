using Ork.Protocol;

namespace OrkSim;

/// <summary>
/// A Worker that says it has no place for a command is not sent more at once than it had then, and a quarter more after as many as that were answered: how many that are a kernel finds out, and does
/// not ask about again and again; one that is busy with what the kernel does not know of is left alone for a while (S12).
/// </summary>
internal sealed class WorkerPlaces
{
    // A pause is drawn between nothing and at least twice the backoff's base, doubling: eight in a row that take less than twice the base together are one chance in 10^9.
    private const int MostInARow = 8;

    private readonly Dictionary<LinkFacts, (int Most, int Answers, long BusyTicks)> _known = [];
    private readonly Dictionary<LinkFacts, Queue<long>> _busy = [];

    /// <summary>A Worker answered.</summary>
    /// <returns>What is wrong, or null.</returns>
    internal string? Took(in SimEvent frame, Facts facts)
    {
        if (frame.Connection?.Facts is not { Peer.Kind: NodeKind.Worker } link || frame.Message is not { Type: MessageType.Response } answer) return null;

        // One that registers again may be another than it was.
        if (answer.Action is OrkAction.CapabilityResponse) Forget(link);
        if (answer.Action != OrkAction.CommandResult) return null;
        if (!facts.IsInTime(link.TakenAskedTicks))
        {
            // Whether a kernel still listened nobody can tell.
            Forget(link);
            return null;
        }

        if (answer.Error?.StartsWith(ErrorCodes.WorkerBusy.Code, StringComparison.Ordinal) == true) return WasBusy(link, frame.Ticks, facts);
        _busy.Remove(link);
        if (_known.TryGetValue(link, out var known)) _known[link] = Grown(known);
        return null;
    }

    private static (int Most, int Answers, long BusyTicks) Grown((int Most, int Answers, long BusyTicks) known) =>
        known.Answers + 1 < known.Most ? known with { Answers = known.Answers + 1 } : known with { Most = known.Most + Math.Max(1, known.Most / 4), Answers = 0 };

    private void Forget(LinkFacts link)
    {
        _known.Remove(link);
        _busy.Remove(link);
    }

    private string? WasBusy(LinkFacts link, long ticks, Facts facts)
    {
        var atWork = link.Outstanding.Values.Count(static asked => asked.Action == OrkAction.CommandRequest);
        _known[link] = (Math.Max(1, atWork), 0, ticks);
        if (atWork > 0) return null;
        if (!_busy.TryGetValue(link, out var inARow)) _busy.Add(link, inARow = new Queue<long>());
        inARow.Enqueue(ticks);
        if (inARow.Count <= MostInARow) return null;
        var span = ticks - inARow.Dequeue();
        return span < TimeSpan.FromMilliseconds(facts.World.KernelOptions.Commands.BackoffBaseMs).Ticks * 2 ? $"{link.Peer} is at nothing and says that it has no place, and was asked {MostInARow + 1} times in {SimDefaults.Seconds(span)} s." : null;
    }

    /// <summary>A command leaves for its Worker.</summary>
    /// <returns>What is wrong, or null.</returns>
    internal string? Sent(in SimEvent frame, Facts facts)
    {
        if (frame.Node != facts.Holder || frame.Connection?.Facts is not { } link || !_known.TryGetValue(link, out var known)) return null;
        if (facts.ReleasedSince(frame.Node!) <= known.BusyTicks)
        {
            _known[link] = known with { Most = known.Most + 1 };
            return null;
        }

        var inFlight = facts.InFlightAt(link, frame.Correlation);
        return inFlight >= known.Most ? $"{link.Peer} is sent a command while it is at {inFlight}; it had no place for more than {known.Most}." : null;
    }
}
