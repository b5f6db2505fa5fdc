using Ork.Kernel;
using Ork.Protocol;

namespace OrkSim;

/// <summary>How many pings of each Worker can have failed since its last answer (L7). Never fewer than what a kernel can count: without a link a ping fails at once, and no frame tells of it.</summary>
internal sealed class MissedPings
{
    private static readonly long Margin = TimeSpan.FromMilliseconds(300).Ticks;

    private readonly Dictionary<string, Watched> _watched = new(StringComparer.Ordinal);

    /// <summary>A kernel begins with no memory of any Worker.</summary>
    internal void Clear() => _watched.Clear();

    /// <summary>A ping left the kernel, or an answer came to it.</summary>
    internal void Pinged(in SimEvent frame, Facts facts)
    {
        if (frame.Message is not { Action: OrkAction.HealthPing or OrkAction.HealthPong } message || frame.Connection?.Facts is not { Peer.Kind: NodeKind.Worker } link) return;
        var watched = Of(link.Peer.Name);
        if (message.Action == OrkAction.HealthPing)
        {
            watched.Pings.Add((link, frame.Correlation, frame.Ticks));
            return;
        }

        var at = watched.PingOf(link, frame.Correlation);
        if (at < 0 || frame.Ticks - watched.Pings[at].Ticks >= TimeSpan.FromMilliseconds(facts.World.KernelOptions.Health.PingTimeoutMs).Ticks - Margin) return;
        watched.Pings.RemoveAt(at);
        watched.Downs = 0;
        watched.IsAnswered = true;

        // What was under way may still fail after this answer; what had failed before is forgotten.
        var over = frame.Ticks - TimeSpan.FromMilliseconds(facts.World.KernelOptions.Health.PingTimeoutMs).Ticks - Margin;
        watched.ForgetBefore(over);
    }

    /// <summary>Hears of links, and of Workers said to be dead.</summary>
    /// <returns>What says that one is said to be dead too soon, or null.</returns>
    internal string? Hear(in SimEvent note, Facts facts)
    {
        if (note.Node != facts.Holder || note.Subject is not { } worker) return null;
        var watched = Of(worker);
        if (note.Note == KernelEvent.LinkDown)
        {
            if (watched.Downs++ == 0) watched.DownTicks = note.Ticks;
            return null;
        }

        if (note.Note == KernelEvent.WorkerDead) watched.DeadTicks = note.Ticks;
        if (note.Note != KernelEvent.WorkerDead || !watched.IsAnswered || !facts.World.IsHonest(worker)) return null;
        var health = facts.World.KernelOptions.Health;
        var interval = TimeSpan.FromMilliseconds(facts.World.KernelOptions.Schedule.HealthIntervalMs).Ticks;
        var unlinked = watched.Downs == 0 ? 0 : watched.Downs + 1 + (int)((note.Ticks - watched.DownTicks) / interval);
        var missed = watched.Pings.Count + unlinked;
        return missed >= health.DeadAfter ? null : $"{worker} is taken for dead; {missed} pings can have failed since its last answer, and it takes {health.DeadAfter}.";
    }

    /// <summary>What says that a kernel gives up a link too soon, or null.</summary>
    internal string? Ended(in SimEvent ended, Facts facts)
    {
        if (ended.Node != facts.Holder || ended.Connection is not { CloseReason.Error: var why, Facts: { Peer.Kind: NodeKind.Worker } link } || why != ErrorCodes.WorkerUnresponsive) return null;
        var watched = Of(link.Peer.Name);
        var missed = watched.Pings.Count(ping => ping.Link == link);
        var most = facts.World.KernelOptions.Health.DeadAfter;
        return missed >= most || watched.DeadTicks >= link.OpenedTicks || !facts.World.IsHonest(link.Peer.Name) ? null : $"A link of {link.Peer}, which was dead before, is given up; {missed} pings can have failed on it, and it takes {most}.";
    }

    private Watched Of(string worker)
    {
        if (!_watched.TryGetValue(worker, out var watched)) _watched.Add(worker, watched = new Watched());
        return watched;
    }

    private sealed class Watched
    {
        internal List<(LinkFacts Link, ulong Correlation, long Ticks)> Pings { get; } = [];

        internal int PingOf(LinkFacts link, ulong correlation) => Pings.FindIndex(ping => ping.Link == link && ping.Correlation == correlation);

        internal void ForgetBefore(long ticks) => Pings.RemoveAll(ping => ping.Ticks < ticks);

        /// <summary>Links lost since the last answer, and when the first of them was.</summary>
        internal int Downs { get; set; }

        internal long DownTicks { get; set; }

        /// <summary>When it was last said to be dead.</summary>
        internal long DeadTicks { get; set; } = -1;

        /// <summary>True once it has answered this kernel.</summary>
        internal bool IsAnswered { get; set; }
    }
}
