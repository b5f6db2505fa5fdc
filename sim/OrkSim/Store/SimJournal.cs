using Ork.Worker;

namespace OrkSim;

/// <summary>A Worker's journal: durable when the virtual write has ended, so that a crash may strike before it.</summary>
internal sealed class SimJournal(SimWorld world, TimeSpan minWrite, TimeSpan maxWrite)
{
    private MemoryCommandJournal _entries = new();

    /// <summary>What was written is gone.</summary>
    internal void Lose() => _entries = new MemoryCommandJournal();

    /// <summary>The journal as one life of its Worker sees it.</summary>
    internal ICommandJournal Of(SimNode node) => new View(this, node);

    private sealed class View(SimJournal journal, SimNode node) : ICommandJournal
    {
        public async ValueTask<(JournalVerdict Verdict, JournalAnswer? Answer)> StartAsync(JournalStart start)
        {
            await WriteAsync();
            var started = await journal._entries.StartAsync(start);
            journal.Note(node, start, started.Verdict);
            return started;
        }

        public async ValueTask EndAsync(string workerId, string commandId, JournalAnswer answer)
        {
            await WriteAsync();
            await journal._entries.EndAsync(workerId, commandId, answer);
        }

        private Task WriteAsync() => Task.Delay(journal.Time(), node.Clock);
    }

    private void Note(SimNode node, JournalStart start, JournalVerdict verdict)
    {
        if (verdict == JournalVerdict.Started) world.Facts.Begun(node, start.CommandId, start.Epoch);
        else world.Reached(Coverage.PointOf(verdict));
    }

    private TimeSpan Time() => world.Draws.Between(minWrite, maxWrite);
}
