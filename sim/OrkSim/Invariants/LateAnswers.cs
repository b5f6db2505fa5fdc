using Ork.Kernel;

namespace OrkSim;

/// <summary>Commands that a kernel says are settled by an answer to an attempt that it had given up: with the commit of that turn they are (S20).</summary>
internal sealed class LateAnswers
{
    private static readonly long Moment = TimeSpan.FromMilliseconds(100).Ticks;

    private readonly Dictionary<string, long> _settling = new(StringComparer.Ordinal);

    /// <summary>Hears of an event.</summary>
    /// <returns>What is wrong, or null.</returns>
    internal string? Wrong(in SimEvent happened, Facts facts)
    {
        if (happened.Kind == SimEventKind.StoreOpened) _settling.Clear();
        else if (happened is { Kind: SimEventKind.Note, Note: KernelEvent.LateAnswerSettled, Subject: { } id } && happened.Node == facts.Holder) _settling[id] = happened.Ticks;
        else if (happened.Kind == SimEventKind.Pulse && _settling.Count > 0) return Unsettled(facts);
        return null;
    }

    private string? Unsettled(Facts facts)
    {
        if (!facts.IsServed || facts.CommitInFlight || facts.Holder is { Frozen: true }) return null;
        foreach (var (id, ticks) in _settling)
        {
            if (Math.Max(ticks, facts.AwakeTicks) + Moment > facts.NowTicks) continue;
            _settling.Remove(id);
            if (facts.Commands.TryGetValue(id, out var command) && !command.IsTerminal) return $"The kernel said {SimDefaults.Seconds(facts.NowTicks - ticks)} s ago that a late answer settles {id}, which is still {command.Row.State}.";
        }

        return null;
    }
}
