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

    private readonly MirrorFolder _folder = new();
    private readonly Dictionary<SimNode, Mirror> _mirrors = [];

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
            if (_mirrors.TryGetValue(node, out var known)) known.Close();
            return;
        }

        if (!_mirrors.ContainsKey(node) && _mirrors.Count == MostMirrors) return;
        if (!_mirrors.TryGetValue(node, out var mirror)) _mirrors.Add(node, mirror = new Mirror(Path.Combine(_folder.Path, node.Name)));
        try
        {
            if (mirror.Ask(call, node.Name) is { } difference) facts.Violated(this, difference);
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
        foreach (var (node, mirror) in _mirrors)
        {
            mirror.Close();
            if (mirror.AskAgain(node.Name) is { } difference) facts.Violated(this, difference);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var mirror in _mirrors.Values) mirror.Close();
        _folder.Dispose();
    }

    /// <summary>One Worker's real journal; a lost one goes on in a new file.</summary>
    private sealed class Mirror(string path)
    {
        private const string Nobody = "a command that nobody sent";

        private readonly Dictionary<string, JournalAnswer?> _known = new(StringComparer.Ordinal);
        private SqliteCommandJournal? _journal;
        private long _epoch;
        private int _lost;

        internal void Close()
        {
            if (_journal is { } journal) Real.Wait(journal.DisposeAsync);
            _journal = null;
        }

        internal string? Ask(JournalCall call, string workerId)
        {
            if (call.Start is null && call.EndedId is null)
            {
                Close();
                _lost++;
                _epoch = 0;
                _known.Clear();
                return null;
            }

            if (Open(workerId) is { } forgotten) return forgotten;
            if (call.Start is not { } start)
            {
                _known[call.EndedId!] = call.Answer;
                Real.Wait(() => _journal!.EndAsync(workerId, call.EndedId!, call.Answer!));
                return null;
            }

            _epoch = Math.Max(_epoch, start.Epoch);
            if (call.Verdict == JournalVerdict.Started) _known.TryAdd(start.CommandId, null);
            var found = Real.Wait(() => _journal!.StartAsync(start));
            var (expected, answered) = (Show(call.Verdict, call.Answer), Show(found.Verdict, found.Answer));
            return expected == answered ? null : $"Asked for {start.CommandId}, attempt {start.Attempt} of epoch {start.Epoch}, the SQLite journal of {workerId} answers {answered} and not {expected}.";
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
            if (_epoch <= 1) return null;
            var old = Real.Wait(() => _journal.StartAsync(new JournalStart(workerId, Nobody, 1, _epoch - 1, Reexecute: false)));
            return old.Verdict == JournalVerdict.StaleEpoch ? null : $"Opened again, the SQLite journal of {workerId} answers {old.Verdict} to a kernel of epoch {_epoch - 1}; it has seen {_epoch}.";
        }

        private static string Show(JournalVerdict verdict, JournalAnswer? answer) =>
            answer is null ? $"{verdict}" : $"{verdict}: {answer.Status} {Encoding.UTF8.GetString(answer.Result.Span)} {answer.Error}";
    }

}
