using Ork.Kernel;

namespace OrkSim;

/// <summary>
/// The pauses between a command's attempts, as far as they can be seen: each is drawn between nothing and a ceiling that doubles, so one may be short, but not nearly all of many.
/// </summary>
internal sealed class Backoff
{
    // Three quarters of two dozen within a tenth of their ceilings: one run in 10^13 has that by chance.
    private const int Looked = 24;
    private const int MostShort = 18;
    private const int ShortPart = 10;

    private readonly Dictionary<long, (long Ticks, long CeilingTicks)> _waits = [];
    private readonly Queue<bool> _latest = new();
    private int _short;

    /// <summary>Another kernel: what it finds waits for nothing.</summary>
    internal void Clear() => _waits.Clear();

    /// <summary>Looks at what a batch records.</summary>
    /// <param name="batch">The batch, as it is handed to the store.</param>
    /// <param name="decidedTicks">The earliest that it can have been decided.</param>
    /// <param name="ticks">Now.</param>
    /// <param name="options">The kernel's.</param>
    /// <param name="interrupted">True for a command that waits for nothing, for a kernel's stop interrupted it.</param>
    /// <returns>What is wrong, or null.</returns>
    internal string? Wrong(CommitBatch batch, long decidedTicks, long ticks, CommandOptions options, Func<long, bool> interrupted)
    {
        foreach (var line in batch.Log)
        {
            if (line is { From: CommandState.Timeout, To: CommandState.Queued } && !interrupted(line.CommandSeq)) _waits[line.CommandSeq] = (decidedTicks, CeilingOf(batch, line.CommandSeq, options));
            else if (line.To == CommandState.Dispatched && _waits.Remove(line.CommandSeq, out var wait) && wait.CeilingTicks > 0) Note((ticks - wait.Ticks) * ShortPart < wait.CeilingTicks);
        }

        return _short > MostShort ? $"Of the latest {_latest.Count} retries {_short} came within a tenth of the pause that they may make: their pauses are not drawn." : null;
    }

    private static long CeilingOf(CommitBatch batch, long seq, CommandOptions options)
    {
        var retries = batch.ChangedCommands.Find(row => row.Seq == seq).Retries;
        return retries < 1 ? 0 : TimeSpan.FromMilliseconds(Math.Min(options.BackoffCapMs, options.BackoffBaseMs << Math.Min(retries - 1, 20))).Ticks;
    }

    private void Note(bool isShort)
    {
        _latest.Enqueue(isShort);
        if (isShort) _short++;
        if (_latest.Count > Looked && _latest.Dequeue()) _short--;
    }
}
