using Ork.Worker;

namespace OrkSim;

/// <summary>A Worker's journal: durable when the virtual write has ended, so that a crash may strike before it. Its standby has one of its own.</summary>
internal sealed class SimJournal(SimWorld world, TimeSpan minWrite, TimeSpan maxWrite)
{
    private const int MostIncarnations = 32;

    private readonly Disk[] _disks = [new(0), new(1)];
    private int _at;
    private readonly Dictionary<string, string[]> _openings = new(StringComparer.Ordinal);
    private HashSet<string> _ending = new(StringComparer.Ordinal);

    /// <summary>True while nothing can be written.</summary>
    internal bool Fails { get; set; }

    /// <summary>When a write last failed.</summary>
    internal long FailedTicks { get; private set; } = -1;

    /// <summary>The disk that is written to.</summary>
    internal int At => _at;

    /// <summary>The name of the present opening; empty where nothing outlives the Worker.</summary>
    internal string Incarnation { get; private set; } = "";

    /// <summary>When it was opened.</summary>
    internal long OpenedTicks { get; private set; }

    /// <summary>What was written is gone.</summary>
    internal void Lose(SimNode node)
    {
        _disks[_at] = new Disk(_at);
        Tell(node, new JournalCall(null, default, null, null, _at));
    }

    /// <summary>The other disk is the one from now on: nothing is on it but what was written there.</summary>
    internal void FailOver() => _at ^= 1;

    /// <summary>The journal as one life of its Worker sees it.</summary>
    internal ICommandJournal Of(SimNode node, bool isKept)
    {
        // What an earlier life was writing is lost with it.
        _ending = new HashSet<string>(StringComparer.Ordinal);
        var disk = _disks[_at];
        if (isKept) disk.Open($"{node.Name}#{_openings.Count + 1}");
        OpenedTicks = Now;
        Incarnation = isKept ? disk.Incarnations[0] : "";
        string[] told = isKept ? [.. disk.Incarnations] : [];
        _openings[Incarnation] = told;
        return new View(this, disk, node, told, _ending);
    }

    /// <summary>True where an opening knows what was written until the end of another.</summary>
    internal bool Knows(string opening, string earlier) => _openings.TryGetValue(opening, out var told) && told.Contains(earlier);

    /// <summary>True while the end of a command is being written.</summary>
    internal bool IsEnding(string commandId) => _ending.Contains(commandId);

    private sealed class Disk(int number)
    {
        internal int Number { get; } = number;

        internal MemoryCommandJournal Entries { get; } = new();

        internal List<string> Incarnations { get; } = [];

        internal void Open(string incarnation)
        {
            Incarnations.Insert(0, incarnation);
            if (Incarnations.Count > MostIncarnations) Incarnations.RemoveAt(MostIncarnations);
        }
    }

    private sealed class View(SimJournal journal, Disk disk, SimNode node, IReadOnlyList<string> incarnations, HashSet<string> ending) : ICommandJournal
    {
        public IReadOnlyList<string> Incarnations => incarnations;

        public async ValueTask<(JournalVerdict Verdict, JournalAnswer? Answer)> StartAsync(JournalStart start)
        {
            await WriteAsync();
            var started = await disk.Entries.StartAsync(start);
            var call = new JournalCall(start, started.Verdict, null, started.Answer, disk.Number);
            journal.Note(node, call);
            journal.Tell(node, call);
            return started;
        }

        public async ValueTask EndAsync(string workerId, string commandId, JournalAnswer answer)
        {
            ending.Add(commandId);
            try
            {
                await WriteAsync();
            }
            finally
            {
                ending.Remove(commandId);
            }

            await disk.Entries.EndAsync(workerId, commandId, answer);
            journal.Tell(node, new JournalCall(null, default, commandId, answer, disk.Number));
        }

        private async Task WriteAsync()
        {
            await Task.Delay(journal.Time(), node.Clock);
            if (!journal.Fails) return;
            journal.FailedTicks = journal.Now;
            throw new IOException("the journal cannot be written");
        }
    }

    private void Note(SimNode node, JournalCall call)
    {
        if (call.Verdict == JournalVerdict.Started) world.Facts.Begun(node, call);
        else world.Reached(Coverage.PointOf(call.Verdict));
    }

    private void Tell(SimNode node, JournalCall call)
    {
        if (world.Hears(SimEventKind.Journaled)) world.Emit(new SimEvent { Kind = SimEventKind.Journaled, Node = node, Journal = call });
    }

    private long Now => world.Scheduler.NowTicks;

    private TimeSpan Time() => world.Draws.Between(minWrite, maxWrite);
}
