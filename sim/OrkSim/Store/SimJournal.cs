using Ork.Worker;

namespace OrkSim;

/// <summary>A Worker's journal: durable when the virtual write has ended, so that a crash may strike before it.</summary>
internal sealed class SimJournal(SimWorld world, TimeSpan minWrite, TimeSpan maxWrite)
{
    private MemoryCommandJournal _entries = new();
    private HashSet<string> _ending = new(StringComparer.Ordinal);

    /// <summary>True while nothing can be written.</summary>
    internal bool Fails { get; set; }

    /// <summary>When a write last failed.</summary>
    internal long FailedTicks { get; private set; } = -1;

    /// <summary>What was written is gone.</summary>
    internal void Lose(SimNode node)
    {
        _entries = new MemoryCommandJournal();
        Tell(node, new JournalCall(null, default, null, null));
    }

    /// <summary>The journal as one life of its Worker sees it.</summary>
    internal ICommandJournal Of(SimNode node)
    {
        // What an earlier life was writing is lost with it.
        _ending = new HashSet<string>(StringComparer.Ordinal);
        return new View(this, node, _ending);
    }

    /// <summary>True while the end of a command is being written.</summary>
    internal bool IsEnding(string commandId) => _ending.Contains(commandId);

    private sealed class View(SimJournal journal, SimNode node, HashSet<string> ending) : ICommandJournal
    {
        public async ValueTask<(JournalVerdict Verdict, JournalAnswer? Answer)> StartAsync(JournalStart start)
        {
            await WriteAsync();
            var started = await journal._entries.StartAsync(start);
            journal.Note(node, start, started.Verdict);
            journal.Tell(node, new JournalCall(start, started.Verdict, null, started.Answer));
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

            await journal._entries.EndAsync(workerId, commandId, answer);
            journal.Tell(node, new JournalCall(null, default, commandId, answer));
        }

        private async Task WriteAsync()
        {
            await Task.Delay(journal.Time(), node.Clock);
            if (!journal.Fails) return;
            journal.FailedTicks = journal.Now;
            throw new IOException("the journal cannot be written");
        }
    }

    private void Note(SimNode node, JournalStart start, JournalVerdict verdict)
    {
        if (verdict == JournalVerdict.Started) world.Facts.Begun(node, start);
        else world.Reached(Coverage.PointOf(verdict));
    }

    private void Tell(SimNode node, JournalCall call)
    {
        if (world.Hears(SimEventKind.Journaled)) world.Emit(new SimEvent { Kind = SimEventKind.Journaled, Node = node, Journal = call });
    }

    private long Now => world.Scheduler.NowTicks;

    private TimeSpan Time() => world.Draws.Between(minWrite, maxWrite);
}
