using Ork;
using System.Text;
using Ork.Worker;

namespace OrkSim;

/// <summary>
/// S23: the real journal is the model of it. Whatever a Worker of the run asks of its journal is asked of a real one too, which is closed and opened again wherever the
/// Worker started anew; the answers must be the same.
/// </summary>
[OrkRole(OrkRole.Edge)]
public sealed class JournalFidelity : IInvariant, IDisposable
{
    // They are all alike: a few tell as much as all, in less time.
    private const int MostMirrors = 4;
    private const int MostPending = 64;

    private readonly MirrorFolder _folder = new();
    private readonly Dictionary<(SimNode Node, int Disk), Mirror> _mirrors = [];

    /// <inheritdoc/>
    public string Id => "S23";

    /// <inheritdoc/>
    public string Says => "The SQLite journal of a Worker answers as it promised, across restarts.";

    /// <inheritdoc/>
    public SimEventKind Hears => SimEventKind.Journaled | SimEventKind.NodeUp;

    /// <inheritdoc/>
    public void Hear(in SimEvent happened, Facts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        if (happened.Node is not { Kind: NodeKind.Worker } node) return;
        if (happened.Journal is not { } call)
        {
            foreach (var known in _mirrors.Where(known => known.Key.Node == node)) Check(known.Value.Close, node, facts);
            return;
        }

        var disk = (node, call.Disk);
        if (!_mirrors.ContainsKey(disk) && _mirrors.Count == MostMirrors) return;
        if (!_mirrors.TryGetValue(disk, out var mirror)) _mirrors.Add(disk, mirror = new Mirror(Path.Combine(_folder.Path, $"{node.Name}-{call.Disk}")));
        Check(workerId => mirror.Ask(call, workerId), node, facts);
    }

    private void Check(Func<string, string?> ask, SimNode node, Facts facts)
    {
        try
        {
            if (ask(node.Name) is { } difference) facts.Violated(this, difference);
        }
        catch (Exception e) when (e is IOException or InvalidCastException)
        {
            facts.Violated(this, $"The SQLite journal of {node.Name} failed at what the model took: {e.Message}");
        }
    }

    /// <inheritdoc/>
    public void End(Facts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        foreach (var ((node, _), mirror) in _mirrors)
        {
            Check(mirror.Close, node, facts);
            Check(mirror.AskAgain, node, facts);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var mirror in _mirrors.Values) mirror.Dispose();
        _folder.Dispose();
    }

    /// <summary>One disk's real journal; a lost one goes on in a new file.</summary>
    private sealed class Mirror(string path) : IDisposable
    {
        private const string Nobody = "a command that nobody sent";

        // What was asked and not yet compared: the journal writes them together, and the run does not stand still for each.
        private readonly List<(Task<(JournalVerdict Verdict, JournalAnswer? Answer)>? Asked, Task? Told, JournalCall Call)> _pending = [];
        private readonly Dictionary<string, JournalAnswer?> _known = new(StringComparer.Ordinal);
        private SqliteCommandJournal? _journal;
        private string? _opening;
        private long _epoch;
        private int _lost;

        /// <summary>Closes it, all that was asked compared.</summary>
        internal string? Close(string workerId)
        {
            var difference = Compare(workerId);
            Dispose();
            return difference;
        }

        /// <summary>Closes it, whatever it has to say.</summary>
        public void Dispose()
        {
            if (_journal is { } journal) Real.Wait(journal.DisposeAsync);
            _journal = null;
        }

        private string? Compare(string workerId)
        {
            string? difference = null;
            foreach (var (asked, told, call) in _pending)
            {
                if (told is not null) Real.Wait(() => new ValueTask(told));
                if (asked is null) continue;
                var found = Real.Wait(() => new ValueTask<(JournalVerdict Verdict, JournalAnswer? Answer)>(asked));
                var (expected, answered) = (Show(call.Verdict, call.Answer), Show(found.Verdict, found.Answer));
                if (expected != answered) difference ??= $"Asked for {call.Start!.CommandId}, attempt {call.Start.Attempt} of epoch {call.Start.Epoch}, the SQLite journal of {workerId} answers {answered} and not {expected}.";
            }

            _pending.Clear();
            return difference;
        }

        internal string? Ask(JournalCall call, string workerId)
        {
            if (call.Start is null && call.EndedId is null)
            {
                var difference = Close(workerId);
                _lost++;
                _opening = null;
                _epoch = 0;
                _known.Clear();
                return difference;
            }

            if (Open(workerId) is { } forgotten) return forgotten;
            if (call.Start is { } start)
            {
                _epoch = Math.Max(_epoch, start.Epoch);
                if (call.Verdict == JournalVerdict.Started) _known.TryAdd(start.CommandId, null);
                _pending.Add((Real.Begin(() => _journal!.StartAsync(start).AsTask()), null, call));
            }
            else
            {
                _known[call.EndedId!] = call.Answer;
                _pending.Add((null, Real.Begin(() => _journal!.EndAsync(workerId, call.EndedId!, call.Answer!).AsTask()), call));
            }

            return _pending.Count < MostPending ? null : Compare(workerId);
        }

        /// <summary>Asks once more for all that it was ever asked for: what has no end is unknown, what has one is answered with it.</summary>
        internal string? AskAgain(string workerId)
        {
            if (_known.Count == 0) return null;
            if (Open(workerId) is { } forgotten) return forgotten;
            foreach (var (commandId, end) in _known)
            {
                var again = Real.Wait(() => _journal!.StartAsync(new JournalStart(workerId, commandId, int.MaxValue, _epoch, Reexecute: false)));
                var (expected, answered) = (end is null ? Show(JournalVerdict.Unknown, null) : Show(JournalVerdict.Ended, end), Show(again.Verdict, again.Answer));
                if (expected != answered) return $"Asked again for {commandId}, the SQLite journal of {workerId} answers {answered} and not {expected}.";
            }

            return null;
        }

        /// <summary>Opens it where it is closed; then a kernel older than the newest it has seen must still be refused.</summary>
        private string? Open(string workerId)
        {
            if (_journal is not null) return null;
            _journal = SqliteCommandJournal.Open($"{path}-{_lost}.db");
            if (_opening is { } opening && !_journal.Incarnations.Skip(1).Contains(opening)) return $"Opened again, the SQLite journal of {workerId} does not know that it was open before.";
            _opening = _journal.Incarnations[0];
            if (_epoch <= 1) return null;
            var old = Real.Wait(() => _journal.StartAsync(new JournalStart(workerId, Nobody, 1, _epoch - 1, Reexecute: false)));
            return old.Verdict == JournalVerdict.StaleEpoch ? null : $"Opened again, the SQLite journal of {workerId} answers {old.Verdict} to a kernel of epoch {_epoch - 1}; it has seen {_epoch}.";
        }

        private static string Show(JournalVerdict verdict, JournalAnswer? answer) =>
            answer is null ? $"{verdict}" : $"{verdict}: {answer.Status} {Encoding.UTF8.GetString(answer.Result.Span)} {answer.Error}";
    }

}
