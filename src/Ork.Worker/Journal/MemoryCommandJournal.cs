namespace Ork.Worker;

/// <summary>A journal in memory: the model of the port, and for Workers whose devices forget with them.</summary>
public sealed class MemoryCommandJournal : ICommandJournal
{
    /// <summary>How many ended commands are remembered unless told otherwise.</summary>
    public const int DefaultMaxEntries = 100_000;

    private readonly object _gate = new();
    private readonly Dictionary<(string WorkerId, string CommandId), JournalAnswer?> _entries = [];
    private readonly Queue<(string WorkerId, string CommandId)> _ended = new();
    private readonly Dictionary<string, long> _epochs = new(StringComparer.Ordinal);
    private readonly int _maxEntries;

    /// <summary>Makes an empty journal.</summary>
    /// <param name="maxEntries">How many ended commands are remembered; the oldest are dropped beyond.</param>
    public MemoryCommandJournal(int maxEntries = DefaultMaxEntries)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxEntries);
        _maxEntries = maxEntries;
    }

    /// <summary>None: it is gone with its process, and the kernel is not told of it.</summary>
    public IReadOnlyList<string> Incarnations => [];

    /// <inheritdoc/>
    public ValueTask<(JournalVerdict Verdict, JournalAnswer? Answer)> StartAsync(JournalStart start)
    {
        ArgumentNullException.ThrowIfNull(start);
        lock (_gate) return new(Start(start));
    }

    /// <inheritdoc/>
    public ValueTask EndAsync(string workerId, string commandId, JournalAnswer answer)
    {
        lock (_gate) End((workerId, commandId), answer);
        return ValueTask.CompletedTask;
    }

    private (JournalVerdict Verdict, JournalAnswer? Answer) Start(JournalStart start)
    {
        if (_epochs.TryGetValue(start.WorkerId, out var seen) && start.Epoch < seen) return (JournalVerdict.StaleEpoch, null);
        _epochs[start.WorkerId] = start.Epoch;
        if (!_entries.TryGetValue((start.WorkerId, start.CommandId), out var answer))
        {
            _entries.Add((start.WorkerId, start.CommandId), null);
            return (JournalVerdict.Started, null);
        }

        return answer is not null ? (JournalVerdict.Ended, answer) : (start.Reexecute ? JournalVerdict.Started : JournalVerdict.Unknown, null);
    }

    private void End((string WorkerId, string CommandId) command, JournalAnswer answer)
    {
        var isFirst = _entries.GetValueOrDefault(command) is null;
        _entries[command] = answer;
        if (!isFirst) return;
        _ended.Enqueue(command);
        while (_ended.Count > _maxEntries) _entries.Remove(_ended.Dequeue());
    }
}
