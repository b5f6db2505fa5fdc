using Ork.Kernel;
using Ork.Protocol;

namespace OrkSim;

/// <summary>What could have opened a circuit, counted from the links: requests that were not answered in time, and links lost (S18). Never fewer than what a kernel can count.</summary>
internal sealed class CircuitCauses
{
    private const int MostKept = 4_096;
    private const int MostAnswers = 256;

    // What leaves as a kernel wakes it may have decided before it stood still.
    private static readonly long Waking = TimeSpan.FromMilliseconds(500).Ticks;
    private static readonly long Slack = TimeSpan.FromMilliseconds(600).Ticks;

    private readonly Dictionary<string, Watched> _watched = new(StringComparer.Ordinal);

    /// <summary>A kernel begins with no memory of any Worker.</summary>
    internal void Clear() => _watched.Clear();

    internal void Sent(in SimEvent frame, Facts facts)
    {
        if (frame.Node != facts.Holder || frame.Frame != FrameKind.Request || frame.Connection?.Facts is not { Peer.Kind: NodeKind.Worker } link) return;
        if (frame.Message is not { } message || !CircuitDiscipline.Counts(message.Action)) return;
        var asked = Of(link.Peer.Name).Asked;
        if (asked.Count == MostKept) asked.RemoveAt(0);
        asked.Add(new(link, frame.Correlation, frame.Ticks, message.Action == OrkAction.CommandRequest ? facts.ReleasedSince(frame.Node!) : frame.Ticks));
    }

    internal void Took(in SimEvent frame, Facts facts)
    {
        if (frame.Node != facts.Holder || frame.Frame != FrameKind.Response || frame.Connection?.Facts is not { Peer.Kind: NodeKind.Worker } link) return;
        var watched = Of(link.Peer.Name);
        var at = watched.AskedAs(link, frame.Correlation);
        if (at < 0 || frame.Message is not { } answer || answer.Action != OrkAction.CommandResult && frame.Payload.Span.IndexOf("ERR_HANDLER_TIMEOUT"u8) >= 0) return;

        // One that may have come too late for the kernel stays a failure; whether it was one nobody knows, unless it came later than any may.
        var asked = watched.Asked[at];
        if (frame.Ticks - asked.Ticks >= ShortestTimeout(facts) - Slack)
        {
            if (frame.Ticks - asked.Ticks <= LongestTimeout(facts) + Slack) watched.Asked[at] = asked with { IsInDoubt = true };
            return;
        }

        // Who knows whether a kernel that has just woken heard the answer. And a command that was decided on while the circuit was in another state tells of that.
        if (asked.Ticks < facts.AwakeTicks + Waking || asked.DecidedTicks <= watched.ChangedTicks)
        {
            if (watched.DoubtfulTicks.Count == MostAnswers) watched.DoubtfulTicks.RemoveAt(0);
            watched.DoubtfulTicks.Add(asked.Ticks);
            watched.Asked.RemoveAt(at);
            return;
        }

        if (watched.AnsweredTicks.Count == MostAnswers) watched.AnsweredTicks.RemoveAt(0);
        watched.AnsweredTicks.Add(frame.Ticks);
        watched.Asked.RemoveAt(at);
    }

    /// <summary>What says that a circuit opens without a cause, or null. Also hears of links lost.</summary>
    internal string? Missing(in SimEvent note, Facts facts)
    {
        if (note.Node != facts.Holder || note.Subject is not { } worker) return null;
        if (note.Note == KernelEvent.LinkDown) Lost(Of(worker), note.Ticks, facts);
        if (note.Note is not (KernelEvent.CircuitOpened or KernelEvent.CircuitClosed or KernelEvent.CircuitHalfOpen)) return null;
        var watched = Of(worker);
        var missing = note.Note == KernelEvent.CircuitOpened && facts.World.IsHonest(worker) ? Missing(watched, note.Detail ?? "", note.Ticks, facts) : null;

        // Each state begins with no memory of the one before.
        watched.Asked.Clear();
        watched.LostTicks.Clear();
        watched.AnsweredTicks.Clear();
        watched.DoubtfulTicks.Clear();
        watched.ChangedTicks = note.Ticks;
        return missing is null ? null : $"The circuit of {worker} opens: {note.Detail}; {missing}.";
    }

    /// <summary>What a link that was lost took with it is no failure, unless its time was over before.</summary>
    private static void Lost(Watched watched, long ticks, Facts facts)
    {
        watched.LostTicks.Add(ticks);
        var inTime = ticks - LongestTimeout(facts) - Slack;
        for (var i = 0; i < watched.Asked.Count; i++)
        {
            if (watched.Asked[i].Ticks > inTime) watched.Asked[i] = watched.Asked[i] with { MayBeLost = true };
        }

        var over = ticks - ShortestTimeout(facts) + Slack;
        watched.Asked.RemoveAll(asked => !asked.Link.KernelSide.IsOpen && asked.Ticks > over);
    }

    /// <summary>What says that a circuit is still closed though the Worker's links were lost often enough, or null.</summary>
    internal string? Overdue(Facts facts)
    {
        // One that stands still judges nobody.
        if (!facts.IsServed || facts.Holder is { Frozen: true }) return null;
        var options = facts.World.KernelOptions.Circuits;
        var since = facts.NowTicks - TimeSpan.FromMilliseconds(options.WindowMs * 0.85).Ticks;
        foreach (var (worker, watched) in _watched)
        {
            if ((InARow(worker, watched, facts) ?? Rate(worker, watched, since, facts)) is { } failing) return failing;

            // The latest may be of this very turn.
            if (watched.LostTicks.Count < options.LinksLostToOpen || watched.LostTicks[^1] > facts.NowTicks - Slack || facts.World.IsGone(worker) || facts.World.IsHeldClosed(worker)) continue;
            var lost = watched.LostTicks.Count(at => at >= since);
            if (lost >= options.LinksLostToOpen && facts.CircuitOf(worker) == KernelEvent.CircuitClosed) return $"The links of {worker} were lost {lost} times in {options.WindowMs} ms, and its circuit is closed; {options.LinksLostToOpen} times open it.";
        }

        return null;
    }

    /// <summary>What says that surely so many of a Worker's exchanges failed, one after the other, that its circuit should be open, or null: on whichever of its links.</summary>
    private static string? InARow(string worker, Watched watched, Facts facts)
    {
        var most = facts.World.KernelOptions.Circuits.ConsecutiveFailures;
        if (watched.Asked.Count < most || facts.CommitInFlight || facts.CircuitOf(worker) != KernelEvent.CircuitClosed || !facts.World.IsHonest(worker) || facts.World.IsGone(worker) || facts.World.IsHeldClosed(worker)) return null;
        var longest = LongestTimeout(facts) + Slack;
        var heard = Math.Max(Math.Max(watched.ChangedTicks, facts.AwakeTicks + Waking), Math.Max(watched.AnsweredTicks.LastOrDefault(), watched.DoubtfulTicks.Select(asked => asked + longest).DefaultIfEmpty().Max()));
        foreach (var asked in watched.Asked)
        {
            if (asked.IsInDoubt) heard = Math.Max(heard, asked.Ticks + longest);
        }

        var over = facts.NowTicks - longest - (2 * facts.World.WorstLateness.Ticks);
        var failed = watched.Asked.Count(asked => !asked.IsInDoubt && !asked.MayBeLost && asked.Ticks > heard && asked.DecidedTicks > watched.ChangedTicks && asked.Ticks < over);
        return failed >= most ? $"{failed} requests in a row to {worker} were not answered in time, and its circuit is closed; {most} open it." : null;
    }

    /// <summary>What says that surely so many of a Worker's exchanges failed lately that its circuit should be open, or null. A margin is left for those of which nobody knows.</summary>
    private static string? Rate(string worker, Watched watched, long since, Facts facts)
    {
        var options = facts.World.KernelOptions.Circuits;
        if (watched.Asked.Count < options.MinExchanges * options.FailurePercent / 100 || facts.AwakeTicks > since || facts.CommitInFlight || !facts.World.IsHonest(worker) || facts.World.IsGone(worker) || facts.World.IsHeldClosed(worker)) return null;
        return facts.CircuitOf(worker) == KernelEvent.CircuitClosed && facts.LinkOf(worker) is { KernelSide.IsOpen: true } link ? Rate(worker, watched, link, since, facts) : null;
    }

    private static string? Rate(string worker, Watched watched, LinkFacts link, long since, Facts facts)
    {
        const double margin = 1.3;
        var options = facts.World.KernelOptions.Circuits;
        var over = facts.NowTicks - LongestTimeout(facts) - Slack - (2 * facts.World.WorstLateness.Ticks);
        var failed = watched.Asked.Count(asked => asked.Link == link && !asked.IsInDoubt && asked.Ticks >= since && asked.Ticks < over);
        var windowed = facts.NowTicks - TimeSpan.FromMilliseconds(options.WindowMs * 1.1).Ticks;
        var doubted = windowed - LongestTimeout(facts);
        var answered = watched.AnsweredTicks.Count(at => at >= windowed) + watched.DoubtfulTicks.Count(asked => asked >= doubted)
            + watched.Asked.Count(asked => asked.Ticks >= over || (asked.IsInDoubt && asked.Ticks >= doubted));
        if (failed == 0 || failed * 100 < (failed + answered) * options.FailurePercent * margin) return null;

        // Only what fails opens a circuit, and only where enough was exchanged by then: when the latest ran out of its time.
        var latest = watched.Asked.FindLast(asked => asked.Link == link && !asked.IsInDoubt && asked.Ticks < over).Ticks + ShortestTimeout(facts) - Slack;
        var before = watched.AnsweredTicks.Count(at => at >= since && at < latest);
        return failed + before >= options.MinExchanges * margin
            ? $"{failed} requests to {worker} failed lately and {answered} at most were answered, and its circuit is closed; {options.FailurePercent} % open it." : null;
    }

    private static string? Missing(Watched watched, string why, long ticks, Facts facts)
    {
        var options = facts.World.KernelOptions.Circuits;
        var windowed = ticks - TimeSpan.FromMilliseconds(options.WindowMs * 1.1).Ticks - Slack;
        if (TooSoon(why, options) is { } soon) return soon;
        if (Unheard(watched, why, ticks, facts) is { } unheard) return unheard;
        if (why == "flaps")
        {
            var lost = watched.LostTicks.Count(at => at >= windowed);
            return lost >= options.LinksLostToOpen ? null : $"its links were lost {lost} times in that while";
        }

        if (!int.TryParse(why.AsSpan(0, Math.Max(0, why.IndexOf(' ', StringComparison.Ordinal))), System.Globalization.CultureInfo.InvariantCulture, out var told)) return null;
        var longest = LongestTimeout(facts) + Slack + facts.World.WorstLateness.Ticks + (facts.AwakeTicks > windowed ? ticks - windowed : 0);

        // An answer just taken may still lie before the kernel.
        var since = why.EndsWith("in a row", StringComparison.Ordinal) ? watched.AnsweredTicks.FindLast(at => at < ticks - Slack) : windowed;

        // What a kernel that stood still decided before it left after, or not at all.
        if (facts.AwakeTicks > since) return null;
        var failed = watched.Asked.Count(asked => asked.Ticks >= since - longest) + watched.DoubtfulTicks.Count(at => at >= since - longest);
        return failed >= told ? null : $"{failed} requests can have failed in that while";
    }

    /// <summary>What the kernel itself says is cause enough.</summary>
    private static string? TooSoon(string why, CircuitOptions options)
    {
        return Numbers(why) switch
        {
            [var inARow] when inARow < options.ConsecutiveFailures => $"it takes {options.ConsecutiveFailures}",
            [_, var all] when all < options.MinExchanges => $"it takes {options.MinExchanges} exchanges to tell",
            [var failed, var all] when failed * 100L < (long)all * options.FailurePercent => $"it takes {options.FailurePercent} %",
            _ => null,
        };
    }

    /// <summary>What was answered counts too, unless it may still lie before the kernel or fall out of the window; one that stood still may have taken it for late.</summary>
    private static string? Unheard(Watched watched, string why, long ticks, Facts facts)
    {
        var since = ticks - TimeSpan.FromMilliseconds(facts.World.KernelOptions.Circuits.WindowMs * 0.85).Ticks;
        if (Numbers(why) is not [var failed, var all] || facts.AwakeTicks > since) return null;
        var answered = watched.AnsweredTicks.Count(at => at >= since && at < ticks - Slack);
        return answered <= all - failed ? null : $"{answered} were answered in that while";
    }

    private static int[] Numbers(string why) =>
        [.. why.Split(' ').Where(static word => int.TryParse(word, System.Globalization.CultureInfo.InvariantCulture, out _)).Select(static word => int.Parse(word, System.Globalization.CultureInfo.InvariantCulture))];

    private static long ShortestTimeout(Facts facts) => TimeSpan.FromMilliseconds(Math.Min(facts.World.KernelOptions.Pulls.TimeoutMs, facts.World.Attempts.Shortest.TotalMilliseconds)).Ticks;

    private static long LongestTimeout(Facts facts) =>
        TimeSpan.FromMilliseconds(Math.Max(facts.World.KernelOptions.Pulls.TimeoutMs, facts.World.Attempts.Longest.TotalMilliseconds) + facts.World.KernelOptions.Loop.ListenMs).Ticks;

    private Watched Of(string worker)
    {
        if (!_watched.TryGetValue(worker, out var watched)) _watched.Add(worker, watched = new Watched());
        return watched;
    }

    /// <summary>A request that was sent.</summary>
    private readonly record struct Asked(LinkFacts Link, ulong Correlation, long Ticks, long DecidedTicks)
    {
        /// <summary>True where an answer came, perhaps in time and perhaps not.</summary>
        internal bool IsInDoubt { get; init; }

        /// <summary>True where its link was lost before its time was surely over.</summary>
        internal bool MayBeLost { get; init; }
    }

    /// <summary>What happened with a Worker since its circuit last changed.</summary>
    private sealed class Watched
    {
        internal List<Asked> Asked { get; } = [];

        internal int AskedAs(LinkFacts link, ulong correlation) => Asked.FindIndex(asked => asked.Link == link && asked.Correlation == correlation);

        internal List<long> LostTicks { get; } = [];

        internal List<long> AnsweredTicks { get; } = [];

        /// <summary>When those left that were answered, perhaps too late for the kernel.</summary>
        internal List<long> DoubtfulTicks { get; } = [];

        /// <summary>When the circuit came to its state.</summary>
        internal long ChangedTicks { get; set; }
    }
}
