using System.Text;
using Microsoft.Data.Sqlite;
using Ork.Protocol;
using Ork.Storage.Sqlite;

namespace Ork.Worker;

/// <summary>
/// A journal in a SQLite file, shared by all Workers of a process. Starts and ends that arrive together are made durable with one sync (group commit).
/// One whose files are removed or replaced takes no more: what it says would be forgotten.
/// </summary>
[OrkRole(OrkRole.Edge)]
public sealed class SqliteCommandJournal : ICommandJournal, IAsyncDisposable
{
    /// <summary>How many ended commands are remembered unless told otherwise.</summary>
    public const int DefaultMaxEntries = 2_000_000;

    private const int MostIncarnations = 32;
    private const int TrimEvery = 4_096;

    // A step that was released is never edited.
    private static readonly string[] Steps =
    [
        """
        CREATE TABLE entries (
            number INTEGER PRIMARY KEY, worker_id TEXT NOT NULL, command_id TEXT NOT NULL, attempt INTEGER NOT NULL, epoch INTEGER NOT NULL,
            status INTEGER NOT NULL DEFAULT 0, result TEXT, error TEXT, UNIQUE (worker_id, command_id));
        CREATE TABLE epochs (worker_id TEXT PRIMARY KEY, epoch INTEGER NOT NULL) WITHOUT ROWID;
        """,
        "CREATE TABLE incarnations (number INTEGER PRIMARY KEY, name TEXT NOT NULL);",
    ];

    private readonly object _gate = new();
    private readonly SqliteConnection _connection;
    private readonly JournalStatements _statements;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly int _maxEntries;
    private List<Operation> _waiting = [];
    private List<Operation> _writing = [];
    private readonly string _path;
    private FilesInPlace? _files;
    private int _sinceTrim;
    private bool _closing;

    private SqliteCommandJournal(SqliteConnection connection, string path, int maxEntries)
    {
        Incarnations = Begin(connection);
        _connection = connection;
        _path = path;
        _maxEntries = maxEntries;
        _statements = new JournalStatements(connection);
        new Thread(WriteGroups) { IsBackground = true, Name = "ork-journal" }.Start();
    }

    /// <summary>Opens the journal of a file, which is made if it does not exist.</summary>
    /// <param name="path">The file.</param>
    /// <param name="maxEntries">How many ended commands are remembered; the oldest are dropped beyond.</param>
    /// <exception cref="IOException">The file is damaged, of a newer version, or cannot be opened.</exception>
    public static SqliteCommandJournal Open(string path, int maxEntries = DefaultMaxEntries)
    {
        ArgumentNullException.ThrowIfNull(path);
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false }.ConnectionString);
        try
        {
            connection.Open();
            Prepare(connection, path);
            return new SqliteCommandJournal(connection, Path.GetFullPath(path), maxEntries);
        }
        catch (SqliteException e)
        {
            connection.Dispose();
            throw new IOException($"Command journal {path}: {e.Message}", e);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> Incarnations { get; }

    /// <inheritdoc/>
    public async ValueTask<(JournalVerdict Verdict, JournalAnswer? Answer)> StartAsync(JournalStart start)
    {
        var operation = new Operation(start, null, null, null);
        await Submit(operation);
        return (operation.Verdict, operation.Found);
    }

    /// <inheritdoc/>
    public ValueTask EndAsync(string workerId, string commandId, JournalAnswer answer) => new(Submit(new Operation(null, workerId, commandId, answer)));

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            _closing = true;
            Monitor.Pulse(_gate);
        }

        await _ended.Task;
        _statements.Dispose();
        _connection.Dispose();
    }

    private static void Prepare(SqliteConnection connection, string path)
    {
        using var command = connection.CreateCommand();
        command.CommandText = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA user_version";
        var version = 0L;
        using (var reader = command.ExecuteReader())
        {
            do
            {
                while (reader.Read()) version = reader.GetValue(0) as long? ?? 0;
            }
            while (reader.NextResult());
        }

        if (version > Steps.Length) throw new IOException($"Command journal {path} was written by a newer version ({version}).");
        for (; version < Steps.Length; version++)
        {
            command.CommandText = $"BEGIN; {Steps[version]} PRAGMA user_version = {version + 1}; COMMIT;";
            command.ExecuteNonQuery();
        }
    }

    /// <summary>Gives this opening its name, durably, before anybody is told it.</summary>
    private static List<string> Begin(SqliteConnection connection)
    {
        using var command = connection.CreateCommand();
        command.CommandText = $"""
            BEGIN IMMEDIATE;
            INSERT INTO incarnations (name) VALUES (lower(hex(randomblob(8))));
            DELETE FROM incarnations WHERE number <= (SELECT MAX(number) FROM incarnations) - {MostIncarnations};
            COMMIT;
            SELECT name FROM incarnations ORDER BY number DESC;
            """;
        var names = new List<string>();
        using var reader = command.ExecuteReader();
        while (reader.Read()) names.Add(reader.GetString(0));
        return names;
    }

    private Task Submit(Operation operation)
    {
        lock (_gate)
        {
            if (_closing) throw new IOException("The command journal is closed.");
            _waiting.Add(operation);
            Monitor.Pulse(_gate);
        }

        return operation.Done.Task;
    }

    private void WriteGroups()
    {
        while (true)
        {
            lock (_gate)
            {
#pragma warning disable ORK0006 // The thread is the journal's own, and waits for nothing but work.
                while (_waiting.Count == 0 && !_closing) Monitor.Wait(_gate);
#pragma warning restore ORK0006
                if (_waiting.Count == 0)
                {
                    _ended.TrySetResult();
                    return;
                }

                (_waiting, _writing) = (_writing, _waiting);
            }

            WriteGroup();
            _writing.Clear();
        }
    }

    private void WriteGroup()
    {
        try
        {
            using var transaction = _connection.BeginTransaction();
            _statements.Enlist(transaction);
            foreach (var operation in _writing) Apply(operation);
            Trim(_writing.Count);
            transaction.Commit();
        }
        catch (SqliteException e)
        {
            _statements.RolledBack();
            foreach (var operation in _writing) operation.Done.SetException(new IOException($"Command journal: {e.Message}", e));
            return;
        }

        // Both files are there once something was written.
        _files ??= new FilesInPlace(_path, _path + "-wal");
        var lost = _files.FindLost();
        foreach (var operation in _writing)
        {
            if (lost is null) operation.Done.SetResult();
            else operation.Done.SetException(new IOException($"Command journal: {lost} was removed or replaced; nothing is begun that it could not tell of. Start the Worker again: it begins a new journal where there is none."));
        }
    }

    private void Apply(Operation operation)
    {
        if (operation.Start is { } start) (operation.Verdict, operation.Found) = _statements.Start(start);
        else _statements.End(operation.WorkerId!, operation.CommandId!, operation.Answer!);
    }

    private void Trim(int operations)
    {
        if ((_sinceTrim += operations) < TrimEvery) return;
        _sinceTrim = 0;
        _statements.Trim(_maxEntries);
    }

    private sealed class Operation(JournalStart? start, string? workerId, string? commandId, JournalAnswer? answer)
    {
        internal JournalStart? Start { get; } = start;

        internal string? WorkerId { get; } = workerId;

        internal string? CommandId { get; } = commandId;

        internal JournalAnswer? Answer { get; } = answer;

        internal JournalVerdict Verdict { get; set; }

        internal JournalAnswer? Found { get; set; }

        internal TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}

/// <summary>The journal's prepared statements; used on the journal's thread only.</summary>
internal sealed class JournalStatements : IDisposable
{
    private readonly SqliteCommand _find, _insert, _restart, _end, _epoch, _seen, _trim;

    // The newest epoch that each Worker has seen, as far as it was asked for; the file's is what counts.
    private readonly Dictionary<string, long> _epochs = new(StringComparer.Ordinal);

    internal JournalStatements(SqliteConnection connection)
    {
        _find = Make(connection, "SELECT status, result, error FROM entries WHERE worker_id = $worker AND command_id = $command", "$worker", "$command");
        _insert = Make(
            connection, "INSERT INTO entries (worker_id, command_id, attempt, epoch) VALUES ($worker, $command, $attempt, $epoch)",
            "$worker", "$command", "$attempt", "$epoch");
        _restart = Make(
            connection, "UPDATE entries SET attempt = $attempt, epoch = $epoch WHERE worker_id = $worker AND command_id = $command",
            "$worker", "$command", "$attempt", "$epoch");
        _end = Make(
            connection, "UPDATE entries SET status = $status, result = $result, error = $error WHERE worker_id = $worker AND command_id = $command",
            "$worker", "$command", "$status", "$result", "$error");
        _epoch = Make(
            connection, "INSERT INTO epochs VALUES ($worker, $epoch) ON CONFLICT (worker_id) DO UPDATE SET epoch = excluded.epoch", "$worker", "$epoch");
        _seen = Make(connection, "SELECT epoch FROM epochs WHERE worker_id = $worker", "$worker");
        _trim = Make(
            connection, "DELETE FROM entries WHERE status <> 0 AND number <= (SELECT MAX(number) FROM entries) - $keep", "$keep");
    }

    private SqliteCommand[] All => [_find, _insert, _restart, _end, _epoch, _seen, _trim];

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var command in All) command.Dispose();
    }

    internal void Enlist(SqliteTransaction transaction)
    {
        foreach (var command in All) command.Transaction = transaction;
    }

    /// <summary>What the last transaction wrote is not in the file: an epoch that only memory knows would be forgotten with the process, and an older kernel obeyed.</summary>
    internal void RolledBack() => _epochs.Clear();

    internal (JournalVerdict Verdict, JournalAnswer? Answer) Start(JournalStart start)
    {
        var seen = NewestEpoch(start.WorkerId);
        if (start.Epoch < seen) return (JournalVerdict.StaleEpoch, null);
        if (start.Epoch > seen)
        {
            Run(_epoch, start.WorkerId, start.Epoch);
            _epochs[start.WorkerId] = start.Epoch;
        }

        if (Find(start) is not { } entry)
        {
            Run(_insert, start.WorkerId, start.CommandId, start.Attempt, start.Epoch);
            return (JournalVerdict.Started, null);
        }

        if (entry.Status != CommandStatus.None) return (JournalVerdict.Ended, entry);
        if (!start.Reexecute) return (JournalVerdict.Unknown, null);
        Run(_restart, start.WorkerId, start.CommandId, start.Attempt, start.Epoch);
        return (JournalVerdict.Started, null);
    }

    internal void End(string workerId, string commandId, JournalAnswer answer) => Run(
        _end, workerId, commandId, (int)answer.Status, answer.Result.IsEmpty ? DBNull.Value : Encoding.UTF8.GetString(answer.Result.Span),
        answer.Error ?? (object)DBNull.Value);

    internal void Trim(int keep) => Run(_trim, keep);

    private long NewestEpoch(string workerId)
    {
        if (_epochs.TryGetValue(workerId, out var epoch)) return epoch;
        _seen.Parameters[0].Value = workerId;
        return _epochs[workerId] = _seen.ExecuteScalar() as long? ?? long.MinValue;
    }

    private JournalAnswer? Find(JournalStart start)
    {
        _find.Parameters[0].Value = start.WorkerId;
        _find.Parameters[1].Value = start.CommandId;
        using var reader = _find.ExecuteReader();
        if (!reader.Read()) return null;
        return new JournalAnswer(
            (CommandStatus)reader.GetInt32(0), reader.IsDBNull(1) ? default : Encoding.UTF8.GetBytes(reader.GetString(1)),
            reader.IsDBNull(2) ? null : reader.GetString(2));
    }

    private static void Run(SqliteCommand command, params ReadOnlySpan<object> values)
    {
        for (var i = 0; i < values.Length; i++) command.Parameters[i].Value = values[i];
        command.ExecuteNonQuery();
    }

    private static SqliteCommand Make(SqliteConnection connection, string sql, params ReadOnlySpan<string> parameters)
    {
        var command = connection.CreateCommand();
        command.CommandText = sql;
        foreach (var name in parameters) command.Parameters.Add(new SqliteParameter(name, null));
        command.Prepare();
        return command;
    }
}
